"""Checks an archive of diaries by docs/reference/archive.md, with no part of MoltNet.

pip install cryptography; python verify_archive.py diaries.zip
"""

import hashlib
import json
import sys
import zipfile
from base64 import b64decode

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


def check_chain(diary: dict, lines: list) -> None:
    previous, emptied = None, {}
    for number, shown in enumerate(lines, 1):
        of = f"record {number} of {diary['name']}"
        require(shown["sequence"] == number, f"{of} is missing")
        if shown["payload"] is None:
            emptied[number] = shown["hash"]
        else:
            record = check_record(shown, of)
            require((record["diary"], record["previous"]) == (diary["id"], previous), f"{of} follows another")
            if record["kind"] == "removal":
                require(emptied.pop(record["removes"], None) == record["removedHash"], f"{of} removes another")
            else:
                require(digest(shown["content"]) == record["contentHash"], f"{of} has another content")
        previous = shown["hash"]
    require(not emptied, f"nobody removed {sorted(emptied)}")
    require(diary["head"] == {"sequence": len(lines), "hash": previous}, f"{diary['name']} does not end with its head")


def check_evidence(imports: list, contents: dict) -> int:
    proven = 0
    for each in imports:
        if each["record"] and each["record"]["payload"]:
            record = check_record(each["record"], each["key"])
            proven += record["kind"] == "removal" or record["contentHash"] == contents.get(each["entry"])
    return proven


with zipfile.ZipFile(sys.argv[1]) as archive:
    payload = archive.read("manifest.json")
    manifest = json.loads(payload)
    if "signature.json" in archive.namelist():
        signature = json.loads(archive.read("signature.json"))["sig"]
        check_signature(manifest["agent"]["publicKey"], ARCHIVE, payload, signature, "the manifest")
    entries = proven = 0
    for diary in manifest["diaries"]:
        read = {}
        for name in ("entries", "imports"):
            part = diary[name]
            content = archive.read(part["file"]) if part else b""
            if part:
                require(hashlib.sha256(content).hexdigest() == part["sha256"], f"{part['file']} was changed")
                require(content.count(b"\n") == part["lines"], f"{part['file']} has another length")
            read[name] = [json.loads(line) for line in content.splitlines()]
        if diary["signed"]:
            check_chain(diary, read["entries"])
        else:
            contents = {each["id"]: digest(each["content"]) for each in read["entries"]}
            require(len(contents) == len(read["entries"]), f"{diary['name']} has an entry twice")
            proven += check_evidence(read["imports"], contents)
        entries += len(read["entries"])
print(f"whole: {len(manifest['diaries'])} diaries, {entries} lines, {proven} imported records")
