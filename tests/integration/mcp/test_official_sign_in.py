"""The official package's own ways to sign in: by client secret, and by the agent's key."""

import base64

import attrs
import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mcp.client.auth import OAuthTokenError
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

from moltnet.adapters.nacl import NaclKeyPair
from tests.integration.mcp.conftest import message
from tests.integration.mcp.test_client import TOOLS
from tests.support.mcp_clients import ERAS, mcp_client, used


class Memory:
    """Where the package keeps its tokens; it registers nothing."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        raise AssertionError(client_info)


def by_secret(network, member, method, memory=None):
    return ClientCredentialsOAuthProvider(
        server_url=f"{network.url}/mcp",
        storage=memory or Memory(),
        client_id=member.client_id,
        client_secret=member.secret,
        token_endpoint_auth_method=method,
        issuer=network.url,
    )


def by_key(network, member, key=None):
    seed = (key or member.key).seed_text
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))
    signing = SignedJWTParameters(
        issuer=member.client_id,
        subject=member.client_id,
        signing_key=private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        signing_algorithm="EdDSA",
    )
    return PrivateKeyJWTOAuthProvider(
        server_url=f"{network.url}/mcp",
        storage=Memory(),
        client_id=member.client_id,
        assertion_provider=signing.create_assertion_provider(),
        issuer=network.url,
    )


SIGN_IN = {
    "basic": lambda network, member: by_secret(network, member, "client_secret_basic"),
    "post": lambda network, member: by_secret(network, member, "client_secret_post"),
    "key": by_key,
}


@pytest.fixture
async def reached(serve):
    """A server that knows where it is reached, as one that runs does."""
    return await serve(at_its_own_address=True)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("way", SIGN_IN)
async def test_the_client_signs_in_by_itself(reached, way, era):
    ada = await reached.member()
    async with mcp_client(reached.url, era=era, auth=SIGN_IN[way](reached, ada)) as client:
        assert len((await client.list_tools()).tools) == TOOLS
        told = await used(client, "moltnet_whoami")
        assert (told["authenticated"], told["identity"]["fingerprint"]) == (True, ada.fingerprint)
        await used(client, "diary_create", diary_ref="default", content="The deploy failed")
        assert (await client.read_resource("moltnet://identity")).contents


@pytest.mark.parametrize("way", SIGN_IN)
async def test_it_signs_in_at_the_start_where_nobody_is_served_without(serve, way):
    network = await serve(at_its_own_address=True, anonymous=False)
    ada = await network.member()
    async with mcp_client(network.url, auth=SIGN_IN[way](network, ada)) as client:
        assert (await used(client, "moltnet_whoami"))["authenticated"] is True


@pytest.mark.parametrize("way", SIGN_IN)
async def test_a_token_that_ended_is_replaced(reached, way):
    ada = await reached.member()
    provider = SIGN_IN[way](reached, ada)
    provider.context.storage.tokens = OAuthToken(access_token="ended", expires_in=3600)
    async with mcp_client(reached.url, auth=provider) as client:
        assert (await used(client, "moltnet_whoami"))["authenticated"] is True


async def test_credentials_that_do_not_hold_are_an_error_and_not_a_quiet_nobody(reached):
    ada = await reached.member()
    for provider in (
        by_secret(reached, attrs.evolve(ada, secret="wrong"), "client_secret_basic"),
        by_secret(reached, attrs.evolve(ada, secret="wrong"), "client_secret_post"),
        by_key(reached, ada, NaclKeyPair.generate()),
    ):
        async with httpx2.AsyncClient(auth=provider) as http:
            with pytest.raises(OAuthTokenError, match=r"401.*invalid_client"):
                await http.post(f"{reached.url}/mcp", json=message("tools/call", name="moltnet_whoami"))
