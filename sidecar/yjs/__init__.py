"""The wire format of Yjs in Python: no decoder, no I/O."""
