"""The compiled executor: an operation is planned once, then answered without walking the schema again.

documents.py (what may be executed) -> plan.py (levels, and the function that shapes) -> statements.py (SQL text) ->
executor.py (runs it). What it cannot do it does not do: hub/graph/answer.py then asks graphql-core. See docs/graph-executor.md.
"""
