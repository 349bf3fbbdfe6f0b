"""The network under test: four validators, one operator each, 500 meters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.workload import (
    BATCHES,
    FIRST_START_MS,
    FLOOD,
    INTERVAL_MS,
    METERS,
    SINGLES,
    UNIT,
    Workload,
    meter_name,
)
from chain.codec import Record
from chain.member import MemberRole
from client.asynchronous import Call
from contracts.account import Role
from contracts.calendars import Calendar, RegisterCalendar
from contracts.factor import EvidenceGrade, FactorBasis
from contracts.factors import SetFactor
from contracts.meter import StampConvention, ValueKind
from contracts.meters import RegisterMeter
from contracts.sites import RegisterSite
from demo.cast import meter
from demo.founding import found_network
from demo.stage import Stage, commit_all, operator_of
from node.genesis_file import load_genesis
from node.keystore import THROW_AWAY_COST
from node.provisioning import Network, OrganisationPlan

Registration: TypeAlias = tuple[str, Record]
"""Method and arguments."""
HEARTBEAT_MS: Final = 5_000
_YEARS_MS: Final = 10 * 366 * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workloads:
    """Who signs for the registered meters."""

    single: Workload
    batch: Workload
    flood: Workload
    """As many meters as the others, all of the first organisation."""


def found(directory: Path, validators: int, *, observers: int = 0) -> Network:
    """Makes keys, genesis and homes of a network of one organisation for each node.

    Args:
        directory: new or empty.
        validators: come first.
        observers: come after them.
    """
    organisations = tuple(
        OrganisationPlan(
            organisation=f"member-{number}",
            name=f"Member {number}",
            node_id=f"node-{number}",
            role=MemberRole.VALIDATOR if number <= validators else MemberRole.OBSERVER,
        )
        for number in range(1, validators + observers + 1)
    )
    return found_network(
        directory, organisations, max_block_interval_ms=HEARTBEAT_MS, cost=THROW_AWAY_COST
    )


async def register(network: Network, *, meters: int = METERS) -> Workloads:
    """Registers operators, calendar, factor, sites and meters, and returns who signs for them.

    Args:
        network: running; each of its nodes gets an operator and its share of the meters.
        meters: of each workload.

    Raises:
        DemoFailed: a transaction was refused.
    """
    names = [node.organisation for node in network.nodes]
    async with Stage(network) as stage:
        for lane, name in enumerate(names):
            operator = stage.register_call(operator_of(name), "Operator", Role.OPERATOR)
            key = stage.signer(operator_of(name)).public_key
            shared, site, registered = setting_of(
                name, key, range(lane, meters, len(names)), (SINGLES, BATCHES)
            )
            admin = stage.admin(name)
            await commit_all(admin, [operator, *(_call(each) for each in shared if lane == 0)])
            # One after the other: meters need their site, and a site its calendar.
            await commit_all(admin, [_call(site)])
            if lane == 0:
                registered += _registrations(name, key, range(meters), (FLOOD,))
            await commit_all(admin, [_call(each) for each in registered])
        signers = tuple(stage.signer(operator_of(name)) for name in names)
    chain_id = load_genesis(network.genesis_path).chain_id
    return Workloads(
        single=Workload(chain_id=chain_id, signers=signers, meters=meters),
        batch=Workload(chain_id=chain_id, signers=signers, prefix=BATCHES, meters=meters),
        flood=Workload(
            chain_id=chain_id, signers=(signers[0],) * len(names), prefix=FLOOD, meters=meters
        ),
    )


def setting_of(
    organisation: str,
    operator_key: bytes,
    meters: Iterable[int],
    prefixes: Sequence[str] = (SINGLES,),
) -> tuple[list[Registration], Registration, list[Registration]]:
    """Returns what readings need: factor and calendar of all, an organisation's site, its meters.

    Each part needs those before it.
    """
    shared: list[Registration] = [
        ("factor.set", _factor()),
        ("calendar.register", RegisterCalendar(calendar=_calendar())),
    ]
    registered = _registrations(organisation, operator_key, meters, prefixes)
    return shared, ("site.register", _site(organisation)), registered


def _registrations(
    organisation: str, key: bytes, meters: Iterable[int], prefixes: Sequence[str]
) -> list[Registration]:
    return [
        ("meter.register", meter_of(organisation, meter_name(index, prefix), key))
        for index in meters
        for prefix in prefixes
    ]


def _call(registration: Registration) -> Call:
    method, arguments = registration
    return Call(method=method, arguments=arguments)


def meter_of(organisation: str, meter_id: str, key: bytes) -> RegisterMeter:
    """Returns an electricity meter that an operator of the organisation answers for."""
    return meter(
        meter_id=meter_id,
        site=f"site-{organisation}",
        name="Benchmark",
        calendar="utc",
        factor="grid",
        stamp=StampConvention.START,
        responsible=key,
        unit=UNIT,
        kind=ValueKind.INTERVAL,
        interval_ms=INTERVAL_MS,
    )


def _site(organisation: str) -> RegisterSite:
    return RegisterSite(
        site_id=f"site-{organisation}",
        name="Benchmark",
        country="CN",
        address="",
        calendar=("utc", 1),
    )


def _calendar() -> Calendar:
    return Calendar(calendar_id="utc", version=1, source="UTC", transitions=((0, 0),), holidays=())


def _factor() -> SetFactor:
    return SetFactor(
        factor_id="grid",
        name="Grid",
        basis=FactorBasis.LOCATION_BASED,
        base_unit=UNIT,
        value=5_000,
        valid_from_ms=FIRST_START_MS - _YEARS_MS,
        valid_to_ms=FIRST_START_MS + _YEARS_MS,
        source="made up for the benchmark",
        evidence=EvidenceGrade.UNCONFIRMED,
    )
