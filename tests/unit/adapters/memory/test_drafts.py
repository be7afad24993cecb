"""Tables and their drafts, next to a plain dictionary."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from moltnet.adapters.memory.drafts import Draft, Table

KEYS = st.integers(0, 5)
ROWS = st.text("ab", max_size=2)


class Drafting(RuleBasedStateMachine):
    """A draft is changed, then applied or thrown away; the model does the same with copies."""

    def __init__(self) -> None:
        super().__init__()
        self.table: Table[int, str] = Table(length=len)
        self.committed: dict[int, str] = {}

    @initialize(rows=st.dictionaries(KEYS, ROWS))
    def fill(self, rows: dict[int, str]) -> None:
        for key, row in rows.items():
            self.table.put(key, row)
        self.committed = dict(rows)
        self.begin()

    def begin(self) -> None:
        self.draft = Draft(self.table)
        self.drafted = dict(self.committed)

    @rule(key=KEYS, row=ROWS)
    def put(self, key: int, row: str) -> None:
        self.draft.put(key, row)
        self.drafted[key] = row

    @rule(key=KEYS)
    def drop(self, key: int) -> None:
        self.draft.drop(key)
        self.drafted.pop(key, None)

    @rule()
    def apply(self) -> None:
        self.draft.apply()
        self.committed = self.drafted
        self.begin()

    @rule()
    def throw_away(self) -> None:
        self.begin()

    @invariant()
    def everyone_sees_what_is_theirs(self) -> None:
        for table, model in ((self.table, self.committed), (self.draft, self.drafted)):
            assert table.rows() == model
            assert {key: table.get(key) for key in range(6)} == {key: model.get(key) for key in range(6)}
            for length in range(3):
                assert table.sharing("length", length) == {k: row for k, row in model.items() if len(row) == length}


TestDrafting = Drafting.TestCase
TestDrafting.settings = settings(stateful_step_count=20, deadline=None)
