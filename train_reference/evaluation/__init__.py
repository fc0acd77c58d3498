"""How good a model is, and whether one is better than another."""
