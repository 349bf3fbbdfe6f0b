"""Accounts against a naive model: whatever is sent by whom, each organisation keeps an admin."""

from collections.abc import Sequence

from hypothesis import given, strategies as st

from chain.crypto import Ed25519Signer
from chain.errors import ContractRefusal
from chain.transaction import Payload, sign
from contracts.account import DUTIES, Role
from contracts.accounts import RegisterAccount, RevokeAccount, get_account
from contracts.runtime import ContractsRuntime
from tests.unit.contracts.registry_world import World

FOUNDED: dict[int, tuple[str, tuple[Role, ...]]] = {
    1: ("steel", (Role.ADMIN,)),
    2: ("steel", (Role.ADMIN,)),
    3: ("steel", (Role.OPERATOR,)),
    6: ("grid", (Role.ADMIN,)),
    8: ("body", (Role.ADMIN,)),
    9: ("body", (Role.CERTIFIER,)),
}
"""Accounts of the world by the number of their key."""
NUMBERS = st.sampled_from([*FOUNDED, 10, 12, 13])
Step = tuple[int, int, tuple[Role, ...] | None]
STEPS = st.tuples(
    NUMBERS,
    NUMBERS,
    st.none() | st.sets(st.sampled_from(Role), min_size=1, max_size=2).map(sorted).map(tuple),
)
"""Sender, key, and the roles that it is registered with; None: it is revoked."""


def signer_of(number: int) -> Ed25519Signer:
    return Ed25519Signer(bytes([number]) * 32)


def is_done(world: World, nonce: int, step: Step) -> bool:
    """Runs a step as a transaction and returns whether the contracts let it be."""
    sender, subject, roles = step
    key = signer_of(subject).public_key
    method, arguments = (
        ("account.revoke", RevokeAccount(public_key=key, reason="drawn").encode())
        if roles is None
        else (
            "account.register",
            RegisterAccount(public_key=key, name="drawn", roles=roles).encode(),
        )
    )
    payload = Payload(
        chain_id=bytes(32),
        sender=signer_of(sender).public_key,
        nonce=nonce.to_bytes(16, "big"),
        valid_until_ms=world.time_ms + 1,
        method=method,
        arguments=arguments,
    )
    try:
        ContractsRuntime().execute(world.state, world.block, sign(signer_of(sender), payload))
    except ContractRefusal:
        return False
    return True


@given(st.lists(STEPS, max_size=25))
def test_only_admins_change_their_own_organisation_and_it_keeps_one(steps: Sequence[Step]) -> None:
    world = World()
    active = dict(FOUNDED)
    known = set(FOUNDED)

    for nonce, step in enumerate(steps):
        sender, subject, roles = step
        organisation, own = active.get(sender, ("", ()))
        may = Role.ADMIN in own
        if roles is None:
            is_colleague = subject in active and active[subject][0] == organisation
            expected = may and is_colleague and subject != sender
        else:
            is_one_duty = any(duty.issuperset(roles) for duty in DUTIES)
            may_certify = organisation == "body" or Role.CERTIFIER not in roles
            expected = may and is_one_duty and may_certify and subject not in known

        assert is_done(world, nonce, step) == expected
        if expected and roles is None:
            del active[subject]
        elif expected:
            known.add(subject)
            active[subject] = (organisation, roles or ())

        for number in known:
            account = get_account(world.state, signer_of(number).public_key)
            assert account is not None
            assert (account.revoked_ms is None) == (number in active)
        keepers = {place for place, held in active.values() if Role.ADMIN in held}
        assert keepers == {"steel", "grid", "body"}
