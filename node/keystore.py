"""Secrets at rest: one encrypted file a key, and where its passphrase comes from.

A key file is canonical JSON (sorted keys, no spaces, one final newline)::

    {version, kdf, opslimit, memlimit, salt, nonce, public_key, purpose, ciphertext, checksum}

The passphrase becomes a key by Argon2id, at the cost that the file itself names; that key opens
the ciphertext (XChaCha20-Poly1305). Everything but ciphertext and checksum is authenticated with
it, so a file cannot be passed off for another purpose or another public key. The checksum is no
protection against an attacker; it tells a damaged file from a wrong passphrase, which want
different things of the operator.

Files are created new (never over another), mode 0600, in a directory of mode 0700, and refused
when group or others have any right to them. A passphrase comes from a file of mode 0600, a
systemd credential or a prompt, and never from the command line or the environment, which other
processes can read.
"""

import hashlib
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from nacl import bindings, exceptions as nacl_exceptions, utils as nacl_random
from nacl.pwhash import argon2id
from nacl.signing import SigningKey

from node.disk import create_private_directory, create_private_file
from node.errors import LocalError

VERSION: Final = 1
KDF_NAME: Final = "argon2id13"
SEED_BYTES: Final = 32
"""Ed25519 seed size (RFC 8032)."""
SECRET_BYTES_MAX: Final = 16 * 1024
"""A TLS key and certificate in PEM take under 2 KiB."""
KEY_FILE_BYTES_MAX: Final = 64 * 1024
"""The largest secret in hexadecimal, and the rest, with room."""
PASSPHRASE_BYTES_MAX: Final = 4096
OPSLIMIT_MAX: Final = 10
MEMLIMIT_BYTES_MAX: Final = 2**30
"""libsodium's SENSITIVE cost is 4 passes over 1 GiB; a file that asks for more is hostile."""
CREDENTIALS_DIRECTORY_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""Set by systemd to a directory that only this service can read; it names a place, no secret."""
_FIELD_TYPES: Final = {
    "checksum": str,
    "ciphertext": str,
    "kdf": str,
    "memlimit": int,
    "nonce": str,
    "opslimit": int,
    "public_key": str,
    "purpose": str,
    "salt": str,
    "version": int,
}
_UNAUTHENTICATED: Final = ("checksum", "ciphertext")
_NONCE_BYTES: Final = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_KEY_BYTES: Final = bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES


class KeyFileError(LocalError):
    """A key file or passphrase cannot be used; the message says what to do."""


class KeyFileMissing(KeyFileError):
    """There is no such file."""


class KeyFileExists(KeyFileError):
    """A key file is never written over."""


class KeyFileUnsafe(KeyFileError):
    """Somebody else may read the file, or it is no regular file."""


class KeyFileDamaged(KeyFileError):
    """The file is not what was written; a backup of it is needed."""


class WrongPassphrase(KeyFileError):
    """The file is whole, but this passphrase does not open it."""


class PassphraseError(KeyFileError):
    """No usable passphrase came from its source."""


class Purpose(StrEnum):
    """What a secret is for; a file of one purpose is never accepted for another."""

    CONSENSUS = "consensus"
    """Ed25519 seed with which a validator signs votes."""
    ACCOUNT = "account"
    """Ed25519 seed with which an operator, gateway or other account signs transactions."""
    TLS = "tls"
    """PEM of the private key of links between nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfCost:
    """What one guess at the passphrase costs."""

    opslimit: int
    """Passes over the memory, 1 to :data:`OPSLIMIT_MAX`."""
    memlimit_bytes: int
    """Memory in bytes, 8 KiB to :data:`MEMLIMIT_BYTES_MAX`."""

    def __post_init__(self) -> None:
        if not argon2id.OPSLIMIT_MIN <= self.opslimit <= OPSLIMIT_MAX:
            raise ValueError(
                f"opslimit: expected {argon2id.OPSLIMIT_MIN} to {OPSLIMIT_MAX}, got {self.opslimit}"
            )
        if not argon2id.MEMLIMIT_MIN <= self.memlimit_bytes <= MEMLIMIT_BYTES_MAX:
            raise ValueError(
                f"memlimit: expected {argon2id.MEMLIMIT_MIN} to {MEMLIMIT_BYTES_MAX} bytes, got "
                f"{self.memlimit_bytes}"
            )


