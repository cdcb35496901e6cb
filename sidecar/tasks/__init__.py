"""The tasks for one document: everything that a worker can run."""
