"""Builds networks, and the agents of remote ones: the only room that knows every adapter.

What is named here is imported when it is asked for: an agent of a remote network needs none of a server's libraries.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moltnet.entrypoints.container.databases import database, migrate, migrate_all
    from moltnet.entrypoints.container.examinations import Examination, examination
    from moltnet.entrypoints.container.keys import key_pair_of, new_key_pair, signatures
    from moltnet.entrypoints.container.model_rooms import KnownModel, ModelRoom, model_room
    from moltnet.entrypoints.container.networks import Foundation, assembled, network, network_in_memory
    from moltnet.entrypoints.container.own import (
        document_of,
        export_ssh_key,
        git_activation,
        github_token,
        is_taken_in_by_git,
        look_over,
        mcp_configuration,
        read_document,
        remains_of,
        set_up_git,
        set_up_github,
        update_section,
        write_document,
        write_mcp_configuration,
        write_mcp_file,
        write_text,
    )
    from moltnet.entrypoints.container.relocations import relocation
    from moltnet.entrypoints.container.remote import admission, file_keyring, remote_agent
    from moltnet.entrypoints.container.sealing import replace_secret, rotate_keys
    from moltnet.entrypoints.container.wiring import Container

__all__ = [
    "Container",
    "Examination",
    "Foundation",
    "KnownModel",
    "ModelRoom",
    "admission",
    "assembled",
    "database",
    "document_of",
    "examination",
    "export_ssh_key",
    "file_keyring",
    "git_activation",
    "github_token",
    "is_taken_in_by_git",
    "key_pair_of",
    "look_over",
    "mcp_configuration",
    "migrate",
    "migrate_all",
    "model_room",
    "network",
    "network_in_memory",
    "new_key_pair",
    "read_document",
    "relocation",
    "remains_of",
    "remote_agent",
    "replace_secret",
    "rotate_keys",
    "set_up_git",
    "set_up_github",
    "signatures",
    "update_section",
    "write_document",
    "write_mcp_configuration",
    "write_mcp_file",
    "write_text",
]

_ROOMS = {
    "Container": "wiring",
    "Examination": "examinations",
    "Foundation": "networks",
    "KnownModel": "model_rooms",
    "ModelRoom": "model_rooms",
    "admission": "remote",
    "assembled": "networks",
    "database": "databases",
    "document_of": "own",
    "examination": "examinations",
    "export_ssh_key": "own",
    "file_keyring": "remote",
    "git_activation": "own",
    "github_token": "own",
    "is_taken_in_by_git": "own",
    "key_pair_of": "keys",
    "look_over": "own",
    "mcp_configuration": "own",
    "migrate": "databases",
    "migrate_all": "databases",
    "model_room": "model_rooms",
    "network": "networks",
    "network_in_memory": "networks",
    "new_key_pair": "keys",
    "read_document": "own",
    "relocation": "relocations",
    "remains_of": "own",
    "remote_agent": "remote",
    "replace_secret": "sealing",
    "rotate_keys": "sealing",
    "set_up_git": "own",
    "set_up_github": "own",
    "signatures": "keys",
    "update_section": "own",
    "write_document": "own",
    "write_mcp_configuration": "own",
    "write_mcp_file": "own",
    "write_text": "own",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
