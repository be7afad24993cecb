"""Checks the records of a signed diary by docs/reference/records.md, with no part of MoltNet.

pip install cryptography; moltnet diaries records DIARY | python verify_records.py
"""

import hashlib
import json
import sys
from base64 import b64decode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def require(holds: bool, fault: str) -> None:  # noqa: FBT001
    if not holds:
        sys.exit(fault)


TYPE = b"application/vnd.moltnet.record.v1+json"
previous, emptied = None, {}
for number, line in enumerate(sys.stdin, 1):
    shown = json.loads(line)
    require(shown["sequence"] == number, f"record {number} is missing")
    if shown.get("payload") is None:
        emptied[number] = shown["hash"], previous
    else:
        payload = b64decode(shown["payload"])
        record = json.loads(payload)
        require(hashlib.sha256(payload).hexdigest() == shown["hash"], f"record {number} was changed")
        require((record["sequence"], record["previous"]) == (number, previous), f"record {number} follows another")
        key = b64decode(record["key"].removeprefix("ed25519:"))
        signed = b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE, len(payload), payload)
        Ed25519PublicKey.from_public_bytes(key).verify(b64decode(shown["signature"]), signed)
        if record["kind"] == "removal":
            removed = record["removedHash"], record["removedPrevious"]
            require(emptied.pop(record["removes"], None) == removed, f"record {number} removes another")
        else:
            content = hashlib.sha256(shown["content"].encode()).hexdigest()
            require(content == record["contentHash"], f"the content of record {number} is another")
    previous = shown["hash"]
require(not emptied, f"nobody removed {sorted(emptied)}")
print(f"whole, up to {previous}")
