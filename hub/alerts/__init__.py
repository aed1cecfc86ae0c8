"""What means trouble, in one place (`rules.py`): judged by the hub itself, told to a webhook, written as rules for Prometheus."""
