"""Statistics: what each mirrored record contributes (facts), and their sums by day and month (cells).

A change puts its record on a list, in its own transaction (due.py). One job at a time takes records off that list, says anew
what they contribute (sources.py) and adds the difference to the cells (counting.py), so that counting never holds up or fails
what is applied. Nothing depends on the order of changes: a record's facts are a function of the mirror as it is. recount.py
says everything anew and repairs what differs; reading.py answers the graph.
docs/decisions/statistics-are-counted-behind-the-change.md says why.
"""
