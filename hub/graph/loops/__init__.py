"""The loop as one answer: what each record tells (a file a platform), and how it is put together (loop.py)."""
