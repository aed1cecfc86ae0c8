"""What must follow from what the mirror holds: the rules, the sweep that asks them, the worker that makes it so."""
