"""The columns that tables of several commands have."""

from moltnet.entrypoints.cli.tables import Column, Row, age, as_text, shortened


def _memory(row: Row) -> str:
    """An entry's title and text, and its id whole, since that is what other commands take."""
    title, content = as_text(row.get("title")), as_text(row.get("content"))
    return f"{shortened(f'{title}: {content}' if title else content)}\nid {row['id']}"


def ages(heading: str, member: str) -> Column:
    """How long ago a time was."""
    return Column(heading, lambda row: age(row.get(member)), style="green", no_wrap=True)


def ids(heading: str, member: str = "id") -> Column:
    """An id, whole."""
    return Column(heading, member, style="dim", no_wrap=True)


AGE = ages("AGE", "createdAt")
TYPE = Column("TYPE", "entryType", no_wrap=True)
MEMORY = Column("MEMORY", _memory)
AUTHOR = Column("AUTHOR", "author", style="cyan", no_wrap=True)
