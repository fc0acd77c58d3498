"""Turns a dataset with noisy labels into one that people can trust."""
