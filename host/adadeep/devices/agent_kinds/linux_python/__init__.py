"""The Python agent: for Linux boards and computers, and whatever else has a Python."""
