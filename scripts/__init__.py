"""What a developer runs: the demo, document makers, measurements and release tools."""
