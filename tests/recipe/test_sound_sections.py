from pathlib import Path

from curate.recipe import FolderClips, Task, sound_sections


def test_one_wrong_section_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    sound = "task: {classes: [a, b]}\nclips: {source: folder, path: m}\n"
    path.write_text(sound + "vlm: {backend: openai}\nframes: {count: 0}\n", encoding="utf-8")
    sections = sound_sections(path)
    assert sections["task"] == Task(classes=("a", "b"))
    assert sections["clips"] == FolderClips(source="folder", path=tmp_path / "m")
    assert "vlm" not in sections
    assert "frames" not in sections
    assert "labels" in sections, "a section with a default is there though the file leaves it out"


def test_a_file_that_is_no_mapping_has_no_sections(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("- just\n- a list\n", encoding="utf-8")
    assert all(name not in sound_sections(path) for name in ("task", "clips", "vlm"))
