"""Which network and node a command talks to, and with whose key.

So that a newcomer's commands stay short, each part has a default that lies in plain sight: the
network is the one that the file ``.tanlian`` in the current directory names, written by
``network init`` and ``network up``; the nodes are all of that network; the account is the one of
the network's ``accounts`` folder that the command's role asks for. Secrets never stand on the
command line or in the environment.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from commands.input_file import (
    KEY,
    NETWORK,
    PASSPHRASE,
    POINTER,
    FileKind,
    check_file,
    read_file,
    read_genesis,
    read_json,
)
from commands.output import fail

if TYPE_CHECKING:
    from chain.crypto import Signer
    from client.synchronous import SyncTanlianClient
    from node.keystore import PublicPart
    from node.provisioning import Network

POINTER_FILE: Final = ".tanlian"
"""Names the network directory that commands in this directory mean."""
PATIENCE_S: Final = 15.0
"""A person waits this long for a node that does not answer."""
OPERATOR_ACCOUNT: Final = "operator"
"""Key file of the account that ``network up`` registers at the first start."""

NetworkOption = Annotated[
    Path | None,
    typer.Option(
        "--network",
        help=f"Network directory; by default the one that ./{POINTER_FILE} names.",
        show_default=False,
    ),
]
NodeOption = Annotated[
    str | None,
    typer.Option(
        "--node",
        help="Node name, or base URL such as http://127.0.0.1:8001; by default all in turn.",
        show_default=False,
    ),
]
AccountOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="Account that signs: a name in the network's accounts folder, or a key file.",
        show_default=False,
    ),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help="File of mode 0600 with the key's passphrase; by default the one beside the key "
        "file, else you are asked.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A client with what it was made from."""

    client: "SyncTanlianClient"
    network: "Network | None"
    """None where only a URL was given."""


def remember_network(directory: Path) -> None:
    """Makes a network the default of the current directory."""
    Path(POINTER_FILE).write_text(f"{directory.absolute()}\n", encoding="utf-8")


def find_network(directory: Path | None) -> "Network":
    """Returns the network that a command means.

    Raises:
        CommandFailed: none was given and there is no pointer.
        NetworkError: there is no network.
    """
    if directory is not None:
        return open_network(directory)
    pointer = Path(POINTER_FILE)
    if not pointer.exists():
        fail(
            f"--network: expected a network directory, or a file {POINTER_FILE} here that names "
            "one, got neither; start with `tanlian network init DIR`"
        )
    pointed = read_file(pointer, POINTER).decode(errors="replace").strip()
    remedy = f"{POINTER_FILE} names this directory; delete it, or name another by --network"
    return open_network(Path(pointed), FileKind(NETWORK.what, remedy))


def open_network(directory: Path, kind: FileKind = NETWORK) -> "Network":
    """Returns the network of a directory.

    Raises:
        CommandFailed: there is none.
        NetworkError: it lacks something.
    """
    from node.provisioning import NETWORK_FILE, load_network

    read_json(directory / NETWORK_FILE, kind)
    return load_network(directory)


@contextmanager
def connect(
    network: Path | None,
    node: str | None,
    *,
    account: str | None = None,
    passphrase_file: Path | None = None,
) -> Iterator[Connection]:
    """Opens a client for a command.

    Args:
        network: the option, or None for the default.
        node: the option: name or URL.
        account: that signs: name or key file; None for a command that only reads.
        passphrase_file: the option.

    Raises:
        CommandFailed: no such network, node or account.
        KeyFileError: the key cannot be opened.
    """
    from client.synchronous import SyncTanlianClient

    is_url = node is not None and "://" in node
    found = None if is_url and network is None else find_network(network)
    signer = None if account is None else open_signer(found, account, passphrase_file)
    if is_url and not re.match("https?://", node or ""):
        fail(f"--node: expected a node's name, or a URL that begins with http://, got {node!a}")
    urls = [node] if node is not None and is_url else _urls(found, node)
    # What is signed commits to the chain of the network's own genesis, whatever a node says.
    chain_id = None if found is None else read_genesis(found.genesis_path).chain_id
    with SyncTanlianClient(urls, signer=signer, chain_id=chain_id, patience_s=PATIENCE_S) as client:
        yield Connection(client=client, network=found)


