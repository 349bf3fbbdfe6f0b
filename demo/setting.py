"""Setting the stage: everything that must be on the chain before the first reading."""

import asyncio

from client.asynchronous import Call
from contracts.account import Role
from contracts.calendars import RegisterCalendar
from contracts.meters import RegisterMeter
from demo import cast
from demo.sources import Sources
from demo.stage import CERTIFIER, Stage, commit_all, operator_of


async def set_stage(stage: Stage) -> None:
    """Registers accounts, calendars, factors and sites.

    Raises:
        DemoFailed: a transaction was refused.
    """
    places = cast.places()
    certifier_calls = [stage.register_call(CERTIFIER, "Certifier", Role.CERTIFIER)]
    certifier_calls += [
        Call(method="factor.set", arguments=place.factor) for place in places if place.factor
    ]
    # What needs nothing before it goes first, side by side; sites need their calendar.
    await asyncio.gather(
        commit_all(stage.admin("certifier"), certifier_calls),
        *(commit_all(stage.admin(place.organisation), _first(stage, place)) for place in places),
    )
    await asyncio.gather(
        *(
            commit_all(
                stage.admin(place.organisation),
                [Call(method="site.register", arguments=place.site)],
            )
            for place in places
        )
    )


async def register_meters(stage: Stage, sources: Sources) -> None:
    """Registers all meters; needs the sites.

    Raises:
        DemoFailed: a transaction was refused.
    """
    await asyncio.gather(
        *(
            commit_all(
                stage.admin(organisation),
                [Call(method="meter.register", arguments=meter) for meter in meters],
            )
            for organisation, meters in _meters(stage, sources).items()
        )
    )


def _first(stage: Stage, place: cast.Place) -> list[Call]:
    operator = operator_of(place.organisation)
    return [
        stage.register_call(operator, "Operator", Role.OPERATOR),
        Call(method="calendar.register", arguments=RegisterCalendar(calendar=place.calendar)),
    ]


def _meters(stage: Stage, sources: Sources) -> dict[str, list[RegisterMeter]]:
    def key(organisation: str) -> bytes:
        return stage.signer(operator_of(organisation)).public_key

    return {
        "steelworks": [cast.steel_meter(key("steelworks"))],
        "forrestal": [
            cast.forrestal_meter(name, sources.zones[name], key("forrestal"))
            for name in sources.forrestal
        ],
        "office": [
            cast.office_meter(cast.OFFICE_METER, "Whole building", key("office")),
            cast.office_meter(
                cast.MARKED_METER, "Copy of one week with faults put in", key("office")
            ),
        ],
        "metering": [cast.live_meter(key("metering"))],
    }
