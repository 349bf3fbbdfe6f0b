from itertools import combinations

import pytest

from chain.errors import ContractRefusal
from contracts import accounts
from contracts.account import Account, Role
from contracts.accounts import RegisterAccount, RevokeAccount
from contracts.organisations import get_organisation
from tests.unit.contracts.registry_world import (
    ADMIN,
    BODY_ADMIN,
    NEW_KEY,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
    REVOKED,
    START_MS,
    World,
)


def registration(
    public_key: bytes = NEW_KEY, roles: tuple[Role, ...] = (Role.OPERATOR, Role.GATEWAY)
) -> RegisterAccount:
    return RegisterAccount(public_key=public_key, name="Kim", roles=roles)


def test_an_admin_registers_an_account_of_its_own_organisation() -> None:
    world = World()

    world.call(accounts.register, registration())

    expected = Account(
        public_key=NEW_KEY,
        name="Kim",
        organisation="steel",
        roles=(Role.OPERATOR, Role.GATEWAY),
        registered_ms=START_MS,
        revoked_ms=None,
    )
    assert accounts.get_account(world.state, NEW_KEY) == expected
    assert [(event.kind, event.subject) for event in world.events] == [
        ("account.registered", NEW_KEY.hex())
    ]
    assert world.events[0].content == expected.encode()


def test_a_certification_body_registers_certifiers() -> None:
    world = World()

    world.call(accounts.register, registration(roles=(Role.CERTIFIER,)), sender=BODY_ADMIN)

    account = accounts.get_account(world.state, NEW_KEY)
    assert account is not None
    assert account.roles == (Role.CERTIFIER,)


def test_a_member_has_auditors_but_no_certifiers() -> None:
    world = World()

    assert world.refusal_of(accounts.register, registration(roles=(Role.CERTIFIER,))) == (
        "NOT_PERMITTED",
        "roles: expected CERTIFIER only in a certification body, got steel, a MEMBER",
    )
    world.call(accounts.register, registration(roles=(Role.AUDITOR,)))


def test_a_key_outside_the_group_is_refused() -> None:
    code, detail = World().refusal_of(accounts.register, registration(public_key=bytes(32)))

    assert code == "INVALID_ARGUMENTS"
    assert detail == (
        "public_key: expected a point of the prime-order subgroup of edwards25519; make a new "
        f"key, got {'00' * 32}"
    )


@pytest.mark.parametrize(
    ("roles", "got"),
    [
        ((Role.OPERATOR, Role.ADMIN), "OPERATOR, ADMIN"),
        ((Role.OPERATOR, Role.OPERATOR), "OPERATOR, OPERATOR"),
    ],
)
def test_roles_out_of_order_or_twice_are_refused(roles: tuple[Role, ...], got: str) -> None:
    assert World().refusal_of(accounts.register, registration(roles=roles)) == (
        "INVALID_ARGUMENTS",
        f"roles: expected each role once, in ascending order, got {got}",
    )


@pytest.mark.parametrize("roles", list(combinations(Role, 2)))
def test_one_key_has_one_duty(roles: tuple[Role, ...]) -> None:
    world = World()
    arguments = registration(roles=roles)

    if roles == (Role.OPERATOR, Role.GATEWAY):
        world.call(accounts.register, arguments, sender=BODY_ADMIN)
        return

    assert world.refusal_of(accounts.register, arguments, sender=BODY_ADMIN) == (
        "INVALID_ARGUMENTS",
        (
            "roles: expected one duty, which only OPERATOR and GATEWAY share; register a key for "
            f"each, got {roles[0].name}, {roles[1].name}"
        ),
    )


@pytest.mark.parametrize("role", Role)
def test_each_role_can_be_the_only_one(role: Role) -> None:
    world = World()

    world.call(accounts.register, registration(roles=(role,)), sender=BODY_ADMIN)


@pytest.mark.parametrize(
    ("public_key", "organisation"), [(OTHER_OPERATOR, "grid"), (REVOKED, "steel")]
)
def test_a_key_is_registered_once_for_ever(public_key: bytes, organisation: str) -> None:
    assert World().refusal_of(accounts.register, registration(public_key=public_key)) == (
        "ALREADY_EXISTS",
        (
            "public_key: expected a key that was never registered; a revoked one does not come "
            f"back, got {public_key.hex()} of {organisation}"
        ),
    )


def test_an_admin_revokes_an_account_and_says_why() -> None:
    world = World()

    world.call(accounts.revoke, RevokeAccount(public_key=OPERATOR, reason="left"))

    account = accounts.get_account(world.state, OPERATOR)
    assert account is not None
    assert account.revoked_ms == START_MS
    assert account.organisation == "steel"
    content = accounts.AccountRevoked(public_key=OPERATOR, organisation="steel", reason="left")
    assert [(event.kind, event.subject, event.content) for event in world.events] == [
        ("account.revoked", OPERATOR.hex(), content.encode())
    ]


@pytest.mark.parametrize(
    ("public_key", "code", "got"),
    [
        (NEW_KEY, "UNKNOWN_ACCOUNT", f"got {NEW_KEY.hex()}"),
        (REVOKED, "ACCOUNT_REVOKED", f"got {REVOKED.hex()}, revoked at 5"),
        (OTHER_ADMIN, "NOT_PERMITTED", "expected an account of steel, got one of grid"),
        (ADMIN, "NOT_PERMITTED", "got the sender's own"),
    ],
)
def test_what_cannot_be_revoked(public_key: bytes, code: str, got: str) -> None:
    arguments = RevokeAccount(public_key=public_key, reason="")

    refused_code, detail = World().refusal_of(accounts.revoke, arguments)

    assert refused_code == code
    assert detail.startswith("public_key: expected ")
    assert detail.endswith(got)


def test_no_account_ends_without_a_reason() -> None:
    arguments = RevokeAccount(public_key=OPERATOR, reason=" \n")

    assert World().refusal_of(accounts.revoke, arguments) == (
        "INVALID_ARGUMENTS",
        "reason: expected why it is revoked, got an empty text",
    )


def test_owner_check_returns_the_sender_or_names_both_organisations() -> None:
    world = World()

    assert accounts.check_owner(world.context(), "steel", "meter m").public_key == ADMIN
    with pytest.raises(ContractRefusal) as caught:
        accounts.check_owner(world.context(OTHER_ADMIN), "steel", "meter m")
    assert caught.value.code == "NOT_PERMITTED"
    assert caught.value.detail == (
        "meter m: expected a sender of its organisation steel, got one of grid"
    )


def test_an_organisation_that_was_not_founded_is_none() -> None:
    assert get_organisation(World().state, "nobody") is None
