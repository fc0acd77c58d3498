"""A recipe and a questionnaire to start from, one pair a domain."""
