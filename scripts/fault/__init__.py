"""What tries to break the program: kills, damage, crowds, chaos."""
