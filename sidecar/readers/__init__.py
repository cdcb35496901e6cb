"""Answers for those who read mirrors. Writes nothing."""
