"""`bihuan doctor`: what is wrong around the hub, and its cure. Everything here only looks; nothing is changed anywhere."""