INTERACTIVE_COST: Final = KdfCost(
    opslimit=argon2id.OPSLIMIT_INTERACTIVE, memlimit_bytes=argon2id.MEMLIMIT_INTERACTIVE
)
"""2 passes over 64 MiB, a tenth of a second: what a new key gets."""
THROW_AWAY_COST: Final = KdfCost(
    opslimit=argon2id.OPSLIMIT_MIN, memlimit_bytes=argon2id.MEMLIMIT_MIN
)
"""Next to nothing, for networks that live for one demonstration; asked for by name only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPart:
    """What a key file tells without its passphrase. Not authenticated until it is opened."""

    purpose: Purpose
    public_key: bytes
    """32 bytes for an Ed25519 seed; whatever identifies the secret, or nothing, otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedKey:
    """A secret in memory; its ``repr`` does not show it."""

    purpose: Purpose
    public_key: bytes
    secret: bytes = field(repr=False)


def create_seed_file(
    path: Path, *, purpose: Purpose, passphrase: bytes, cost: KdfCost = INTERACTIVE_COST
) -> bytes:
    """Makes a new Ed25519 key and stores its seed.

    Args:
        path: The new file; its directory is made (0700) when its parent exists.
        purpose: CONSENSUS or ACCOUNT.
        passphrase: 1 to 4,096 bytes.
        cost: What opening costs, here and at every start.

    Returns:
        The public key, 32 bytes.

    Raises:
        KeyFileExists: When there is a file already.
        LocalError: When the directory is open to others.
        ValueError: When an argument breaks its bounds.
        OSError: When writing or syncing fails.
    """
    seed = nacl_random.random(SEED_BYTES)
    create_key_file(path, secret=seed, purpose=purpose, passphrase=passphrase, cost=cost)
    return bytes(SigningKey(seed).verify_key)


def create_key_file(
    path: Path,
    *,
    secret: bytes,
    purpose: Purpose,
    passphrase: bytes,
    public_key: bytes = b"",
    cost: KdfCost = INTERACTIVE_COST,
) -> None:
    """Encrypts a secret into a new file and makes it durable.

    Args:
        path: The new file; its directory is made (0700) when its parent exists.
        secret: A seed of 32 bytes for CONSENSUS and ACCOUNT; for TLS 1 to 16,384 bytes.
        purpose: What the secret is for.
        passphrase: 1 to 4,096 bytes.
        public_key: What identifies a TLS secret; for a seed it is computed and must be absent.
        cost: What opening costs, here and at every start.

    Raises:
        KeyFileExists: When there is a file already.
        LocalError: When the directory is open to others.
        ValueError: When an argument breaks its bounds.
        OSError: When writing or syncing fails.
    """
    if not 1 <= len(passphrase) <= PASSPHRASE_BYTES_MAX:
        raise ValueError(
            f"passphrase: expected 1 to {PASSPHRASE_BYTES_MAX} bytes, got {len(passphrase)}"
        )
    if purpose is Purpose.TLS:
        if not 1 <= len(secret) <= SECRET_BYTES_MAX:
            raise ValueError(f"secret: expected 1 to {SECRET_BYTES_MAX} bytes, got {len(secret)}")
    else:
        if len(secret) != SEED_BYTES or public_key:
            raise ValueError(
                f"secret: expected a seed of {SEED_BYTES} bytes and no public key, got "
                f"{len(secret)} and {len(public_key)} bytes"
            )
        public_key = bytes(SigningKey(secret).verify_key)
    salt = nacl_random.random(argon2id.SALTBYTES)
    nonce = nacl_random.random(_NONCE_BYTES)
    envelope: dict[str, str | int] = {
        "kdf": KDF_NAME,
        "memlimit": cost.memlimit_bytes,
        "nonce": nonce.hex(),
        "opslimit": cost.opslimit,
        "public_key": public_key.hex(),
        "purpose": purpose.value,
        "salt": salt.hex(),
        "version": VERSION,
    }
    ciphertext = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        secret, _canonical(envelope), nonce, _derive(passphrase, salt, cost)
    )
    envelope["ciphertext"] = ciphertext.hex()
    envelope["checksum"] = _checksum(envelope)
    create_private_directory(path.parent)
    try:
        create_private_file(path, _canonical(envelope) + b"\n")
    except FileExistsError:
        raise KeyFileExists(
            f"{path}: expected no file, got one; a key is never written over: choose another "
            "name, or move the old one away first"
        ) from None


def read_public_part(path: Path) -> PublicPart:
    """Reads purpose and public key without a passphrase.

    Args:
        path: The key file.

    Returns:
        What the file says; only :func:`open_key_file` proves it.

    Raises:
        KeyFileMissing: When there is no file.
        KeyFileUnsafe: When others have rights to it.
        KeyFileDamaged: When it is not as written.
    """
    return _Envelope.read(path).public_part


