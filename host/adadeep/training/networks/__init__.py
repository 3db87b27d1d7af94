"""Initial networks, one a module. Keras is imported when one is built."""
