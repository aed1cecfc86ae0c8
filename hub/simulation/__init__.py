"""Hub and platforms together in one process, on a clock that jumps: hours pass in milliseconds, in a fixed order."""
