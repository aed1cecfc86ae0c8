"""The language of the house: what exists (entities), how it is asked for (query) and changed (mutation).

Imports nothing of ours.
"""
