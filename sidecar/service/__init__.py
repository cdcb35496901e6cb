"""When something is synced, in which process, and what the host is told about it."""
