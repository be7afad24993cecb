"""Builds networks, and the agents of remote ones: the only room that knows every adapter.

What is named here is imported when it is asked for: an agent of a remote network needs none of a server's libraries.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moltnet.entrypoints.container.databases import database, migrate, migrate_all
    from moltnet.entrypoints.container.health_checks import HealthCheck, health_check
    from moltnet.entrypoints.container.key_encryption import replace_secret, rotate_keys
    from moltnet.entrypoints.container.keys import key_pair_of, new_key_pair, signatures
    from moltnet.entrypoints.container.local_files import (
        check_credentials,
        document_of,
        export_ssh_key,
        git_activation,
        github_token,
        is_visible_to_git,
        mcp_configuration,
        read_document,
        read_partial_credentials,
        set_up_git,
        set_up_github,
        update_section,
        write_document,
        write_mcp_configuration,
        write_mcp_file,
        write_text,
    )
    from moltnet.entrypoints.container.model_administration import (
        ModelAdministration,
        ModelInfo,
        open_model_administration,
    )
    from moltnet.entrypoints.container.networks import Infrastructure, assembled, network, network_in_memory
    from moltnet.entrypoints.container.relocations import relocation
    from moltnet.entrypoints.container.remote import connection, file_keyring
    from moltnet.entrypoints.container.wiring import Container

__all__ = [
    "Container",
    "HealthCheck",
    "Infrastructure",
    "ModelAdministration",
    "ModelInfo",
    "assembled",
    "check_credentials",
    "connection",
    "database",
    "document_of",
    "export_ssh_key",
    "file_keyring",
    "git_activation",
    "github_token",
    "health_check",
    "is_visible_to_git",
    "key_pair_of",
    "mcp_configuration",
    "migrate",
    "migrate_all",
    "network",
    "network_in_memory",
    "new_key_pair",
    "open_model_administration",
    "read_document",
    "read_partial_credentials",
    "relocation",
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

_MODULES = {
    "Container": "wiring",
    "HealthCheck": "health_checks",
    "Infrastructure": "networks",
    "ModelInfo": "model_administration",
    "ModelAdministration": "model_administration",
    "assembled": "networks",
    "database": "databases",
    "document_of": "local_files",
    "health_check": "health_checks",
    "export_ssh_key": "local_files",
    "file_keyring": "remote",
    "git_activation": "local_files",
    "github_token": "local_files",
    "is_visible_to_git": "local_files",
    "key_pair_of": "keys",
    "check_credentials": "local_files",
    "mcp_configuration": "local_files",
    "migrate": "databases",
    "migrate_all": "databases",
    "open_model_administration": "model_administration",
    "network": "networks",
    "network_in_memory": "networks",
    "new_key_pair": "keys",
    "read_document": "local_files",
    "relocation": "relocations",
    "read_partial_credentials": "local_files",
    "connection": "remote",
    "replace_secret": "key_encryption",
    "rotate_keys": "key_encryption",
    "set_up_git": "local_files",
    "set_up_github": "local_files",
    "signatures": "keys",
    "update_section": "local_files",
    "write_document": "local_files",
    "write_mcp_configuration": "local_files",
    "write_mcp_file": "local_files",
    "write_text": "local_files",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
