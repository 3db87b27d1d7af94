"""The profile library: device profiles as files that a person can read and diff."""
