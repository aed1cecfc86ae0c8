"""The graph against other GraphQL servers that hold the same records: `uv run python -m tests.bench.peers`."""
