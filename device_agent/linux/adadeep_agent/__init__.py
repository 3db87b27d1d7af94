"""The agent that measures on a Linux device; standard library plus a TFLite runtime."""
