"""The compiled executor against graphql-core: the same questions, the same answers."""
