"""Data with their splits, one a module. They are read when one is loaded."""
