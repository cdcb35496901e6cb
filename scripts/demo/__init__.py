"""The demo: the program at work on a sample app, and the picture of it."""
