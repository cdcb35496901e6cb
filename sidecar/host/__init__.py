"""The other side of stdin and stdout: events, commands, and the end of the host."""
