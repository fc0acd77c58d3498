"""What is learned from when: arms, pacing, targets."""
