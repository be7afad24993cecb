"""What an operator can get wrong about Ory, asked of the services themselves (docs/reference/ory.md)."""

import re
from email.utils import parsedate_to_datetime
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import attrs
from ory_client import (
    IdentityApi,
    MetadataApi,
    OAuth2Api,
    OAuth2Client,
    OidcApi,
    RelationshipApi,
)

from moltnet.adapters.ory.claims import Expected
from moltnet.adapters.ory.clients import GRANT_TYPE
from moltnet.adapters.ory.identity import OryIdentityProvider
from moltnet.adapters.ory.published_keys import PublishedKeys
from moltnet.adapters.ory.relations import OryRelationStore
from moltnet.adapters.ory.schemas import AgentSchema
from moltnet.adapters.ory.service import OryMisconfigured, OryService, Reply
from moltnet.adapters.ory.services import OryServices
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import KEY_BYTES, PublicKey
from moltnet.domain.permissions import EntryRight, Link, Namespace, Right, Thing, TuplePattern
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness

_OK, _DONE, _CREATED, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _ERROR = 200, 204, 201, 401, 403, 404, 500
# Nobody has it (RFC 9562 §5.9), so what is asked of it changes nothing.
_NOBODY = UUID(int=0)
CLOCKS_APART_S = 5
# Those that the suites of ports were run against, docs/ory.md.
OLDEST = {"Kratos": "v26.2", "Hydra": "v26.2", "Keto": "v26.2"}
_TRAITS = {"public_key", "voucher_code"}
_HOOK = "/hooks/hydra/token-exchange"
_HOOK_ADVICE = (
    f"see that this network runs, that Hydra reaches it at the url of oauth2.token_hook, which ends with {_HOOK}, and "
    "that the key there is ORY_ACTION_API_KEY"
)


