"""Workers AI on this machine: an ASGI app over a durable queue and local scorers."""
