"""The console in a real browser, asking a real `bihuan serve` with the mock platforms behind it."""
