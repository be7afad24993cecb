"""Files as other programs write them, made up."""

import json
import zipfile
from pathlib import Path
from typing import Any


def chatgpt_chat(
    id_: str = "c1", *, words: str = "Shall we move the standup?", answer: str = "To ten."
) -> dict[str, Any]:
    """A conversation of ChatGPT: a hidden node, a question that was asked anew, an answer with an image."""
    return {
        "id": id_,
        "title": "Standup",
        "create_time": 1714978800.5,
        "current_node": "d",
        "mapping": {
            "a": {"id": "a", "message": None, "parent": None, "children": ["b", "x"]},
            "x": _said("x", "a", "user", ["An abandoned question"], 1714978801.0),
            "b": _said("b", "a", "user", [words], 1714978810.0),
            "c": {
                "id": "c",
                "parent": "b",
                "message": {
                    "author": {"role": "assistant"},
                    "content": {"content_type": "thoughts", "thoughts": []},
                    "metadata": {},
                },
            },
            "d": _said("d", "c", "assistant", [{"content_type": "image_asset_pointer"}, answer], 1714978820.0),
        },
    }


def _said(id_: str, parent: str, role: str, parts: list[Any], at: float) -> dict[str, Any]:
    content = {"content_type": "multimodal_text", "parts": parts}
    message = {"author": {"role": role}, "create_time": at, "content": content, "metadata": {}}
    return {"id": id_, "parent": parent, "message": message}


def claude_chat() -> dict[str, Any]:
    """A conversation of Claude."""
    return {
        "uuid": "u1",
        "name": "Deploys",
        "created_at": "2024-05-06T07:00:00Z",
        "chat_messages": [
            {
                "sender": "human",
                "text": "",
                "content": [{"type": "text", "text": "Why did it fail?"}, {"type": "tool_use", "name": "x"}],
                "created_at": "2024-05-06T07:00:05.123456Z",
            },
            {"sender": "assistant", "text": "The callback URL.", "created_at": "2024-05-06T07:00:09Z"},
        ],
    }


MEM0 = {
    "results": [
        {
            "id": "m1",
            "memory": "Prefers short updates",
            "categories": ["style"],
            "created_at": "2024-05-06T07:08:09-07:00",
        },
        {"id": "m2", "memory": "Drinks tea", "categories": None, "created_at": "2024-05-07T07:08:09-07:00"},
    ]
}

VAULT = {
    "Deploy.md": (
        "---\ntitle: Deploy of May\ntags: [ops, oauth]\ndate: 2024-05-06\n---\nIt failed. See [[Callback]] #urgent.\n"
    ),
    "notes/Basic.md": (
        "---\ntitle: Coffee\ntype: note\npermalink: coffee\ntags:\n- coffee\n---\n# Coffee\n\n## Observations\n"
        "- [method] Pour over #brewing (mornings)\n\n## Relations\n- relates_to [[Tea]]\n"
    ),
    "notes/Plain.md": "# A heading\n\nA text without front matter.\n",
    ".obsidian/App.md": "never read",
    "picture.png": "never read",
}


def vault(folder: Path) -> Path:
    """A folder of notes."""
    for name, text in VAULT.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def samples(folder: Path) -> Path:
    """One of each: chatgpt.zip, claude.json, mem0.json, memories.jsonl, and the folder vault."""
    with zipfile.ZipFile(folder / "chatgpt.zip", "w") as archive:
        archive.writestr("chat.html", "<p>never read</p>")
        archive.writestr("conversations.json", json.dumps([chatgpt_chat()]))
    (folder / "claude.json").write_text(json.dumps([claude_chat()]))
    (folder / "mem0.json").write_text(json.dumps(MEM0))
    (folder / "memories.jsonl").write_text(
        '{"content": "Line one", "tags": ["a"]}\n{"text": "Line two", "importance": 9}\n'
    )
    vault(folder / "vault")
    return folder
