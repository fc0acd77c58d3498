"""Train, validation and test: what must stay together, who goes where, and what leaks all the same."""
