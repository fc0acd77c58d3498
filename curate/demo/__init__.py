"""Clips drawn on the spot, and the small model that ships."""
