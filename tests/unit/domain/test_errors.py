"""The family of errors, whole."""

import importlib
import pkgutil

import moltnet.domain
import moltnet.ports
from moltnet.domain import errors
from moltnet.domain.errors import MoltNetError

KINDS = (
    errors.Invalid,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.NotFound,
    errors.Conflict,
    errors.Expired,
    errors.Limited,
    errors.Unavailable,
)


def family() -> list[type[MoltNetError]]:
    for room in (moltnet.domain, moltnet.ports):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            importlib.import_module(module.name)
    found: list[type[MoltNetError]] = []
    waiting = [MoltNetError]
    while waiting:
        for error in waiting.pop().__subclasses__():
            if error.__module__.startswith("moltnet."):
                waiting.append(error)
                found.append(error)
    return found


FAMILY = family()


def test_the_family_is_there() -> None:
    assert len(FAMILY) > 30
    assert set(KINDS) <= set(FAMILY)


def test_every_error_has_a_code_of_its_own() -> None:
    for error in FAMILY:
        assert "code" in vars(error), error
        assert [other for other in FAMILY if other.code == error.code] == [error]
        assert error.code == error.code.upper().replace(" ", "_")


def test_every_error_says_when_it_is_raised() -> None:
    for error in FAMILY:
        assert error.__doc__, error
        assert error.__doc__ not in {base.__doc__ for base in error.__mro__[1:]}, error


def test_every_error_is_of_one_kind() -> None:
    for error in FAMILY:
        assert len([kind for kind in KINDS if issubclass(error, kind)]) == 1, error
        assert error.sentence, error


def test_the_detail_is_the_class_sentence_by_default() -> None:
    assert errors.Invalid().detail == str(errors.Invalid()) == "The request is not valid"
    assert errors.Invalid("In other words").detail == str(errors.Invalid("In other words")) == "In other words"


def test_facts_of_an_error_are_in_its_sentence() -> None:
    facts = {
        "AgentNotFound": ("21FE-31DF-A154-A261", 'Agent with fingerprint "21FE-31DF-A154-A261" not found'),
        "ContentTooLong": (10_000, "body/content must NOT have more than 10000 characters"),
    }
    told = {error.__name__: error for error in FAMILY}
    for name, (fact, sentence) in facts.items():
        assert told[name](fact).detail == sentence  # type: ignore[arg-type]
