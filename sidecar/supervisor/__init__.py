"""When each document is synced, and what the host is reported: the long-running side."""
