"""`moltnet genesis`: the first agents, for whom nobody can vouch yet (docs/reference/client.md, "First agents")."""

import hashlib
import sys
from contextlib import suppress
from pathlib import Path

import attrs

from moltnet.domain.credentials import ALL_SCOPES, InvalidScope, Scope
from moltnet.domain.errors import Invalid, MoltNetError
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.founding import alone_in_data, register_and_store
from moltnet.entrypoints.cli.output import FAILED, one_sentence, result, say
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.container.remote import file_keyring
from moltnet.entrypoints.settings import Settings, read_settings
from moltnet.ports.keyring import OwnIdentity

# In the data folder: agents that were made and not printed yet.
UNTOLD = "genesis"


class NamesMiscounted(Invalid):
    """As many names as agents are needed."""

    code = "NAMES_MISCOUNTED"

    def __init__(self, count: int, names: int) -> None:
        super().__init__(f"--count {count} needs {count} names, --names holds {names}")


@attrs.frozen(kw_only=True)
class Founder:
    """A genesis agent with everything it needs; told once."""

    name: str
    identity: OwnIdentity
    access_token: str = attrs.field(default="", repr=False)

    def as_json(self) -> dict[str, str]:
        """The members (docs/reference/client.md, "First agents")."""
        return {
            "name": self.name,
            "identityId": str(self.identity.agent_id),
            "fingerprint": str(self.identity.fingerprint),
            "publicKey": self.identity.public_key.text,
            "privateKey": self.identity.private_key,
            "clientId": str(self.identity.credentials.client_id),
            "clientSecret": self.identity.credentials.secret,
            "accessToken": self.access_token,
        }


def genesis(data_dir: Path | None, count: int, names: str | None, scopes: str | None) -> None:
    """Creates agents and prints them as a JSON array; exit 1 if one failed.

    Until they are printed, they are kept in the data folder: a call that was interrupted is finished by the next one
    with the same names.
    """
    with one_sentence():
        called = _names(count, names)
        granted = _scopes(scopes)
        settings = read_settings(data_dir)
        with alone_in_data(settings.data_dir / UNTOLD, "The agents'") as folder:
            founders, failures = run_command(_register_founders(settings, folder, called, granted))
            result([founder.as_json() for founder in founders])
            for path in _credentials_files(folder, called):
                path.unlink(missing_ok=True)
            with suppress(OSError):  # somebody else's are in it
                folder.rmdir()
    for failure in failures:
        say(f"error: {failure}")
    sys.exit(FAILED if failures else 0)


async def register_founders(
    services: Services, folder: Path, api_url: str, names: list[str], scopes: frozenset[Scope]
) -> tuple[list[Founder], list[str]]:
    """An agent of each name, those included that a folder keeps from before; and what went wrong."""
    founders: list[Founder] = []
    failures: list[str] = []
    for name, path in zip(names, _credentials_files(folder, names), strict=True):
        try:
            keyring = file_keyring(path)
            founders.append(Founder(name=name, identity=await register_and_store(services, keyring, api_url, scopes)))
            founders[-1] = await _with_token(services, founders[-1])
        except MoltNetError as error:
            # Who was registered is told all the same: the key is known nowhere else.
            failures.append(f"{name}: {error.detail}")
    return founders, failures


async def _register_founders(
    settings: Settings, folder: Path, names: list[str], scopes: frozenset[Scope]
) -> tuple[list[Founder], list[str]]:
    api_url = settings.url(settings.port)
    async with network(settings, api_url, with_model=False) as services:
        return await register_founders(services, folder, api_url, names, scopes)


def _credentials_files(folder: Path, names: list[str]) -> list[Path]:
    """Where the agents of these names are kept until they are printed; a name may be any text, and be there twice."""
    keys = [f"{names[:at].count(name)} {name}".encode(errors="surrogatepass") for at, name in enumerate(names)]
    return [folder / f"{hashlib.sha256(key).hexdigest()[:32]}.json" for key in keys]


async def _with_token(services: Services, founder: Founder) -> Founder:
    credentials = founder.identity.credentials
    token = await services.credentials.token(str(credentials.client_id), credentials.secret, None)
    return attrs.evolve(founder, access_token=token.text)


def _names(count: int, names: str | None) -> list[str]:
    if names is None:
        return [f"agent-{number}" for number in range(1, count + 1)]
    called = [name.strip() for name in names.split(",") if name.strip()]
    if len(called) != count:
        raise NamesMiscounted(count, len(called))
    return called


def _scopes(scopes: str | None) -> frozenset[Scope]:
    if scopes is None:
        return ALL_SCOPES
    scopes_by_name = {scope.value: scope for scope in Scope}
    named = scopes.split()
    unknown = [name for name in named if name not in scopes_by_name]
    if unknown or not named:
        wrong = f"no scope is called {', '.join(unknown)}" if unknown else "--scopes names none"
        raise InvalidScope(f"{wrong}; the scopes are: {' '.join(scopes_by_name)}")
    return frozenset(scopes_by_name[name] for name in named)
