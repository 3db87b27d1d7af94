"""Values and pure functions; standard library, numpy and msgspec, no TensorFlow."""
