"""The contracts as the chain sees them: one table of methods, one of due handlers.

What happens to a transaction, in this order: its sender is a registered account that is not
revoked; its method exists; the sender has one of the method's roles; its arguments are canonical
bytes of the method's record; then the method decides. :meth:`ContractsRuntime.check_admission`
asks the first four questions before a transaction enters a pool, so that what must fail costs the
consortium nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from chain.codec import Record
from chain.errors import ContractRefusal
from chain.execution import BlockContext
from chain.genesis import Genesis
from chain.receipt import Event
from chain.state import Records, State
from chain.transaction import Payload, Transaction
from contracts import (
    accounts,
    activities,
    annual_filings,
    balance,
    baselines,
    bills,
    calendars,
    case_steps,
    cases,
    certificates,
    certifications,
    check_source,
    checks,
    corrections,
    deposits,
    equities,
    evidence,
    factors,
    instruments,
    inventory_design,
    meters,
    missing,
    monitoring_plan,
    month_restatement,
    peers,
    period,
    potentials,
    readings,
    recounts,
    rejections,
    remedies,
    reports,
    restatements,
    site_profile,
    sites,
    statements,
    substitutes,
    targets,
)
from contracts.account import Account, Role
from contracts.accounts import get_account
from contracts.call_cache import Call, CallCache
from contracts.context import Context
from contracts.due_queue import DueHandler, DueKind, run_due
from contracts.genesis import write_genesis
from contracts.method import Method
from contracts.refusal import Code, refusal


def methods_by_name(*contracts: Iterable[Method]) -> dict[str, Method]:
    """Joins the methods of contracts into one table, by name."""
    table: dict[str, Method] = {}
    for contract in contracts:
        for method in contract:
            assert method.name not in table, f"two methods are called {method.name}"
            table[method.name] = method
    return table


METHODS: Final[Mapping[str, Method]] = methods_by_name(
    accounts.METHODS,
    sites.METHODS,
    calendars.METHODS,
    meters.METHODS,
    checks.METHODS,
    check_source.METHODS,
    bills.METHODS,
    site_profile.METHODS,
    factors.METHODS,
    potentials.METHODS,
    restatements.METHODS,
    instruments.METHODS,
    activities.METHODS,
    recounts.METHODS,
    targets.METHODS,
    cases.METHODS,
    remedies.METHODS,
    readings.METHODS,
    corrections.METHODS,
    rejections.METHODS,
    substitutes.METHODS,
    baselines.METHODS,
    evidence.METHODS,
    period.METHODS,
    month_restatement.METHODS,
    monitoring_plan.METHODS,
    inventory_design.METHODS,
    equities.METHODS,
    deposits.METHODS,
    annual_filings.METHODS,
    reports.METHODS,
    certifications.METHODS,
    statements.METHODS,
    certificates.METHODS,
)
"""Every method of this version."""

DUE_HANDLERS: Final[Mapping[DueKind, DueHandler]] = {
    DueKind.MISSING: missing.on_due,
    DueKind.BALANCE: balance.on_due,
    DueKind.PEER: peers.on_due,
    DueKind.BILL: bills.on_bill_due,
    DueKind.SECOND_METER: bills.on_second_meter_due,
    DueKind.CASE_DEADLINE: case_steps.on_due,
    DueKind.DEPOSIT_DEADLINE: deposits.on_due,
    DueKind.ANNUAL_DEADLINE: annual_filings.on_due,
    DueKind.TARGET: targets.on_due,
    DueKind.CERTIFICATE: certificates.on_due,
}
"""Who looks at what falls due."""


class ContractsRuntime:
    """Implements :class:`chain.execution.ContractRuntime` and the genesis of the contracts.

    Args:
        methods: by name; those of this version unless a test brings its own.
        due_handlers: by kind; those of this version unless a test brings its own.
    """

    def __init__(
        self,
        methods: Mapping[str, Method] = METHODS,
        due_handlers: Mapping[DueKind, DueHandler] = DUE_HANDLERS,
    ) -> None:
        self._methods = methods
        self._due_handlers = due_handlers
        self._calls = CallCache(methods)

    def genesis_changes(self, state: State, genesis: Genesis) -> None:
        """Writes organisations and their first admins."""
        write_genesis(state, genesis)

    def begin_block(self, state: State, block: BlockContext) -> tuple[Event, ...]:
        """Handles what has fallen due by block time."""
        return run_due(state, block, self._due_handlers)

    def execute(
        self, state: State, block: BlockContext, transaction: Transaction
    ) -> tuple[bytes, tuple[Event, ...]]:
        """Runs one transaction; returns its result and events.

        Raises:
            ContractRefusal: ``UNKNOWN_ACCOUNT``, ``ACCOUNT_REVOKED``, ``UNKNOWN_METHOD``,
                ``NOT_PERMITTED``, ``INVALID_ARGUMENTS``, or what the method says.
        """
        call, arguments = self._check(state, transaction)
        context = Context(
            state=state,
            block=block,
            sender=transaction.payload.sender,
            transaction_id=transaction.id,
        )
        result = call.method.call(context, arguments)
        return result, tuple(context.events)

    def check_admission(self, committed: Records, transaction: Transaction) -> None:
        """Checks sender, method, role and arguments against the committed state.

        A transaction that passes may still be refused by its method, or by a state that has
        moved on; one that does not pass would be refused in any block on this state.

        Raises:
            ContractRefusal: as :meth:`execute` does before it calls the method.
        """
        self._check(committed, transaction)

    def work_of(self, transaction: Transaction) -> int:
        """Returns the work units of a transaction; one where it will be refused anyway."""
        call = self._calls.of(transaction)
        return 1 if call is None else call.work

    def index_keys(self, transaction: Transaction) -> tuple[bytes, ...]:
        """Returns keys of the readings index: meter, zero byte, start of a UTC day of stamps."""
        call = self._calls.of(transaction)
        if call is None or call.arguments is None:
            return ()
        return call.method.index_keys(call.arguments)

    def _check(self, state: Records, transaction: Transaction) -> tuple[Call, Record]:
        account = _check_sender(state, transaction.payload)
        call = self._calls.of(transaction)
        if call is None:
            raise self._unknown_method(transaction.payload)
        _check_role(account, call.method)
        if call.arguments is None:
            raise _invalid_arguments(call)
        return call, call.arguments

    def _unknown_method(self, payload: Payload) -> ContractRefusal:
        return refusal(
            Code.UNKNOWN_METHOD,
            "method",
            got=repr(payload.method),
            expected="one of " + ", ".join(sorted(self._methods)),
        )


def _invalid_arguments(call: Call) -> ContractRefusal:
    fault = call.fault
    assert fault is not None, "arguments that are not there have a fault"
    return refusal(Code.INVALID_ARGUMENTS, fault.path, expected=fault.expected, got=fault.got)


def _check_sender(state: Records, payload: Payload) -> Account:
    account = get_account(state, payload.sender)
    if account is None:
        raise refusal(
            Code.UNKNOWN_ACCOUNT,
            "sender",
            expected="a registered key; an admin registers it with account.register",
            got=payload.sender.hex(),
        )
    if account.revoked_ms is not None:
        raise refusal(
            Code.ACCOUNT_REVOKED,
            "sender",
            expected="an active account",
            got=f"{payload.sender.hex()}, revoked at {account.revoked_ms}",
        )
    return account


def _check_role(account: Account, method: Method) -> None:
    if method.roles.isdisjoint(account.roles):
        raise refusal(
            Code.NOT_PERMITTED,
            f"{method.name}: role of the sender",
            expected=_names_of(role for role in Role if role in method.roles),
            got=_names_of(account.roles),
        )


def _names_of(roles: Iterable[Role]) -> str:
    return " or ".join(role.name for role in roles)
