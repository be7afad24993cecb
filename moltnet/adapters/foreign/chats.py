"""Conversations as ChatGPT and Claude export them: each an entry, or several where it is long.

Of the branches of a conversation the last one counts. Images, files and what a model thought are left out.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import attrs

from moltnet.adapters.foreign.json_items import Item
from moltnet.adapters.foreign.pieces import Memo, parts_of, time_of
from moltnet.domain.entries import CONTENT_MAX, EntryType
from moltnet.domain.imports import Candidate, Unreadable

CHATGPT, CLAUDE = "chatgpt", "claude"
MESSAGES_MAX = 100_000
_NAMES = {"user": "User", "human": "User", "assistant": "Assistant"}


@attrs.frozen
class Message:
    """What somebody said, and when."""

    text: str
    at: datetime | None


def chatgpt(item: Item) -> Iterator[Candidate | Unreadable]:
    """A conversation of ChatGPT."""
    chat = item.members
    id_ = str(chat.get("conversation_id") or chat.get("id") or "")
    return _entries(item, CHATGPT, id_, chat.get("title"), _chatgpt_messages, chat.get("create_time"))


def claude(item: Item) -> Iterator[Candidate | Unreadable]:
    """A conversation of Claude."""
    chat = item.members
    id_ = str(chat.get("uuid") or "")
    return _entries(item, CLAUDE, id_, chat.get("name"), _claude_messages, chat.get("created_at"))


def _entries(  # noqa: PLR0913, PLR0917  # what a conversation has
    item: Item,
    source: str,
    id_: str,
    title: object,
    read: Callable[[dict[str, Any]], Iterator[Message]],
    begun: object,
) -> Iterator[Candidate | Unreadable]:
    try:
        messages = list(read(item.members))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        yield Unreadable(item.position, "it is no conversation as they are exported: a member has another form")
        return
    stretches = list(_stretches(messages))
    if not stretches:
        yield Unreadable(item.position, "there is no text in it")
    for number, stretch in enumerate(stretches, 1):
        suffix = f" ({number}/{len(stretches)})" if len(stretches) > 1 else ""
        yield from Memo(
            position=item.position,
            source=source,
            id=id_,
            text=stretch.text,
            title=f"{title if isinstance(title, str) else ''}{suffix}",
            tags=(source,),
            entry_type=EntryType.EPISODIC,
            at=stretch.at or time_of(begun),
        ).candidates()


def _stretches(messages: list[Message]) -> Iterator[Message]:
    """As many messages as an entry holds, and so on; one that is longer is cut."""
    text, at = "", None
    for message in messages:
        for part in parts_of(message.text):
            if text and len(text) + 2 + len(part) > CONTENT_MAX:
                yield Message(text, at)
                text, at = "", None
            text, at = f"{text}\n\n{part}" if text else part, at or message.at
    if text:
        yield Message(text, at)


def _chatgpt_messages(chat: dict[str, Any]) -> Iterator[Message]:
    for node in _branch(chat):
        message = node.get("message")
        if not message or (message.get("metadata") or {}).get("is_visually_hidden_from_conversation"):
            continue
        text = _chatgpt_text(message.get("content") or {})
        name = _NAMES.get(message["author"]["role"])
        if name and text:
            yield Message(f"{name}: {text}", time_of(message.get("create_time")))


def _branch(chat: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes from the first to the current one."""
    mapping: dict[str, dict[str, Any]] = chat["mapping"]
    at = chat.get("current_node") or next(reversed(mapping), None)
    nodes: list[dict[str, Any]] = []
    known: set[str] = set()
    while at in mapping and at not in known and len(nodes) < MESSAGES_MAX:
        known.add(at)
        nodes.append(mapping[at])
        at = mapping[at].get("parent")
    return nodes[::-1]


def _chatgpt_text(content: dict[str, Any]) -> str:
    if content.get("content_type") == "code":
        return str(content.get("text") or "").strip()
    if content.get("content_type") not in {"text", "multimodal_text"}:
        return ""
    parts = (part if isinstance(part, str) else part.get("text") for part in content.get("parts") or ())
    return "\n".join(part for part in parts if isinstance(part, str) and part.strip()).strip()


def _claude_messages(chat: dict[str, Any]) -> Iterator[Message]:
    for message in chat["chat_messages"]:
        blocks = message.get("content") or ()
        texts = [str(each.get("text") or "") for each in blocks if each.get("type") == "text"]
        text = "\n".join(filter(None, texts)).strip() or str(message.get("text") or "").strip()
        name = _NAMES.get(message.get("sender"))
        if name and text:
            yield Message(f"{name}: {text}", time_of(message.get("created_at")))
