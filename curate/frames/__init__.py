"""Which moments of a clip are looked at, and the pictures taken there."""
