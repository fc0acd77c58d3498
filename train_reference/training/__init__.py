"""Training: phases, the loop, checkpoints, what is written at the end."""
