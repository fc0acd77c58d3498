"""Models in this process: transformers and vLLM."""
