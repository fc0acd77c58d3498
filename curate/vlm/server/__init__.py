"""Models at a server, over HTTP."""
