"""Compression techniques and what they do to a network. TensorFlow is imported by `apply` only."""
