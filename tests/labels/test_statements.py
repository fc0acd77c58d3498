import polars as pl

from curate import tables
from curate.labels.caution import Caution
from curate.labels.certificate import Certificate
from curate.labels.quality import Quality
from curate.labels.share import Estimate
from curate.labels.statements import caution_table, certificate_table, quality_table

CLASSES = ("a", "b")
PART = Certificate(float("inf"), 0, 1.0, 0.1, 0.025, 3, 1, certified=False, statement="no", n_more=40)
WHOLE = Certificate(0.9, 50, 0.1, 0.1, 0.05, 20, 0, certified=True, statement="yes", classes=((1, PART),))
ESTIMATE = Estimate(0.8, 0.7, 0.9, 20, 20, 100, "exact", 0.0)


def test_tables_keep_their_contracts() -> None:
    caution = Caution("uncertified", "serious", "every answer comes from a machine", 3.0, 0.0)
    quality = Quality(ESTIMATE, ESTIMATE, ESTIMATE, (ESTIMATE, ESTIMATE))
    tables.validate("cautions", caution_table((caution,)))
    tables.validate("certificates", certificate_table(WHOLE, None, CLASSES))
    tables.validate("quality", quality_table(quality, CLASSES))
    for name, empty in (
        ("cautions", caution_table(())),
        ("certificates", certificate_table(None, None, CLASSES)),
        ("quality", quality_table(None, CLASSES)),
    ):
        assert tables.validate(name, empty).is_empty()


def test_the_whole_comes_before_the_classes() -> None:
    table = certificate_table(WHOLE, PART, CLASSES)
    assert table.select("labels", "class", "threshold").rows() == [
        ("given", None, 0.9),
        ("given", "b", None),
        ("pseudo", None, None),
    ]


def test_what_cannot_be_told_is_null() -> None:
    nothing = Estimate(float("nan"), 0.0, 1.0, 0, 0, 0, "no gold", 0.0)
    table = quality_table(Quality(nothing, ESTIMATE, nothing, (ESTIMATE, ESTIMATE)), CLASSES)
    assert table.filter(pl.col("measure") == "given")["value"].to_list() == [None]
    assert table["class"].to_list() == [None, None, None, "a", "b"]
