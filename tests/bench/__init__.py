"""Benchmarks: `uv run python -m tests.bench` prints ratios against a floor measured in the same run, interleaved, bodies checked.

Never a timed test: machines are shared and noisy, and the load generator shares the cores with what it measures.
"""
