"""Releases on the Hugging Face Hub: fetched to be compared, published whole or not at all."""