def open_key_file(path: Path, *, purpose: Purpose, passphrase: bytes) -> OpenedKey:
    """Decrypts a key file. Takes as long as its KDF cost says: not for an event loop.

    Args:
        path: The key file.
        purpose: What the secret is wanted for.
        passphrase: The bytes that it was encrypted with.

    Returns:
        The secret and the public key, which for a seed was checked to belong to it.

    Raises:
        KeyFileMissing: When there is no file.
        KeyFileUnsafe: When others have rights to it.
        KeyFileDamaged: When it is not as written, or written by a later version.
        KeyFileError: When it is of another purpose.
        WrongPassphrase: When it is whole and does not open.
    """
    envelope = _Envelope.read(path)
    found = envelope.public_part
    if found.purpose is not purpose:
        raise KeyFileError(
            f"{path}: purpose: expected a key for {purpose.value!r}, got one for "
            f"{found.purpose.value!r}; name the right file in the configuration"
        )
    key = _derive(passphrase, envelope.salt, envelope.cost)
    try:
        secret = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            envelope.ciphertext, envelope.authenticated, envelope.nonce, key
        )
    except nacl_exceptions.CryptoError:
        raise WrongPassphrase(
            f"{path}: expected the passphrase that the file was made with, got another one (the "
            "file itself is not damaged)"
        ) from None
    if purpose is not Purpose.TLS and (
        len(secret) != SEED_BYTES or bytes(SigningKey(secret).verify_key) != found.public_key
    ):
        raise KeyFileDamaged(f"{path}: public_key: expected that of the secret, got another one")
    return OpenedKey(purpose=purpose, public_key=found.public_key, secret=secret)


def passphrase_from_file(path: Path) -> bytes:
    """Reads a passphrase from a file of mode 0600 (or 0400).

    Args:
        path: The file; one final line break is not part of the passphrase.

    Returns:
        1 to 4,096 bytes.

    Raises:
        KeyFileMissing: When there is no file.
        KeyFileUnsafe: When others have rights to it.
        PassphraseError: When it is empty or too long.
    """
    content = _read_private(path, PASSPHRASE_BYTES_MAX + 2, forbidden_mode=0o077)
    return _passphrase(content, str(path))


