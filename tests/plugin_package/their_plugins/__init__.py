"""What somebody else adds to adadeep by entry points alone; see ../pyproject.toml."""
