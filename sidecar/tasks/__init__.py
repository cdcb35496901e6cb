"""What may be done to one document: all that a worker can be asked for."""
