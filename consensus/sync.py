"""Catching up: certificates and blocks from peers (consensus.md 9, 16, 17, 33; faults.md Y01).

What a peer claims about heights only causes requests. What moves this node is proof: a commit
certificate that verifies, and blocks that carry one. A peer that does not have what it claimed, or
sends a bad block, is reported, and another one is asked; one honest peer suffices.
"""

from typing import Final

from chain.block import CertifiedBlock, transaction_root
from chain.certificate import CommitCertificate
from chain.errors import DecodeError, InvalidBlock, InvalidCertificate
from chain.types import Hash, PublicKey
from consensus.commitment import certify
from consensus.effects import CommitBlock, Effect, ReportFault, Send
from consensus.messages import BLOCKS_MAX, Blocks, BlocksRequest, Certified
from consensus.state import ReplicaState, SyncRequest

ANSWER_TIMEOUTS: Final = 2
"""A request is given up after this many T0; long enough for 64 full blocks on a slow link."""


def on_certified(state: ReplicaState, sender: PublicKey, message: Certified) -> list[Effect]:
    """Takes a commit certificate that stands on its own; accepted in any view."""
    certificate = message.certificate
    if certificate.height < state.height:
        return []
    known = state.instance.certificate if certificate.height == state.height else None
    if known is not None:
        return request_blocks(state, sender) if is_lacking(state) else []
    fault = _certificate_fault(state, certificate)
    if certificate.height == state.height:
        if fault is not None:
            return [ReportFault(peer=sender, reason=fault)]
        effects = certify(state, certificate)
        return effects or _request_unknown(state, sender)
    highest = state.sync.highest
    if fault is None and (highest is None or highest.height < certificate.height):
        state.sync.highest = certificate
    # One that does not verify may be of a later validator set: a claim, no more.
    return request_blocks(state, sender)


def _certificate_fault(state: ReplicaState, certificate: CommitCertificate) -> str | None:
    try:
        certificate.verify(
            chain_id=state.chain_id, validators=state.validators, scheme=state.scheme
        )
    except InvalidCertificate as error:
        return str(error)
    return None


def _request_unknown(state: ReplicaState, source: PublicKey) -> list[Effect]:
    """Asks for the certified block unless it is being judged here at this moment."""
    certificate = state.instance.certificate
    assert certificate is not None
    if certificate.block_hash in state.instance.candidates:
        return []
    return request_blocks(state, source)


def is_lacking(state: ReplicaState) -> bool:
    """Returns whether this height is decided and its block is not held."""
    instance = state.instance
    return instance.certificate is not None and not instance.is_committing


def on_certificate_formed(state: ReplicaState, source: PublicKey) -> list[Effect]:
    """Asks for the block where own counting decided on one that was never proposed here."""
    if not is_lacking(state):
        return []
    return _request_unknown(state, source)


def request_blocks(state: ReplicaState, preferred: PublicKey | None = None) -> list[Effect]:
    """Asks one peer for blocks from the height in agreement on; one request at a time."""
    sync = state.sync
    if state.instance.is_committing or sync.blocks:
        return []
    if sync.request is not None and sync.request.first_height == state.height:
        timeout_ms = ANSWER_TIMEOUTS * state.config.t0_ms
        if state.now.monotonic_ms - sync.request.asked_ms < timeout_ms:
            return []
        sync.distrusted.add(sync.request.peer)
    peer = _choose_peer(state, preferred)
    if peer is None:
        sync.request = None
        return []
    sync.request = SyncRequest(
        peer=peer, first_height=state.height, asked_ms=state.now.monotonic_ms
    )
    claimed = state.peers[peer].height if peer in state.peers else 0
    count = min(max(claimed - state.height, 1), BLOCKS_MAX)
    return [Send(peer=peer, message=BlocksRequest(first_height=state.height, count=count))]


def _choose_peer(state: ReplicaState, preferred: PublicKey | None) -> PublicKey | None:
    """Returns whom to ask: the preferred, else who claims most, those trusted first."""
    sync = state.sync
    certificate = state.instance.certificate
    signers = () if certificate is None else certificate.signatures
    own = None if state.signer is None else state.signer.public_key
    claims = {state.validators.keys[index]: state.height for index, _ in signers}
    claims.update(
        (peer, status.height)
        for peer, status in state.peers.items()
        if status.height > state.height
    )
    if preferred is not None:
        claims.setdefault(preferred, state.height)
    claims = {peer: height for peer, height in claims.items() if peer != own}
    trusted = {peer: height for peer, height in claims.items() if peer not in sync.distrusted}
    if claims and not trusted:
        # All have failed once; without forgetting, a slow hour would cut this node off for ever.
        sync.distrusted.clear()
        trusted = claims
    if preferred in trusted:
        return preferred
    return max(trusted, key=lambda peer: (trusted[peer], peer), default=None)


