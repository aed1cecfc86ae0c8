"""What the hub serves: webhooks, the graph, health. Starlette endpoints, wired by app.py."""
