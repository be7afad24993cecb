"""What a model directory is: `model.onnx`, `tokenizer.json`, and `moltnet-model.json`, which says how to use them."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import attrs

from moltnet.domain.indexing import DIMENSIONS, EmbedderUnavailable, ModelName

GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
DECLARATION = "moltnet-model.json"

_NAME = re.compile(r"[A-Za-z0-9._/-]{1,100}")
Kind = TypeVar("Kind")
_KINDS: dict[type, str] = {str: "text", int: "a whole number", bool: "true or false"}


class ModelMissing(EmbedderUnavailable):
    """No model, or a part of one, is where it should be; the detail says what to install or add."""

    code = "MODEL_MISSING"
    sentence = "There is no embedding model"


class ModelUnusable(EmbedderUnavailable):
    """A model is there, but its files contradict themselves or the network's 384 dimensions."""

    code = "MODEL_UNUSABLE"
    sentence = "The embedding model cannot be used"


class Pooling(StrEnum):
    """How the vectors of a text's tokens become one: their mean, the first one, or by the graph itself."""

    MEAN = "mean"
    CLS = "cls"
    NONE = "none"


def _is(kind: type[Kind]) -> "Callable[[object, attrs.Attribute[Kind], Kind], None]":
    def check(_: object, attribute: "attrs.Attribute[Kind]", value: Kind) -> None:
        if type(value) is not kind:  # exactly: true is an int to isinstance
            raise ValueError(f"{attribute.name} must be {_KINDS[kind]}")

    return check


def _pooling(value: str) -> Pooling:
    try:
        return Pooling(value)
    except ValueError:
        raise ValueError(f"pooling must be mean, cls or none, not {value!r}") from None


@attrs.frozen(kw_only=True)
class Declaration:
    """How to use a graph and a tokenizer, as `moltnet-model.json` tells it.

    `max_tokens` counts special tokens and prefix; `normalize` is false only if the graph gives unit vectors by itself;
    `words_weight` is `Embedder.words_weight`. Raises ValueError with a sentence that names the member at fault.
    """

    name: str = attrs.field(validator=_is(str))
    max_tokens: int = attrs.field(validator=_is(int))
    pooling: Pooling = attrs.field(converter=_pooling)
    normalize: bool = attrs.field(default=True, validator=_is(bool))
    query_prefix: str = attrs.field(default="", validator=_is(str))
    passage_prefix: str = attrs.field(default="", validator=_is(str))
    words_weight: float = attrs.field(default=1.0)
    dims: int = attrs.field(default=DIMENSIONS, validator=_is(int))

    def __attrs_post_init__(self) -> None:
        """Holds the members against what the network can use."""
        if not _NAME.fullmatch(self.name):
            raise ValueError("name must be 1 to 100 letters, digits, dots, dashes, underscores or slashes")
        if self.max_tokens < 1:
            raise ValueError("max_tokens must be at least 1")
        if self.dims != DIMENSIONS:
            raise ValueError(f"dims must be {DIMENSIONS}, not {self.dims}")

    @words_weight.validator
    def _weighs(self, _: object, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise ValueError("words_weight must be a number of at least 0")

    @classmethod
    def parse(cls, text: str) -> "Declaration":
        """Reads the JSON form; raises ValueError for anything but an object of known members of the right kinds."""
        members = json.loads(text)
        if not isinstance(members, dict):
            raise ValueError("it must be a JSON object")  # noqa: TRY004  # what a file says, not what a caller passed
        _check_members(members)
        return cls(**members)

    def json(self) -> str:
        """The form `parse` reads."""
        return json.dumps(attrs.asdict(self), indent=2) + "\n"

    def steps(self) -> bytes:
        """What shapes a vector beside the files, as bytes that differ whenever it differs."""
        without = attrs.evolve(self, words_weight=0)
        return json.dumps(attrs.asdict(without), sort_keys=True).encode()


def _check_members(members: Mapping[str, object]) -> None:
    declared = attrs.fields_dict(Declaration)
    if unknown := members.keys() - declared.keys():
        raise ValueError(f"unknown member {min(unknown)!r}")
    missing = {name for name, field in declared.items() if field.default is attrs.NOTHING} - members.keys()
    if missing:
        raise ValueError(f"{min(missing)} is missing")


@attrs.frozen(kw_only=True)
class ModelDirectory:
    """A complete model directory and the name its vectors carry."""

    path: Path
    declaration: Declaration
    name: ModelName

    @classmethod
    def read(cls, path: Path) -> "ModelDirectory":
        """Checks a directory and reads its declaration.

        Raises ModelMissing for an absent file, ModelUnusable for a wrong declaration.
        """
        for file in (GRAPH, TOKENIZER, DECLARATION):
            if not (path / file).is_file():
                raise ModelMissing(f"The model directory {path} has no {file}")
        try:
            declaration = Declaration.parse((path / DECLARATION).read_text(encoding="utf-8"))
        except ValueError as error:  # of the JSON, of its encoding, or of a member
            raise ModelUnusable(f"{path / DECLARATION} is not a model declaration: {error}") from error
        return cls(path=path, declaration=declaration, name=_name(path, declaration))


def _name(path: Path, declaration: Declaration) -> ModelName:
    """The declared name and 48 bits over weights, tokenizer and steps, so that no two models share a name."""
    digest = hashlib.sha256(declaration.steps())
    for file in sorted([path / TOKENIZER, *path.glob(f"{GRAPH}*")]):  # weights may lie beside the graph
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return ModelName(f"{declaration.name}@{digest.hexdigest()[:12]}")
