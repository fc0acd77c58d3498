"""Reads the body of a chat completion. Pure: nothing of it is trusted."""

import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field, ValidationError

from curate.errors import BadReply
from curate.vlm.client import Form, Letter, LogprobsKind, Reply, Sheet
from curate.vlm.letters import Token, field_logprobs, letter_logprobs
from curate.vlm.spellings import LETTERS, spellings


class _Alternative(BaseModel):
    token: str
    logprob: float | None = None


class _Token(_Alternative):
    top_logprobs: list[_Alternative] | None = None


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


class _Details(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class Completion(BaseModel):
    """The parts of a chat completion that are read; the rest is ignored."""

    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage | None = None

    @property
    def text(self) -> str:
        """What the model said, or why it would not."""
        message = self.choices[0].message
        return message.content or message.refusal or ""

    @property
    def tokens(self) -> list[Token]:
        """The reply's tokens with what could have stood in their places.

        Empty where the server told nothing. A probability that is no number
        stays so, for the reader to leave out.
        """
        logprobs = self.choices[0].logprobs
        return [_token(token) for token in (logprobs.content if logprobs else None) or ()]


def read_completion(body: bytes) -> Completion:
    """A completion from the body of a response.

    Raises:
        BadReply: It is none: cut short, another shape, or without a choice. The
            message holds none of the body.
    """
    try:
        return Completion.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, found["loc"]))
        raise BadReply(f"the reply is no chat completion: {place and f'{place}: '}{found['msg']}") from error


def reply_of(
    completion: Completion,
    form: Form,
    *,
    model: str,
    kind: LogprobsKind | None,
    letters_only: bool,
    latency_s: float,
) -> Reply:
    """A reply to a prompt of that form.

    Args:
        completion: What came back.
        form: What was asked for.
        model: name@revision.
        kind: Of the log-probabilities that were asked for; None if there were none.
        letters_only: Whether alternatives were asked for by the letters' tokens,
            not by their rank.
        latency_s: How long it took.
    """
    usage = completion.usage or _Usage()
    details = usage.prompt_tokens_details
    tokens = completion.tokens if kind else []
    options = first_letter(tokens, form) if isinstance(form, Letter) else None
    fields = letter_fields(tokens, form, letters_only=letters_only) if isinstance(form, Sheet) else None
    return Reply(
        text=completion.text,
        model=model,
        option_logprobs=options,
        field_logprobs=fields,
        logprobs_kind=kind if options or fields else None,
        finish_reason=completion.choices[0].finish_reason,
        latency_s=latency_s,
        tokens_in=usage.prompt_tokens,
        tokens_out=usage.completion_tokens,
        tokens_cached=details.cached_tokens if details else None,
    )


def first_letter(tokens: Sequence[Token], form: Letter) -> tuple[float, ...] | None:
    """Log-probabilities of the letters as a reply's first token; None where nothing was told."""
    return letter_logprobs(tokens[0].alternatives, form.letters) if tokens else None


def letter_fields(
    tokens: Sequence[Token], form: Sheet, *, letters_only: bool
) -> Mapping[str, tuple[float, ...]] | None:
    """Log-probabilities of the letters in a JSON reply, by key; None where nothing was told.

    Args:
        tokens: Of the whole reply.
        form: Which keys hold which letters.
        letters_only: Whether alternatives were asked for by the letters' tokens.
            Of another token, such as a letter merged with the comma behind it,
            nothing but its own probability was told then, which must not be
            taken for all that was likely there.
    """
    if letters_only:
        asked = {text.strip() for text in spellings(LETTERS)}
        tokens = [token if token.text.strip() in asked else Token(token.text, {}) for token in tokens]
    return field_logprobs(tokens, form) or None


def _token(told: _Token) -> Token:
    """A token with its alternatives, its own probability among them; none where none were told."""
    listed = {other.token: _number(other.logprob) for other in told.top_logprobs or ()}
    return Token(told.token, {told.token: _number(told.logprob), **listed} if listed else {})


def _number(logprob: float | None) -> float:
    return math.nan if logprob is None else logprob
