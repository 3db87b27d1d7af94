"""What a run leaves on disk: the append-only journal, and models by content hash."""
