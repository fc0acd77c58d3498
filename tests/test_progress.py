import io

from rich.console import Console

from curate.progress import bars


def test_each_stage_gets_one_bar_that_ends_full() -> None:
    shown = io.StringIO()
    with bars(Console(file=shown, width=100)) as progress:
        for done in range(4):
            progress("clips", done, 3)
        progress("frames", 1, 2)
    lines = [line.split() for line in shown.getvalue().splitlines() if line.strip()]
    assert [(line[0], line[2]) for line in lines] == [("clips", "3/3"), ("frames", "1/2")]
