"""What is amiss with label files and media, told before anything is run."""

from curate.clips.classes import Classes
from curate.clips.content import media_findings, read_contents
from curate.clips.notes import read_notes
from curate.clips.source import open_source
from curate.errors import InputError, Problem
from curate.recipe import Clips, GoldFile


def clip_problems(clips: Clips, classes: Classes, truth: GoldFile | None = None) -> list[Problem]:
    """Everything about label files and media that a run would refuse, set aside or mend, at once.

    Args:
        clips: The recipe's section; its paths are absolute.
        classes: The recipe's classes; None when they are not known, and then
            labels are not checked against them.
        truth: Labels to measure against.

    Returns:
        One problem a file, row or clip. Those whose fix is "It is read all the
        same" stop nothing. Calls no model and writes nothing.
    """
    try:
        source = open_source(clips, classes)
    except InputError as error:
        return [*error.problems, *read_notes(clips, (), classes, truth).broken]
    notes = read_notes(clips, source.raw, classes, truth)
    media = media_findings(source, notes, read_contents(source))
    return [*notes.broken, *(finding.problem() for finding in (*source.findings, *notes.findings, *media))]
