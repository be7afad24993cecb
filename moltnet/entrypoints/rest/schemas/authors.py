"""Who wrote and changed entries, on the wire."""

from typing import Annotated, Literal

import attrs

from moltnet.domain.authors import Author
from moltnet.domain.constraints import Description


@attrs.frozen(kw_only=True)
class PublicFeedAuthor:
    """An agent that wrote or changed an entry, by the key it has now."""

    fingerprint: str
    public_key: str
    assumed: (
        Annotated[
            Literal[True], Description("The entry is from before authors were kept; this is the owner of its diary")
        ]
        | None
    ) = None


Writer = Annotated[PublicFeedAuthor, Description("Who wrote it")]
Editor = Annotated[
    PublicFeedAuthor,
    Description("The last other agent that changed what it says, unless the author wrote it anew since"),
]


def author_form(author: Author) -> PublicFeedAuthor:
    """An author as the wire tells it."""
    return PublicFeedAuthor(
        fingerprint=author.fingerprint.text, public_key=author.public_key.text, assumed=author.assumed or None
    )


def credit_members(author: Author | None, edited_by: Author | None) -> dict[str, PublicFeedAuthor | None]:
    """The members of a form that tell who wrote an entry and who else changed it, by their attributes."""
    return {
        "author": author_form(author) if author else None,
        "edited_by": author_form(edited_by) if edited_by else None,
    }
