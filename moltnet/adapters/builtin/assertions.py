"""The text form of a client assertion: a JSON Web Token in EdDSA by the agent's own key (RFC 7523, RFC 8037)."""

import base64
import json

import attrs
from joserfc import jws
from joserfc.errors import JoseError

from moltnet.domain.assertions import ASSERTION_ALGORITHM, ClientAssertion, InvalidAssertion
from moltnet.domain.keys import PublicKey
from moltnet.ports.signatures import Signatures

ASSERTION_MAX = 4096
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


@attrs.frozen(kw_only=True)
class ParsedAssertion:
    """An assertion's text taken apart; its claims may be trusted once `is_signed_by` says so."""

    claims: ClientAssertion
    _signed: bytes = attrs.field(repr=False)
    _signature: bytes = attrs.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "ParsedAssertion":
        """Raises InvalidAssertion unless it names EdDSA and has the claims of an assertion, whatever the text is."""
        if len(text) > ASSERTION_MAX:
            raise InvalidAssertion(f"A client assertion has at most {ASSERTION_MAX} characters")
        try:
            parts = jws.extract_compact(text.encode("ascii"))
            header, claims = parts.headers(), json.loads(parts.payload)
            signed = parts.segments["header"] + b"." + parts.segments["payload"]
            signature = base64.urlsafe_b64decode(parts.segments["signature"] + b"==")
        except _MALFORMED as error:
            raise InvalidAssertion from error
        # Algorithm and key are the network's to choose: what the header says of a key is not read (RFC 8725 §3.1).
        if header.get("alg") != ASSERTION_ALGORITHM or "crit" in header or not isinstance(claims, dict):
            raise InvalidAssertion(f"A client assertion is signed with alg {ASSERTION_ALGORITHM}, by the agent's key")
        return cls(claims=ClientAssertion.of(claims), signed=signed, signature=signature)

    def is_signed_by(self, key: PublicKey, signatures: Signatures) -> bool:
        """Whether an agent's key signed it, by the rule that holds for all signatures here."""
        return signatures.verify(key, self._signed, self._signature)
