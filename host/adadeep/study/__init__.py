"""The search: ask, compress, train, convert, cost, reward, tell; and where it is composed."""
