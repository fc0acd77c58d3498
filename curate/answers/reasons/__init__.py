"""Pseudo-labels with reasons: observe, conclude, reflect."""
