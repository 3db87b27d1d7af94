"""The replay benchmark of searches: tables of costs, demands, replays, reports."""
