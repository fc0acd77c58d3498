"""The stage that hides faces in what is released."""

from dataclasses import dataclass
from pathlib import Path

from curate import tables
from curate.clips.finding import Finding, problem_table
from curate.clips.media import MediaStore, media_store
from curate.clips.pool import one_by_one
from curate.errors import MediaError
from curate.files import sha256_of
from curate.frames.people.blur import FaceBlur, open_face_blur
from curate.labelling import Counts, Frames
from curate.run_folder import Run

_SUFFIXES = (".mp4", ".jpg", ".png")
"""That a clip's media may have once faces are hidden."""


def hide_faces(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Media without faces, where the recipe asks for it; clips that cannot be made so are not released."""
    if run.recipe.release.faces == "keep":
        return {"media": tables.empty("media"), "problems-faces": problem_table([])}, {"media": 0}
    blur = open_face_blur(run.recipe.release.face_detector)
    hider = _Hider(blur, media_store(run.recipe.clips), run.blurred(blur.decided_by))
    clips, rows, findings = read["clips"].sort("clip_id"), list[dict[str, object]](), list[Finding]()
    steps = run.steps("faces")
    for done, found in enumerate(one_by_one(hider.hide, clips.to_dicts()), start=1):
        if isinstance(found, Finding):
            findings.append(found)
        else:
            rows.append(found)
        steps(done, clips.height)
    written = {"media": tables.table("media", rows), "problems-faces": problem_table(findings)}
    return written, {name: frame.height for name, frame in written.items()}


@dataclass(frozen=True, slots=True)
class _Hider:
    blur: FaceBlur
    store: MediaStore
    folder: Path

    def hide(self, clip: dict[str, str]) -> dict[str, object] | Finding:
        """A row of table media, or why there is none; what an earlier run made is taken over."""
        stem = self.folder / clip["clip_id"]
        try:
            made = _made(stem) or self.blur.write(self.store.open(clip["uri"]), clip["media"], stem)
        except MediaError as error:
            what = f"is not released, as faces in it cannot be blurred: {error}"
            return Finding(clip["uri"], clip["name"], "faces", what)
        return {"clip_id": clip["clip_id"], "sha256": sha256_of(made), "suffix": made.suffix}


def _made(stem: Path) -> Path | None:
    found = (stem.with_name(stem.name + suffix) for suffix in _SUFFIXES)
    return next((path for path in found if path.is_file()), None)
