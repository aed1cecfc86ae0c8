"""Who asks, and what they may: application keys, tokens of an OpenID provider, how often each may ask. docs/access.md."""
