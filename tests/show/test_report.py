import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from curate.release.content import HowAsked, ReleaseContent
from curate.release.metrics import measure
from curate.show.report import render_report, write_report

EVIL = "<script>alert(1)</script><img src=http://e.example/x onerror=y>"


class Tags(HTMLParser):
    """Collects every tag with its attributes, and the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def html(synthetic: ModuleType) -> str:
    made = synthetic.make(60)
    return render_report(made.content, made.pictures.__getitem__)


def with_text(content: ReleaseContent, text: str) -> ReleaseContent:
    """The same run with `text` as every name, class, transcript and answer."""
    tables, other = content.tables, content.recipe.task.classes[0]
    renamed = replace(
        tables,
        clips=tables.clips.with_columns(
            name=pl.lit(text),
            transcript=pl.lit(text),
            label_given=pl.col("label_given").replace({other: text}),
        ),
        labels=tables.labels.with_columns(pl.col("label_given", "label_refined").replace({other: text})),
        answers=tables.answers.with_columns(answer=pl.lit(text)),
        reasons=tables.reasons.with_columns(pl.col("label").replace({other: text}), reasoning=pl.lit(text)),
        problems=tables.problems.with_columns(what=pl.lit(text)),
        votes=tables.votes.clear(),
    )
    classes = (text, *content.recipe.task.classes[1:])
    task = content.recipe.task.model_copy(update={"classes": classes, "question": text})
    how = HowAsked(content.questionnaire, content.recipe.answers)
    metrics = measure(renamed, classes, how)
    return replace(
        content, tables=renamed, metrics=metrics, recipe=content.recipe.model_copy(update={"task": task})
    )


def test_nothing_is_fetched(html: str) -> None:
    for tag, attributes in Tags(html).tags:
        assert tag not in {"script", "link", "iframe", "object", "embed"}
        assert (attributes.get("src") or "data:").startswith("data:")
        if tag != "a":
            assert (attributes.get("href") or attributes.get("xlink:href") or "#").startswith("#")
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)


def test_it_is_one_small_file(synthetic: ModuleType, tmp_path: Path) -> None:
    made = synthetic.make(60)
    write_report(tmp_path / "report.html", made.content, made.pictures.__getitem__)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").stat().st_size < 5_000_000


def test_the_same_run_gives_the_same_report(html: str, synthetic: ModuleType) -> None:
    made = synthetic.make(60)
    assert render_report(made.content, made.pictures.__getitem__) == html


def test_text_from_data_stays_text(synthetic: ModuleType) -> None:
    made = synthetic.make()
    html = render_report(with_text(made.content, EVIL), made.pictures.__getitem__)
    parsed = Tags(html)
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert all(
        (attributes.get("src") or "").startswith("data:") for tag, attributes in parsed.tags if tag == "img"
    )
    assert EVIL in parsed.text


def test_a_dollar_in_a_class_is_no_mathematics(synthetic: ModuleType) -> None:
    made = synthetic.make()
    assert "5$ or 6$" in render_report(with_text(made.content, "5$ or 6$"), made.pictures.__getitem__)


def test_what_matters_comes_first(html: str) -> None:
    text = Tags(html).text
    assert text.index("trained on drawings") < text.index("of the given labels look wrong")
    assert text.index("Against labels known to be right") < text.index("What came in")


def test_unknown_quality_and_silence_are_said_at_the_top(synthetic: ModuleType) -> None:
    made = synthetic.make(with_truth=False, unseen=0.7)
    text = Tags(render_report(made.content, made.pictures.__getitem__)).text
    top = text[: text.index("What came in")]
    assert "How right these labels are is unknown: no gold labels" in top
    assert "of the questions were answered" in top


def test_ids_of_the_plots_are_not_shared(html: str) -> None:
    ids = [attributes["id"] for _, attributes in Tags(html).tags if attributes.get("id")]
    assert len(ids) == len(set(ids))


def test_the_worst_clips_are_shown_worst_first(html: str, synthetic: ModuleType) -> None:
    tables = synthetic.make(60).content.tables
    worst = tables.labels.drop_nulls("reliability").sort("reliability").head(12)
    names = worst.join(tables.clips, on="clip_id", maintain_order="left")["name"].to_list()
    doubtful = html[: html.index('id="reasoned"')]
    assert re.findall(r'<span class="name">(clip .*?)</span>', doubtful) == names


def test_pictures_that_were_not_kept_are_said_to_be_so(synthetic: ModuleType) -> None:
    html = render_report(synthetic.make().content, {}.__getitem__)
    assert "picture not kept" in html


def test_a_run_without_any_given_label(synthetic: ModuleType) -> None:
    content = synthetic.make().content
    without = content.tables.labels.filter(pl.col("label_given").is_null())
    clips = content.tables.clips.join(without.select("clip_id"), on="clip_id", how="semi")
    tables = replace(content.tables, clips=clips, labels=without)
    metrics = measure(tables, synthetic.CLASSES, synthetic.how(synthetic.recipe()))
    html = render_report(replace(content, tables=tables, metrics=metrics), {}.__getitem__)
    assert html.count("No clip came with a label.") >= 3


def test_answers_about_other_pictures_are_the_first_thing_said(synthetic: ModuleType) -> None:
    made = synthetic.make(server="blind")
    text = Tags(render_report(made.content, made.pictures.__getitem__)).text
    first = text.index("Warning. The answers are not about the pictures that were sent")
    assert first < text.index("trained on drawings") < text.index("of the given labels look wrong")
    assert "not about the pictures" not in Tags(render_report(synthetic.make().content, {}.__getitem__)).text


def test_it_says_how_it_was_asked_and_what_it_cost(html: str) -> None:
    text = Tags(html).text.replace("\N{NO-BREAK SPACE}", " ")
    asked = text[text.rindex("Can the answers be trusted?") : text.rindex("What became of the labels")]
    for told in (
        "Each question was put in a call of its own",
        "among the letters alone (after_mask)",
        "30 of 30 answers with another clip's pictures followed the pictures",
        "posture “never”, 70 %",
        "60 % of the prompt tokens were in the prefix cache",
        "70 % of 1,000 tokens in its prefix cache",
    ):
        assert told in asked


def test_no_line_ends_within_a_percentage(html: str) -> None:
    text = Tags(html).text
    assert not re.findall(r".{20}\d %", text)
    assert text.count("\N{NO-BREAK SPACE}%") > 20


def test_every_heading_of_the_contents_is_there(html: str) -> None:
    tags = Tags(html).tags
    links = {str(found["href"])[1:] for tag, found in tags if tag == "a" and str(found["href"])[0] == "#"}
    assert links >= {"in", "asked", "trust", "how", "labels", "right", "clips", "again"}
    assert links <= {found.get("id") for _, found in tags}


def test_columns_of_what_was_not_asked_are_left_out(html: str) -> None:
    assert '<th class="n">Same in other words</th>' in html
    assert "Same in another order" not in html
    assert "Gained by place" not in html


def test_reasons_stand_beside_the_answers_with_their_verdict(html: str) -> None:
    text = Tags(html).text
    shown = text[text.rindex("Conclusions with reasons") :]
    assert shown.count("The mouth at 0.07 s speaks for") == 6, "six of the ten clips without a label"
    for verdict in ("confirmed by a second look", "it contradicts itself", "a second look could not tell"):
        assert verdict in shown


def test_text_cannot_steer_a_terminal_or_turn_writing_round(synthetic: ModuleType) -> None:
    made = synthetic.make()
    html = render_report(with_text(made.content, "a\x1b[2J\u202eb"), made.pictures.__getitem__)
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert r"a\x1b[2J\u202eb" in html


def test_without_controls_and_variants_the_section_is_words_alone(synthetic: ModuleType) -> None:
    content = synthetic.make().content
    plain = (pl.col("control") == "none") & (pl.col("variant") == "base")
    tables = replace(content.tables, answers=content.tables.answers.filter(plain))
    metrics = measure(tables, synthetic.CLASSES, synthetic.how(content.recipe))
    html = render_report(replace(content, tables=tables, metrics=metrics), {}.__getitem__)
    assert "was not checked: no answer to a question with another clip&#39;s pictures" in html
    assert "What controls say" not in html


def test_it_says_what_is_certified_and_that_nothing_is(html: str, synthetic: ModuleType) -> None:
    assert "Nothing is certified." in html
    made = synthetic.make(60, certified=True)
    assert "Nothing is certified." not in render_report(made.content, made.pictures.__getitem__)


def test_film_strips_can_be_opened_and_the_first_two_are(html: str) -> None:
    strips = [
        attributes for tag, attributes in Tags(html).tags if tag == "details" and attributes.get("class")
    ]
    assert len(strips) > 2
    assert ["open" in attributes for attributes in strips[:3]] == [True, True, False]


def test_many_classes_and_people_make_no_large_file(synthetic: ModuleType) -> None:
    """A thousand classes and annotators: plots show some of them and say so, and the file stays small."""
    content = synthetic.make(60).content
    classes = [f"class {number:04}" for number in range(1000)]
    per_class = {name: {"given": number, "refined": 1} for number, name in enumerate(classes)}
    matrix = np.zeros((1000, 1000), dtype=int)
    matrix[3, 7] = 50
    metrics = content.metrics | {
        "classes": classes,
        "counts": content.metrics["counts"] | {"per_class": per_class},
        "given": content.metrics["given"] | {"change_matrix": matrix.tolist()},
        "annotators": [
            {"instrument": f"vote:{who}", "n_clips": who, "coverage": 0.1, "accuracy": 0.5, "worth_bits": 0.1}
            for who in range(1000)
        ],
    }
    html = render_report(replace(content, metrics=metrics), {}.__getitem__)
    assert len(html) < 1_000_000
    assert "The 30 classes with the most changes." in html
    assert "The 30 largest classes." in html
    shown = Tags(html).text
    assert "class 0003" in shown  # its labels changed
    assert "class 0500" not in shown.replace(", ".join(classes), "")
