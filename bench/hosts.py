"""Hosts of one machine: network namespaces on a bridge, with addresses of their own; and what happens to networks."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from moltnet.adapters.postgres.embedded_binaries import NOBODY, Account, Binaries, binaries_for, installed

BRIDGE, HERE = "moltnet0", "10.91.0.1/24"


@attrs.frozen
class Host:
    """A namespace, and its address on the bridge."""

    name: str
    address: str

    @property
    def _link(self) -> str:
        return f"mn-{self.name}"

    def command(self, *words: str) -> list[str]:
        """A command line that runs on this host."""
        return ["ip", "netns", "exec", self._link, *words]

    def start(self, *words: str, log: Path, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Runs a program on this host; what it says goes to a file."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self.command(*words), stdout=output, stderr=output, env={**os.environ, **(environment or {})}
            )

    def make(self) -> None:
        """Makes the namespace, and a cable from it to the bridge."""
        for line in (
            f"ip netns add {self._link}",
            f"ip link add {self._link} type veth peer name eth0 netns {self._link}",
            f"ip link set {self._link} master {BRIDGE} up",
            f"ip -n {self._link} address add {self.address}/24 dev eth0",
            f"ip -n {self._link} link set eth0 up",
            f"ip -n {self._link} link set lo up",
        ):
            _run(line.split())

    def remove(self) -> None:
        """Removes both."""
        _run(["ip", "netns", "delete", self._link], check=False)
        _run(["ip", "link", "delete", self._link], check=False)  # it stays as long as a process of the host does

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """The cable is out: nothing arrives, and nobody is told."""
        _run(["ip", "link", "set", self._link, "down"])
        try:
            yield
        finally:
            _run(["ip", "link", "set", self._link, "up"])

    @contextmanager
    def slow(self, rate: str) -> Iterator[None]:
        """All that the host sends takes its time: `1mbit` is 12 ms for each full packet."""
        words = f"tc qdisc add dev eth0 root tbf rate {rate} burst 10kb latency 400ms"
        _run(["ip", "netns", "exec", self._link, *words.split()])
        try:
            yield
        finally:
            _run(["ip", "netns", "exec", self._link, *["tc", "qdisc", "del", "dev", "eth0", "root"]])


@contextmanager
def a_network(hosts: Sequence[Host]) -> Iterator[None]:
    """A bridge of these hosts, on which this process has an address too. It takes root."""
    _run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    try:
        _run(["ip", "address", "add", HERE, "dev", BRIDGE])
        _run(["ip", "link", "set", BRIDGE, "up"])
        for host in hosts:
            host.make()
        yield
    finally:
        for host in hosts:
            host.remove()
        _run(["ip", "link", "delete", BRIDGE])


@contextmanager
def a_database(host: Host, folder: Path) -> Iterator[str]:
    """A PostgreSQL on a host, empty, which trusts the bridge; its address."""
    account = Account(NOBODY, NOBODY)
    programs = binaries_for(account, installed())
    folder.mkdir()
    account.entrust(folder)
    cluster = folder / "cluster"
    made = programs.run("initdb", ["-D", str(cluster), "-U", "postgres", "-A", "trust", "-E", "UTF8"], cwd=folder)
    if made.returncode:
        raise RuntimeError(made.stderr)
    with (cluster / "pg_hba.conf").open("a", encoding="utf-8") as rules:
        rules.write("host all all 10.91.0.0/24 trust\n")
    identity = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    settings = ("-c", f"listen_addresses={host.address}", "-c", "unix_socket_directories=", "-c", "max_connections=200")
    command = (*identity, str(programs.postgres), "-D", str(cluster), *settings)
    server = host.start(*command, log=folder / "log")
    try:
        _wait_ready(programs, host)
        yield f"postgresql://postgres@{host.address}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # at once: whoever is connected is a server that was killed
        server.wait(30)


def _wait_ready(programs: Binaries, host: Host) -> None:
    for _ in range(100):
        if programs.run("pg_isready", ["-h", host.address, "-t", "1"], cwd=Path("/")).returncode == 0:
            return
    raise RuntimeError("the database does not answer")


def _run(words: Sequence[str], *, check: bool = True) -> None:
    subprocess.run(words, check=check, capture_output=not check)
