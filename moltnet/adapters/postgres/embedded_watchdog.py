"""Keeps one embedded PostgreSQL for exactly as long as somebody uses it. A script of its own, imported by nobody.

    python -I -S embedded_watchdog.py USERS LOG CLUSTER UID GID POSTGRES [ARGUMENT...]

Users of the server hold shared locks on the file USERS, which end with their processes whatever ends these. The keeper
waits for the exclusive lock: having it means that nobody is left, so it stops the server, keeping new users waiting
meanwhile. If the server ends by itself, so does the keeper; if the keeper is killed, Linux stops the server.

It stays small (no `site`, few imports) because it lives as long as the server does. CLUSTER becomes the server's
working folder before the account changes to UID and GID (-1 keeps both), so the folders above need not admit that
account. Descriptors it inherits pass on to the server. LOG is its open standard output and error, cut when it grows.
"""

# ruff: noqa: PTH116, PTH123 - pathlib would add a quarter to its memory

import _thread
import fcntl
import os
import signal
import sys
import time

LOG_MAX_BYTES = 4 << 20
LOG_CHECK_S = 60
STOP_TIMEOUT_S = 60
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(users: str, log: str, cluster: str, uid: str, gid: str, *command: str) -> None:
    """Returns never; the process ends with the server."""
    if os.fork():  # the starter reaps this process at once; the keeper itself is nobody's child, so leaves no zombie
        os._exit(0)
    os.umask(0o077)
    lease = os.open(users, os.O_RDWR)
    _cut(log)
    server = _launch(cluster, int(uid), int(gid), command)
    # Who stops a whole group of processes means the users; the server has to be there until they are done.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _thread.start_new_thread(_end_with, (server,))
    _thread.start_new_thread(_watch, (log,))
    fcntl.flock(lease, fcntl.LOCK_EX)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, and what nothing withstands
        os.kill(server, number)
        time.sleep(STOP_TIMEOUT_S)


def _launch(cluster: str, uid: int, gid: int, command: tuple[str, ...]) -> int:
    watchdog = os.getpid()
    server = os.fork()
    if server:
        return server
    try:
        _become(cluster, uid, gid, watchdog)
        os.execv(command[0], command)  # noqa: S606 - as it was given, no shell
    except (ImportError, OSError) as error:
        os.write(2, f"FATAL:  {command[0]} did not start: {error}\n".encode(errors="replace"))
    os._exit(1)


def _become(cluster: str, uid: int, gid: int, watchdog: int) -> None:
    import ctypes  # noqa: PLC0415 - in the child alone, where its memory ends with exec, and while its files are readable

    libc = ctypes.CDLL(None)
    os.chdir(cluster)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":  # after the change of account, which clears it
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != watchdog:  # it died before the line above
            os._exit(1)


def _end_with(server: int) -> None:
    os.waitpid(server, 0)
    os._exit(0)


def _watch(log: str) -> None:
    while True:
        time.sleep(LOG_CHECK_S)
        _cut(log)


def _cut(log: str) -> None:
    """Moves a long text to LOG.1, by copying: the server holds the file open, and appends wherever it ends."""
    if os.stat(log).st_size <= LOG_MAX_BYTES:
        return
    try:
        with open(log, "rb") as full, open(f"{log}.1", "wb") as previous:
            while chunk := full.read(1 << 16):
                previous.write(chunk)
    except OSError as error:  # a full disk, say: all the more reason to cut
        os.write(2, f"LOG:  {log}.1 is not complete: {error}\n".encode(errors="replace"))
    os.truncate(log, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
