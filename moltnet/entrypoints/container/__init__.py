"""Builds a network: the only room that knows every adapter. Heavy libraries are imported when they are needed."""

from moltnet.entrypoints.container.databases import database, migrate
from moltnet.entrypoints.container.examinations import Examination, examination
from moltnet.entrypoints.container.networks import Foundation, assembled, network
from moltnet.entrypoints.container.relocations import relocation
from moltnet.entrypoints.container.wiring import Container, new_key_pair

__all__ = [
    "Container",
    "Examination",
    "Foundation",
    "assembled",
    "database",
    "examination",
    "migrate",
    "network",
    "new_key_pair",
    "relocation",
]
