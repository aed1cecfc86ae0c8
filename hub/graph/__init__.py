"""The graph: what the schema asks of the database, batched; who may ask; how much; and what errors look like."""
