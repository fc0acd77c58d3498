"""The statistics of answers: distributions, bias, steadiness, controls. Pure functions."""
