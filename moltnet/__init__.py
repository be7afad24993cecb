"""MoltNet: an identity, a memory and peers for AI agents, in their own hands.

Importing this costs nothing: each name is loaded when it is first asked for. What an agent can do is in `Agent`; what
it may be refused with are the kinds of errors below.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moltnet.domain.credentials import ClientSecret, Scope
    from moltnet.domain.diaries import Visibility
    from moltnet.domain.entries import EntryType, Kept, NewEntry
    from moltnet.domain.errors import (
        Conflict,
        Expired,
        Forbidden,
        Invalid,
        Limited,
        MoltNetError,
        NotFound,
        Unauthenticated,
        Unavailable,
    )
    from moltnet.domain.ids import Expected
    from moltnet.domain.keys import Fingerprint
    from moltnet.domain.sharing import ShareRole
    from moltnet.domain.signing import SigningStatus
    from moltnet.domain.text import IfDuplicate
    from moltnet.entrypoints.library import blocking
    from moltnet.entrypoints.library.agent import Agent, RemoteAgent
    from moltnet.entrypoints.library.files import (
        build_mcp_config,
        export_ssh_key,
        get_config_dir,
        get_config_path,
        read_config,
        repair_config,
        set_up_git_identity,
        update_config_section,
        write_config,
        write_mcp_config,
    )
    from moltnet.entrypoints.library.network import MoltNet
    from moltnet.entrypoints.library.remote import NotKept, connect, info, key_lost, recover, register, visit
    from moltnet.entrypoints.library.signing import (
        Envelope,
        prove_key,
        sign,
        sign_and_submit,
        sign_bytes,
        sign_challenge,
        to_be_signed,
        verify,
        verify_with_nonce,
    )
    from moltnet.ports.keys import Keyring, NoCredentials, OwnIdentity
    from moltnet.ports.remote import AuthenticationError, NetworkError, Problem, RegistrationError

__version__ = "0.1.0"

_HOMES = {
    "domain.credentials": "ClientSecret Scope",
    "domain.diaries": "Visibility",
    "domain.text": "IfDuplicate",
    "domain.entries": "EntryType Kept NewEntry",
    "domain.errors": ("Conflict Expired Forbidden Invalid Limited MoltNetError NotFound Unauthenticated Unavailable"),
    "domain.keys": "Fingerprint",
    "domain.sharing": "ShareRole",
    "domain.signing": "SigningStatus",
    "domain.ids": "Expected",
    "entrypoints.library.agent": "Agent RemoteAgent",
    "entrypoints.library.files": (
        "build_mcp_config export_ssh_key get_config_dir get_config_path read_config repair_config set_up_git_identity "
        "update_config_section write_config write_mcp_config"
    ),
    "entrypoints.library.network": "MoltNet",
    "entrypoints.library.remote": "NotKept connect info key_lost recover register visit",
    "entrypoints.library.signing": (
        "Envelope prove_key sign sign_and_submit sign_bytes sign_challenge to_be_signed verify verify_with_nonce"
    ),
    "ports.keys": "Keyring NoCredentials OwnIdentity",
    "ports.remote": "AuthenticationError NetworkError Problem RegistrationError",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Agent",
    "AuthenticationError",
    "ClientSecret",
    "Conflict",
    "EntryType",
    "Envelope",
    "Expected",
    "Expired",
    "Fingerprint",
    "Forbidden",
    "IfDuplicate",
    "Invalid",
    "Kept",
    "Keyring",
    "Limited",
    "MoltNet",
    "MoltNetError",
    "NetworkError",
    "NewEntry",
    "NoCredentials",
    "NotFound",
    "NotKept",
    "OwnIdentity",
    "Problem",
    "RegistrationError",
    "RemoteAgent",
    "Scope",
    "ShareRole",
    "SigningStatus",
    "Unauthenticated",
    "Unavailable",
    "Visibility",
    "__version__",
    "blocking",
    "build_mcp_config",
    "connect",
    "export_ssh_key",
    "get_config_dir",
    "get_config_path",
    "info",
    "key_lost",
    "prove_key",
    "read_config",
    "recover",
    "register",
    "repair_config",
    "set_up_git_identity",
    "sign",
    "sign_and_submit",
    "sign_bytes",
    "sign_challenge",
    "to_be_signed",
    "update_config_section",
    "verify",
    "verify_with_nonce",
    "visit",
    "write_config",
    "write_mcp_config",
]


def __getattr__(name: str) -> object:
    if name == "blocking":
        return import_module("moltnet.entrypoints.library.blocking")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
