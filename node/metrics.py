"""Prometheus metrics of one node.

The runtime calls the update methods once a block or once a batch of steps, never once a
transaction. Every series has a bound: labels come from fixed sets or, for names that the chain or
a route table gives, from the first :data:`LABEL_VALUES_MAX` seen, after which a value counts as
``other``; so no client and no peer can fill the memory of the node or of Prometheus.

Names follow ``tanlian_<part>_<what>_<unit>``; an alert that names one is a promise, so a test
holds the list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

PREFIX: Final = "tanlian"
LABEL_VALUES_MAX: Final = 128
"""Distinct values of one open label; a consortium has fewer validators, the RPC fewer routes."""
OTHER: Final = "other"
SECONDS_BUCKETS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""From a fast fsync to a block that took longer than any timeout should let it."""
INTERVAL_BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 600.0)
"""Between two blocks: from full load to a heartbeat that is long overdue."""

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedBlock:
    """What one committed block adds to the metrics."""

    height: int
    transaction_count: int
    size_bytes: int
    """Header and transactions as stored."""
    interval_seconds: float
    """Since the block before was committed here, by the monotonic clock."""
    execute_seconds: float
    commit_seconds: float
    """For the synced write of the whole batch."""
    state_keys: int
    """Keys in the state after the block."""
    signers: tuple[str, ...]
    """Names of the validators whose votes are in the commit certificate."""
    missing: tuple[str, ...]
    """Names of those that are in neither this certificate nor, as far as this node saw, the vote on
    the block before: q votes make a certificate, so the slowest are always late. Empty on a node
    that is no validator, for it hears no votes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolState:
    """The mempool at one moment."""

    transaction_count: int
    size_bytes: int
    oldest_seconds: float
    """Age of the transaction that waits longest; 0 where none waits."""


class NodeMetrics:
    """All metrics of one node in a registry of their own, so that many nodes fit one process."""

    def __init__(self, *, version: str, node: str, role: str) -> None:
        """Registers every metric at zero.

        Args:
            version: Release of the software.
            node: Name of the node.
            role: validator or observer.
        """
        self.registry = CollectorRegistry(auto_describe=True)
        self._labels = _BoundedLabels()
        self._last_signed_by_name: dict[str, Gauge] = {}
        self._build = Info(f"{PREFIX}_build", "Release of this node.", registry=self.registry)
        self._build.info({"version": version, "node": node, "role": role})
        self._register_consensus()
        self._register_blocks()
        self._register_mempool()
        self._register_rpc()
        self._register_links()

    def _register_consensus(self) -> None:
        self._height = self._gauge("consensus_height", "Height of the newest committed block.")
        self._view = self._gauge("consensus_view", "View at the height in agreement.")
        self._primary = self._gauge(
            "consensus_primary", "1 for the primary of the current view.", ("validator",)
        )
        self._is_validator = self._gauge(
            "consensus_is_validator", "1 while this node's key is in the validator set."
        )
        self._is_voting = self._gauge(
            "consensus_is_voting",
            "1 while this node may vote; a validator that only observes has 0.",
        )
        self._is_syncing = self._gauge(
            "consensus_is_syncing", "1 while a verified certificate shows that blocks are lacking."
        )
        self._block_interval = self._histogram(
            "consensus_block_interval_seconds", "Between two commits.", buckets=INTERVAL_BUCKETS
        )
        self._view_changes = self._counter(
            "consensus_view_changes", "Views left, by reason.", ("reason",)
        )
        self._last_signed = self._gauge(
            "consensus_validator_last_signed_height",
            "Newest height whose certificate holds the validator's vote.",
            ("validator",),
        )
        self._missed_blocks = self._counter(
            "consensus_validator_missed_blocks",
            "Blocks by which the validator had voted neither for them nor for their parent.",
            ("validator",),
        )
        self._missing_validators = self._gauge(
            "consensus_missing_validators",
            "Validators that voted neither for the newest block nor for its parent.",
        )
        self._evidence = self._counter("consensus_evidence", "Equivocations proved.")
        self._journal_fsync = self._histogram(
            "consensus_journal_fsync_seconds", "Until journal and sign guard are durable."
        )

    def _register_blocks(self) -> None:
        self._transactions = self._counter(
            "block_transactions", "Transactions in committed blocks."
        )
        self._block_bytes = self._counter("block_bytes", "Bytes of committed blocks.")
        self._execute = self._histogram("block_execute_seconds", "Execution of one block.")
        self._commit = self._histogram("block_commit_seconds", "Durable write of one block.")
        self._state_keys = self._gauge("state_keys", "Keys in the state.")
        self._disk_free = self._gauge("disk_free_bytes", "Free bytes where the home is.")

    def _register_mempool(self) -> None:
        self._mempool_size = self._gauge("mempool_size", "Pending transactions.")
        self._mempool_bytes = self._gauge("mempool_bytes", "Bytes of pending transactions.")
        self._mempool_oldest = self._gauge(
            "mempool_oldest_seconds", "Age of the transaction that waits longest."
        )
        self._mempool_rejected = self._counter(
            "mempool_rejected", "Transactions not admitted, by reason.", ("reason",)
        )
        self._mempool_expired = self._counter(
            "mempool_expired", "Transactions whose valid_until passed while they waited."
        )

    def _register_rpc(self) -> None:
        self._rpc_requests = self._counter(
            "rpc_requests", "Requests answered, by route and status.", ("method", "code")
        )
        self._rpc_seconds = self._histogram(
            "rpc_seconds", "Until the answer is complete, by route.", ("method",)
        )

    def _register_links(self) -> None:
        self._peers = self._gauge("p2p_peers", "Connected peers, by role.", ("role",))
        self._link_bytes = self._counter(
            "p2p_bytes", "Bytes of frames, by direction and kind.", ("direction", "kind")
        )
        self._link_messages = self._counter(
            "p2p_messages", "Frames, by direction and kind.", ("direction", "kind")
        )
        self._link_drops = self._counter(
            "p2p_messages_dropped", "Frames dropped at a full queue or a limit.", ("kind",)
        )

    def set_view(self, *, view: int, primary: str, is_validator: bool) -> None:
        """Shows where agreement stands; call it when any of the three has changed.

        Args:
            view: View at the height in agreement.
            primary: Name of its primary; the series of an earlier one ends.
            is_validator: Whether this node's key is in the validator set.
        """
        self._view.set(view)
        self._is_validator.set(1 if is_validator else 0)
        self._primary.clear()
        self._primary.labels(self._labels.bounded("validator", primary)).set(1)

    def count_view_change(self, reason: str) -> None:
        """Counts a view that this node left.

        Args:
            reason: Why, from the closed set of consensus: a timeout, a complaint, others moving.
        """
        self._view_changes.labels(self._labels.bounded("view_change_reason", reason)).inc()

    def block_committed(self, block: CommittedBlock) -> None:
        """Adds one committed block.

        Args:
            block: Its numbers.
        """
        self._height.set(block.height)
        self._block_interval.observe(block.interval_seconds)
        self._transactions.inc(block.transaction_count)
        self._block_bytes.inc(block.size_bytes)
        self._execute.observe(block.execute_seconds)
        self._commit.observe(block.commit_seconds)
        self._state_keys.set(block.state_keys)
        self._missing_validators.set(len(block.missing))
        for validator in block.signers:
            self._last_signed_of(validator).set(block.height)
        for validator in block.missing:
            self._missed_blocks.labels(self._labels.bounded("validator", validator)).inc()

    def _last_signed_of(self, validator: str) -> Gauge:
        series = self._last_signed_by_name.get(validator)
        if series is None:
            label = self._labels.bounded("validator", validator)
            series = self._last_signed.labels(label)
            if label == validator:
                # Kept, because a look-up costs more than the update; as bounded as the labels.
                self._last_signed_by_name[validator] = series
        return series

    def set_height(self, height: int) -> None:
        """Shows the height found at start, before any block is committed."""
        self._height.set(height)

    def count_evidence(self) -> None:
        """Counts an equivocation that was proved."""
        self._evidence.inc()

    def observe_journal_fsync(self, seconds: float) -> None:
        """Adds the duration of one durable write of journal and guard."""
        self._journal_fsync.observe(seconds)

    def set_participation(self, *, is_voting: bool, is_syncing: bool) -> None:
        """Shows whether this node takes part in agreement.

        Args:
            is_voting: It is in the validator set and neither halted nor observing.
            is_syncing: A verified certificate shows that it lacks blocks.
        """
        self._is_voting.set(1 if is_voting else 0)
        self._is_syncing.set(1 if is_syncing else 0)

    def set_disk_free(self, free_bytes: int) -> None:
        """Shows the free bytes of the file system of the home directory."""
        self._disk_free.set(free_bytes)

    def set_mempool(self, state: MempoolState) -> None:
        """Shows the mempool.

        Args:
            state: Its numbers now.
        """
        self._mempool_size.set(state.transaction_count)
        self._mempool_bytes.set(state.size_bytes)
        self._mempool_oldest.set(state.oldest_seconds)

    def count_mempool_rejected(self, count_by_reason: Mapping[str, int]) -> None:
        """Counts transactions that were not admitted since the last call.

        Args:
            count_by_reason: Stable codes such as ``TRANSACTION_EXPIRED``, and how many of each.
        """
        for reason, count in count_by_reason.items():
            self._mempool_rejected.labels(self._labels.bounded("rejection", reason)).inc(count)

    def count_mempool_expired(self, count: int) -> None:
        """Counts transactions that expired while they waited, since the last call."""
        self._mempool_expired.inc(count)

    def observe_request(self, *, method: str, code: int, seconds: float) -> None:
        """Adds one answered RPC request.

        Args:
            method: HTTP method and the route's template (``GET /v1/blocks/{height}``), never the
                path that a client sent.
            code: HTTP status.
            seconds: Until the answer was complete.
        """
        label = self._labels.bounded("method", method)
        self._rpc_requests.labels(label, str(code) if 100 <= code <= 599 else OTHER).inc()
        self._rpc_seconds.labels(label).observe(seconds)

    def set_peers(self, count_by_role: Mapping[str, int]) -> None:
        """Shows the connected peers.

        Args:
            count_by_role: All roles, also those with none connected.
        """
        for role, count in count_by_role.items():
            self._peers.labels(self._labels.bounded("role", role)).set(count)

    def count_frames(
        self, *, direction: Direction, kind: str, message_count: int, byte_count: int
    ) -> None:
        """Counts frames that went over links since the last call.

        Args:
            direction: in or out.
            kind: Kind of the messages, from the closed set of the wire format.
            message_count: Frames.
            byte_count: Their bytes.
        """
        label = self._labels.bounded("kind", kind)
        self._link_messages.labels(direction, label).inc(message_count)
        self._link_bytes.labels(direction, label).inc(byte_count)

    def count_drops(self, *, kind: str, message_count: int) -> None:
        """Counts frames that a full queue or a limit dropped since the last call."""
        self._link_drops.labels(self._labels.bounded("kind", kind)).inc(message_count)

    def forget_validators(self, names: Iterable[str]) -> None:
        """Ends the series of validators that left the set, so that no alert waits for them.

        Args:
            names: The ones that left; unknown ones are ignored.
        """
        for name in names:
            self._last_signed_by_name.pop(name, None)
            if self._labels.forget("validator", name):
                for metric in (self._last_signed, self._missed_blocks, self._primary):
                    metric.remove_by_labels({"validator": name})

    def render(self) -> bytes:
        """Returns all metrics in the Prometheus text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, words: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", words, labels, registry=self.registry)

    def _counter(self, name: str, words: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"{PREFIX}_{name}", words, labels, registry=self.registry)

    def _histogram(
        self,
        name: str,
        words: str,
        labels: tuple[str, ...] = (),
        *,
        buckets: tuple[float, ...] = SECONDS_BUCKETS,
    ) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", words, labels, registry=self.registry, buckets=buckets)


class _BoundedLabels:
    """Remembers the values that each open label has taken, up to a bound."""

    def __init__(self) -> None:
        self._values_by_label: dict[str, set[str]] = {}

    def bounded(self, label: str, value: str) -> str:
        values = self._values_by_label.setdefault(label, set())
        if value in values:
            return value
        if len(values) >= LABEL_VALUES_MAX:
            return OTHER
        values.add(value)
        return value

    def forget(self, label: str, value: str) -> bool:
        """Makes room for another value; returns whether this one was known."""
        values = self._values_by_label.get(label, set())
        if value not in values:
            return False
        values.remove(value)
        return True
