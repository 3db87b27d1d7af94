"""What networks are judged by, one a module."""
