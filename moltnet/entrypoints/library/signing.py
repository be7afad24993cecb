"""What an agent does with its private key, where the key is (client.md §10): no use case of a network sees it.

The functions without an agent take the key from a credentials file: of `config_dir`, else of MOLTNET_PRIVATE_KEY or the
file that the environment names.
"""

import base64
import binascii
from os import PathLike
from pathlib import Path

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import Invalid
from moltnet.domain.keys import MalformedKey, PublicKey, decode_signature
from moltnet.domain.recovery import Challenge
from moltnet.domain.registration import proof_message
from moltnet.domain.signing import SigningRequest, signing_bytes
from moltnet.domain.text import UnstorableText
from moltnet.domain.vouching import checked_code
from moltnet.entrypoints.container import file_keyring, key_pair_of, signatures
from moltnet.entrypoints.settings import read_client_settings
from moltnet.ports.agent import Agent
from moltnet.ports.keyring import NoCredentials
from moltnet.ports.signatures import KeyPair

ConfigDir = str | PathLike[str] | None


class UnreadableSigningInput(Invalid):
    """What a network hands out to be signed is bytes in base64."""

    code = "UNREADABLE_SIGNING_INPUT"
    sentence = "The signing input must be base64, as the network hands it out"


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
    return own_keys(config_dir).sign(signing_bytes(message, nonce))


def sign_bytes(signing_input: str, config_dir: ConfigDir = None) -> str:
    """The signature of a request's `signing_input`; equals `sign` of its message and nonce.

    Raises NoCredentials and UnreadableSigningInput.
    """
    try:
        signed = base64.b64decode(signing_input, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableSigningInput from error
    return own_keys(config_dir).sign(signed)


def sign_challenge(challenge: Challenge | str, config_dir: ConfigDir = None) -> str:
    """The raw signature of a recovery challenge; raises NoCredentials."""
    return _challenge_signature(own_keys(config_dir), challenge)


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


async def prove_key(agent: Agent, keys: KeyPair) -> ClientSecret:
    """Fresh credentials for whoever holds a member's key, by way of recovery; the old ones and their tokens end."""
    key_text = keys.public_key.text
    challenge = await agent.recovery.request_challenge(key_text)
    proof = _challenge_signature(keys, challenge)
    return await agent.recovery.finish(await agent.recovery.verify_challenge(challenge, proof, key_text))


def own_keys(config_dir: ConfigDir = None) -> KeyPair:
    """The agent's own key pair; raises NoCredentials where there is none, and UnreadablePrivateKey."""
    settings = read_client_settings(None if config_dir is None else Path(config_dir))
    if config_dir is None and settings.private_key:
        return key_pair_of(settings.private_key)
    identity = file_keyring(settings.credentials_file).read()
    if identity is None:
        raise NoCredentials
    return key_pair_of(identity.private_key)


def _challenge_signature(keys: KeyPair, challenge: Challenge | str) -> str:
    text = challenge.text if isinstance(challenge, Challenge) else challenge
    return keys.sign(text.encode("utf-8"))


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
