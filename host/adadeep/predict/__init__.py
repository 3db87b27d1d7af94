"""Costs that are computed rather than measured: the paper's formulas."""
