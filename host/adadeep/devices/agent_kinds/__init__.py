"""Kinds of agents: one folder or file each, and the choice among them."""
