"""Croissant: what a release is, for machines, with the fields of responsible AI as they were measured.

Source:
    Croissant 1.1, http://mlcommons.org/croissant/1.1, and the RAI vocabulary
    1.0, http://mlcommons.org/croissant/RAI/1.0.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as pq

from curate import tables
from curate.release import phrases
from curate.release.configs import configs_of
from curate.release.content import Metrics, ReleaseContent
from curate.tables import TableName

CROISSANT = "croissant.json"
"""Its file."""
_CONFORMS = "http://mlcommons.org/croissant/1.1"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TABLES: Mapping[str, TableName] = {
    "answers": "answers",
    "votes": "votes",
    "keypoints": "keypoints",
    "features": "features",
    "embeddings": "embeddings",
}
"""Configs that are a table of their own; all others hold clips."""
_CLIP_TABLE: TableName = "release_clips"
_NUMBERS = (
    (arrow.types.is_boolean, "sc:Boolean"),
    (arrow.types.is_float16, "cr:Float16"),
    (arrow.types.is_float32, "cr:Float32"),
    (arrow.types.is_float64, "cr:Float64"),
    (arrow.types.is_integer, "cr:Int64"),
)
_MEDIA = {"image": "sc:ImageObject", "video": "sc:VideoObject"}


def croissant(content: ReleaseContent, folder: Path, version: str) -> dict[str, Any]:
    """The description of a release whose Parquet files already lie in `folder`, as JSON-LD.

    It stands at the top of the release, since its file patterns are relative to
    itself. There is no date in it: the same content gives the same bytes.
    """
    configs = configs_of(folder)
    told = {
        "name": content.recipe.name,
        "description": content.recipe.task.question or f"{content.title}, labels refined by curate",
        "version": version,
        "license": content.recipe.release.licence,
        "inLanguage": list(content.recipe.release.language),
        "keywords": ["label noise", "soft labels", "reliability", "vision-language model"],
        "citeAs": "\n".join(phrases.bibtex(one) for one in content.recipe.release.cite),
    }
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [_CONFORMS, "http://mlcommons.org/croissant/RAI/1.0"],
        # What is unknown is left out: an empty value would claim that there is none.
        **{key: value for key, value in told.items() if value},
        **{f"rai:{key}": value for key, value in _responsible(content).items() if value},
        "distribution": [_file_set(config) for config in configs],
        "recordSet": [_record_set(config, folder) for config in configs],
    }


def _file_set(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{config['config_name']}-files",
        "name": f"{config['config_name']}-files",
        "encodingFormat": "application/x-parquet",
        "includes": [one["path"] for one in config["data_files"]],
    }


def _record_set(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    name = config["config_name"]
    first = sorted(folder.glob(config["data_files"][0]["path"]))[0]
    schema = pq.read_schema(first)
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [_field(name, schema.field(column)) for column in schema.names],
    }


def _field(config: str, column: arrow.Field) -> dict[str, Any]:
    files = {"fileSet": {"@id": f"{config}-files"}, "extract": {"column": column.name}}
    found = {
        "@type": "cr:Field",
        "@id": f"{config}/{column.name}",
        "name": column.name,
        "description": _described(config, column.name),
    }
    if column.name in _MEDIA:
        return found | {
            "dataType": _MEDIA[column.name],
            "source": files | {"transform": {"jsonPath": "bytes"}},
        }
    depth, inner = _depth(column.type)
    if depth:
        found |= {"isArray": True, "arrayShape": ",".join(["-1"] * depth)}
    if arrow.types.is_struct(inner):
        return found | {"subField": [_part(found["@id"], part, files) for part in inner]}
    return found | {"dataType": _data_type(inner), "source": files}


def _part(column: str, part: arrow.Field, files: Mapping[str, Any]) -> dict[str, Any]:
    """One field of a struct."""
    return {
        "@type": "cr:Field",
        "@id": f"{column}/{part.name}",
        "name": part.name,
        "dataType": _data_type(part.type),
        "source": {**files, "transform": {"jsonPath": part.name}},
    }


def _depth(kind: arrow.DataType) -> tuple[int, arrow.DataType]:
    """How many lists lie around what is in them."""
    depth = 0
    while (
        arrow.types.is_list(kind) or arrow.types.is_fixed_size_list(kind) or arrow.types.is_large_list(kind)
    ):
        depth, kind = depth + 1, kind.value_type
    return depth, kind


def _data_type(kind: arrow.DataType) -> str:
    return next((name for is_one, name in _NUMBERS if is_one(kind)), "sc:Text")


def _described(config: str, column: str) -> str:
    columns = tables.schema(_TABLES.get(config, _CLIP_TABLE)).columns
    found = columns.get(column) or next((one for one in columns.values() if one.regex), None)
    return "" if found is None else str(found.description)


def _responsible(content: ReleaseContent) -> dict[str, object]:
    """Fields of the RAI vocabulary, from the recipe and from what was measured."""
    recipe, metrics = content.recipe, content.metrics
    return {
        "dataAnnotationProtocol": list(_protocol(content)),
        "dataAnnotationAnalysis": list(_analysis(metrics)),
        "annotationsPerItem": _per_item(metrics),
        "machineAnnotationTools": [*content.models, "curate, a statistical model of annotators"],
        "dataPreprocessingProtocol": [
            f"{recipe.frames.count} pictures of a clip, {recipe.frames.strategy} in time, longest side at "
            f"most {recipe.frames.size_px} px, cropped to: {recipe.frames.crop}",
            *(["Faces are blurred in the released media."] if recipe.release.faces == "blur" else []),
        ],
        "dataCollectionMissingData": _set_aside(metrics),
        "dataLimitations": [one["text"] for one in metrics["cautions"]] + [phrases.OBSERVERS],
        "dataUseCases": [f"Training and evaluation: {recipe.task.question}"] if recipe.task.question else [],
        "personalSensitiveInformation": [recipe.release.personal_data or phrases.NO_PERSONAL_DATA],
    }


def _protocol(content: ReleaseContent) -> Iterator[str]:
    n_items = len(content.questionnaire.items)
    yield f"A vision-language model answered a questionnaire of {n_items} items about each clip."
    yield "A latent-class model weighed the answers with the labels and votes that came with the data."
    yield f"High reliability means {phrases.split_rule(content.recipe.labels)}."


def _analysis(metrics: Metrics) -> Iterator[str]:
    truth, given = metrics["truth"], metrics["given"]
    if truth is not None:
        yield f"Refined labels that are right: {phrases.share(truth['accuracy_refined'])}"
        yield f"Given labels that are right: {phrases.share(truth['accuracy_given'])}"
    for one in metrics["quality"]:
        if one["class"] is None and one["value"] is not None:
            share = phrases.share({**one, "n": f"{one['n_gold']} gold labels"})
            yield f"Labels ({one['measure']}) that are right, estimated: {share}"
    if truth is None and not metrics["quality"]:
        yield f"How right the labels are: {phrases.UNKNOWN}"
    if given["agreement"]["n"]:
        yield f"Given labels that the refined label agrees with: {phrases.share(given['agreement'])}"


def _per_item(metrics: Metrics) -> str:
    counts = metrics["counts"]
    votes = counts["votes"] / counts["clips"] if counts["clips"] else 0
    answers = metrics["answers"]["asked"] / counts["clips"] if counts["clips"] else 0
    return f"{votes:.1f} votes of people and {answers:.1f} answers of a model a clip, on average"


def _set_aside(metrics: Metrics) -> str:
    aside = sum(metrics["counts"]["set_aside"].values())
    return f"{aside} files or rows were set aside with their reasons, see provenance/problems.parquet"
