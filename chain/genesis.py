"""The genesis record: who founds the chain, with which parameters, and the state at height 0.

Its hash is the chain id, which every signature covers; so a chain with one other byte in its
genesis is another chain, and nothing signed for one is valid on the other. It is a record and not
a block: the first block stands at height 1 and names the chain id as its parent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from chain.codec import Record
from chain.crypto import Domain, check_public_key, hash_of
from chain.errors import InvalidGenesis, InvalidSignature
from chain.member import Member, MemberRole, member_key
from chain.parameters import PARAMETERS_KEY, Parameters
from chain.state import MemoryStateReader, State
from chain.state_tree import MemoryBucketReader, StateTree, TreeUpdate
from chain.types import Hash, Identifier, Length, Milliseconds, Name, PublicKey, Range
from chain.validator_set import VALIDATORS_KEY, VALIDATORS_MAX, ValidatorSet

GENESIS_VERSION: Final = 1
GENESIS_BYTES_MAX: Final = 8_388_608
"""Bounds reading of a genesis file; 1,000 members need about 600 KB."""
MEMBERS_MAX: Final = 1_000
"""Founding nodes, observers included."""
ORGANISATIONS_MAX: Final = 1_000
"""Founding organisations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisOrganisation(Record):
    """A founding organisation and the key of its first admin, who registers everybody else."""

    id: Identifier
    name: Name
    admin_key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis(Record):
    """What all members agree on before there is a chain."""

    version: Annotated[int, Range(GENESIS_VERSION, GENESIS_VERSION)] = GENESIS_VERSION
    network: Identifier
    """Name of the network, for people and for folder names."""
    time_ms: Milliseconds
    """Block time of height 0; the first block's is later."""
    parameters: Parameters
    organisations: Annotated[tuple[GenesisOrganisation, ...], Length(1, ORGANISATIONS_MAX)]
    members: Annotated[tuple[Member, ...], Length(1, MEMBERS_MAX)]
    """Founding nodes; the validators among them vote in this order."""

    @property
    def chain_id(self) -> Hash:
        """Returns the hash that names this chain."""
        return hash_of(Domain.GENESIS, self.encode())

    def validator_set(self) -> ValidatorSet:
        """Returns the set that votes on the first block; the record has passed :meth:`check`."""
        return ValidatorSet(
            keys=tuple(
                member.consensus_key
                for member in self.members
                if member.role is MemberRole.VALIDATOR
            )
        )

    def check(self) -> None:
        """Checks what the schema cannot: that the parts fit together.

        Raises:
            InvalidGenesis: a name, key, certificate or address that stands twice, an unknown
                organisation, a key that may not be registered, parameters that contradict one
                another, or a number of validators that makes no sense.
        """
        contradiction = self.parameters.contradiction()
        if contradiction is not None:
            raise InvalidGenesis(f"parameters: {contradiction}")
        _check_unique("organisation id", [each.id for each in self.organisations])
        _check_unique("node id", [member.node_id for member in self.members])
        _check_unique("tls certificate", [member.tls_certificate for member in self.members])
        _check_unique("address", [f"{member.host}:{member.port}" for member in self.members])
        self._check_keys()
        known = {each.id for each in self.organisations}
        for member in self.members:
            if member.organisation not in known:
                raise InvalidGenesis(
                    f"member {member.node_id}: expected one of the {len(known)} organisations of "
                    f"this genesis, got {member.organisation!r}"
                )
        _check_validator_count(sum(member.role is MemberRole.VALIDATOR for member in self.members))

    def initial_state(self) -> dict[bytes, bytes]:
        """Returns the chain's own part of the state at height 0: encoded records by key."""
        records: dict[bytes, Record] = {
            PARAMETERS_KEY: self.parameters,
            VALIDATORS_KEY: self.validator_set(),
        }
        for member in self.members:
            records[member_key(member.node_id)] = member
        return {key: records[key].encode() for key in sorted(records)}

    def _check_keys(self) -> None:
        owned = [
            (f"organisation {each.id}: admin_key", each.admin_key) for each in self.organisations
        ]
        owned += [
            (f"member {each.node_id}: consensus_key", each.consensus_key) for each in self.members
        ]
        for owner, key in owned:
            try:
                check_public_key(key)
            except InvalidSignature as error:
                raise InvalidGenesis(f"{owner}: {error}") from error
        # Across both kinds: a key that votes must not also sign transactions.
        _check_unique("public key", [key for _, key in owned])


class GenesisRuntime(Protocol):
    """The contracts, as genesis sees them."""

    def genesis_changes(self, state: State, genesis: Genesis) -> None:
        """Writes the contracts' own records, such as organisations and first accounts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisState:
    """The state at height 0; not yet applied anywhere."""

    changes: dict[bytes, bytes]
    """Every key of the state, in byte order, with its encoded record."""
    state_root: Hash
    tree_update: TreeUpdate
    """Fits the empty tree."""


def build_genesis_state(genesis: Genesis, runtime: GenesisRuntime) -> GenesisState:
    """Computes the state that a checked genesis founds.

    Args:
        genesis: has passed :meth:`Genesis.check`.
        runtime: the contracts, which add their own records.
    """
    reader = MemoryStateReader(genesis.initial_state())
    state = State(reader)
    runtime.genesis_changes(state, genesis)
    reader.apply(state.changes())
    changes = {key: reader.entries[key] for key in sorted(reader.entries)}
    update = StateTree(MemoryBucketReader()).update(changes)
    return GenesisState(changes=changes, state_root=update.root, tree_update=update)


def _check_unique(what: str, values: Sequence[str | bytes]) -> None:
    seen: dict[str | bytes, None] = {}
    for value in values:
        if value in seen:
            words = value.hex()[:64] if isinstance(value, bytes) else repr(value)
            raise InvalidGenesis(f"{what}: expected each once, got {words} twice")
        seen[value] = None


def _check_validator_count(count: int) -> None:
    if count == 0:
        raise InvalidGenesis("validators: expected at least 1, got 0; nobody could make a block")
    if count in {2, 3}:
        raise InvalidGenesis(
            f"validators: expected 1 (for development) or at least 4, got {count}; with {count} "
            "one that fails stops the chain, so they add risk and no tolerance"
        )
    if count > VALIDATORS_MAX:
        raise InvalidGenesis(f"validators: expected at most {VALIDATORS_MAX}, got {count}")
