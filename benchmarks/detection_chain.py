"""The contracts of a chain in memory, with one meter and the two people who look after it.

Everything goes through :class:`contracts.runtime.ContractsRuntime` as transactions of accounts with
roles, block by block; only signatures, consensus and storage are left out. So what is measured here
is what a network does with the same readings.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.execution import BlockContext
from chain.parameters import Parameters
from chain.state import MemoryStateReader, RecordCache, State
from chain.transaction import Payload, Transaction
from chain.types import NONCE_BYTES, SIGNATURE_BYTES, Milliseconds
from contracts.account import Account, Role, account_key
from contracts.baselines import FitBaseline, FitResult, SetBaseline
from contracts.calendars import Calendar, RegisterCalendar
from contracts.meter import Meter, StampConvention, Unit, meter_key
from contracts.meters import RegisterMeter
from contracts.organisations import Organisation, OrganisationKind, organisation_key
from contracts.reading import RawReading, SubmitReadings, SubmitResult
from contracts.reading_page import ReadingPage, page_prefix, slots_of
from contracts.runtime import ContractsRuntime
from contracts.sites import RegisterSite
from demo.cast import meter

_ORGANISATION: Final = "owner"
_SITE: Final = "site"
_CALENDAR: Final = "local"
_ADMIN: Final = Ed25519Signer(b"a" * 32).public_key
_CHAIN_ID: Final = bytes(32)
_STEP_MS: Final = 1_000
"""Between blocks of which nothing depends on the time."""


OPERATOR: Final = Ed25519Signer(b"o" * 32).public_key
"""Key of the account that submits readings and fits baselines."""


def electricity_meter(*, decimals: int, interval_ms: int) -> RegisterMeter:
    """Returns a meter of amounts in kWh whose other properties are not known."""
    return meter(
        meter_id="meter",
        site=_SITE,
        name="Meter",
        calendar=_CALENDAR,
        factor=None,
        stamp=StampConvention.START,
        responsible=OPERATOR,
        unit=Unit.KILOWATT_HOUR,
        scale=-decimals,
        interval_ms=interval_ms,
    )


class DetectionChain:
    """One meter on a chain in memory.

    Args:
        registered: the meter.
        begin_ms: block time of its registration.
    """

    def __init__(self, registered: RegisterMeter, begin_ms: Milliseconds) -> None:
        self._meter = registered
        self._runtime = ContractsRuntime()
        self._reader = MemoryStateReader()
        self._records = RecordCache(self._reader)
        self._state = State(self._records)
        self._parameters = Parameters()
        self._time_ms = begin_ms
        self._nonce = 0
        self._write_accounts()
        self._register()

    def submit(self, readings: Sequence[RawReading]) -> tuple[int, ...]:
        """Commits readings in a block that ends when the last of them does; returns masks."""
        self._time_ms = max(
            self._time_ms + _STEP_MS, readings[-1].stamp_ms + self._meter.interval_ms
        )
        arguments = SubmitReadings(
            meter_id=self._meter.meter_id, unit=self._meter.unit, readings=tuple(readings)
        )
        return SubmitResult.decode(self._call(OPERATOR, "readings.submit", arguments)).failed

    def renew_baseline(self, from_ms: Milliseconds, to_ms: Milliseconds) -> FitResult:
        """Fits a baseline to a window, as an operator does; an admin sets it where it qualifies."""
        window = FitBaseline(meter_id=self._meter.meter_id, from_ms=from_ms, to_ms=to_ms)
        fitted = FitResult.decode(self._call(OPERATOR, "baseline.fit", window))
        if fitted.accepted:
            in_force = SetBaseline(
                meter_id=self._meter.meter_id,
                version=fitted.version,
                from_ms=to_ms,
                reason="fitted again",
            )
            self._call(_ADMIN, "baseline.set", in_force)
        return fitted

    def masks(self) -> Mapping[Milliseconds, int]:
        """Returns what each interval has failed as it stands now, by start."""
        state = State(self._records)
        registered = state.get(Meter, meter_key(self._meter.meter_id))
        assert registered is not None, "the meter is registered"
        prefix = page_prefix(self._meter.meter_id)
        return {
            slot.start_ms: slot.failed
            for key, page in state.iterate(ReadingPage, prefix)
            for slot in slots_of(registered, int(key[len(prefix) :]), page)
        }

    def _register(self) -> None:
        calendar = Calendar(
            calendar_id=_CALENDAR,
            version=1,
            source="stamps of a file in local time",
            transitions=((0, 0),),
            holidays=(),
        )
        site = RegisterSite(
            site_id=_SITE, name="Site", country="XX", address="", calendar=(_CALENDAR, 1)
        )
        self._call(_ADMIN, "calendar.register", RegisterCalendar(calendar=calendar))
        self._call(_ADMIN, "site.register", site)
        self._call(_ADMIN, "meter.register", self._meter)

    def _write_accounts(self) -> None:
        organisation = Organisation(
            organisation_id=_ORGANISATION,
            name="Owner",
            kind=OrganisationKind.MEMBER,
            registered_ms=0,
        )
        self._state.put(organisation_key(_ORGANISATION), organisation)
        for key, role in ((_ADMIN, Role.ADMIN), (OPERATOR, Role.OPERATOR)):
            account = Account(
                public_key=key,
                name=role.name.lower(),
                organisation=_ORGANISATION,
                roles=(role,),
                registered_ms=0,
                revoked_ms=None,
            )
            self._state.put(account_key(key), account)
        self._commit()

    def _call(self, sender: bytes, method: str, arguments: Record) -> bytes:
        """Runs one transaction as a block of its own; returns its result."""
        self._nonce += 1
        payload = Payload(
            chain_id=_CHAIN_ID,
            sender=sender,
            nonce=self._nonce.to_bytes(NONCE_BYTES, "big"),
            valid_until_ms=self._time_ms,
            method=method,
            arguments=arguments.encode(),
        )
        transaction = Transaction(
            wire=payload.arguments,
            payload=payload,
            payload_bytes=payload.arguments,
            signature=bytes(SIGNATURE_BYTES),
            id=self._nonce.to_bytes(32, "big"),
        )
        block = BlockContext(
            chain_id=_CHAIN_ID,
            height=self._nonce,
            time_ms=self._time_ms,
            parent_time_ms=self._time_ms - 1,
            parameters=self._parameters,
        )
        self._runtime.begin_block(self._state, block)
        result, _ = self._runtime.execute(self._state, block, transaction)
        self._commit()
        return result

    def _commit(self) -> None:
        changes = self._state.changes()
        self._reader.apply(changes)
        self._records.apply(changes)
        self._state = State(self._records)
        self._time_ms += _STEP_MS
