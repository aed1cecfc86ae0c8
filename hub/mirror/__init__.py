"""What platforms said, what is owed because of it, and what came in: all SQL that writes, and every named read.

Functions here are plain and synchronous: they take a SQLAlchemy `Connection` that is inside a transaction. `Database.write`
and `Database.read` run them, on SQLite and on PostgreSQL alike (docs/decisions/transactions-are-functions.md).
"""
