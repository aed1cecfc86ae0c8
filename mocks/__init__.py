"""Mock platforms: each is written from its page alone and shares no code with the hub or the connectors."""
