"""What an agent does with its private key, where the key is: no use case of a network sees it.

Source: docs/reference/client.md, "Signing helpers".

The functions without an agent take the key from a credentials file: of `config_dir`, else of MOLTNET_PRIVATE_KEY or the
file that the environment names.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

import attrs

from moltnet.domain.challenges import ForeignChallenge, MalformedNetworkAddress, NetworkAddress, check_signable
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Invalid, MoltNetError
from moltnet.domain.keys import MalformedKey, PublicKey, decode_signature
from moltnet.domain.recovery import FLOW_PATH, Challenge, Recovery
from moltnet.domain.registration import proof_message
from moltnet.domain.signing import SigningRequest, is_framed, signing_bytes
from moltnet.domain.text import UnstorableText
from moltnet.domain.vouching import checked_code
from moltnet.entrypoints.container.remote import file_keyring, key_pair_of, signatures
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.settings import DEFAULT_API_URL, read_client_settings
from moltnet.ports.keys import KeyPair, NoCredentials

ConfigDir = str | PathLike[str] | None


class UnreadableSigningInput(Invalid):
    """What a network hands out to be signed is a framed message in base64; nothing else is signed for it."""

    code = "UNREADABLE_SIGNING_INPUT"
    sentence = "The signing input must be a framed message (moltnet:v1) in base64, as the network hands it out"


class NoKey(Invalid):
    """An agent that holds no private key cannot sign."""

    code = "NO_KEY"
    sentence = (
        "This agent has no private key at hand: name its key pair with keys=, or connect with its credentials file"
    )


def sign(message: str, nonce: str, config_dir: ConfigDir = None) -> str:
    """The signature of a message framed with a nonce, as signing requests want it.

    Raises NoCredentials, and UnstorableText for half a surrogate pair.
    """
    if _utf8(message) is None or _utf8(nonce) is None:
        raise UnstorableText("must be valid Unicode text")
    return local_key_pair(config_dir).sign(signing_bytes(message, nonce))


def sign_bytes(signing_input: str, config_dir: ConfigDir = None) -> str:
    """The signature of a request's `signing_input`; equals `sign` of its message and nonce.

    Raises NoCredentials and UnreadableSigningInput.
    """
    try:
        signed = base64.b64decode(signing_input, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableSigningInput from error
    if not is_framed(signed):
        raise UnreadableSigningInput
    return local_key_pair(config_dir).sign(signed)


def sign_challenge(challenge: Challenge | str, config_dir: ConfigDir = None, *, network: str | None = None) -> str:
    """The raw signature of a recovery challenge that was made for a network.

    `network` is its public address: the named one, else MOLTNET_API_URL, else the credentials file's, else the public
    network's. Raises NoCredentials, UnsafeChallenge for any other text, and ForeignChallenge.
    """
    settings = read_client_settings(None if config_dir is None else Path(config_dir))
    keys, known = local_key_pair(config_dir), network or settings.api_url
    identity = None if known else file_keyring(settings.credentials_file).read()
    return challenge_signature(keys, challenge, known or (identity.api_url if identity else DEFAULT_API_URL))


def challenge_signature(keys: KeyPair, challenge: Challenge | str, network: str) -> str:
    """The raw signature of a recent challenge for this key and network; raises UnsafeChallenge, ForeignChallenge."""
    text = challenge.text if isinstance(challenge, Challenge) else challenge
    check_signable(text, keys.public_key, NetworkAddress.of(network), datetime.now(UTC))
    return keys.sign(text.encode("ascii"))


def verify(message: str, signature: str, public_key: str) -> bool:
    """Whether a raw signature of a text is this key's; False for anything that cannot be read."""
    return _verified(_utf8(message), signature, public_key)


def verify_with_nonce(message: str, nonce: str, signature: str, public_key: str) -> bool:
    """Whether a signature of a message framed with a nonce is this key's; False for what cannot be read."""
    readable = _utf8(message) is not None and _utf8(nonce) is not None
    return _verified(signing_bytes(message, nonce) if readable else None, signature, public_key)


def registration_proof(keys: KeyPair, voucher_code: str | None) -> str:
    """The signature by which a key proves itself where it is registered; raises MalformedVoucherCode."""
    return keys.sign(proof_message(keys.public_key, voucher_code and checked_code(voucher_code)))


async def sign_and_submit(agent: Agent, message: str, *, keys: KeyPair | None = None) -> SigningRequest:
    """The whole way of a signature: prepares a message, signs it here, submits it. Raises NoKey beside the agent's."""
    keys = keys or _keys_of(agent)
    request = await agent.crypto.signing_requests.create(message)
    return await agent.crypto.signing_requests.submit(request.id, keys.sign(request.framed))


