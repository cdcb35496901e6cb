"""The processes that do tasks, and what is said to them."""
