"""The dialects: one file a platform, between its interface page and the language in schema/. Imports schema/ only."""
