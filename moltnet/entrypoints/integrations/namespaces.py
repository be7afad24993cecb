"""Which namespaces and values a request to a LangGraph store means."""

import operator
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

Namespace: TypeAlias = tuple[str, ...]
_ANY = "*"
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "$eq": operator.eq,
        "$ne": operator.ne,
        "$gt": operator.gt,
        "$gte": operator.ge,
        "$lt": operator.lt,
        "$lte": operator.le,
    }
)


class UnknownOperator(ValueError):
    """A filter with an operator that LangGraph has not."""


class Condition(Protocol):
    """A `MatchCondition` of LangGraph."""

    @property
    def match_type(self) -> str:
        """`prefix` or `suffix`."""
        ...

    @property
    def path(self) -> Namespace:
        """Labels; `*` stands for any."""
        ...


def matches_all(conditions: Collection[Condition], namespace: Namespace) -> bool:
    """Whether a namespace meets every condition."""
    return all(_matches(each, namespace) for each in conditions)


def matches_filter(value: Any, filters: Mapping[str, Any]) -> bool:
    """Whether each member of a filter fits that of a value; operators compare, objects are compared by member.

    Raises UnknownOperator.
    """
    return isinstance(value, Mapping) and all(_fits(value.get(name), each) for name, each in filters.items())


def _matches(condition: Condition, namespace: Namespace) -> bool:
    path = condition.path
    if len(path) > len(namespace):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[len(namespace) - len(path) :]
    return all(asked in {_ANY, label} for asked, label in zip(path, part, strict=True))


def _fits(value: Any, asked: Any) -> bool:
    if isinstance(asked, Mapping):
        if any(name.startswith("$") for name in asked):
            return all(_compares(name, value, other) for name, other in asked.items())
        return matches_filter(value, asked)
    if isinstance(asked, list | tuple) and isinstance(value, list | tuple):
        return len(asked) == len(value) and all(map(_fits, value, asked))
    return bool(value == asked)


def _compares(name: str, value: Any, other: Any) -> bool:
    compare = _OPERATORS.get(name)
    if compare is None:
        raise UnknownOperator(f"Unsupported operator: {name}")
    try:
        return bool(compare(value, other))
    except TypeError:
        return False  # a text is neither more nor less than a number
