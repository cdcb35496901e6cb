"""From a Workspace to tables.sqlite and back. The only user of SQLite."""
