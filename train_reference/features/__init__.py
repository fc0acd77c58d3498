"""What students are shown: embeddings, key points, engagement features, tokens, as sequences on disk."""
