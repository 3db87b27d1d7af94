"""Choosing the next plan: the space of decisions, the reward, and the samplers."""
