"""The stage that puts what people decided about clips among the votes and gold that came with them."""

from curate.clips.finding import problem_table
from curate.labelling import Counts, Frames
from curate.run_folder import Run
from curate.show.review.choose import is_drawn
from curate.show.review.exports import read_exports
from curate.show.review.keep import keep_decisions
from curate.show.review.ledger import read_ledger


def bring_in(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Bring the decisions of the run's ledger in.

    Reads tables clips, votes-given and gold-given; writes votes, gold and problems-reviews.
    """
    ledger, through = read_ledger(run.folder), read_exports(run.folder).drawn_through
    drawn = {clip_id for clip_id in read["clips"]["clip_id"] if through and is_drawn(clip_id, through)}
    kept = keep_decisions(read["clips"], read["votes-given"], read["gold-given"], ledger, drawn)
    written = {"votes": kept.votes, "gold": kept.gold, "problems-reviews": problem_table(kept.findings)}
    return written, {"decisions": ledger.height, "drawn": len(drawn)}
