"""What a release holds: clips with their labels, sequences of different lengths, batches of them."""
