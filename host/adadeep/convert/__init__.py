"""Keras networks to .tflite, and .tflite files run on this computer to check them."""
