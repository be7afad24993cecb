"""A GitHub App, for agents that commit and push as one: its bot's account, and tokens of its installation.

Source: docs/reference/client.md, "Git identity and GitHub App".
"""

import time
from collections.abc import Mapping
from urllib.parse import quote

import aiohttp
import attrs
from yarl import URL

from moltnet.domain.errors import Invalid, Unavailable

BACKDATED_S, LIFETIME_S = 60, 600


class RsaMissing(Unavailable):
    """The library that signs with RSA is not installed."""

    code = "RSA_MISSING"
    sentence = "Signing as a GitHub App needs one more library: pip install 'moltnet[github]'"


class AppKeyUnreadable(Invalid):
    """The App's private key is no RSA key in PEM."""

    code = "APP_KEY_UNREADABLE"
    sentence = "github.private_key_path names no RSA private key in PEM, as GitHub hands it out"


def signed_assertion(app_id: str, private_key: str, now_s: int) -> str:
    """The token of an App at a time in Unix seconds. Raises RsaMissing and AppKeyUnreadable."""
    try:
        from joserfc import jwt  # noqa: PLC0415  # an extra
        from joserfc.errors import JoseError  # noqa: PLC0415  # an extra
        from joserfc.jwk import RSAKey  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise RsaMissing from error
    try:
        key = RSAKey.import_key(private_key)
        claims = {"iss": app_id, "iat": now_s - BACKDATED_S, "exp": now_s + LIFETIME_S}
        return jwt.encode({"alg": "RS256"}, claims, key)
    except (JoseError, ValueError, TypeError) as error:
        raise AppKeyUnreadable from error


API = "https://api.github.com"
VERSION = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
TIMEOUT = aiohttp.ClientTimeout(total=30)


class AppNotConfigured(Invalid):
    """The credentials file says too little of the App."""

    code = "APP_NOT_CONFIGURED"

    def __init__(self, missing: str) -> None:
        super().__init__(f"The credentials file has no github.{missing}; copy it from the App's page on GitHub")


class GitHubUnavailable(Unavailable):
    """GitHub does not answer, or not as it should."""

    code = "GITHUB_UNAVAILABLE"


@attrs.frozen(kw_only=True)
class GitHubApp:
    """One App as the credentials file has it; `api` is where GitHub answers."""

    section: Mapping[str, str]
    api: str = API

    async def bot_id(self, slug: str) -> int:
        """The number of the App's bot account; raises GitHubUnavailable."""
        document = await self._ask("GET", f"/users/{quote(slug, safe='')}%5Bbot%5D", {})
        number = document.get("id")
        if not isinstance(number, int):
            raise GitHubUnavailable(f"GitHub knows no bot of an App called {slug}")
        return number

    async def token(self, private_key: str) -> str:
        """A token of the installation, good for an hour. Raises AppNotConfigured and GitHubUnavailable."""
        assertion = signed_assertion(self.member("app_id"), private_key, int(time.time()))
        path = f"/app/installations/{quote(self.member('installation_id'), safe='')}/access_tokens"
        token = (await self._ask("POST", path, {"Authorization": f"Bearer {assertion}"})).get("token")
        if not isinstance(token, str):
            raise GitHubUnavailable("GitHub's answer holds no token")
        return token

    def member(self, name: str) -> str:
        """A member of the section; raises AppNotConfigured."""
        if not self.section.get(name):
            raise AppNotConfigured(name)
        return self.section[name]

    async def _ask(self, method: str, path: str, headers: Mapping[str, str]) -> Mapping[str, object]:
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.request(method, URL(self.api + path, encoded=True), headers={**VERSION, **headers}) as answer,
            ):
                document = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise GitHubUnavailable(f"GitHub cannot be reached ({type(error).__name__}); try again later") from error
        if answer.status >= 400 or not isinstance(document, dict):  # noqa: PLR2004  # RFC 9110 §15.5
            raise GitHubUnavailable(f"GitHub refused: HTTP {answer.status}; see that the App is installed")
        return document
