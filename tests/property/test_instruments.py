"""Whatever is registered, handed on and retired: each watt hour has one holder and counts once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hypothesis import given, settings, strategies as st

from chain.errors import ContractRefusal
from contracts import instruments, sites
from contracts.context import Context
from contracts.instrument import INSTRUMENT_PREFIX, Instrument, InstrumentState
from contracts.instruments import RetireInstrument, TransferInstrument
from contracts.site_month import SiteMonth, site_month_key
from tests.unit.contracts.registry_world import ADMIN, OTHER_ADMIN, SITE, ArgumentsT
from tests.unit.contracts.test_instruments import MARKET, OCTOBER, REGISTER, MarketWorld

OWNERS: Final = ("steel", "grid")
SITES: Final = ("plant", "station")
KEYS: Final = (ADMIN, OTHER_ADMIN)
MONTHS: Final = (OCTOBER, OCTOBER + 1)

_who = st.integers(0, 1)
_what = st.integers(0, 4)
_steps = st.lists(
    st.tuples(
        st.sampled_from(["register", "transfer", "retire", "block"]),
        _who,
        _what,
        st.integers(0, 1),
        st.integers(1, 9),
    ),
    max_size=40,
)


class Model:
    """A world with two members, and who should hold what, as plain Python."""

    def __init__(self) -> None:
        self.world = MarketWorld()
        self.world.call(sites.register, replace(SITE, site_id="station"), sender=OTHER_ADMIN)
        self.world.call(instruments.set_market, replace(MARKET, site="station"), sender=OTHER_ADMIN)
        self.holders: dict[str, int] = {"wind-1": 0}
        self.volumes: dict[str, int] = {"wind-1": REGISTER.volume_wh}
        self.serials: dict[str, set[int]] = {"wind-1": set(range(1_000, 2_000))}
        self.used: Counter[tuple[str, int]] = Counter()
        self.retired: dict[str, int] = {}

    def step(self, kind: str, who: int, what: int, other: int, size: int) -> None:
        name = f"wind-{what + 1}"
        match kind:
            case "register":
                self.register(name, who, 3 * what + other, size)
            case "transfer":
                arguments = TransferInstrument(
                    instrument_id=name, receiver=OWNERS[other], reference="a contract"
                )
                expected = self.may_use(name, who) and other != who
                assert self.succeeds(instruments.transfer, arguments, who) is expected
                if expected:
                    self.holders[name] = other
            case "retire":
                self.retire(name, who, other, size)
            case _:
                self.world.next_block()

    def register(self, name: str, who: int, first: int, size: int) -> None:
        """Registers serial numbers that may overlap those of another one."""
        numbers = set(range(first, first + size))
        arguments = replace(
            REGISTER,
            instrument_id=name,
            serial_first=first,
            serial_last=first + size - 1,
            volume_wh=1_000 * size,
        )
        expected = name not in self.holders and not any(
            numbers & taken for taken in self.serials.values()
        )
        assert self.succeeds(instruments.register, arguments, who) is expected
        if expected:
            self.holders[name] = who
            self.volumes[name] = 1_000 * size
            self.serials[name] = numbers

    def retire(self, name: str, who: int, where: int, part: int) -> None:
        """Retires into two months of a site, its own or the other member's."""
        volume = self.volumes.get(name, 1_000)
        months = ((OCTOBER, part), (OCTOBER + 1, volume - part))
        arguments = RetireInstrument(instrument_id=name, site=SITES[where], months=months)
        expected = self.may_use(name, who) and where == who
        assert self.succeeds(instruments.retire, arguments, who) is expected
        if expected:
            self.retired[name] = where
            for month, amount in months:
                self.used[SITES[where], month] += amount

    def may_use(self, name: str, who: int) -> bool:
        return self.holders.get(name) == who and name not in self.retired

    def succeeds(
        self,
        function: Callable[[Context, ArgumentsT], bytes],
        arguments: ArgumentsT,
        who: int,
    ) -> bool:
        try:
            self.world.call(function, arguments, sender=KEYS[who])
        except ContractRefusal:
            return False
        return True

    def check(self) -> None:
        found = {
            each.instrument_id: each
            for _, each in self.world.state.iterate(Instrument, INSTRUMENT_PREFIX)
        }
        assert {name: each.volume_wh for name, each in found.items()} == self.volumes
        assert {name: each.organisation for name, each in found.items()} == {
            name: OWNERS[who] for name, who in self.holders.items()
        }
        is_retired = {n for n, each in found.items() if each.state is InstrumentState.RETIRED}
        assert is_retired == set(self.retired)
        allocated: Counter[tuple[str, int]] = Counter()
        names: list[str] = []
        for site in SITES:
            for month in MONTHS:
                record = self.world.state.get(SiteMonth, site_month_key(site, month))
                for each in () if record is None else record.allocations:
                    allocated[site, month] += each.amount_wh
                    names += [each.instrument_id]
        assert allocated == self.used
        assert sum(allocated.values()) == sum(self.volumes[name] for name in self.retired)
        assert Counter(names) == dict.fromkeys(self.retired, len(MONTHS))


@settings(max_examples=150, deadline=None)
@given(_steps)
def test_no_sequence_makes_volume_or_uses_it_twice(
    steps: list[tuple[str, int, int, int, int]],
) -> None:
    model = Model()
    for step in steps:
        model.step(*step)
    model.check()
