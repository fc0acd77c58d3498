"""What a server is: found by asking it, never assumed."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from curate.errors import ClientError, ServerTrouble
from curate.vlm.client import CacheCounts
from curate.vlm.server.connection import Connection, Refused
from curate.vlm.server.probes import Probe, Ways, ways_of_any, ways_of_vllm

_NAMED_MODELS = 10
_OWNER_OF_VLLM = "vllm"


@dataclass(frozen=True, slots=True)
class Server:
    """What a server is, and how it can be asked."""

    name: str
    """Such as "vllm 0.32.0"."""
    is_vllm: bool
    ways: Ways


async def find_server(connection: Connection, model: str, sampling: Mapping[str, object]) -> Server:
    """Ask a server what it is, and try what it can do with prompts of a few words.

    Args:
        connection: To the server.
        model: Must be among the models that the server lists, where it lists any.
        sampling: Parameters that every request bears.

    Raises:
        ClientError: The server does not have the model, or cannot be asked at all.
    """
    owner = await _owner(connection, model)
    probe = Probe(connection, {"model": model, **sampling})
    if owner != _OWNER_OF_VLLM:
        name = f"OpenAI-compatible server of {owner}" if owner else "OpenAI-compatible server"
        return Server(name, is_vllm=False, ways=await ways_of_any(probe))
    version = await _version(connection)
    name = f"vllm {version}" if version else "vllm of unknown version"
    return Server(name, is_vllm=True, ways=await ways_of_vllm(probe))


async def cache_counts(connection: Connection) -> CacheCounts | None:
    """Prompt tokens that vLLM looked up in its prefix cache and found there; None if it does not tell."""
    try:
        text = (await connection.get(f"{connection.root}/metrics")).decode(errors="replace")
    except ClientError:
        return None
    queries = _summed(text, "vllm:prefix_cache_queries_total")
    hits = _summed(text, "vllm:prefix_cache_hits_total")
    return None if queries is None or hits is None else CacheCounts(queries, hits)


def _summed(metrics: str, name: str) -> int | None:
    """Sum of a counter over its labels; None where it is not there."""
    lines = [line for line in metrics.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    try:
        return sum(round(float(line.rsplit(maxsplit=1)[-1])) for line in lines) if lines else None
    except (ValueError, OverflowError):
        return None


class _Model(BaseModel):
    id: str
    owned_by: str | None = None


class _Models(BaseModel):
    data: list[_Model]


async def _owner(connection: Connection, model: str) -> str | None:
    """Who serves the model by the server's list; None where there is no list."""
    try:
        listed = _Models.model_validate_json(await connection.get(f"{connection.base}/models")).data
    except (Refused, ServerTrouble, ValidationError) as error:
        if isinstance(error, Refused) and error.status in (401, 403):
            raise
        return None
    # Some servers list "models/NAME" and answer to NAME.
    found = [entry for entry in listed if model == entry.id or entry.id.endswith(f"/{model}")]
    if listed and not found:
        raise ClientError(f"{connection.where}: {_not_served(model, listed, connection)}")
    return connection.shown(found[0].owned_by or "") or None if found else None


def _not_served(model: str, listed: list[_Model], connection: Connection) -> str:
    ids = sorted((entry.id for entry in listed), key=lambda name: -_likeness(model, name))
    named = ", ".join(connection.shown(name) for name in ids[:_NAMED_MODELS])
    more = f" and {len(ids) - _NAMED_MODELS} more" if len(ids) > _NAMED_MODELS else ""
    return f"the server has no such model. It serves {named}{more}. Set vlm.model to one of them"


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


async def _version(connection: Connection) -> str | None:
    try:
        told = json.loads(await connection.get(f"{connection.root}/version"))
    except (Refused, ValueError, RecursionError):
        return None
    version = told.get("version") if isinstance(told, dict) else None
    return connection.shown(version) if isinstance(version, str) else None
