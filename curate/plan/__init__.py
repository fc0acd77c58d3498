"""The bill before it is spent."""
