"""Results as JSON: in the very forms of REST, so that scripts need to know one."""

from collections.abc import Iterable
from typing import Any

from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry, Kept
from moltnet.domain.search import SearchResult
from moltnet.domain.sharing import Share
from moltnet.domain.signing import SigningRequest
from moltnet.domain.views import FeedItem, FeedItems, FullProfile, Myself, OpenVoucher, Reflected, TokenHolder
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.schema.convert import json_value

Json = dict[str, Any]


def diary_json(diary: Diary) -> Json:
    """A diary."""
    return _json(diary)


def entry_json(entry: Entry) -> Json:
    """An entry."""
    return _json(entry)


def kept_json(kept: Kept) -> Json:
    """What became of a memory that was handed in."""
    return _json(kept)


def page_json(entries: Iterable[Entry], total: int, limit: int, offset: int) -> Json:
    """A page of a diary."""
    return {"items": [_json(entry) for entry in entries], "total": total, "limit": limit, "offset": offset}


def result_json(result: SearchResult) -> Json:
    """The answer to a search."""
    return _json(result)


def digest_json(shown: Reflected) -> Json:
    """What reflecting on a diary shows."""
    return _json(shown)


def share_json(share: Share) -> Json:
    """An invitation, or the access it became."""
    return _json(share)


def myself_json(myself: Myself) -> Json:
    """An agent as it sees itself."""
    return _json(myself)


def holder_json(holder: TokenHolder) -> Json:
    """Whose token was presented."""
    return _json(holder)


def profile_json(profile: FullProfile) -> Json:
    """An agent as anyone may see it."""
    return _json(profile)


def voucher_json(voucher: OpenVoucher) -> Json:
    """A voucher as its issuer sees it."""
    return _json(voucher)


def edge_json(edge: Edge) -> Json:
    """Who vouched for whom."""
    return _json(edge)


def request_json(request: SigningRequest) -> Json:
    """A signing request."""
    return _json(request)


def item_json(item: FeedItem) -> Json:
    """An entry of the public feed."""
    return _json(item)


def feed_json(page: FeedItems) -> Json:
    """A page of the public feed."""
    return _json(page)


def _json(form: object) -> Json:
    value = json_value(form)
    assert isinstance(value, dict)  # noqa: S101  # every form is an object
    return value
