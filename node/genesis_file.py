"""The genesis record as a file: canonical bytes for machines beside the chain id that they hash to.

The file is JSON so that it survives mail and version control; what counts in it is ``canonical``.
A reader recomputes the chain id, so a damaged or edited file is noticed before a node starts.
"""

import json
from pathlib import Path
from typing import Final

from chain.errors import DecodeError, InvalidGenesis
from chain.genesis import GENESIS_BYTES_MAX, Genesis
from node.errors import LocalError

FILE_BYTES_MAX: Final = 3 * GENESIS_BYTES_MAX
"""Hexadecimal doubles the record; the rest is small."""


class GenesisFileError(LocalError):
    """A genesis file that is absent, damaged or contradicts itself."""


def save_genesis(path: Path, genesis: Genesis) -> None:
    """Writes a checked genesis record; refuses to overwrite another one."""
    document = {
        "chain_id": genesis.chain_id.hex(),
        "network": genesis.network,
        "members": [
            f"{member.node_id} ({member.organisation}, {member.role.name.lower()})"
            for member in genesis.members
        ],
        "canonical": genesis.encode().hex(),
    }
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(document, file, indent=2, ensure_ascii=False)
            file.write("\n")
    except FileExistsError:
        raise GenesisFileError(
            f"{path}: expected no file, found one; a network is made in an empty directory"
        ) from None


def load_genesis(path: Path) -> Genesis:
    """Reads a genesis record and checks it.

    Raises:
        GenesisFileError: absent, too large, damaged, or a record that contradicts itself.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise GenesisFileError(f"{path}: expected at most {FILE_BYTES_MAX} bytes")
        document = json.loads(path.read_bytes())
        genesis = Genesis.decode(bytes.fromhex(document["canonical"]))
        stated = bytes.fromhex(document["chain_id"])
    except OSError as error:
        raise GenesisFileError(f"{path}: expected a genesis file, got: {error.strerror}") from None
    except KeyError as error:
        raise GenesisFileError(
            f"{path}: {error.args[0]}: expected it, as in each genesis file, got nothing"
        ) from None
    except (ValueError, TypeError, DecodeError) as error:
        raise GenesisFileError(
            f"{path}: expected a genesis file as `tanlian network init` writes it, got: {error!r}"
        ) from error
    if genesis.chain_id != stated:
        raise GenesisFileError(
            f"{path}: chain_id: expected {genesis.chain_id.hex()} by the record, got "
            f"{stated.hex()}; the file was edited or damaged"
        )
    try:
        genesis.check()
    except InvalidGenesis as error:
        raise GenesisFileError(f"{path}: {error}") from error
    return genesis
