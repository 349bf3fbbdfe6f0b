"""What genesis founds on the contracts' side: organisations and their first admins."""

from chain.genesis import Genesis
from chain.member import MemberRole
from chain.state import State
from contracts.account import Account, Role, account_key
from contracts.organisations import Organisation, OrganisationKind, organisation_key


def write_genesis(state: State, genesis: Genesis) -> None:
    """Writes each founding organisation and one active admin account for it.

    Args:
        state: of height 0; holds none of these records yet.
        genesis: has passed :meth:`Genesis.check`.
    """
    for founder in genesis.organisations:
        organisation = Organisation(
            organisation_id=founder.id,
            name=founder.name,
            kind=_kind_of(genesis, founder.id),
            registered_ms=genesis.time_ms,
        )
        admin = Account(
            public_key=founder.admin_key,
            name=f"first admin of {founder.id}",
            organisation=founder.id,
            roles=(Role.ADMIN,),
            registered_ms=genesis.time_ms,
            revoked_ms=None,
        )
        state.put(organisation_key(founder.id), organisation)
        state.put(account_key(founder.admin_key), admin)


def _kind_of(genesis: Genesis, organisation_id: str) -> OrganisationKind:
    """Tells certification bodies by what they run: observers and no validator.

    Members of the consortium run validators and certification bodies run observers
    (architecture.md); who votes on readings does not also certify them.
    """
    roles = [each.role for each in genesis.members if each.organisation == organisation_id]
    if MemberRole.OBSERVER in roles and MemberRole.VALIDATOR not in roles:
        return OrganisationKind.CERTIFICATION_BODY
    return OrganisationKind.MEMBER
