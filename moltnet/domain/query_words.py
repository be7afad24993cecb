"""Which words of a query are signs to the search, and which are what somebody looks for: flags, numbers, versions.

People paste commands and write numbers. A sign counts where nothing else could be meant; whoever means it anyway puts
the word in quotes (docs/reference/search.md, "Query language").
"""

import re

# An apostrophe or mark may stand inside a word; marks are no letters to `re`.
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019](?=[^\W\d_])|[^\x00-\x7f\s\w])+")
_LETTER_FIRST = re.compile(r"[^\W\d_]\S")
_TRAILING = ".,;:!?)]}\u3002\uff0c\uff1b\uff1a\uff01\uff1f"
# Programs that take words with one dash behind them.
_PROGRAMS = """
7z adb alembic ansible apk apt apt-get aria2c asciidoctor awk aws az bash bazel borg brew bun bundle bzip2
cargo chgrp chmod chown clang cmake composer conda consul cp cron crontab curl dd deno df diff dig dnf docker
docker-compose dotnet dpkg du egrep etcdctl fd ffmpeg ffprobe fgrep firewall-cmd flask flutter fzf g++ gcc
gcloud gdb gh git gitlab gpg gradle grep gunicorn gzip helm heroku htop hugo iftop iostat ip ipconfig iptables
java javac journalctl jq k3s kubectl ldapsearch ln ls lsblk lsof mkdir mkfs mongo mongodump mongosh
mosquitto_pub mount mv mvn mypy mysql mysqldump nano nc netcat netstat nginx ninja nmap node nohup npm npx
nslookup openssl pandoc pg_dump pg_restore php ping pip pip3 pipx pkill pnpm podman poetry powershell protoc
ps psql pulumi pytest python python3 rclone rdesktop redis-cli redis-server restic rg rm rmdir robocopy rsync
ruby ruff rustc scp sed sftp sha256sum smbclient snap socat sqlcmd sqlite3 ssh ssh-keygen stat strace sudo svn
systemctl tail tar tcpdump tee terraform tmux tox traceroute umount uname unzip uv uvicorn valgrind vim virsh
wc wget xargs xz yarn yt-dlp zip zsh zstd
"""
# Programs whose names are also words: only where a flag or a path follows at once, or a name they know.
_NAMED_LIKE_WORDS = """
cat cut code env find go head join kill less make man more nice open order paste patch play route screen service sort
split time top touch tr tree watch which who
"""
PROGRAMS, NAMED_LIKE_WORDS = frozenset(_PROGRAMS.split()), frozenset(_NAMED_LIKE_WORDS.split())
_SUBCOMMANDS = frozenset({"build", "run", "test", "get", "install", "mod", "vet", "fmt"})  # of `go`
_PATH = re.compile(r"[./~*$]\S*")
_FLAG = re.compile(r"--?\w\S*")


def excluded_word(text: str, before: str) -> str | None:
    """The word that `-text` excludes behind `before`: letters only, two or more, and no flag of a command."""
    word = text.rstrip(_TRAILING)
    return word if _WORD.fullmatch(word) and not _follows_command(before) else None


def is_requirable(text: str) -> bool:
    """Whether `+text` requires it: `+1` and `+43 660` are no requirements."""
    return bool(_LETTER_FIRST.match(text))


def _follows_command(before: str) -> bool:
    """Whether what stands before a word begins a command line, so that a word with a dash is a flag."""
    words = before.split()
    return any(
        word in PROGRAMS or (word in NAMED_LIKE_WORDS and _takes_flags(word, words[index + 1 :]))
        for index, word in enumerate(words)
    )


def _takes_flags(program: str, behind: list[str]) -> bool:
    """Whether this is the program and not the word: by what follows, or by nothing that follows."""
    if not behind:
        return True
    return bool(_PATH.match(behind[0]) or _FLAG.match(behind[0])) or (program == "go" and behind[0] in _SUBCOMMANDS)
