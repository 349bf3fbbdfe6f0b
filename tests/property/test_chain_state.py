"""The overlay against a dictionary that is copied at every transaction."""

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chain.state import MemoryStateReader, State
from tests.chain_samples import Note

keys = st.sampled_from([b"a/1", b"a/2", b"a/3", b"ab", b"b/1"])
texts = st.sampled_from(["x", "y", "z"])


class NoteDraft:
    """A note in place."""

    def __init__(self, record: Note | None) -> None:
        self.text = "" if record is None else record.text

    def record(self) -> Note:
        return Note(text=self.text)


class OverlayMachine(RuleBasedStateMachine):
    """Blocks of transactions, some kept and some dropped, and the same on plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = MemoryStateReader()
        self.state = State(self.reader)
        self.committed: dict[bytes, str] = {}
        self.block: dict[bytes, str] = {}
        self.transaction: dict[bytes, str] | None = None
        self.has_edited = False

    @property
    def model(self) -> dict[bytes, str]:
        return self.block if self.transaction is None else self.transaction

    @rule(key=keys, text=texts)
    def put(self, key: bytes, text: str) -> None:
        self.state.put(key, Note(text=text))
        self.model[key] = text

    @rule(key=keys)
    def delete(self, key: bytes) -> None:
        self.state.delete(key)
        self.model.pop(key, None)

    @rule(key=keys, text=texts)
    def edit(self, key: bytes, text: str) -> None:
        draft = self.state.edit(Note, key, NoteDraft)
        assert draft.text == self.model.get(key, "")
        draft.text += text
        self.model[key] = draft.text
        self.has_edited = True

    @rule(key=keys)
    def get(self, key: bytes) -> None:
        found = self.state.get(Note, key)
        assert (found and found.text) == self.model.get(key)

    @precondition(lambda self: self.transaction is None)
    @rule()
    def begin(self) -> None:
        self.state.begin()
        self.transaction = dict(self.block)
        self.has_edited = False

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def keep(self) -> None:
        self.state.keep()
        self.block = dict(self.model)
        self.transaction = None

    @precondition(lambda self: self.transaction is not None and not self.has_edited)
    @rule()
    def drop(self) -> None:
        self.state.drop()
        self.transaction = None

    @precondition(lambda self: self.transaction is None)
    @rule()
    def commit(self) -> None:
        changes = self.state.changes()
        expected = {
            key: Note(text=self.block[key]).encode() if key in self.block else None
            for key in sorted(self.block.keys() | self.committed.keys())
            if self.block.get(key) != self.committed.get(key)
        }
        assert list(changes.items()) == list(expected.items())
        self.reader.apply(changes)
        self.state = State(self.reader)
        self.committed = dict(self.block)

    @invariant()
    def iterates_in_order(self) -> None:
        for prefix, start in ((b"a/", b""), (b"a/", b"a/2"), (b"", b"")):
            found = [(key, note.text) for key, note in self.state.iterate(Note, prefix, start)]
            assert found == sorted(
                (key, text)
                for key, text in self.model.items()
                if key.startswith(prefix) and key >= start
            )


TestOverlay = OverlayMachine.TestCase
TestOverlay.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
