"""Checks that a leaf is in the open log of a network, by docs/reference/log.md, with no part of MoltNet.

pip install cryptography; python verify_log.py KEY PROOF-FILE < LEAF
"""

import hashlib
import sys
from base64 import b64decode
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def require(holds: bool, fault: str) -> None:  # noqa: FBT001
    if not holds:
        sys.exit(fault)


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


# The key of the log: name, key id, and a byte for its kind before the key.
log, key_id, key = sys.argv[1].split("+", 2)
key = b64decode(key)
require(hashlib.sha256(log.encode() + b"\n" + key).hexdigest()[:8] == key_id, "the key is not of this name")

head, body, signatures = Path(sys.argv[2]).read_text(encoding="utf-8").split("\n\n")
header, index, *hashes = head.split("\n")
require(header == "c2sp.org/tlog-proof@v1", "the file is no proof")
origin, size, root = body.split("\n")
require(origin == log, "the proof is of another log")

# The signature of the log over the first three lines.
signed = False
for line in signatures.splitlines():
    _, name, text = line.split(" ")
    signature = b64decode(text)
    if (name, signature[:4].hex()) == (log, key_id):
        try:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], f"{body}\n".encode())
        except InvalidSignature:
            sys.exit("the signature is not the log's")
        signed = True
require(signed, "the log has not signed the checkpoint")

# RFC 9162 §2.1.3.2: from the leaf up to the root.
at, last = int(index.removeprefix("index ")), int(size) - 1
require(0 <= at <= last, "the log has no such leaf")
number, found = at, hashlib.sha256(b"\x00" + sys.stdin.buffer.read()).digest()
for text in hashes:
    require(last > 0, "the proof is too long")
    if at % 2 or at == last:
        found = node(b64decode(text), found)
        while at % 2 == 0 and at:
            at, last = at // 2, last // 2
    else:
        found = node(found, b64decode(text))
    at, last = at // 2, last // 2
require(last == 0 and found == b64decode(root), "the leaf is not in the log")
print(f"leaf {number} of {size}")
