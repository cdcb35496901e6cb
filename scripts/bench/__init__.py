"""Measures speed beside the Node peer and the bare decoder, in one run, as medians and ratios."""