async def prove_key(agent: Agent, keys: KeyPair, *, network: str) -> ClientSecret:
    """Fresh credentials for the holder of an agent's key, by way of recovery; the old ones and their tokens end.

    `network` is the public address of the network that is meant. Raises ForeignChallenge where the one that answers
    hands out a challenge that was not made for it, and UnsafeChallenge for any other text; nothing is signed then.
    """
    key_text = keys.public_key.text
    challenge = await agent.recovery.request_challenge(key_text)
    try:
        proof = challenge_signature(keys, challenge, network)
    except ForeignChallenge as refused:
        raise await _with_network_name(agent, keys, challenge, refused) from None
    recovery = await agent.recovery.verify_challenge(challenge, proof, key_text)
    return await agent.recovery.finish(_asked_likewise(recovery, network))


def local_key_pair(config_dir: ConfigDir = None) -> KeyPair:
    """The agent's own key pair; raises NoCredentials where there is none, and UnreadablePrivateKey."""
    settings = read_client_settings(None if config_dir is None else Path(config_dir))
    if config_dir is None and settings.private_key:
        return key_pair_of(settings.private_key)
    identity = file_keyring(settings.credentials_file).read()
    if identity is None:
        raise NoCredentials
    return key_pair_of(identity.private_key)


def _asked_likewise(recovery: Recovery, network: str) -> Recovery:
    """The flow below the address that is asked: where a network has another name, that one may not be reached."""
    base, found, rest = recovery.flow_url.partition(FLOW_PATH)
    try:
        is_same_network = bool(found) and NetworkAddress.of(base) == NetworkAddress.of(network)
    except MalformedNetworkAddress:
        return recovery
    return attrs.evolve(recovery, flow_url=FLOW_PATH + rest) if is_same_network else recovery


async def _with_network_name(
    agent: Agent, keys: KeyPair, challenge: Challenge, refused: ForeignChallenge
) -> ForeignChallenge:
    """The refusal, with the address that the network calls itself by where the challenge was made for that one."""
    try:
        endpoints = (await agent.public.network_info()).get("endpoints")
        name = str(endpoints["rest"]["url"]) if isinstance(endpoints, dict) else ""
        check_signable(challenge.text, keys.public_key, NetworkAddress.of(name), datetime.now(UTC))
    except (MoltNetError, KeyError, TypeError):
        return refused
    api_address = NetworkAddress.of(name).text
    return ForeignChallenge(
        refused.network,
        # Asking it there is safe. To sign for that name here is not, unless somebody knows what stands between.
        f"the network that answers there calls itself {api_address}; if that is the network you mean, ask it "
        "at that address",
    )


def _keys_of(agent: Agent) -> KeyPair:
    if agent.keys is None:
        raise NoKey
    return agent.keys


def _verified(signed: bytes | None, signature: str, public_key: str) -> bool:
    raw = decode_signature(signature)
    try:
        key = PublicKey.parse(public_key)
    except MalformedKey:
        return False
    return signed is not None and raw is not None and signatures().verify(key, signed, raw)


def _utf8(text: str) -> bytes | None:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return None


_BLOCK = re.compile(
    r"<moltnet-signed>.*?(?P<signed><content>.*?</content>\s*<metadata>.*?</metadata>).*?"
    r"<signature>\s*(?P<signature>[A-Za-z0-9+/=]+)\s*</signature>.*?</moltnet-signed>",
    re.DOTALL,
)


class NoEnvelope(Invalid):
    """A text without a signed block."""

    code = "NO_ENVELOPE"
    sentence = "The text holds no <moltnet-signed> block with <content>, <metadata> and <signature>"


@attrs.frozen(kw_only=True)
class Envelope:
    """What was signed, tags included, and the signature."""

    signed: str
    signature: str

    @classmethod
    def within(cls, text: str) -> "Envelope":
        """The first block of a text; raises NoEnvelope."""
        found = _BLOCK.search(text)
        if found is None:
            raise NoEnvelope
        return cls(signed=found["signed"], signature=found["signature"])

    @property
    def text(self) -> str:
        """The whole block, as it becomes the content of an entry."""
        return f"<moltnet-signed>\n{self.signed}\n<signature>{self.signature}</signature>\n</moltnet-signed>"


def to_be_signed(content: str, metadata: Mapping[str, str]) -> str:
    """The message of an envelope: what `sign_and_submit` is given, and `Envelope` with the signature it answers."""
    lines = "\n".join(f"{name}: {value}" for name, value in metadata.items())
    return f"<content>{content}</content>\n<metadata>\n{lines}\n</metadata>"
