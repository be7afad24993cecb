"""`moltnet backup` and `moltnet restore`: a network in one file, and back."""

from pathlib import Path

from tqdm import tqdm

from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.output import one_sentence, say
from moltnet.entrypoints.container import backup as backups
from moltnet.entrypoints.container.backup import Manifest
from moltnet.entrypoints.settings import RECOVERY_SECRET, read_settings


def backup(data_dir: Path | None, file: Path, passphrase_file: Path | None, *, verify: bool) -> None:
    """Writes a backup, or verifies one, and says what is in it."""
    with one_sentence(), _progress("reading" if verify else "writing") as bar:
        passphrase = backups.read_passphrase(passphrase_file)
        if verify:
            manifest = run_command(backups.verify(file, passphrase, bar.update))
        else:
            manifest = run_command(backups.back_up(read_settings(data_dir), file, passphrase, bar.update))
    size = file.stat().st_size
    say(f"{file}: {size / 1e6:.1f} MB, every byte as it was written." if verify else f"{file}: {size / 1e6:.1f} MB.")
    say(f"It has every write that was acknowledged before {manifest.as_of.isoformat()}.")
    say(_secrets_text(manifest))


def restore(data_dir: Path | None, file: Path, passphrase_file: Path | None) -> None:
    """Restores a backup into an empty data folder or database."""
    with one_sentence(), _progress("restoring") as bar:
        passphrase = backups.read_passphrase(passphrase_file)
        settings = read_settings(data_dir)
        restored = run_command(backups.restore(settings, file, passphrase, bar.update))
    say(f"Restored as of {restored.manifest.as_of.isoformat()}; the schema is up to date.")
    if passphrase is not None:
        say(f"The secrets are in {settings.data_dir}.")
    if not restored.has_keys:
        say(
            f"The signing keys are encrypted with another {RECOVERY_SECRET} than the present one: set that one, or "
            "run 'moltnet keys rotate --now', which ends every token."
        )


def _progress(what: str) -> "tqdm[None]":
    return tqdm(desc=what, unit="B", unit_scale=True, leave=False, disable=None)


def _secrets_text(manifest: Manifest) -> str:
    if manifest.has_secrets:
        return f"The secrets are in it, {RECOVERY_SECRET} among them, encrypted: keep the passphrase elsewhere."
    return (
        f"The secrets are not in it: keep {RECOVERY_SECRET} elsewhere, or name a passphrase with --passphrase-file. "
        "Without it, tokens are signed by a new key after 'moltnet keys rotate --now'."
    )
