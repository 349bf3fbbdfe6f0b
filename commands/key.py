"""``tanlian key``: makes and shows key files of accounts."""

from pathlib import Path
from typing import Annotated

import typer

from commands.output import JsonOption, print_fields, print_json

app = typer.Typer(no_args_is_help=True, help="Key files of accounts.")

PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help="File of mode 0600 with the passphrase; without it you are asked.",
        show_default=False,
    ),
]


@app.command("new")
def new(
    path: Annotated[Path, typer.Argument(help="The new key file.")],
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an Ed25519 key for an account, encrypted with a passphrase."""
    from commands.input_file import PASSPHRASE, check_file
    from commands.target import ask_secret
    from node.keystore import (
        Purpose,
        create_seed_file,
        passphrase_from_file,
        passphrase_from_prompt,
    )

    if passphrase_file is None:
        passphrase = passphrase_from_prompt(ask_secret, is_new=True)
    else:
        check_file(passphrase_file, PASSPHRASE)
        passphrase = passphrase_from_file(passphrase_file)
    public_key = create_seed_file(path, purpose=Purpose.ACCOUNT, passphrase=passphrase)
    _print(path, "account", public_key, as_json=as_json)


@app.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="A key file.")], as_json: JsonOption = False
) -> None:
    """Show purpose and public key of a key file; needs no passphrase."""
    from commands.input_file import KEY, check_file
    from node.keystore import read_public_part

    check_file(path, KEY)
    part = read_public_part(path)
    _print(path, str(part.purpose), part.public_key, as_json=as_json)


def _print(path: Path, purpose: str, public_key: bytes, *, as_json: bool) -> None:
    # A TLS key is identified by its whole certificate, too long for a line.
    public = public_key.hex()
    if as_json:
        print_json({"file": str(path), "purpose": purpose, "public_key": public})
    else:
        print_fields([("file", path), ("purpose", purpose), ("public key", public)])
