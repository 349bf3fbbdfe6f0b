"""A small registry to test contracts in: two members, a certification body, and their accounts."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.errors import ContractRefusal
from chain.execution import BlockContext
from chain.parameters import Parameters
from chain.receipt import Event
from chain.state import MemoryStateReader, State
from contracts import calendars, factors, meters, sites
from contracts.account import Account, Role, account_key
from contracts.alert import Occurrence
from contracts.calendars import Calendar, RegisterCalendar
from contracts.check import Check
from contracts.context import Context
from contracts.exchange import ProposeExchange
from contracts.factor import EvidenceGrade, FactorBasis
from contracts.factors import SetFactor
from contracts.meter import Direction, Meter, Quantity, StampConvention, Unit, ValueKind, meter_key
from contracts.meters import RegisterMeter
from contracts.organisations import Organisation, OrganisationKind, organisation_key
from contracts.sites import RegisterSite

ArgumentsT = TypeVar("ArgumentsT", bound=Record)

START_MS = 1_700_000_000_000


def key_of(number: int) -> bytes:
    """Returns a valid public key, another for each number."""
    return Ed25519Signer(bytes([number]) * 32).public_key


ADMIN = key_of(1)
SECOND_ADMIN = key_of(2)
OPERATOR = key_of(3)
GATEWAY = key_of(4)
SECOND_OPERATOR = key_of(5)
OTHER_ADMIN = key_of(6)
OTHER_OPERATOR = key_of(7)
BODY_ADMIN = key_of(8)
CERTIFIER = key_of(9)
NEW_KEY = key_of(10)
REVOKED = key_of(11)

_ACCOUNTS = (
    (ADMIN, "steel", (Role.ADMIN,)),
    (SECOND_ADMIN, "steel", (Role.ADMIN,)),
    (OPERATOR, "steel", (Role.OPERATOR,)),
    (SECOND_OPERATOR, "steel", (Role.OPERATOR,)),
    (GATEWAY, "steel", (Role.GATEWAY,)),
    (REVOKED, "steel", (Role.OPERATOR,)),
    (OTHER_ADMIN, "grid", (Role.ADMIN,)),
    (OTHER_OPERATOR, "grid", (Role.OPERATOR,)),
    (BODY_ADMIN, "body", (Role.ADMIN,)),
    (CERTIFIER, "body", (Role.CERTIFIER,)),
)


class World:
    """A state with organisations and accounts, and a block to call contracts in."""

    events: list[Event]

    def __init__(self) -> None:
        self.reader = MemoryStateReader()
        self.state = State(self.reader)
        self.time_ms = START_MS
        self.parameters = Parameters()
        self.events = []
        for name in ("steel", "grid", "body"):
            kind = (
                OrganisationKind.CERTIFICATION_BODY if name == "body" else OrganisationKind.MEMBER
            )
            self.state.put(
                organisation_key(name),
                Organisation(organisation_id=name, name=name, kind=kind, registered_ms=1),
            )
        for key, organisation, roles in _ACCOUNTS:
            self.state.put(
                account_key(key),
                Account(
                    public_key=key,
                    name="somebody",
                    organisation=organisation,
                    roles=roles,
                    registered_ms=1,
                    revoked_ms=5 if key == REVOKED else None,
                ),
            )
        self.next_block(after_ms=0)

    @property
    def block(self) -> BlockContext:
        return BlockContext(
            chain_id=bytes(32),
            height=1,
            time_ms=self.time_ms,
            parent_time_ms=self.time_ms - 1,
            parameters=self.parameters,
        )

    def context(self, sender: bytes = ADMIN, transaction_id: bytes = bytes(32)) -> Context:
        return Context(
            state=self.state,
            block=self.block,
            sender=sender,
            transaction_id=transaction_id,
            events=self.events,
        )

    def next_block(self, after_ms: int = 1_000) -> None:
        """Commits what was written and starts a block this much later."""
        self.reader.apply(self.state.changes())
        self.state = State(self.reader)
        self.time_ms += after_ms
        self.events = []

    def call(
        self,
        function: Callable[[Context, ArgumentsT], bytes],
        arguments: ArgumentsT,
        *,
        sender: bytes = ADMIN,
        transaction_id: bytes = bytes(32),
    ) -> None:
        """Calls a contract method that succeeds, with arguments that went over the wire."""
        received = type(arguments).decode(arguments.encode())
        assert function(self.context(sender, transaction_id), received) == b""

    def refusal_of(
        self,
        function: Callable[[Context, ArgumentsT], bytes],
        arguments: ArgumentsT,
        *,
        sender: bytes = ADMIN,
    ) -> tuple[str, str]:
        """Calls a contract method that refuses; returns code and detail."""
        before = self.state.changes()
        with pytest.raises(ContractRefusal) as caught:
            function(self.context(sender), arguments)
        assert self.state.changes() == before
        return caught.value.code, caught.value.detail

    @property
    def event_kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def add_calendar(self) -> None:
        self.call(calendars.register, CALENDAR)

    def add_site(self) -> None:
        self.add_calendar()
        self.call(sites.register, SITE)

    def add_factor(self) -> None:
        self.call(factors.set_factor, FACTOR)

    def add_meter(self) -> Meter:
        self.add_site()
        self.add_factor()
        self.call(meters.register, METER)
        return self.meter("main")

    def meter(self, meter_id: str) -> Meter:
        meter = self.state.get(Meter, meter_key(meter_id))
        assert meter is not None
        return meter


def occurrence(
    interval_start_ms: int = 0,
    *,
    check: Check = Check.ENERGY_CO2,
    observed: int = 0,
    expected: int = 1,
    leaf: bytes = bytes(32),
) -> Occurrence:
    """A failing interval."""
    return Occurrence(
        check=check,
        interval_start_ms=interval_start_ms,
        observed=observed,
        expected=expected,
        leaf=leaf,
    )


CALENDAR = RegisterCalendar(
    calendar=Calendar(
        calendar_id="seoul",
        version=1,
        source="IANA tzdata 2025b, Asia/Seoul",
        transitions=((0, 32_400), (100, 36_000)),
        holidays=(1, 2),
    )
)
SITE = RegisterSite(
    site_id="plant", name="Steel plant", country="KR", address="Gwangyang", calendar=("seoul", 1)
)
FACTOR = SetFactor(
    factor_id="kr-grid",
    name="Korean grid",
    basis=FactorBasis.LOCATION_BASED,
    base_unit=Unit.WATT_HOUR,
    value=4_306,
    valid_from_ms=1_000,
    valid_to_ms=2_000,
    source="a publisher",
    evidence=EvidenceGrade.SECONDARY,
)
METER = RegisterMeter(
    meter_id="main",
    site="plant",
    name="Main meter",
    serial="A-1",
    make="Maker",
    accuracy_class_permille=10,
    quantity=Quantity.ELECTRICITY,
    unit=Unit.KILOWATT_HOUR,
    scale=-2,
    kind=ValueKind.REGISTER,
    direction=Direction.IMPORT,
    transformer_ratio=(1, 1),
    multiplier=(1, 1),
    register_modulus=1_000_000,
    nameplate_w=500_000,
    interval_ms=900_000,
    stamp=StampConvention.END,
    calendar=("seoul", 1),
    parent=None,
    factor="kr-grid",
    co2_check=(4_585, 10_000),
    responsible=OPERATOR,
    calibration_certificate=bytes(32),
    calibration_valid_until_ms=0,
    installed_from_ms=1_000,
    installed_to_ms=None,
)
INTERVAL_METER = replace(METER, kind=ValueKind.INTERVAL, register_modulus=None)
EXCHANGE = ProposeExchange(
    meter_id="main",
    effective_ms=START_MS - 10,
    last_register=999_999,
    first_register=7,
    serial="B-2",
    make="New maker",
    register_modulus=10_000,
    calibration_certificate=b"\x01" * 32,
    calibration_valid_until_ms=9,
    reason="calibration ran out",
)
