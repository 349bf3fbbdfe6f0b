from chain.genesis import Genesis, GenesisOrganisation, build_genesis_state
from chain.member import Member, MemberRole
from chain.parameters import Parameters
from contracts.account import Account, Role
from contracts.organisations import Organisation, OrganisationKind
from contracts.runtime import ContractsRuntime
from tests.unit.contracts.registry_world import key_of


def member(number: int, organisation: str, role: MemberRole) -> Member:
    return Member(
        node_id=f"node-{number}",
        organisation=organisation,
        role=role,
        consensus_key=key_of(100 + number),
        tls_certificate=bytes([number]),
        host="127.0.0.1",
        port=number,
    )


GENESIS = Genesis(
    network="test",
    time_ms=77,
    parameters=Parameters(),
    organisations=tuple(
        GenesisOrganisation(id=name, name=name.title(), admin_key=key_of(number))
        for number, name in enumerate(("steel", "grid", "body", "guest"), 1)
    ),
    members=(
        member(1, "steel", MemberRole.VALIDATOR),
        member(2, "grid", MemberRole.VALIDATOR),
        member(3, "grid", MemberRole.OBSERVER),
        member(4, "body", MemberRole.OBSERVER),
    ),
)


def test_genesis_founds_organisations_and_their_first_admins() -> None:
    changes = build_genesis_state(GENESIS, ContractsRuntime()).changes

    assert Organisation.decode(changes[b"organisation/steel"]) == Organisation(
        organisation_id="steel", name="Steel", kind=OrganisationKind.MEMBER, registered_ms=77
    )
    assert Account.decode(changes[b"account/" + key_of(1).hex().encode()]) == Account(
        public_key=key_of(1),
        name="first admin of steel",
        organisation="steel",
        roles=(Role.ADMIN,),
        registered_ms=77,
        revoked_ms=None,
    )
    assert sum(key.startswith(b"account/") for key in changes) == 4


def test_certification_bodies_run_observers_and_do_not_vote() -> None:
    changes = build_genesis_state(GENESIS, ContractsRuntime()).changes

    kinds = {
        key.decode(): Organisation.decode(value).kind.name
        for key, value in changes.items()
        if key.startswith(b"organisation/")
    }
    assert kinds == {
        "organisation/body": "CERTIFICATION_BODY",
        "organisation/grid": "MEMBER",
        "organisation/guest": "MEMBER",
        "organisation/steel": "MEMBER",
    }
