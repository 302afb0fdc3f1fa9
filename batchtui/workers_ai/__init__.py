"""Workers AI as its clients see it: wire format, errors, client, matching and model catalogue."""
