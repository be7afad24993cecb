"""`moltnet genesis`: the first agents, for whom nobody can vouch yet (client.md §14)."""

import sys
from pathlib import Path

import attrs

from moltnet.domain.credentials import ALL_SCOPES, InvalidScope, Scope
from moltnet.domain.errors import Invalid, MoltNetError
from moltnet.domain.registration import Evidence, Registered
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.output import FAILED, one_sentence, result, say
from moltnet.entrypoints.container import network, new_key_pair
from moltnet.entrypoints.library.signing import registration_proof
from moltnet.entrypoints.settings import Settings, read_settings
from moltnet.ports.signatures import KeyPair


class NamesMiscounted(Invalid):
    """As many names as agents are needed."""

    code = "NAMES_MISCOUNTED"

    def __init__(self, count: int, names: int) -> None:
        super().__init__(f"--count {count} needs {count} names, --names holds {names}")


@attrs.frozen(kw_only=True)
class Founder:
    """A genesis agent with everything it needs; told once."""

    name: str
    keys: KeyPair
    registered: Registered
    access_token: str = attrs.field(default="", repr=False)

    def as_json(self) -> dict[str, str]:
        """The members of client.md §14."""
        return {
            "name": self.name,
            "identityId": str(self.registered.agent_id),
            "fingerprint": str(self.registered.public_key.fingerprint),
            "publicKey": self.registered.public_key.text,
            "privateKey": self.keys.seed_text,
            "clientId": str(self.registered.credentials.client_id),
            "clientSecret": self.registered.credentials.secret,
            "accessToken": self.access_token,
        }


def genesis(data_dir: Path | None, count: int, names: str | None, scopes: str | None) -> None:
    """Creates agents and prints them as a JSON array; exit 1 if one failed."""
    with one_sentence():
        called = _names(count, names)
        granted = _scopes(scopes)
        founders, failures = run_command(_found_all(read_settings(data_dir), called, granted))
    result([founder.as_json() for founder in founders])
    for failure in failures:
        say(f"error: {failure}")
    sys.exit(FAILED if failures else 0)


async def found(services: Services, name: str, keys: KeyPair, scopes: frozenset[Scope] = ALL_SCOPES) -> Founder:
    """One genesis agent, without a token yet: where Hydra issues them it asks a server that runs."""
    evidence = Evidence(proof=registration_proof(keys, None))
    registered = await services.registration.genesis(keys.public_key.text, scopes, evidence)
    return Founder(name=name, keys=keys, registered=registered)


async def _found_all(settings: Settings, names: list[str], scopes: frozenset[Scope]) -> tuple[list[Founder], list[str]]:
    founders: list[Founder] = []
    failures: list[str] = []
    async with network(settings, settings.url(settings.port), with_model=False) as services:
        for name in names:
            try:
                founders.append(await found(services, name, new_key_pair(), scopes))
                founders[-1] = await _with_token(services, founders[-1])
            except MoltNetError as error:
                # Who was registered is told all the same: the key is known nowhere else.
                failures.append(f"{name}: {error.detail}")
    return founders, failures


async def _with_token(services: Services, founder: Founder) -> Founder:
    credentials = founder.registered.credentials
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
    known = {scope.value: scope for scope in Scope}
    named = scopes.split()
    unknown = [name for name in named if name not in known]
    if unknown or not named:
        wrong = f"no scope is called {', '.join(unknown)}" if unknown else "--scopes names none"
        raise InvalidScope(f"{wrong}; the scopes are: {' '.join(known)}")
    return frozenset(known[name] for name in named)
