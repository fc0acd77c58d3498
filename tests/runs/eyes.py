"""A model that looks: it answers every form of prompt by the colours of the pictures that it is sent."""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
from chat_server import Answer, ChatServer, chat_body
from PIL import Image

COLOURS = ("red", "green", "blue")
DEGREES = {
    "none": 0.0,
    "some": 0.5,
    "much": 1.0,
    "hardly any": 0.0,
    "a fair amount": 0.5,
    "a great deal": 1.0,
}
"""What the options of the questionnaire mean, in the words of all its wordings."""
UNSEEN = "cannot be seen"
SHARPNESS = 12.0
"""Of the scores of the options: a step too far is exp(3) times less likely."""
DOUBT = "A shadow hides much."
"""Said in observations of pictures with much blue; a reflection on them abstains."""
PLACE_BIAS = 0.5
"""What the first option gains by its place, in its log-probability."""


@dataclass(frozen=True)
class Seen:
    """A request taken apart."""

    pictures: tuple[bytes, ...]
    texts: tuple[str, ...]
    parameters: Mapping[str, Any]

    @property
    def words(self) -> str:
        return "\n".join(self.texts)

    @property
    def colours(self) -> tuple[float, ...]:
        """Mean of red, green and blue, 0 to 1; later pictures weigh more, so that their order matters."""
        means = [np.asarray(Image.open(BytesIO(one)).convert("RGB")).mean((0, 1)) for one in self.pictures]
        mean = np.average(means, axis=0, weights=np.arange(1, len(means) + 1)) / 255
        return tuple(map(float, mean))


def seen(body: Mapping[str, Any]) -> Seen:
    parts = body["messages"][0]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    pictures = tuple(base64.b64decode(url.partition("base64,")[2]) for url in urls)
    return Seen(pictures, tuple(part["text"] for part in parts if part["type"] == "text"), body)


Say = Callable[[Seen], Answer]


@dataclass
class Eyes:
    """Answers as one that sees; plug it into a server with `open_at`."""

    logprobs: bool = True
    """Whether the server tells log-probabilities."""
    structured: bool = True
    """Whether it keeps to a JSON schema."""
    say: Say = field(init=False)
    """What is answered to prompts; a test puts another in its place to make the server ill."""

    def __post_init__(self) -> None:
        self.say = self.see

    def open_at(self, server: ChatServer) -> "Eyes":
        server.probed = self.probed
        server.answer = lambda n, body: self.say(seen(body))
        return self

    def probed(self, body: dict[str, Any]) -> Answer:
        top = {"hello": -0.2, "Hi": -2.0} if self.logprobs and body.get("top_logprobs") else None
        if "response_format" in body and self.structured:
            return 200, {}, chat_body('{"answer":"Q"}')
        return 200, {}, chat_body("hello", top)

    def see(self, prompt: Seen) -> Answer:
        """The answer by the pictures alone."""
        words = prompt.texts[-1]
        if '"verdict"' in words:
            return said(_reflection(words))
        if '"scores"' in words:
            return said(_conclusion(prompt))
        if "Describe what can be seen" in words:
            return said(_observations(prompt))
        if "In one short sentence" in words:
            return said(f"The colour goes to {_described(prompt)}.")
        if "JSON object" in words:
            return said(_sheet(prompt))
        return self._letter(prompt)

    def _letter(self, prompt: Seen) -> Answer:
        told = likely(prompt.texts[-1], prompt)
        letter = _drawn(told, prompt)
        return (
            200,
            {},
            chat_body(letter, told if self.logprobs else None, prompt_tokens=50, completion_tokens=1),
        )


def said(text: str) -> Answer:
    return 200, {}, chat_body(text, prompt_tokens=60, completion_tokens=20)


def likely(question: str, prompt: Seen) -> dict[str, float]:
    """Natural-log probability of each letter that a question lists."""
    colour = next(name for name in COLOURS if name in question.lower())
    options = re.findall(r"^([A-Z])\) (.+)$", question, re.MULTILINE)
    level = prompt.colours[COLOURS.index(colour)] if prompt.pictures else None
    scores = [_score(option, level) + PLACE_BIAS * (place == 0) for place, (_, option) in enumerate(options)]
    total = math.log(math.fsum(map(math.exp, scores)))
    return {letter: score - total for (letter, _), score in zip(options, scores, strict=True)}


def _score(option: str, level: float | None) -> float:
    if option == UNSEEN:
        return 2.0 if level is None else -6.0
    return 0.0 if level is None else -SHARPNESS * (DEGREES[option] - level) ** 2


def _drawn(told: Mapping[str, float], prompt: Seen) -> str:
    """The likeliest letter; at temperature 1 one that is drawn by the seed."""
    if prompt.parameters["temperature"] == 0:
        return max(told, key=told.__getitem__)
    shares = np.exp(list(told.values()))
    return str(np.random.default_rng(prompt.parameters["seed"]).choice(list(told), p=shares / shares.sum()))


def _sheet(prompt: Seen) -> str:
    """A letter under every key that is asked for, with the confidence in it where that is asked for."""
    words = prompt.texts[-1]
    is_sure = "confidence" in words
    if "under these keys" not in words.replace("each of these", "these"):
        letter, sure = _stated(likely(words, prompt))
        return json.dumps({"answer": letter, "confidence": sure})
    filled: dict[str, object] = {}
    for key, question in re.findall(r"^Question (\w+): (.+(?:\n[A-Z]\) .+)+)", words, re.MULTILINE):
        filled[key], sure = _stated(likely(question, prompt))
        if is_sure:
            filled[f"{key}_confidence"] = sure
    return json.dumps(filled)


def _stated(told: Mapping[str, float]) -> tuple[str, int]:
    letter = max(told, key=told.__getitem__)
    return letter, round(100 * math.exp(told[letter]))


def _described(prompt: Seen) -> str:
    return ", ".join(f"{name} {level:.2f}" for name, level in zip(COLOURS, prompt.colours, strict=True))


def _observations(prompt: Seen) -> str:
    times = _times(prompt.texts)
    doubt = DOUBT if prompt.colours[2] > 0.5 else ""
    return "\n".join([f"{time} {_described(prompt)}" for time in times] + [doubt]).strip()


def _conclusion(prompt: Seen) -> str:
    if not prompt.pictures:  # what is concluded of nothing
        return json.dumps({"reasoning": "Nothing is shown.", "scores": {"A": 60, "B": 40}, "label": "A"})
    red, green, _ = prompt.colours
    classes = re.findall(r"^([A-Z])\) (\w+)$", prompt.texts[-1], re.MULTILINE)
    scores = {letter: round(100 * {"red": red, "green": green}[name]) for letter, name in classes}
    time = _times(prompt.texts)[-1]
    label = max(scores, key=scores.__getitem__)
    return json.dumps(
        {"reasoning": f"{time} shows it: {_described(prompt)}.", "scores": scores, "label": label}
    )


def _reflection(words: str) -> str:
    """Whether the observations support the proposed class: it gets nothing else."""
    proposed = re.findall(r"^Proposed class: ([A-Z])\)", words, re.MULTILINE)[0]
    if DOUBT in words:
        return json.dumps({"reason": "Much is hidden.", "verdict": "abstain", "label": "none"})
    return json.dumps({"reason": "The colours say so.", "verdict": "confirm", "label": proposed})


def _times(texts: Sequence[str]) -> list[str]:
    """The times that stand before pictures."""
    return [text for text in texts if re.fullmatch(r"\[\d+\.\d\d s\]", text)]
