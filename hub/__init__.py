"""The engine: keeps what platforms said, compares, acts, serves. `app.py` wires it, `cli.py` is the command."""
