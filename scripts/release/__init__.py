"""What is shipped: the bundle, and a try of the packages."""
