"""Accounts: the keys that may send transactions, their organisation and roles.

An account *is* an Ed25519 public key. Genesis creates one admin for each organisation; an admin
registers and revokes the accounts of its own organisation and of no other. No account can revoke
itself, so an organisation always keeps an admin. Certifiers belong to certification bodies: else
any admin could make one that closes the cases of its own plant, or of a competitor's. Nor does one
key measure, approve and judge: whoever has one key has one duty.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from chain.codec import Record
from chain.crypto import check_public_key
from chain.errors import InvalidSignature
from chain.state import Records, State
from chain.types import Identifier, Name, PublicKey, Text
from contracts.account import ACCOUNT_PREFIX, DUTIES, Account, Role, Roles, account_key
from contracts.context import Context
from contracts.method import Method, method_of
from contracts.organisations import OrganisationKind, get_organisation
from contracts.refusal import Code, refusal

__all__ = [
    "ACCOUNT_PREFIX",
    "METHODS",
    "Account",
    "RegisterAccount",
    "RevokeAccount",
    "Role",
    "account_key",
    "check_active_account_of",
    "check_owner",
    "get_account",
    "sender_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterAccount(Record):
    """Arguments of ``account.register``; the organisation is the sender's."""

    public_key: PublicKey
    """Ed25519 key, not yet registered and never registered before."""
    name: Name
    """Who or what holds the key."""
    roles: Roles
    """Ascending, each once, all of one duty (:data:`contracts.account.DUTIES`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeAccount(Record):
    """Arguments of ``account.revoke``."""

    public_key: PublicKey
    reason: Text
    """Not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRevoked(Record):
    """Content of the event ``account.revoked``."""

    public_key: PublicKey
    organisation: Identifier
    reason: Text


def get_account(state: Records, public_key: PublicKey) -> Account | None:
    """Returns an account, revoked or not, or None where the key is not registered."""
    return state.get(Account, account_key(public_key))


def sender_of(context: Context) -> Account:
    """Returns the account that signed; the runtime has checked that it may send."""
    account = get_account(context.state, context.sender)
    assert account is not None, "the runtime lets no unknown sender through"
    return account


def check_owner(context: Context, organisation: str, what: str) -> Account:
    """Checks that the sender belongs to the organisation that owns a thing, and returns it.

    Raises:
        ContractRefusal: ``NOT_PERMITTED``.
    """
    sender = sender_of(context)
    if sender.organisation != organisation:
        raise refusal(
            Code.NOT_PERMITTED,
            what,
            expected=f"a sender of its organisation {organisation}",
            got=f"one of {sender.organisation}",
        )
    return sender


def check_active_account_of(
    state: State, public_key: PublicKey, organisation: str, field: str
) -> Account:
    """Checks that a key named in arguments is an active account of an organisation.

    Raises:
        ContractRefusal: ``UNKNOWN_ACCOUNT``, ``ACCOUNT_REVOKED`` or ``NOT_PERMITTED``.
    """
    account = get_account(state, public_key)
    if account is None:
        raise refusal(
            Code.UNKNOWN_ACCOUNT,
            field,
            expected="a registered account; register it with account.register",
            got=public_key.hex(),
        )
    if account.revoked_ms is not None:
        raise refusal(
            Code.ACCOUNT_REVOKED,
            field,
            expected="an active account",
            got=f"{public_key.hex()}, revoked at {account.revoked_ms}",
        )
    if account.organisation != organisation:
        raise refusal(
            Code.NOT_PERMITTED,
            field,
            expected=f"an account of {organisation}",
            got=f"one of {account.organisation}",
        )
    return account


def register(context: Context, arguments: RegisterAccount) -> bytes:
    """Registers a key for the sender's organisation; emits ``account.registered``.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for a key that is no good, or roles out of order or
            of several duties, ``NOT_PERMITTED`` for a certifier outside a certification body,
            ``ALREADY_EXISTS``.
    """
    sender = sender_of(context)
    _check_key(arguments.public_key)
    _check_roles(context.state, sender.organisation, arguments.roles)
    existing = get_account(context.state, arguments.public_key)
    if existing is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "public_key",
            expected="a key that was never registered; a revoked one does not come back",
            got=f"{arguments.public_key.hex()} of {existing.organisation}",
        )
    account = Account(
        public_key=arguments.public_key,
        name=arguments.name,
        organisation=sender.organisation,
        roles=arguments.roles,
        registered_ms=context.time_ms,
        revoked_ms=None,
    )
    context.state.put(account_key(account.public_key), account)
    context.emit("account.registered", account.public_key.hex(), account)
    return b""


def revoke(context: Context, arguments: RevokeAccount) -> bytes:
    """Ends an account of the sender's organisation; emits ``account.revoked``.

    Raises:
        ContractRefusal: ``NOT_PERMITTED`` for oneself or another organisation's account,
            ``UNKNOWN_ACCOUNT``, ``ACCOUNT_REVOKED``; ``INVALID_ARGUMENTS`` for no reason.
    """
    sender = sender_of(context)
    account = check_active_account_of(
        context.state, arguments.public_key, sender.organisation, "public_key"
    )
    if account.public_key == sender.public_key:
        raise refusal(
            Code.NOT_PERMITTED,
            "public_key",
            expected="another account; a second admin can revoke this one",
            got="the sender's own",
        )
    if not arguments.reason.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS, "reason", expected="why it is revoked", got="an empty text"
        )
    revoked = replace(account, revoked_ms=context.time_ms)
    context.state.put(account_key(account.public_key), revoked)
    content = AccountRevoked(
        public_key=account.public_key,
        organisation=account.organisation,
        reason=arguments.reason,
    )
    context.emit("account.revoked", account.public_key.hex(), content)
    return b""


def _check_key(public_key: PublicKey) -> None:
    try:
        check_public_key(public_key)
    except InvalidSignature as error:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "public_key",
            expected="a point of the prime-order subgroup of edwards25519; make a new key",
            got=public_key.hex(),
        ) from error


def _check_roles(state: State, organisation_id: str, roles: Roles) -> None:
    if any(later <= earlier for earlier, later in pairwise(roles)):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "roles",
            expected="each role once, in ascending order",
            got=", ".join(role.name for role in roles),
        )
    if not any(duty.issuperset(roles) for duty in DUTIES):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "roles",
            expected="one duty, which only OPERATOR and GATEWAY share; register a key for each",
            got=", ".join(role.name for role in roles),
        )
    organisation = get_organisation(state, organisation_id)
    assert organisation is not None, "an account's organisation exists"
    if Role.CERTIFIER in roles and organisation.kind is not OrganisationKind.CERTIFICATION_BODY:
        raise refusal(
            Code.NOT_PERMITTED,
            "roles",
            expected="CERTIFIER only in a certification body",
            got=f"{organisation_id}, a {organisation.kind.name}",
        )


_ADMIN: Final = frozenset({Role.ADMIN})

METHODS: Final[tuple[Method, ...]] = (
    method_of("account.register", RegisterAccount, register, roles=_ADMIN),
    method_of("account.revoke", RevokeAccount, revoke, roles=_ADMIN),
)
