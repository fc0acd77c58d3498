"""Numbers that are not known exactly."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """At least, most likely, at most."""

    low: float
    expected: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        """The sum, as if both were low, or high, at once: never narrower than the truth."""
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def __mul__(self, factor: float) -> "Range":
        """So many times as much; `factor` is at least 0."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    @property
    def is_exact(self) -> bool:
        """Whether there is nothing to guess."""
        return self.low == self.expected == self.high


def exactly(value: float) -> Range:
    """A number that is known."""
    return Range(value, value, value)


NOTHING = exactly(0)