@attrs.frozen(kw_only=True)
class OryHealthCheck:
    """Each method answers what was seen, or raises OryUnavailable or OryMisconfigured with what to do about it."""

    services: OryServices
    issuer: str
    clock: Clock
    randomness: Randomness

    async def kratos(self) -> str:
        """That both sides of Kratos answer, and take the key."""
        response = await self.services.kratos_admin.call(
            "list identities",
            lambda client, timeout: IdentityApi(client).list_identities_without_preload_content(
                page_size=1, _request_timeout=timeout
            ),
            {_OK},
        )
        await AgentSchema(self.services.kratos_public).list_all()
        return await self._current(self.services.kratos_admin, response)

    async def hydra(self) -> str:
        """That both sides of Hydra answer, and take the key."""
        response = await self.services.hydra_admin.call(
            "list clients",
            lambda client, timeout: OAuth2Api(client).list_o_auth2_clients_without_preload_content(
                page_size=1, _request_timeout=timeout
            ),
            {_OK},
        )
        await PublishedKeys(self.services.hydra_public, self.clock).published()
        return await self._current(self.services.hydra_admin, response)

    async def keto(self) -> str:
        """That both sides of Keto answer, and take the key."""
        response = await self.services.keto_public.call(
            "list namespaces",
            lambda client, timeout: RelationshipApi(client).list_relationship_namespaces_without_preload_content(
                _request_timeout=timeout
            ),
            {_OK},
        )
        await self.services.keto_admin.call(
            "delete no relation",
            lambda client, timeout: RelationshipApi(client).delete_relationships_without_preload_content(
                namespace=Namespace.AGENT.value, object=str(_NOBODY), _request_timeout=timeout
            ),
            {_DONE, _NOT_FOUND},
        )
        return await self._current(self.services.keto_public, response)

    async def schema(self) -> str:
        """That Kratos has the schema of agents, and that it is the network's own."""
        found = await AgentSchema(self.services.kratos_public).find()
        traits = _member(found.get("schema"), "properties", "traits")
        named, required = _member(traits, "properties"), _member(traits, "required")
        key = _member(named, "public_key", "ory.sh/kratos", "credentials", "password", "identifier")
        if not isinstance(named, dict) or set(named) != _TRAITS or set(required or ()) != _TRAITS:
            raise OryMisconfigured(_other_schema(found["id"], "its traits are not public_key and voucher_code"))
        if key is not True:
            raise OryMisconfigured(_other_schema(found["id"], "public_key is not a password identifier"))
        return f"{found['id']}"

    async def recovery(self, storage: Storage) -> str:
        """That Kratos gives a recovery code, and a session for it: an identity of nobody's gets one, and is removed."""
        registration, key = f"moltnet-doctor-{uuid4()}", PublicKey(token_bytes(KEY_BYTES))
        public, admin = self.services.kratos_public, self.services.kratos_admin
        identities = OryIdentityProvider(public, admin, AgentSchema(public), storage, self.clock, self.randomness, "")
        identity = await identities.create(registration, key, None)
        try:
            recovery = await identities.begin_recovery(identity)
            await identities.answer_flow(recovery.flow_url.rpartition("=")[2], recovery.code)
        finally:
            await identities.delete(registration, key)
        return "a code was given, and a session for it"

    async def tokens(self) -> str:
        """That Hydra calls itself what tokens are expected to say, and publishes keys that can be used here."""
        keys = await PublishedKeys(self.services.hydra_public, self.clock).published()
        if not keys:
            raise OryMisconfigured("Hydra publishes no key for RS256 or ES256: set strategies.access_token to jwt")
        reply = await self.services.hydra_public.call(
            "tell its issuer",
            lambda client, timeout: OidcApi(client).discover_oidc_configuration_without_preload_content(
                _request_timeout=timeout
            ),
            {_OK, _NOT_FOUND},
        )
        reported_issuer = reply.member("issuer")
        if isinstance(reported_issuer, str) and reported_issuer not in Expected.of(self.issuer, ()).issuers:
            raise OryMisconfigured(
                f"Hydra calls itself {reported_issuer}, but {self.issuer} is expected: set MOLTNET_ORY_ISSUER to what "
                "it says"
            )
        return f"{len(keys)} keys of {reported_issuer or self.issuer}"

    async def namespaces(self) -> str:
        """That Keto has the namespaces, and knows every relation and permit that is asked of it."""
        store = OryRelationStore(public=self.services.keto_public, admin=self.services.keto_admin)
        nobody = AgentId(_NOBODY)
        for namespace in Namespace:
            await store.list(TuplePattern(namespace=namespace, id=_NOBODY))
        await store.list(TuplePattern(namespace=Namespace.AGENT, relation=Link.SELF, id=_NOBODY))
        await store.permitted(Thing(Namespace.DIARY, _NOBODY), list(Right), nobody)
        await store.permitted(Thing(Namespace.DIARY_ENTRY, _NOBODY), list(EntryRight), nobody)
        return ", ".join(Namespace)

    async def hook(self) -> str:
        """That Hydra asks this network what a token says: a client of nobody's gets none, and is removed again."""
        client_id, secret = f"moltnet-doctor-{uuid4()}", uuid4().hex
        admin, new = self.services.hydra_admin, _client_of_nobody(client_id, secret)
        await admin.call(
            "create a client",
            lambda client, timeout: OAuth2Api(client).create_o_auth2_client_without_preload_content(
                new, _request_timeout=timeout
            ),
            {_CREATED},
        )
        try:
            reply = await self._asked_for_a_token(client_id, secret)
        finally:
            await admin.call(
                "delete a client",
                lambda client, timeout: OAuth2Api(client).delete_o_auth2_client_without_preload_content(
                    client_id, _request_timeout=timeout
                ),
                {_DONE, _NOT_FOUND},
            )
        if reply.status == _OK:
            raise OryMisconfigured(
                "Hydra calls no hook for the claims of tokens: set oauth2.token_hook (see deploy/ory/hydra)"
            )
        if reply.status == _ERROR:
            raise OryMisconfigured(f"Hydra got no answer from its token hook: {_HOOK_ADVICE}")
        return "asked, and heeded"

    async def _asked_for_a_token(self, client_id: str, secret: str) -> Reply:
        form = [("grant_type", GRANT_TYPE), ("client_id", client_id), ("client_secret", secret)]
        return await self.services.hydra_public.call(
            "issue a token",
            lambda client, timeout: (
                client.call_api(
                    "POST",
                    f"{client.configuration.host}/oauth2/token",
                    header_params={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
                    post_params=form,
                    _request_timeout=timeout,
                ).response
            ),
            {_OK, _FORBIDDEN, _ERROR},
        )

    async def _current(self, service: OryService, reply: Reply) -> str:
        """The service's release; raises OryMisconfigured for one that is too old, and for a clock that is wrong."""
        version = await service.call(
            "tell its release",
            lambda client, timeout: MetadataApi(client).get_version_without_preload_content(_request_timeout=timeout),
            {_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND},  # Ory Network has none
        )
        release = str(version.member("version") or "")
        oldest = OLDEST[service.name.partition(" ")[0]]
        if (found := _numbers(release)) and found < _numbers(oldest):
            raise OryMisconfigured(f"{service.name} is {release}, but {oldest} is the oldest that was tried: update it")
        try:
            theirs = parsedate_to_datetime(reply.headers.get("Date", ""))
        except ValueError:
            return release or "answers"
        apart_s = abs((theirs - self.clock.now()).total_seconds())
        if apart_s > CLOCKS_APART_S:
            raise OryMisconfigured(
                f"the clock of {service.name} is {apart_s:.0f} s from this one, and tokens are judged by both: set them"
            )
        return f"{release or 'answers'}, and its clock is right"


def _numbers(release: str) -> tuple[int, ...]:
    """What a release is ordered by; nothing for one without numbers."""
    found = re.match(r"v(\d+)\.(\d+)", release)
    return tuple(map(int, found.groups())) if found else ()


def _client_of_nobody(client_id: str, secret: str) -> OAuth2Client:
    return OAuth2Client(
        client_id=client_id,
        client_name="moltnet doctor",
        client_secret=secret,
        grant_types=[GRANT_TYPE],
        response_types=[],
        token_endpoint_auth_method="client_secret_post",  # noqa: S106  # the name of a method
        scope="diary:read",
    )


def _other_schema(schema_id: object, what: str) -> str:
    return f"the identity schema {schema_id} is another: {what}; use deploy/ory/kratos/agent.schema.json"


def _member(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
