"""When each document is synced, and what the host is told: the long-running side."""
