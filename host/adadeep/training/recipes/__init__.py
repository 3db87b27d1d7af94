"""How networks are trained, one a module. TensorFlow is imported when one trains."""
