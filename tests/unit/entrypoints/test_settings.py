"""Settings: each by its default, well set, and refused with a line of its own; and the secrets that are made."""

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.caller import Limits
from moltnet.entrypoints.settings import (
    DEFAULT_ORIGINS,
    RECOVERY_SECRET,
    SECRETS,
    UNTHROTTLED,
    WEBHOOK_KEY,
    RateLimitStore,
    Settings,
    SettingsInvalid,
    read_settings,
    stored_secret,
)

RECOVERY, WEBHOOK = "recovery-secret-0123456789", "webhook-key-0123456789"
SET = {RECOVERY_SECRET: RECOVERY, WEBHOOK_KEY: WEBHOOK}

# Field, name in the environment, default, a good value, and what it is read as.
FIELDS = [
    ("database_url", "DATABASE_URL", None, "postgresql://moltnet@db/net", "postgresql://moltnet@db/net"),
    ("database_url", "DATABASE_URL", None, "postgres://moltnet@db/net", "postgres://moltnet@db/net"),
    ("port", "PORT", 8000, "0", 0),
    ("port", "PORT", 8000, " 65535", 65535),
    ("public_url", "MOLTNET_PUBLIC_URL", None, "https://api.example.org/", "https://api.example.org"),
    ("public_url", "MOLTNET_PUBLIC_URL", None, "http://[2001:db8::1]:8000", "http://[2001:db8::1]:8000"),
    ("cors_origins", "CORS_ORIGINS", frozenset(DEFAULT_ORIGINS), "https://a.org, http://b:3000,", {"https://a.org", "http://b:3000"}),
    ("cors_origins", "CORS_ORIGINS", frozenset(DEFAULT_ORIGINS), ",", set()),
    ("content_max", "MOLTNET_CONTENT_MAX", 10_000, "100000", 100_000),
    ("model_dir", "MOLTNET_MODEL", None, "/models/small", Path("/models/small")),
    ("embedding_threads", "MOLTNET_EMBEDDING_THREADS", 2, "64", 64),
    ("max_connections", "MOLTNET_DATABASE_CONNECTIONS", 10, "2", 2),
    ("streams_per_address", "MOLTNET_STREAMS_PER_ADDRESS", 5, "1", 1),
    ("client_connections", "MOLTNET_CLIENT_CONNECTIONS", 2000, "9", 9),
    ("connections_per_address", "MOLTNET_CONNECTIONS_PER_ADDRESS", 256, "9", 9),
    ("allowed_hosts", "MOLTNET_ALLOWED_HOSTS", frozenset(), "A.test, [::2]", frozenset({"a.test", "[::2]"})),
    ("diaries_max", "MOLTNET_DIARIES_PER_AGENT", 1000, "3", 3),
    ("scopeless_tokens_have_all", "MOLTNET_SCOPELESS_TOKENS_HAVE_ALL", True, "No", False),
    ("mcp_anonymous", "MOLTNET_MCP_ANONYMOUS", True, "no", False),
    ("web", "MOLTNET_WEB", True, "no", False),
    ("source_url", "MOLTNET_SOURCE_URL", None, "https://example.org/source", "https://example.org/source"),
    ("rate_limit_store", "MOLTNET_RATE_LIMIT_STORE", RateLimitStore.MEMORY, "Postgres", RateLimitStore.POSTGRES),
    ("rate_limits", "RATE_LIMIT_GLOBAL_ANON", Limits(), "7", Limits(global_anon=7)),
    ("rate_limits", "RATE_LIMIT_VOUCH", Limits(), "10000", Limits(vouch=10_000)),
    (
        "trusted_proxies",
        "MOLTNET_TRUSTED_PROXIES",
        (),
        "10.0.0.0/8, 192.0.2.1,2001:db8::/32,",
        (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"), ip_network("2001:db8::/32")),
    ),
]  # fmt: skip

NO_HOST = "must be host names without scheme and port, comma-separated;"
NO_ORIGIN = "must be origins like https://example.org, comma-separated;"
BAD = [
    ("DATABASE_URL", "mysql://u:geheim@h/x", "must be a URL that starts with postgresql://"),
    ("DATABASE_URL", "host=db password=geheim", "must be a URL that starts with postgresql://"),
    ("PORT", "65536", "must be a whole number from 0 to 65535, not '65536'"),
    ("PORT", "-1", "must be a whole number from 0 to 65535, not '-1'"),
    ("PORT", "http", "must be a whole number from 0 to 65535, not 'http'"),
    ("MOLTNET_PUBLIC_URL", "api.example.org", "must be an http or https URL, not 'api.example.org'"),
    ("MOLTNET_PUBLIC_URL", "https://", "must be an http or https URL, not 'https://'"),
    ("MOLTNET_PUBLIC_URL", "https://h:port", "must be an http or https URL, not 'https://h:port'"),
    ("MOLTNET_PUBLIC_URL", "https://[::1", "must be an http or https URL, not 'https://[::1'"),
    ("MOLTNET_SOURCE_URL", "ftp://h/x", "must be an http or https URL, not 'ftp://h/x'"),
    ("CORS_ORIGINS", "https://a.org,b.org", f"{NO_ORIGIN} 'b.org' is not one"),
    ("CORS_ORIGINS", "https://a.org/", f"{NO_ORIGIN} 'https://a.org/' is not one"),
    ("MOLTNET_CONTENT_MAX", "0", "must be a whole number from 1 to 100000, not '0'"),
    ("MOLTNET_CONTENT_MAX", "100001", "must be a whole number from 1 to 100000, not '100001'"),
    ("MOLTNET_EMBEDDING_THREADS", "0", "must be a whole number from 1 to 64, not '0'"),
    ("MOLTNET_DATABASE_CONNECTIONS", "1", "must be a whole number from 2 to 1000, not '1'"),
    ("MOLTNET_STREAMS_PER_ADDRESS", "0", "must be a whole number from 1 to 100000, not '0'"),
    ("MOLTNET_CLIENT_CONNECTIONS", "0", "must be a whole number from 1 to 100000, not '0'"),
    ("MOLTNET_CONNECTIONS_PER_ADDRESS", "0", "must be a whole number from 1 to 100000, not '0'"),
    ("MOLTNET_ALLOWED_HOSTS", "https://a.org", f"{NO_HOST} 'https://a.org' is not one"),
    ("MOLTNET_SCOPELESS_TOKENS_HAVE_ALL", "maybe", "must be true or false, not 'maybe'"),
    ("MOLTNET_RATE_LIMIT_STORE", "redis", "must be memory or postgres, not 'redis'"),
    ("MOLTNET_TRUSTED_PROXIES", "10.0.0.0/8,proxy", "'proxy' does not appear to be an IPv4 or IPv6 network"),
    ("RATE_LIMIT_VOUCH", "0", "must be a whole number from 1 to 1000000000, not '0'"),
    (RECOVERY_SECRET, "x" * 15, "must have at least 16 characters"),
    (WEBHOOK_KEY, "x" * 15, "must have at least 16 characters"),
    ("MOLTNET_DATA", "~no-such-user/x", "cannot find the home folder in ~no-such-user/x; write the folder in full"),
]  # fmt: skip


def refused(environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as refusal:
        read_settings(None, SET | environment)
    return refusal.value.problems


@pytest.mark.parametrize(("field", "name", "default", "text", "value"), FIELDS)
def test_field_has_its_default_unless_it_is_set(field, name, default, text, value):
    assert getattr(read_settings(Path("/data"), SET), field) == default
    assert getattr(read_settings(Path("/data"), SET | {name: ""}), field) == default
    assert getattr(read_settings(Path("/data"), SET | {name: text}), field) == value


@pytest.mark.parametrize(("name", "text", "problem"), BAD)
def test_bad_value_is_refused_with_one_line(name, text, problem):
    assert refused({name: text}) == (f"{name}: {problem}",)


def test_every_bad_field_is_reported_at_once():
    bad = {name: text for name, text, _ in reversed(BAD)}
    problems = refused(bad)
    assert sorted(line.partition(":")[0] for line in problems) == sorted(bad)
    assert all("\n" not in line for line in problems)
    with pytest.raises(SettingsInvalid) as refusal:
        read_settings(None, SET | bad)
    assert refusal.value.detail.splitlines() == list(problems)


def test_every_limit_has_a_name_of_the_contract(tmp_path):
    assert set(UNTHROTTLED) == {
        "RATE_LIMIT_GLOBAL_AUTH",
        "RATE_LIMIT_GLOBAL_ANON",
        "RATE_LIMIT_EMBEDDING",
        "RATE_LIMIT_VOUCH",
        "RATE_LIMIT_SIGNING",
        "RATE_LIMIT_RECOVERY",
        "RATE_LIMIT_PUBLIC_VERIFY",
        "RATE_LIMIT_PUBLIC_SEARCH",
        "RATE_LIMIT_WEB",
    }
    assert read_settings(tmp_path, UNTHROTTLED).rate_limits.signing == 1_000_000


@given(st.text(alphabet=st.characters(exclude_categories=("Cc",))))
def test_password_in_a_database_url_is_never_repeated(password):
    told = refused({"DATABASE_URL": f"mysql://u:geheim{password}@h/x", "PORT": "x"})
    assert "geheim" not in "\n".join(told)


def test_project_gives_every_address_of_ory_that_is_not_set():
    ory = read_settings(
        Path("/data"), SET | {"ORY_PROJECT_URL": "https://ory.example/", "ORY_KETO_ADMIN_URL": "http://keto:4467/"}
    ).ory
    assert ory is not None
    assert (ory.kratos_public, ory.kratos_admin, ory.keto_public) == ("https://ory.example",) * 3
    assert (ory.keto_admin, ory.issuer, ory.api_key) == ("http://keto:4467", "https://ory.example", None)


def test_every_address_of_ory_must_be_known():
    told = refused({"ORY_HYDRA_PUBLIC_URL": "http://hydra:4444", "ORY_KETO_PUBLIC_URL": "http://keto:4466"})
    assert [line.partition(":")[0] for line in told] == [
        "ORY_KRATOS_PUBLIC_URL",
        "ORY_KRATOS_ADMIN_URL",
        "ORY_HYDRA_ADMIN_URL",
        "ORY_KETO_ADMIN_URL",
    ]
    assert told[0].endswith(": required when another address of Ory is set, unless ORY_PROJECT_URL gives them all")


def test_what_is_wrong_about_ory_is_reported_by_field_and_shows_no_key():
    told = refused({"ORY_PROJECT_URL": "ory", "ORY_API_KEY": "ge heim", "MOLTNET_ORY_ISSUER": "//x"})
    assert told == (
        "ORY_PROJECT_URL: must be an http or https URL, not 'ory'",
        "ORY_API_KEY: must be one word of visible ASCII characters",
        "MOLTNET_ORY_ISSUER: must be an http or https URL, not '//x'",
    )


def test_key_of_ory_alone_means_nothing():
    assert read_settings(Path("/data"), SET | {"ORY_API_KEY": "ory_pat_x"}).ory is None


def test_secrets_are_required_with_a_database_of_ones_own(tmp_path):
    with pytest.raises(SettingsInvalid) as refusal:
        read_settings(tmp_path / "data", {"DATABASE_URL": "postgresql://db/net"})
    assert refusal.value.problems == tuple(f"{name}: required when DATABASE_URL is set" for name in SECRETS)
    assert not (tmp_path / "data").exists()


def test_what_is_read_shows_no_secret():
    settings = read_settings(Path("/data"), SET | {"DATABASE_URL": "postgresql://u:geheim@db/net"})
    assert settings.recovery_secret == RECOVERY.encode()
    assert settings.ory_action_api_key == WEBHOOK
    assert not [secret for secret in (RECOVERY, WEBHOOK, "geheim") if secret in repr(settings)]


def test_bytes_that_are_no_text_are_a_secret_too():
    settings = read_settings(Path("/data"), SET | {RECOVERY_SECRET: "\udcff" * 16})
    assert settings.recovery_secret == b"\xff" * 16


def test_token_keys_are_encrypted_with_a_key_derived_from_the_recovery_secret():
    settings = read_settings(Path("/data"), SET)
    assert settings.key_secret == hmac.digest(RECOVERY.encode(), b"moltnet token keys", hashlib.sha256)
    assert settings.key_secret != settings.recovery_secret


def test_address_is_the_public_one_if_there_is_one():
    assert read_settings(Path("/data"), SET).url(8123) == "http://127.0.0.1:8123"
    public = read_settings(Path("/data"), SET | {"MOLTNET_PUBLIC_URL": "https://api.example.org/"})
    assert public.url(8123) == "https://api.example.org"


def test_folder_is_the_given_one_then_the_set_one_then_the_platforms(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    environment = SET | {"MOLTNET_DATA": "~/moltnet"}
    assert read_settings(Path("/given"), environment).data_dir == Path("/given")
    assert read_settings(None, environment).data_dir == tmp_path / "moltnet"
    assert read_settings(None, SET).data_dir == tmp_path / "share" / "moltnet"


def test_dotenv_file_fills_in_what_the_environment_leaves_out(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PORT=4000\nMOLTNET_CONTENT_MAX=5000\nMOLTNET_MODEL=\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("MOLTNET_CONTENT_MAX", "6000")
    settings = read_settings(tmp_path)
    assert (settings.port, settings.content_max, settings.model_dir) == (4000, 6000, None)


def test_dotenv_file_that_is_no_text_is_reported(tmp_path, monkeypatch):
    (tmp_path / ".env").write_bytes(b"PORT=\xff")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsInvalid, match=r"^\.env: cannot be read \(it is not UTF-8\)"):
        read_settings(tmp_path)


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path):
    folder = tmp_path / "new" / "data"
    first, second = (read_settings(folder, {}) for _ in range(2))
    assert first == second
    assert first.recovery_secret != first.ory_action_api_key.encode()
    assert len(first.recovery_secret) == len(first.ory_action_api_key) == 64
    assert folder.stat().st_mode & 0o777 == 0o700
    files = {place.name: place.stat().st_mode & 0o777 for place in folder.iterdir()}
    assert files == {"recovery_challenge_secret": 0o600, "ory_action_api_key": 0o600}


def test_set_secrets_are_not_written_anywhere(tmp_path):
    assert read_settings(tmp_path / "data", SET).recovery_secret == RECOVERY.encode()
    assert not (tmp_path / "data").exists()


def test_twenty_that_start_at_once_share_one_secret(tmp_path):
    together = Barrier(20)

    def start(_: int) -> Settings:
        together.wait()
        return read_settings(tmp_path / "data", {})

    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(start, range(20)))) == 1
    assert len(list((tmp_path / "data").iterdir())) == 2


