"""The steps that bring a database from one shape to the next; run by hub/mirror/upgrade.py, made by `regenerate.py`.

A step in versions/ imports nothing of ours: it must mean the same in ten years, whatever the entities say by then.
"""