def passphrase_from_credential(name: str, directory: Path | None = None) -> bytes:
    """Reads a passphrase that systemd hands to the service (``LoadCredential=``).

    Args:
        name: Name of the credential, a plain file name.
        directory: Where credentials are; by default what systemd says.

    Returns:
        1 to 4,096 bytes.

    Raises:
        PassphraseError: When the name is no file name, or the process got no credentials.
        KeyFileMissing: When there is no such credential.
        KeyFileUnsafe: When everybody may read it.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise PassphraseError(f"credential: expected a plain file name, got {name!r}")
    if directory is None:
        place = os.environ.get(CREDENTIALS_DIRECTORY_VARIABLE, "")
        if not place:
            raise PassphraseError(
                f"credential {name!r}: expected ${CREDENTIALS_DIRECTORY_VARIABLE} from systemd, "
                f"got none; put LoadCredential={name}:FILE into the unit, or name a passphrase "
                "file in the configuration"
            )
        directory = Path(place)
    path = directory / name
    # systemd may grant a service its credential by an access list, which shows as a group right;
    # the directory is what keeps others out.
    content = _read_private(path, PASSPHRASE_BYTES_MAX + 2, forbidden_mode=0o007, any_owner=True)
    return _passphrase(content, str(path))


def passphrase_from_prompt(ask: Callable[[str], str], *, is_new: bool) -> bytes:
    """Asks a person, twice for a new key.

    Args:
        ask: Shows its argument and returns one line without echo, such as ``getpass.getpass``.
        is_new: Whether a typing error would lock the key for ever.

    Returns:
        1 to 4,096 bytes of UTF-8.

    Raises:
        PassphraseError: When it is empty, too long, or the second answer differs.
    """
    first = ask("Passphrase: ")
    if is_new and ask("The same again: ") != first:
        raise PassphraseError("passphrase: expected the same one twice, got two different ones")
    return _passphrase(first.encode("utf-8", "surrogateescape"), "prompt")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """A key file whose form and checksum were found in order."""

    public_part: PublicPart
    cost: KdfCost
    salt: bytes
    nonce: bytes
    ciphertext: bytes
    authenticated: bytes

    @staticmethod
    def read(path: Path) -> "_Envelope":
        content = _read_private(path, KEY_FILE_BYTES_MAX, forbidden_mode=0o077)
        try:
            return _Envelope._parse(content)
        except ValueError as error:
            raise KeyFileDamaged(f"{path}: {error}; restore the file from its backup") from None

    @staticmethod
    def _parse(content: bytes) -> "_Envelope":
        if len(content) > KEY_FILE_BYTES_MAX:
            raise ValueError(f"expected at most {KEY_FILE_BYTES_MAX} bytes, got more")
        try:
            envelope = json.loads(content)
        except (ValueError, RecursionError):
            raise ValueError("expected a key file in JSON, got other bytes") from None
        if not isinstance(envelope, dict):
            raise ValueError("expected a key file in JSON, got another JSON value")  # noqa: TRY004  one error for all damage
        version = envelope.get("version")
        if type(version) is int and version > VERSION:
            raise ValueError(f"version: expected {VERSION}, got {version}, of a later release")
        types = {name: type(value) for name, value in envelope.items()}
        if types != _FIELD_TYPES or version != VERSION:
            raise ValueError(
                f"expected the fields {', '.join(_FIELD_TYPES)} of version {VERSION}, got others"
            )
        # Comparing the bytes refuses what a JSON parser forgives: doubled keys, other spacing.
        if _canonical(envelope) + b"\n" != content or _checksum(envelope) != envelope["checksum"]:
            raise ValueError("checksum: expected that of the content, got another one: damaged")
        if envelope["kdf"] != KDF_NAME:
            raise ValueError(f"kdf: expected {KDF_NAME}, got another one")
        salt, nonce = bytes.fromhex(envelope["salt"]), bytes.fromhex(envelope["nonce"])
        if len(salt) != argon2id.SALTBYTES or len(nonce) != _NONCE_BYTES:
            raise ValueError(
                f"salt and nonce: expected {argon2id.SALTBYTES} and {_NONCE_BYTES} bytes, got "
                f"{len(salt)} and {len(nonce)}"
            )
        return _Envelope(
            public_part=PublicPart(
                purpose=Purpose(envelope["purpose"]),
                public_key=bytes.fromhex(envelope["public_key"]),
            ),
            cost=KdfCost(opslimit=envelope["opslimit"], memlimit_bytes=envelope["memlimit"]),
            salt=salt,
            nonce=nonce,
            ciphertext=bytes.fromhex(envelope["ciphertext"]),
            authenticated=_canonical(
                {name: envelope[name] for name in envelope if name not in _UNAUTHENTICATED}
            ),
        )


def _read_private(
    path: Path, bytes_max: int, *, forbidden_mode: int, any_owner: bool = False
) -> bytes:
    """Returns up to ``bytes_max + 1`` bytes of a file that nobody else can read."""
    try:
        # Not blocking, so that a named pipe in the file's place is refused and not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyFileMissing(f"{path}: expected a file, got none") from None
    try:
        # The open file is examined, not the path, which could be exchanged in between.
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileUnsafe(f"{path}: expected a regular file, got another kind of file")
        mode = stat.S_IMODE(status.st_mode)
        if mode & forbidden_mode:
            raise KeyFileUnsafe(
                f"{path}: expected mode 0600, got {mode:04o}: others may read or change it; run: "
                f"chmod 600 {path}"
            )
        if not any_owner and status.st_uid not in (0, os.geteuid()):
            raise KeyFileUnsafe(
                f"{path}: expected a file of user {os.geteuid()}, got one of user "
                f"{status.st_uid}; run as its owner, or change the owner"
            )
        chunks = b""
        while chunk := os.read(descriptor, bytes_max + 1 - len(chunks)):
            chunks += chunk
        return chunks
    finally:
        os.close(descriptor)


def _passphrase(content: bytes, source: str) -> bytes:
    passphrase = content.removesuffix(b"\n").removesuffix(b"\r")
    if not 1 <= len(passphrase) <= PASSPHRASE_BYTES_MAX:
        got = "none" if not passphrase else "more"
        raise PassphraseError(
            f"{source}: expected a passphrase of 1 to {PASSPHRASE_BYTES_MAX} bytes, got {got}"
        )
    return passphrase


def _derive(passphrase: bytes, salt: bytes, cost: KdfCost) -> bytes:
    return argon2id.kdf(
        _KEY_BYTES,
        passphrase,
        salt,
        opslimit=cost.opslimit,
        memlimit=cost.memlimit_bytes,
    )


def _canonical(envelope: dict[str, str | int]) -> bytes:
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode("ascii")


def _checksum(envelope: dict[str, str | int]) -> str:
    content = {name: envelope[name] for name in envelope if name != "checksum"}
    return hashlib.blake2b(_canonical(content), digest_size=16).hexdigest()
