"""That a certificate is not revoked or suspended is proved, until it is."""

from chain.crypto import ED25519
from chain.proof_file import StateClaim, sealed, verify_proof_file
from chain.state_tree import MemoryBucketReader, StateTree
from contracts import certificates
from contracts.certificate import (
    Change,
    certificate_key,
    revoked_key,
    status_key,
    suspended_key,
)
from contracts.revisions import record_revision
from node.rpc.strict_json import parse
from tests.chain_samples import certificate, genesis, header
from tests.unit.contracts.certification_world import CHANGE, ID, REVISION, CertificationWorld
from tests.unit.contracts.registry_world import CERTIFIER

GENESIS = genesis()
KEYS = (certificate_key(ID), status_key(ID), revoked_key(ID), suspended_key(ID))


def claims_of(world: CertificationWorld) -> tuple[StateClaim, ...]:
    """Proves the certificate's keys in a block that has this state, and verifies the file."""
    world.next_block()
    tree = StateTree(MemoryBucketReader())
    tree.apply(tree.update(world.reader.entries))
    block = header(
        chain_id=GENESIS.chain_id, height=7, time_ms=GENESIS.time_ms + 1, state_root=tree.root
    )
    values = [world.reader.get(key) for key in KEYS]
    text = sealed(
        genesis=GENESIS,
        blocks=[(block, certificate(block))],
        claims=[
            {
                "kind": "state",
                "block": 0,
                "key": key.hex(),
                "value": None if value is None else value.hex(),
                "proof": tree.prove(key).encode().hex(),
            }
            for key, value in zip(KEYS, values, strict=True)
        ],
    )
    claims = verify_proof_file(text, parse(text), genesis=GENESIS, scheme=ED25519)
    return tuple(claim for claim in claims if isinstance(claim, StateClaim))


def test_an_issued_certificate_is_proved_to_stand() -> None:
    world = CertificationWorld()
    world.issue()

    binding, status, revoked, suspended = claims_of(world)

    assert binding.value is not None
    assert status.value is not None
    assert (revoked.value, suspended.value) == (None, None)


def test_a_revision_shows_in_the_proof() -> None:
    world = CertificationWorld()
    world.issue()
    record_revision(world.context(), REVISION)

    _, _, revoked, suspended = claims_of(world)

    assert revoked.value is None
    assert suspended.value is not None
    assert Change.decode(suspended.value).revision == ("plant", 1)


def test_a_revocation_shows_in_the_proof() -> None:
    world = CertificationWorld()
    world.issue()
    world.call(certificates.revoke, CHANGE, sender=CERTIFIER)

    revoked = claims_of(world)[2]

    assert revoked.value is not None
    assert Change.decode(revoked.value).reason == "a complaint"
