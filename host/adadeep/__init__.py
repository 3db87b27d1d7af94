"""adadeep: profile a device, search compressions by what it measures, deploy the winner."""

__version__ = "0.2.0.dev0"
