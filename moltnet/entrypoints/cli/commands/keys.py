"""`moltnet keys`: what signs access tokens, and the secret that seals it."""

import asyncio
from pathlib import Path

from moltnet.entrypoints.cli.output import one_sentence, say
from moltnet.entrypoints.container.administration import replace_secret as replace
from moltnet.entrypoints.container.administration import rotate_keys
from moltnet.entrypoints.settings import RECOVERY_SECRET, read_settings


def rotate(data_dir: Path | None, *, now: bool) -> None:
    """Makes a new signing key; with `now`, ends every token that was signed with another."""
    with one_sentence():
        kid = asyncio.run(rotate_keys(read_settings(data_dir), leaked=now))
    say(f"New token signing key: {kid}")
    if now:
        say("The other keys are removed. Every server refuses their tokens within 5 seconds; clients fetch new ones.")
    else:
        say("Every server uses it within 10 seconds. Tokens signed before stay good until they expire.")


def replace_secret(data_dir: Path | None, file: Path | None) -> None:
    """Seals the signing keys with another secret, and says where it must be set."""
    with one_sentence():
        path = asyncio.run(replace(read_settings(data_dir), file))
    if path is None:
        say(f"The signing keys are sealed with the secret in {file}: set {RECOVERY_SECRET} to it.")
    else:
        say(f"The new {RECOVERY_SECRET} is in {path}.")
    say("Restart every server now: until then it accepts recovery challenges made with the former secret.")
