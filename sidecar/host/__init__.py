"""The connection to the host by stdin and stdout: events, commands, and noticing its end."""
