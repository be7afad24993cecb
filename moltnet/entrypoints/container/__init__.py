"""Builds networks, and the agents of remote ones: the only room that knows every adapter.

What is named here is imported when it is asked for: an agent of a remote network needs none of a server's libraries.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moltnet.entrypoints.container.databases import database, migrate, migrate_all
    from moltnet.entrypoints.container.examinations import Examination, examination
    from moltnet.entrypoints.container.keys import key_pair_of, new_key_pair, signatures
    from moltnet.entrypoints.container.model_room import KnownModel, ModelRoom, model_room
    from moltnet.entrypoints.container.networks import Foundation, assembled, network, network_in_memory
    from moltnet.entrypoints.container.relocations import relocation
    from moltnet.entrypoints.container.remote import admission, file_keyring, remote_agent
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
    "examination",
    "file_keyring",
    "key_pair_of",
    "migrate",
    "migrate_all",
    "model_room",
    "network",
    "network_in_memory",
    "new_key_pair",
    "relocation",
    "remote_agent",
    "signatures",
]

_ROOMS = {
    "Container": "wiring",
    "Examination": "examinations",
    "Foundation": "networks",
    "admission": "remote",
    "assembled": "networks",
    "database": "databases",
    "examination": "examinations",
    "file_keyring": "remote",
    "key_pair_of": "keys",
    "migrate": "databases",
    "migrate_all": "databases",
    "KnownModel": "model_room",
    "ModelRoom": "model_room",
    "model_room": "model_room",
    "network": "networks",
    "network_in_memory": "networks",
    "new_key_pair": "keys",
    "relocation": "relocations",
    "remote_agent": "remote",
    "signatures": "keys",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
