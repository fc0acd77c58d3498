"""Two releases beside each other: what changed, why, and which version that makes."""