def test_secret_of_an_earlier_start_is_read_without_its_line_end(tmp_path):
    (tmp_path / "recovery_challenge_secret").write_text(f"{RECOVERY}\n", encoding="utf-8")
    assert stored_secret(tmp_path, "recovery_challenge_secret") == RECOVERY


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff" * 64, b"x" * 15], ids=["empty", "blank", "bytes", "short"])
def test_stored_secret_that_is_none_is_not_replaced(tmp_path, content):
    """A new one could not open what the old one has sealed."""
    place = tmp_path / "recovery_challenge_secret"
    place.write_bytes(content)
    with pytest.raises(SettingsInvalid) as refusal:
        read_settings(tmp_path, {})
    assert refusal.value.problems == (
        f"RECOVERY_CHALLENGE_SECRET: {place} holds fewer than 16 characters; restore it from a backup",
    )
    assert place.read_bytes() == content


def test_folder_that_cannot_be_used_is_reported_once(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(SettingsInvalid) as refusal:
        read_settings(tmp_path / "data", {})
    (told,) = refusal.value.problems
    assert told.startswith(f"MOLTNET_DATA: {tmp_path / 'data'} cannot be used (it is a file); ")


@pytest.mark.parametrize(
    ("listens", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("127.0.0.2", "http://127.0.0.2:8000"),
        ("192.0.2.7", "http://192.0.2.7:8000"),
        ("::1", "http://[::1]:8000"),
        ("2001:db8::7", "http://[2001:db8::7]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
    ],
)
def test_agents_reach_a_server_where_it_listens_unless_it_has_a_public_address(listens, url):
    assert read_settings(Path("/data"), SET).url(8000, listens) == url
    public = read_settings(Path("/data"), SET | {"MOLTNET_PUBLIC_URL": "https://net.example"})
    assert public.url(8000, listens) == "https://net.example"


@pytest.mark.parametrize(
    ("public_url", "alias"),
    [
        ("https://api.example.org", "mcp.example.org"),
        ("https://API.example.org:8443/x", "mcp.example.org"),
        ("https://example.org", None),
        ("https://capi.example.org", None),
        ("", None),
    ],
)
def test_an_api_name_has_a_twin_for_mcp(public_url, alias):
    assert read_settings(Path("/data"), SET | {"MOLTNET_PUBLIC_URL": public_url}).mcp_alias == alias


OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environment", "sent", "serves_prometheus"),
    [
        ({}, "", False),
        (OTLP, "TRACES METRICS LOGS", False),
        (OTLP | {"OTEL_LOGS_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "otlp, prometheus"}, "TRACES METRICS", True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, "TRACES", False),
        ({"OTEL_METRICS_EXPORTER": "prometheus"}, "", True),
        (OTLP | {"OTEL_SDK_DISABLED": "true", "OTEL_METRICS_EXPORTER": "prometheus"}, "", False),
        ({"OTEL_SERVICE_NAME": "mine"}, "", False),
    ],
)
def test_signal_is_sent_where_an_address_is_set(tmp_path, environment, sent, serves_prometheus):
    read = read_settings(tmp_path, environment).telemetry
    assert [signal for signal in ("TRACES", "METRICS", "LOGS") if read.sends(signal)] == sent.split()
    assert (read.serves_prometheus, read.is_on) == (serves_prometheus, bool(sent) or serves_prometheus)


def test_exporter_that_there_is_not_is_a_problem(tmp_path):
    environment = {"OTEL_TRACES_EXPORTER": "jaeger", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(SettingsInvalid) as raised:
        read_settings(tmp_path, environment)
    assert raised.value.problems == (
        "OTEL_TRACES_EXPORTER: must be one or more of none, otlp, not 'jaeger'",
        "OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf, not 'grpc'",
    )