def on_blocks(state: ReplicaState, sender: PublicKey, message: Blocks) -> list[Effect]:
    """Takes certified blocks, asked for or pushed, that continue this chain."""
    sync = state.sync
    was_asked = sync.request is not None and sync.request.peer == sender
    blocks = tuple(block for block in message.blocks if block.header.height >= state.height)
    if not blocks:
        return _on_no_blocks(state, sender) if was_asked and not message.blocks else []
    heights = [block.header.height for block in blocks]
    if heights != list(range(state.height, state.height + len(blocks))):
        if was_asked:
            reason = f"expected blocks from height {state.height} on, got heights {heights}"
            return _distrust(state, sender, reason)
        return []
    if sync.blocks or state.instance.is_committing:
        return []
    sync.request = None
    sync.blocks = blocks
    sync.source = sender
    return commit_next(state)


def _on_no_blocks(state: ReplicaState, sender: PublicKey) -> list[Effect]:
    """Asks another peer; reports this one only if it had claimed to have the blocks."""
    if sender in state.peers and state.peers[sender].height > state.height:
        reason = f"expected blocks from height {state.height} on as claimed, got none"
        return _distrust(state, sender, reason)
    state.sync.request = None
    state.sync.distrusted.add(sender)
    return []


def commit_next(state: ReplicaState) -> list[Effect]:
    """Commits the next received block; asks for more where there is none and a peer has more."""
    sync = state.sync
    while sync.blocks and sync.blocks[0].header.height < state.height:
        sync.blocks = sync.blocks[1:]
    if state.instance.is_committing:
        return []
    if not sync.blocks:
        source, sync.source = sync.source, None
        if source in state.peers and state.peers[source].height > state.height:
            return request_blocks(state, source)
        return []
    block = sync.blocks[0]
    try:
        check_block(state, block)
    except (DecodeError, InvalidBlock, InvalidCertificate) as error:
        assert sync.source is not None, "received blocks have a source"
        return _distrust(state, sync.source, f"block at height {state.height}: {error}")
    sync.blocks = sync.blocks[1:]
    state.instance.certificate = block.certificate
    state.instance.is_committing = True
    return [
        CommitBlock(
            header=block.header, certificate=block.certificate, transactions=block.transactions
        )
    ]


def check_block(state: ReplicaState, block: CertifiedBlock) -> None:
    """Checks a block from sync against the head and the set of its height (consensus.md 33).

    Its roots of receipts and state are checked by whoever executes it. What a peer could forge
    in a certified block has to be found here, where it is the peer's fault: the certificate
    covers a transaction's id, and the id leaves its signature out (consensus.md 23).

    Raises:
        InvalidBlock: another place in the chain than the next, other transactions, or one that
            its sender did not sign.
        InvalidCertificate: no quorum of this height's validators signed it.
        DecodeError: a body that is no transaction.
    """
    header, certificate = block.header, block.certificate
    transactions = block.parse_transactions()
    transaction_ids = tuple(transaction.id for transaction in transactions)
    expectations: tuple[tuple[str, Hash | int, Hash | int], ...] = (
        ("chain_id", header.chain_id, state.chain_id),
        ("height", header.height, state.height),
        ("parent_hash", header.parent_hash, state.head_hash),
        ("validator_set_hash", header.validator_set_hash, state.validators.hash),
        ("transaction_count", header.transaction_count, len(transaction_ids)),
        ("transaction_root", header.transaction_root, transaction_root(transaction_ids)),
        ("certificate.height", certificate.height, header.height),
        ("certificate.block_hash", certificate.block_hash, header.hash),
    )
    for name, got, expected in expectations:
        if got != expected:
            raise InvalidBlock(name, expected=_shown(expected), got=_shown(got))
    certificate.verify(chain_id=state.chain_id, validators=state.validators, scheme=state.scheme)
    for transaction in transactions:
        if not transaction.is_signed(state.scheme):
            raise InvalidBlock(
                f"transaction {transaction.id.hex()}",
                expected="a signature of its sender",
                got="another",
            )


def _shown(value: Hash | int) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _distrust(state: ReplicaState, peer: PublicKey, reason: str) -> list[Effect]:
    """Reports a peer, forgets what it sent and claimed, and asks another one."""
    sync = state.sync
    sync.distrusted.add(peer)
    sync.blocks = ()
    sync.source = None
    sync.request = None
    state.peers.pop(peer, None)
    return [ReportFault(peer=peer, reason=reason), *request_blocks(state)]


def on_tick(state: ReplicaState) -> list[Effect]:
    """Asks for blocks where this height has not moved since the last tick and others are ahead.

    A peer one height ahead is ordinary and its certificate is on the way; so a claim of one
    height more is followed up only here.
    """
    sync = state.sync
    is_stuck = sync.height_at_tick == state.height
    sync.height_at_tick = state.height
    is_behind = any(status.height > state.height for status in state.peers.values())
    if is_stuck and (is_behind or is_lacking(state)):
        return request_blocks(state)
    return []
