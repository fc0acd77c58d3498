"""Names of the three splits, as people write them."""

SPLIT_NAMES = ("train", "validation", "test")
_WRITTEN = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_name(text: str) -> str | None:
    """train, validation or test as people write them; None for any other word."""
    return _WRITTEN.get(text.strip().lower())
