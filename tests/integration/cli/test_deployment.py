"""What `deploy` says to a server is what the server knows: settings, commands, paths, and the user it runs as."""

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from moltnet.entrypoints.rest.routes import ROUTES
from tests.integration.cli.test_docs import known_settings, visible

DEPLOY = Path(__file__).parents[3] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text())
MANIFESTS: dict[str, Any] = {
    each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
}
FLY: dict[str, Any] = tomllib.loads((DEPLOY / "fly.toml").read_text())
POD: dict[str, Any] = MANIFESTS["Deployment"]["spec"]["template"]["spec"]
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
USER = 10001


def servers() -> list[dict[str, Any]]:
    """The services of the compose file that run this image."""
    return [each for each in COMPOSE["services"].values() if each["image"] == "moltnet"]


def test_settings_are_those_that_are_read() -> None:
    named = {*FLY["env"], *MANIFESTS["ConfigMap"]["data"], *servers()[0]["environment"]}
    named |= set(re.findall(r"from-literal=(\w+)", (DEPLOY / "kubernetes.yaml").read_text()))
    named |= set(re.findall(r"\b(MOLTNET_\w+)=", CONTAINERFILE + (DEPLOY / "moltnet.service").read_text()))
    assert named <= known_settings() | {"DATABASE_URL"}
    assert "RECOVERY_CHALLENGE_SECRET" in named


def test_commands_are_those_that_there_are() -> None:
    commands = [
        FLY["deploy"]["release_command"],
        *(each["args"][0] for each in POD["initContainers"] + POD["containers"]),
    ]
    commands += [each["command"][0] for each in servers() if "command" in each]
    commands += re.findall(r'^CMD \["(\w+)"', CONTAINERFILE, re.MULTILINE)
    commands += re.findall(r"bin/moltnet (\w+)", (DEPLOY / "moltnet.service").read_text())
    assert set(commands) == {"serve", "migrate"} <= set(visible())


def test_probes_ask_for_paths_that_there_are() -> None:
    (server,) = POD["containers"]
    probes = [server[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    asked = {*probes, *(check["path"] for check in FLY["http_service"]["checks"])}
    asked |= set(re.findall(r"health_uri (\S+)", COMPOSE["configs"]["caddyfile"]["content"]))
    asked |= set(re.findall(r"127\.0\.0\.1:8000(/\w+)", CONTAINERFILE))
    assert asked == {"/health", "/ready"} <= {route.path for route in ROUTES}


def test_image_has_what_telemetry_needs_and_it_stays() -> None:
    install, project = ((DEPLOY / name).read_text() for name in ("install.sh", "../pyproject.toml"))
    locked = (DEPLOY.parent / "requirements" / "image.lock").read_text()
    assert "requirements/image.lock" in install
    for package in tomllib.loads(project)["project"]["optional-dependencies"]["otel"]:
        assert f"\n{re.split('[<>=]', package)[0]}==" in locked
    (removed,) = re.findall(r"^pip uninstall --yes (.+)$", install, re.MULTILINE)
    assert "protobuf" not in removed.split()  # which OTLP is sent by


def test_servers_are_confined() -> None:
    for service in servers():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == f"{USER}:{USER}"
    for container in POD["initContainers"] + POD["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
    assert POD["securityContext"]["runAsUser"] == USER
    assert f"USER {USER}:{USER}" in CONTAINERFILE


def test_a_server_may_drain_before_it_is_killed() -> None:
    assert POD["terminationGracePeriodSeconds"] > 5 + 10  # before it is told to stop, and what it is promised
    assert all(each["stop_grace_period"] == "15s" for each in servers())
    assert FLY["kill_timeout"] == "15s"


def test_socket_of_systemd_is_the_services() -> None:
    socket, service = (configparser.RawConfigParser(strict=False) for _ in range(2))
    socket.read(DEPLOY / "moltnet.socket")
    service.read(DEPLOY / "moltnet.service")
    assert socket["Socket"]["ListenStream"] == "127.0.0.1:8000"
    assert service["Unit"]["Requires"] == "moltnet.socket"
    assert service["Service"]["StateDirectory"] == "moltnet"
