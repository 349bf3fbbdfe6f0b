"""A chain of one validator without network, consensus or clock: execution and storage alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from benchmarks.founding import setting_of
from benchmarks.workload import METERS, Workload
from chain.certificate import commit_certificate_of
from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.genesis import Genesis, GenesisOrganisation, build_genesis_state
from chain.member import Member, MemberRole
from chain.parameters import Parameters
from chain.transaction import Payload, Transaction, sign
from chain.types import Milliseconds
from chain.vote import VoteKind, sign_vote
from contracts.account import Role
from contracts.accounts import RegisterAccount
from contracts.runtime import ContractsRuntime
from node.kernel.candidates import Candidate, Workshop
from node.kernel.storing import stored_block
from node.ports import StoredBlock
from node.storage import ChainStore, KeyValue
from p2p.identity import new_tls_identity

_ORGANISATION: Final = "member-1"
_PADDING: Final = b"v" * 40
_PADDING_CHUNK: Final = 250_000
"""Keys of one batch; each rewrites nearly the whole tree, so there should be few."""


def padding_key(index: int) -> bytes:
    """Returns a state key of :meth:`LoneChain.pad`."""
    return b"padding/%09d" % index


class LoneChain:
    """Genesis and 500 registered meters over a database of the caller's.

    Args:
        database: empty; holds the chain afterwards.
        time_ms: of genesis; the present, because that is when the workload is signed.
    """

    def __init__(self, database: KeyValue, time_ms: Milliseconds) -> None:
        self._time_ms = time_ms
        self._validator = Ed25519Signer(b"v" * 32)
        self.admin = Ed25519Signer(b"a" * 32)
        self.operator = Ed25519Signer(b"o" * 32)
        self.contracts = ContractsRuntime()
        self.genesis = self._found()
        self.store = ChainStore(database)
        founded = build_genesis_state(self.genesis, self.contracts)
        self.store.initialise(self.genesis.encode(), dict(founded.changes), founded.tree_update)
        self.tree = self.store.open_tree()
        self.workshop = Workshop(
            genesis=self.genesis, store=self.store, tree=self.tree, contracts=self.contracts
        )
        self._nonce = 0
        self._register()
        self.workload = Workload(chain_id=self.genesis.chain_id, signers=(self.operator,))

    def transactions(self, count: int, readings: int) -> list[Transaction]:
        """Returns the next signed transactions of the workload."""
        (wires,) = self.workload.sign_lanes(count, readings)
        return [Transaction.parse(wire) for wire in wires]

    def call(self, signer: Ed25519Signer, method: str, arguments: Record) -> Transaction:
        """Returns a signed call of an account: :attr:`admin` or :attr:`operator`."""
        self._nonce += 1
        return sign(
            signer,
            Payload(
                chain_id=self.genesis.chain_id,
                sender=signer.public_key,
                nonce=self._nonce.to_bytes(16, "big"),
                valid_until_ms=self._time_ms + 3_600_000,
                method=method,
                arguments=arguments.encode(),
            ),
        )

    def build(self, transactions: Sequence[Transaction]) -> Candidate:
        """Executes a block on the head, a millisecond after it, without storing it."""
        return self.workshop.build(
            transactions,
            time_ms=self.workshop.parent.time_ms + 1,
            proposer=self._validator.public_key,
        )

    def commit(self, candidate: Candidate) -> None:
        """Certifies and stores a block."""
        self.store.commit(self._stored(candidate))
        self.workshop.advance(candidate)

    def pad(self, keys: int) -> None:
        """Fills the state up to a number of keys that no contract reads.

        No block can write them, so they come in beside empty ones; those blocks are for measuring
        what follows and would not verify.
        """
        index = 0
        while (missing := keys - self.tree.key_count) > 0:
            count = min(missing, _PADDING_CHUNK)
            changes: dict[bytes, bytes | None] = {
                padding_key(each): _PADDING for each in range(index, index + count)
            }
            index += count
            candidate = self.build([])
            update = self.tree.update(changes)
            self.store.commit(replace(self._stored(candidate), changes=changes, tree_update=update))
            self.workshop.advance(candidate)
            self.tree.apply(update)

    def _stored(self, candidate: Candidate) -> StoredBlock:
        vote = sign_vote(
            self._validator,
            chain_id=self.genesis.chain_id,
            validators=self.workshop.parent.validators,
            kind=VoteKind.COMMIT,
            height=candidate.header.height,
            view=0,
            digest=candidate.header.hash,
        )
        return stored_block(candidate, commit_certificate_of([vote]), self.contracts)

    def _found(self) -> Genesis:
        certificate, _ = new_tls_identity()
        return Genesis(
            network="layers",
            time_ms=self._time_ms,
            parameters=Parameters(),
            organisations=(
                GenesisOrganisation(
                    id=_ORGANISATION, name="Member 1", admin_key=self.admin.public_key
                ),
            ),
            members=(
                Member(
                    node_id="node-1",
                    organisation=_ORGANISATION,
                    role=MemberRole.VALIDATOR,
                    consensus_key=self._validator.public_key,
                    tls_certificate=certificate,
                    host="127.0.0.1",
                    port=1,
                ),
            ),
        )

    def _register(self) -> None:
        account = RegisterAccount(
            public_key=self.operator.public_key, name="Operator", roles=(Role.OPERATOR,)
        )
        shared, site, meters = setting_of(_ORGANISATION, self.operator.public_key, range(METERS))
        calls: list[tuple[str, Record]] = [("account.register", account), *shared, site, *meters]
        signed = [self.call(self.admin, method, arguments) for method, arguments in calls]
        self.commit(self.build(signed))
