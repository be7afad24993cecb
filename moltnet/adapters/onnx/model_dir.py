"""What a model directory is: `model.onnx`, `tokenizer.json`, and `moltnet-model.json`, which says how to use them.

`expansion.onnx` and `moltnet-expansion.json` may stand beside them: a second graph, which reads the same tokens and
gives the words that a text calls up. With it the directory is another model, since what is stored differs; the first
graph alone remains to be had under its own name.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import attrs

from moltnet.domain.indexing import DIMENSIONS, EXPANSION_LEAST, EXPANSION_MOST, EmbedderUnavailable, ModelName

GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
DECLARATION = "moltnet-model.json"
EXPANSION_GRAPH = "expansion.onnx"
EXPANSION_DECLARATION = "moltnet-expansion.json"

_NAME = re.compile(r"[A-Za-z0-9._/-]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}|")
Kind = TypeVar("Kind")
Declared = TypeVar("Declared", "Declaration", "ExpansionDeclaration")
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


def _weighs(_: object, attribute: "attrs.Attribute[float]", value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"{attribute.name} must be a number of at least 0")


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
    words_weight: float = attrs.field(default=1.0, validator=_weighs)
    dims: int = attrs.field(default=DIMENSIONS, validator=_is(int))

    def __attrs_post_init__(self) -> None:
        """Holds the members against what the network can use."""
        _check_name_and_length(self)
        if self.dims != DIMENSIONS:
            raise ValueError(f"dims must be {DIMENSIONS}, not {self.dims}")

    @classmethod
    def parse(cls, text: str) -> "Declaration":
        """Reads the JSON form; raises ValueError for anything but an object of known members of the right kinds."""
        return cls(**_members(text, cls))

    def json(self) -> str:
        """The form `parse` reads."""
        return _json(self)

    def steps(self) -> bytes:
        """What shapes a vector beside the files, as bytes that differ whenever it differs."""
        without = attrs.evolve(self, words_weight=0)
        return json.dumps(attrs.asdict(without), sort_keys=True).encode()


@attrs.frozen(kw_only=True)
class ExpansionDeclaration:
    """How to use the graph that expands, as `moltnet-expansion.json` tells it; checked as `Declaration` is.

    `max_tokens` are read of a text, special ones included. `words_weight` stands in the place of the one declared for
    the first graph alone; `expansion_weight` is `Embedder.expansion_weight`. `results_of` is the sha256 of another
    graph that gives the very same weights: it stands for this one in the name, so that nothing is embedded anew.
    """

    name: str = attrs.field(validator=_is(str))
    max_tokens: int = attrs.field(validator=_is(int))
    words_weight: float = attrs.field(validator=_weighs)
    expansion_weight: float = attrs.field(validator=_weighs)
    results_of: str = attrs.field(default="", validator=_is(str))

    def __attrs_post_init__(self) -> None:
        """Holds the members against what the network can use."""
        _check_name_and_length(self)
        if not _SHA256.fullmatch(self.results_of):
            raise ValueError("results_of must be 64 digits of a sha256 in lower case")

    @classmethod
    def parse(cls, text: str) -> "ExpansionDeclaration":
        """Reads the JSON form; raises ValueError for anything but an object of known members of the right kinds."""
        return cls(**_members(text, cls))

    def json(self) -> str:
        """The form `parse` reads."""
        return _json(self)

    def steps(self) -> bytes:
        """What shapes an expansion beside the files."""
        return f"{self.max_tokens} {EXPANSION_MOST} {EXPANSION_LEAST}".encode()


def _check_name_and_length(declaration: "Declaration | ExpansionDeclaration") -> None:
    if not _NAME.fullmatch(declaration.name):
        raise ValueError("name must be 1 to 100 letters, digits, dots, dashes, underscores or slashes")
    if declaration.max_tokens < 1:
        raise ValueError("max_tokens must be at least 1")


def _json(declaration: "Declaration | ExpansionDeclaration") -> str:
    return json.dumps(attrs.asdict(declaration), indent=2) + "\n"


def _members(text: str, kind: "type[Declaration | ExpansionDeclaration]") -> dict[str, Any]:
    members = json.loads(text)
    if not isinstance(members, dict):
        raise ValueError("it must be a JSON object")  # noqa: TRY004  # what a file says, not what a caller passed
    declared = attrs.fields_dict(kind)
    if unknown := members.keys() - declared.keys():
        raise ValueError(f"unknown member {min(unknown)!r}")
    missing = {name for name, field in declared.items() if field.default is attrs.NOTHING} - members.keys()
    if missing:
        raise ValueError(f"{min(missing)} is missing")
    return members


@attrs.frozen(kw_only=True)
class ModelDirectory:
    """A complete model directory and the name its vectors carry; `expansion` is None where the first graph is alone."""

    path: Path
    declaration: Declaration
    expansion: ExpansionDeclaration | None = None
    name: ModelName

    @classmethod
    def read(cls, path: Path, *, expands: bool = True) -> "ModelDirectory":
        """Checks a directory and reads its declarations, that of an expansion only where it `expands`.

        Raises ModelMissing for an absent file, ModelUnusable for a wrong declaration.
        """
        for file in (GRAPH, TOKENIZER, DECLARATION):
            if not (path / file).is_file():
                raise ModelMissing(f"The model directory {path} has no {file}")
        declaration = _declared(Declaration, path / DECLARATION)
        digest = hashlib.sha256(declaration.steps())
        # Weights may lie beside the graph.
        _digest_files(digest, [path / TOKENIZER, *path.glob(f"{GRAPH}*")])
        if not expands or not (path / EXPANSION_DECLARATION).is_file():
            return cls(path=path, declaration=declaration, name=_name(declaration.name, digest))
        if not (path / EXPANSION_GRAPH).is_file():
            raise ModelMissing(f"The model directory {path} has no {EXPANSION_GRAPH}")
        expansion = _declared(ExpansionDeclaration, path / EXPANSION_DECLARATION)
        digest.update(expansion.steps())
        if expansion.results_of:
            digest.update(bytes.fromhex(expansion.results_of))
        else:
            _digest_files(digest, path.glob(f"{EXPANSION_GRAPH}*"))
        name = _name(f"{declaration.name}+{expansion.name}", digest)
        return cls(path=path, declaration=declaration, expansion=expansion, name=name)


def _declared(kind: type[Declared], path: Path) -> Declared:
    try:
        return kind.parse(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of the JSON, of its encoding, or of a member
        raise ModelUnusable(f"{path} is not a model declaration: {error}") from error


def _name(declared: str, digest: "hashlib._Hash") -> ModelName:
    """The declared name and 48 bits over weights, tokenizer and steps, so that no two models share a name."""
    return ModelName(f"{declared}@{digest.hexdigest()[:12]}")


def _digest_files(digest: "hashlib._Hash", files: Iterable[Path]) -> None:
    for file in sorted(files):
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
