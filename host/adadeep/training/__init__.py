"""Tasks, initial networks, training and accuracy. Imports TensorFlow, except for `tasks`."""
