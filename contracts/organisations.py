"""Organisations: the members of the consortium and the bodies that certify them.

They come from genesis only, for now; a later change of membership is for governance to decide.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import Identifier, Milliseconds, Name


class OrganisationKind(IntEnum):
    """Which side of the table an organisation sits on."""

    MEMBER = 1
    """Measures, and answers for its meters."""
    CERTIFICATION_BODY = 2
    """Judges what others measure; only its accounts may be certifiers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation(Record):
    """One organisation."""

    organisation_id: Identifier
    name: Name
    kind: OrganisationKind
    registered_ms: Milliseconds


ORGANISATION_PREFIX: Final = b"organisation/"


def organisation_key(organisation_id: str) -> bytes:
    """Returns the state key of an organisation."""
    return ORGANISATION_PREFIX + organisation_id.encode()


def get_organisation(state: State, organisation_id: str) -> Organisation | None:
    """Returns an organisation, or None where there is none of this name."""
    return state.get(Organisation, organisation_key(organisation_id))
