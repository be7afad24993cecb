"""What a GitHub App proves itself with: a JSON Web Token signed with its RSA key (RFC 7519, RS256)."""

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
