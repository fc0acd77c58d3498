"""What is measured at many frames of a clip: key points, features, embeddings."""
