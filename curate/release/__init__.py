"""The published dataset: files, card, measured facts."""