def open_signer(network: "Network | None", name: str, passphrase_file: Path | None) -> "Signer":
    """Opens the key that signs.

    Args:
        network: where names are looked up; None where there is none.
        name: of an account of the network, or path of a key file.
        passphrase_file: None: the one beside the key file, else a person is asked.

    Raises:
        CommandFailed: no such account.
        KeyFileError: the key cannot be opened.
    """
    from chain.crypto import Ed25519Signer
    from node.keystore import (
        Purpose,
        open_key_file,
        passphrase_from_file,
        passphrase_from_prompt,
    )
    from node.provisioning import PASSPHRASE_FILE

    path = key_path(network, name, "--as")
    # Before anybody is asked for the passphrase of what is no key of an account.
    _public_part(path, "--as")
    if passphrase_file is None and (path.parent / PASSPHRASE_FILE).exists():
        passphrase_file = path.parent / PASSPHRASE_FILE
    if passphrase_file is None:
        passphrase = passphrase_from_prompt(ask_secret, is_new=False)
    else:
        check_file(passphrase_file, PASSPHRASE)
        passphrase = passphrase_from_file(passphrase_file)
    return Ed25519Signer(open_key_file(path, purpose=Purpose.ACCOUNT, passphrase=passphrase).secret)


def ask_secret(prompt: str) -> str:
    """Asks a person for a line without echo.

    Raises:
        CommandFailed: there is no terminal, so what is typed would be seen.
    """
    import warnings
    from getpass import GetPassWarning, getpass

    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            return getpass(prompt)
        except GetPassWarning:
            fail(
                "passphrase: expected a terminal to ask on, got none; name a file of mode 0600 "
                "with --passphrase-file"
            )


def public_key_of(network: Path | None, text: str, option: str) -> bytes:
    """Returns the public key of an account: by name, key file or as 64 hexadecimal digits.

    Args:
        network: the option, or None for the default; only names need one.
        text: what a person says.
        option: that says it, for the message.

    Raises:
        CommandFailed: no such account, or the key of something else.
        KeyFileError: the file is no key file.
    """
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    found = None if Path(text).is_file() else find_network(network)
    return _public_part(key_path(found, text, option), option).public_key


def _public_part(path: Path, option: str) -> "PublicPart":
    from node.keystore import Purpose, read_public_part

    check_file(path, KEY)
    part = read_public_part(path)
    if part.purpose is not Purpose.ACCOUNT:
        fail(f"{option}: expected the key file of an account, got {path}, of a {part.purpose} key")
    return part


def key_path(network: "Network | None", name: str, option: str) -> Path:
    """Returns the key file that a person names by its path or by the account's name.

    Raises:
        CommandFailed: no such account.
    """
    if Path(name).is_file():
        return Path(name)
    if network is None:
        fail(f"{option}: expected a key file, got {name!a}; name one, or a network by --network")
    path = network.accounts / f"{name}.key"
    if not path.is_file():
        known = sorted(each.stem for each in network.accounts.glob("*.key"))
        fail(
            f"{option}: expected a key file or one of {', '.join(known) or 'no account yet'} in "
            f"{network.accounts}, got {name!a}"
        )
    return path


def _urls(network: "Network | None", node: str | None) -> list[str]:
    assert network is not None, "without a network the node is a URL"
    if node is None:
        return [each.rpc_url for each in network.nodes]
    urls = [each.rpc_url for each in network.nodes if each.node_id == node]
    if not urls:
        known = ", ".join(each.node_id for each in network.nodes)
        fail(f"--node: expected a URL or one of {known}, got {node!a}")
    return urls
