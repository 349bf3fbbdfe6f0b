"""Meters that every check applies to: nameplate, register, channels, sequence, baseline in force.

The meters of the other workloads say no more than they must, so half of the rules have nothing to
judge. Here each reading gives every rule of ``contracts/deviation/table.py`` something to compare,
and all of them pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from benchmarks.founding import meter_of
from benchmarks.supply import Queues
from benchmarks.workload import FIRST_START_MS, INTERVAL_MS, Workload, amount_of, meter_name
from chain.codec import Value
from chain.crypto import Ed25519Signer
from chain.types import Hash
from client.asynchronous import Call
from contracts.baselines import FitBaseline, SetBaseline
from contracts.calendars import HOUR_MS
from contracts.meter import ValueKind
from contracts.meters import RegisterMeter
from contracts.reading import Channel, Quality
from demo.stage import Stage, commit_all, operator_of
from node.provisioning import Network

CHECKED: Final = "checked"
"""Prefix of their names."""
CHECKED_METERS: Final = 100
TRAINING_READINGS: Final = 1_500
"""Of each meter before its baseline: 15 days of quarter hours, where 14 days are the least."""
TRAINING_BATCH: Final = 100
_CO2_FACTOR: Final = 5_000
"""1e-4 kg a kWh: half a gram a watt hour."""
_NAMEPLATE_W: Final = 200_000
_FIRST_REGISTER: Final = 1_000_000_000
"""Not a young counter, which multiplies by counting."""
_POWER_FACTOR_PERMILLE: Final = 950
_VOLTAGE_CV: Final = 23_000
_PHASES: Final = 3
_MICROWATTS: Final = 100_000_000
"""Milliamperes times hundredths of a volt times permille, in a watt."""


@dataclass(slots=True)
class CheckedReadings:
    """Readings with everything that a check can look at; each meter's in ascending order."""

    _registers: dict[int, int] = field(default_factory=dict)
    """Counter of each meter."""

    def __call__(self, meter: int, interval: int) -> Value:
        """Returns the next reading of a meter, as the values of a ``RawReading``."""
        amount = amount_of(meter, interval)
        register = self._registers.get(meter, _FIRST_REGISTER) + amount
        self._registers[meter] = register
        demand_w = amount * HOUR_MS // INTERVAL_MS
        current_ma = demand_w * _MICROWATTS // (_PHASES * _VOLTAGE_CV * _POWER_FACTOR_PERMILLE)
        return (
            FIRST_START_MS + interval * INTERVAL_MS,
            register,
            None,
            int(Quality.MEASURED),
            interval,
            None,
            (
                (int(Channel.DEMAND_W), demand_w),
                (int(Channel.POWER_FACTOR_PERMILLE), _POWER_FACTOR_PERMILLE),
                (int(Channel.CURRENT_A_MA), current_ma),
                (int(Channel.CURRENT_B_MA), current_ma),
                (int(Channel.CURRENT_C_MA), current_ma),
                (int(Channel.VOLTAGE_AN_CV), _VOLTAGE_CV),
                (int(Channel.VOLTAGE_BN_CV), _VOLTAGE_CV),
                (int(Channel.VOLTAGE_CN_CV), _VOLTAGE_CV),
                (int(Channel.REACTIVE_LAGGING_VARH), 0),
                (int(Channel.REPORTED_CO2_G), (amount * _CO2_FACTOR + 5_000) // 10_000),
                (int(Channel.POWER_FACTOR_LAGGING_E4), 10_000),
            ),
            None,
        )


def checked_workload(chain_id: Hash, signers: tuple[Ed25519Signer, ...]) -> Workload:
    """Returns who signs for these meters."""
    return Workload(
        chain_id=chain_id,
        signers=signers,
        prefix=CHECKED,
        meters=CHECKED_METERS,
        reading=CheckedReadings(),
    )


def checked_meter(organisation: str, meter_id: str, key: bytes) -> RegisterMeter:
    """Returns a meter whose properties every check can use."""
    return replace(
        meter_of(organisation, meter_id, key),
        kind=ValueKind.REGISTER,
        nameplate_w=_NAMEPLATE_W,
        co2_check=(_CO2_FACTOR, 1),
    )


def training(workload: Workload) -> Queues:
    """Returns the transactions that baselines are fitted on."""
    meters = workload.meters - workload.meters % workload.lanes
    return workload.sign_lanes(meters * TRAINING_READINGS // TRAINING_BATCH, TRAINING_BATCH)


def fit_of(meter_id: str) -> FitBaseline:
    """Returns the call that fits a baseline on the training readings."""
    return FitBaseline(meter_id=meter_id, from_ms=FIRST_START_MS, to_ms=_training_end_ms())


def set_of(meter_id: str) -> SetBaseline:
    """Returns the call that brings it into force for everything after them."""
    return SetBaseline(meter_id=meter_id, version=1, from_ms=_training_end_ms())


async def register_checked(network: Network) -> None:
    """Registers the meters; their sites, calendar, factor and operators are there already.

    Raises:
        DemoFailed: a transaction was refused.
    """
    async with Stage(network) as stage:
        for name, meter_ids in _meters_by_organisation(network):
            key = stage.signer(operator_of(name)).public_key
            calls = [
                Call(method="meter.register", arguments=checked_meter(name, each, key))
                for each in meter_ids
            ]
            await commit_all(stage.admin(name), calls)


async def set_baselines(network: Network) -> None:
    """Fits a baseline for each meter and brings it into force.

    Raises:
        DemoFailed: a transaction was refused.
    """
    async with Stage(network) as stage:
        for name, meter_ids in _meters_by_organisation(network):
            fits = [Call(method="baseline.fit", arguments=fit_of(each)) for each in meter_ids]
            sets = [Call(method="baseline.set", arguments=set_of(each)) for each in meter_ids]
            await commit_all(stage.operator(name), fits)
            await commit_all(stage.admin(name), sets)


def _meters_by_organisation(network: Network) -> Iterator[tuple[str, list[str]]]:
    lanes = len(network.nodes)
    for lane, node in enumerate(network.nodes):
        yield (
            node.organisation,
            [meter_name(index, CHECKED) for index in range(lane, CHECKED_METERS, lanes)],
        )


def _training_end_ms() -> int:
    return FIRST_START_MS + TRAINING_READINGS * INTERVAL_MS
