"""Tasks and their parts: networks, data sets, recipes, metrics. TensorFlow: when used."""
