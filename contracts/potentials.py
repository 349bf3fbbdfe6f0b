"""Publications that factors come from: sets of factors, and sets of warming potentials.

Both are named objects in state with publisher, version, source and evidence, set once: a later
publication is a set of its own, so a report can say which one it used.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import Identifier, Length, Milliseconds, Name, Text
from contracts.account import Role
from contracts.accounts import sender_of
from contracts.context import Context
from contracts.factor import EvidenceGrade
from contracts.gas import GWP_TENTHS_OF_CO2, Gas, Potential
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal

POTENTIALS_MAX: Final = 256
"""Species of one set; AR6 lists some two hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication(Record):
    """What is published together."""

    set_id: Identifier
    name: Name
    publisher: Name
    version: Name
    """Of the publication, such as ``2025-47`` or ``AR6``."""
    source: Name
    """Document or repository that it was taken from."""
    licence: Text
    evidence: EvidenceGrade
    """Of the publication as a whole; each value has its own."""
    evidence_note: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFactorSet(Publication):
    """Arguments of ``factor.register_set``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSet(Publication):
    """A publication of factors."""

    organisation: Identifier
    registered_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeciesPotential(Record):
    """What a gram of a gas counts over 100 years."""

    species: Identifier
    gas: Gas
    potential: Potential
    evidence: EvidenceGrade


Potentials = Annotated[tuple[SpeciesPotential, ...], Length(1, POTENTIALS_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterGwpSet(Publication):
    """Arguments of ``gwp.register``."""

    potentials: Potentials
    """Ascending by species, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GwpSet(Publication):
    """A publication of potentials, such as AR5."""

    potentials: Potentials
    organisation: Identifier
    registered_ms: Milliseconds


FACTOR_SET_PREFIX: Final = b"factor-set/"
GWP_SET_PREFIX: Final = b"gwp-set/"


def get_factor_set(state: State, set_id: str) -> FactorSet | None:
    """Returns a set of factors, or None."""
    return state.get(FactorSet, FACTOR_SET_PREFIX + set_id.encode())


def get_gwp_set(state: State, set_id: str) -> GwpSet | None:
    """Returns a set of potentials, or None."""
    return state.get(GwpSet, GWP_SET_PREFIX + set_id.encode())


def register_factor_set(context: Context, arguments: RegisterFactorSet) -> bytes:
    """Registers a publication of factors; emits ``factor.set_registered``.

    Raises:
        ContractRefusal: ``ALREADY_EXISTS``.
    """
    _check_is_new(get_factor_set(context.state, arguments.set_id))
    registered = FactorSet(
        set_id=arguments.set_id,
        name=arguments.name,
        publisher=arguments.publisher,
        version=arguments.version,
        source=arguments.source,
        licence=arguments.licence,
        evidence=arguments.evidence,
        evidence_note=arguments.evidence_note,
        organisation=sender_of(context).organisation,
        registered_ms=context.time_ms,
    )
    context.state.put(FACTOR_SET_PREFIX + registered.set_id.encode(), registered)
    context.emit("factor.set_registered", registered.set_id, registered)
    return b""


def register_gwp_set(context: Context, arguments: RegisterGwpSet) -> bytes:
    """Registers a publication of potentials; emits ``gwp.registered``.

    Raises:
        ContractRefusal: ``ALREADY_EXISTS``; ``INVALID_ARGUMENTS`` for species out of order or a
            potential of CO2 other than 1.
    """
    _check_is_new(get_gwp_set(context.state, arguments.set_id))
    names = [each.species for each in arguments.potentials]
    if names != sorted(dict.fromkeys(names)):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "potentials",
            expected="ascending by species, each once",
            got=", ".join(names),
        )
    for each in arguments.potentials:
        if each.gas in {Gas.CO2, Gas.UNSPLIT} and each.potential != GWP_TENTHS_OF_CO2:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"potentials.{each.species}",
                expected=f"{GWP_TENTHS_OF_CO2} tenths, because it is {each.gas.name}",
                got=str(each.potential),
            )
    registered = GwpSet(
        set_id=arguments.set_id,
        name=arguments.name,
        publisher=arguments.publisher,
        version=arguments.version,
        source=arguments.source,
        licence=arguments.licence,
        evidence=arguments.evidence,
        evidence_note=arguments.evidence_note,
        potentials=arguments.potentials,
        organisation=sender_of(context).organisation,
        registered_ms=context.time_ms,
    )
    context.state.put(GWP_SET_PREFIX + registered.set_id.encode(), registered)
    context.emit("gwp.registered", registered.set_id, registered)
    return b""


def _check_is_new(existing: Publication | None) -> None:
    if existing is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "set_id",
            expected="an id that no set has; a later publication is a set of its own",
            got=f"{existing.set_id!r}: {existing.name}, {existing.version}",
        )


_ROLES: Final = frozenset({Role.ADMIN, Role.CERTIFIER})
METHODS: Final[tuple[Method, ...]] = (
    method_of("factor.register_set", RegisterFactorSet, register_factor_set, roles=_ROLES),
    method_of(
        "gwp.register",
        RegisterGwpSet,
        register_gwp_set,
        roles=_ROLES,
        work=lambda arguments: 1 + len(arguments.potentials) // 16,
    ),
)
