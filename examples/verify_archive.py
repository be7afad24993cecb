"""Checks an archive of diaries by docs/reference/archive.md, with no part of MoltNet.

pip install cryptography; python verify_archive.py diaries.zip [KEY-OF-THE-NETWORK'S-LOG]
"""

import hashlib
import json
import sys
import zipfile
from base64 import b64decode
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ARCHIVE, RECORD = b"application/vnd.moltnet.archive.v1+json", b"application/vnd.moltnet.record.v1+json"


def require(holds: bool, fault: str) -> None:  # noqa: FBT001
    if not holds:
        sys.exit(fault)


def check_signature(key: str, kind: bytes, payload: bytes, signature: str, of: str) -> None:
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(key.removeprefix("ed25519:"))).verify(b64decode(signature), signed)
    except InvalidSignature:
        sys.exit(f"the signature of {of} is not good")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check_record(shown: dict, of: str) -> dict:
    payload = b64decode(shown["payload"])
    record = json.loads(payload)
    require(hashlib.sha256(payload).hexdigest() == shown["hash"], f"{of} was changed")
    require(record["sequence"] == shown["sequence"], f"{of} has another number")
    check_signature(record["key"], RECORD, payload, shown["signature"], of)
    return record


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_leaf(line: dict) -> dict:
    """The leaf of a line, proven to be in the log of the network's key (docs/reference/log.md)."""
    require(line["key"] == log_key, f"{line['key']} is another network's log")
    log, key_id, key = log_key.split("+", 2)
    head, body, signatures = line["proof"].split("\n\n")
    header, index, *hashes = head.split("\n")
    origin, size, root = body.split("\n")
    require((header, origin) == ("c2sp.org/tlog-proof@v1", log), "the proof is of another log")
    signed = [text for text in signatures.splitlines() if text.split(" ")[1] == log]
    signed = [text for text in map(b64decode, (text.split(" ")[2] for text in signed)) if text[:4].hex() == key_id]
    require(bool(signed), "the log has not signed the checkpoint")
    for text in signed:
        try:
            Ed25519PublicKey.from_public_bytes(b64decode(key)[1:]).verify(text[4:], f"{body}\n".encode())
        except InvalidSignature:
            sys.exit("the signature is not the log's")
    # RFC 9162 §2.1.3.2: from the leaf up to the root.
    at, last = int(index.removeprefix("index ")), int(size) - 1
    require(0 <= at <= last, "the log has no such leaf")
    found = hashlib.sha256(b"\x00" + line["leaf"].encode()).digest()
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
    return json.loads(line["leaf"])


def check_log(lines: list, records: list, keys: set, diary: str) -> None:
    """The network had each key, none signed after it was given up, and the chain is the one that the log has."""
    if not log_key:
        return
    leaves = [check_leaf(line) for line in lines]
    require(keys <= {leaf.get("key") for leaf in leaves}, "the log does not prove whose the keys are")
    for leaf in leaves:
        if leaf["kind"] == "diary_head" and leaf["diary"] == diary:
            require(len(records) >= leaf["sequence"], "the log has more records")
            require(records[leaf["sequence"] - 1]["hash"] == leaf["hash"], "the log has another record")
        if leaf["kind"] == "key_changed":
            given_up = datetime.fromisoformat(leaf["at"]) + timedelta(seconds=300)
            for shown in records:
                record = json.loads(b64decode(shown["payload"] or "e30="))
                late = record and datetime.fromisoformat(record["createdAt"]) > given_up
                require(not late or record["author"] != leaf["before"], "a key signed after it was given up")


def check_chain(diary: dict, lines: list) -> set:
    previous, emptied, keys = None, {}, set()
    for number, shown in enumerate(lines, 1):
        of = f"record {number} of {diary['name']}"
        require(shown["sequence"] == number, f"{of} is missing")
        if shown["payload"] is None:
            emptied[number] = shown["hash"], previous
        else:
            record = check_record(shown, of)
            keys.add(record["key"])
            require((record["diary"], record["previous"]) == (diary["id"], previous), f"{of} follows another")
            if record["kind"] == "removal":
                removed = record["removedHash"], record["removedPrevious"]
                require(emptied.pop(record["removes"], None) == removed, f"{of} removes another")
            else:
                require(digest(shown["content"]) == record["contentHash"], f"{of} has another content")
        previous = shown["hash"]
    require(not emptied, f"nobody removed {sorted(emptied)}")
    require(diary["head"] == {"sequence": len(lines), "hash": previous}, f"{diary['name']} does not end with its head")
    return keys


def check_evidence(imports: list, contents: dict) -> int:
    proven = 0
    for each in imports:
        if each["record"] and each["record"]["payload"]:
            record = check_record(each["record"], each["key"])
            proven += record["kind"] == "removal" or record["contentHash"] == contents.get(each["entry"])
    return proven


log_key = sys.argv[2] if sys.argv[2:] else None
with zipfile.ZipFile(sys.argv[1]) as archive:

    def lines_of(part: dict | None) -> list:
        content = archive.read(part["file"]) if part else b""
        if part:
            require(hashlib.sha256(content).hexdigest() == part["sha256"], f"{part['file']} was changed")
            require(content.count(b"\n") == part["lines"], f"{part['file']} has another length")
        return [json.loads(line) for line in content.splitlines()]

    payload = archive.read("manifest.json")
    manifest = json.loads(payload)
    if "signature.json" in archive.namelist():
        signature = json.loads(archive.read("signature.json"))["sig"]
        check_signature(manifest["agent"]["publicKey"], ARCHIVE, payload, signature, "the manifest")
        check_log(lines_of(manifest["log"]), [], {manifest["agent"]["publicKey"]}, "")
    entries = proven = 0
    for diary in manifest["diaries"]:
        read = {name: lines_of(diary[name]) for name in ("entries", "imports", "log")}
        if diary["signed"]:
            check_log(read["log"], read["entries"], check_chain(diary, read["entries"]), diary["id"])
        else:
            contents = {each["id"]: digest(each["content"]) for each in read["entries"]}
            require(len(contents) == len(read["entries"]), f"{diary['name']} has an entry twice")
            proven += check_evidence(read["imports"], contents)
        entries += len(read["entries"])
print(f"whole: {len(manifest['diaries'])} diaries, {entries} lines, {proven} imported records")
