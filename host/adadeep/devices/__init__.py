"""Ways to a device, what is attached, its facts, the agent on it."""
