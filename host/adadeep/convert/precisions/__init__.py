"""Number formats that a network can be converted to. Imports no TensorFlow until used."""
