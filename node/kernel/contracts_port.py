"""The contracts, as a node uses them: genesis, admission, execution and indexes."""

from typing import Protocol

from chain.execution import ContractRuntime
from chain.genesis import GenesisRuntime
from chain.state import Records
from chain.transaction import Transaction


class NodeContracts(ContractRuntime, GenesisRuntime, Protocol):
    """Everything that a node asks of the contracts."""

    def check_admission(self, committed: Records, transaction: Transaction) -> None:
        """Checks account, method, role and argument schema against the committed state.

        Raises:
            ContractRefusal: it would fail now.
        """
        ...

    def index_keys(self, transaction: Transaction) -> tuple[bytes, ...]:
        """Returns keys of the readings index for a committed transaction: meter, 0, page."""
        ...
