"""Asking the questionnaire and reading the answers."""
