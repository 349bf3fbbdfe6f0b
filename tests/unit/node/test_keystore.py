"""Key files: only their passphrase opens them, and every refusal says what to do."""

import json
import os
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from node import keystore
from node.errors import LocalError
from node.keystore import (
    INTERACTIVE_COST,
    THROW_AWAY_COST,
    KdfCost,
    KeyFileDamaged,
    KeyFileError,
    KeyFileExists,
    KeyFileMissing,
    KeyFileUnsafe,
    OpenedKey,
    PassphraseError,
    PublicPart,
    Purpose,
    WrongPassphrase,
    create_key_file,
    create_seed_file,
    open_key_file,
    passphrase_from_credential,
    passphrase_from_file,
    passphrase_from_prompt,
    read_public_part,
)

SEED = bytes(range(32))
PUBLIC_KEY = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
PASSPHRASE = b"correct horse"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "consensus.json"
    create_key_file(
        path,
        secret=SEED,
        purpose=Purpose.CONSENSUS,
        passphrase=PASSPHRASE,
        cost=THROW_AWAY_COST,
    )
    return path


def rewrite(path: Path, *, with_checksum: bool, **changes: str | int) -> None:
    envelope = json.loads(path.read_bytes()) | changes
    if with_checksum:
        envelope["checksum"] = keystore._checksum(envelope)
    path.write_bytes(keystore._canonical(envelope) + b"\n")


def test_a_seed_comes_back_with_its_public_key(path: Path) -> None:
    opened = open_key_file(path, purpose=Purpose.CONSENSUS, passphrase=PASSPHRASE)

    assert opened == OpenedKey(purpose=Purpose.CONSENSUS, public_key=PUBLIC_KEY, secret=SEED)


def test_the_public_part_needs_no_passphrase(path: Path) -> None:
    assert read_public_part(path) == PublicPart(purpose=Purpose.CONSENSUS, public_key=PUBLIC_KEY)


def test_a_secret_does_not_show_in_its_repr(path: Path) -> None:
    opened = open_key_file(path, purpose=Purpose.CONSENSUS, passphrase=PASSPHRASE)

    assert repr(SEED) not in repr(opened)
    assert "secret" not in repr(opened)


def test_the_file_is_private_and_canonical_and_holds_no_secret(path: Path) -> None:
    content = path.read_bytes()
    envelope = json.loads(content)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(envelope) == [
        "checksum", "ciphertext", "kdf", "memlimit", "nonce",
        "opslimit", "public_key", "purpose", "salt", "version",
    ]  # fmt: skip
    assert envelope["version"] == 1
    assert envelope["kdf"] == "argon2id13"
    assert (envelope["opslimit"], envelope["memlimit"]) == (1, 8192)
    assert b" " not in content
    assert SEED.hex().encode() not in content


def test_two_files_of_one_secret_differ_in_salt_nonce_and_ciphertext(path: Path) -> None:
    second = path.with_name("second.json")
    create_key_file(
        second, secret=SEED, purpose=Purpose.CONSENSUS, passphrase=PASSPHRASE, cost=THROW_AWAY_COST
    )
    one, two = json.loads(path.read_bytes()), json.loads(second.read_bytes())

    assert all(one[name] != two[name] for name in ("salt", "nonce", "ciphertext"))


def test_a_new_key_costs_an_attacker_two_passes_over_64_mebibytes(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "account.json"
    public_key = create_seed_file(path, purpose=Purpose.ACCOUNT, passphrase=PASSPHRASE)
    envelope = json.loads(path.read_bytes())

    assert (envelope["opslimit"], envelope["memlimit"]) == (2, 67_108_864)
    opened = open_key_file(path, purpose=Purpose.ACCOUNT, passphrase=PASSPHRASE)
    assert bytes(SigningKey(opened.secret).verify_key) == public_key == opened.public_key


def test_new_seeds_differ(tmp_path: Path) -> None:
    keys = {
        create_seed_file(
            tmp_path / "keys" / name,
            purpose=Purpose.ACCOUNT,
            passphrase=PASSPHRASE,
            cost=THROW_AWAY_COST,
        )
        for name in ("a", "b")
    }

    assert len(keys) == 2


def test_a_tls_key_of_the_largest_size_is_kept_with_what_identifies_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "tls.json"
    pem = b"p" * 16_384
    create_key_file(
        path,
        secret=pem,
        purpose=Purpose.TLS,
        passphrase=PASSPHRASE,
        public_key=b"digest",
        cost=THROW_AWAY_COST,
    )

    assert open_key_file(path, purpose=Purpose.TLS, passphrase=PASSPHRASE) == OpenedKey(
        purpose=Purpose.TLS, public_key=b"digest", secret=pem
    )


@pytest.mark.parametrize(
    ("purpose", "secret", "public_key", "words"),
    [
        (Purpose.TLS, b"", b"", "secret: expected 1 to 16384 bytes, got 0"),
        (Purpose.TLS, b"p" * 16_385, b"", "secret: expected 1 to 16384 bytes, got 16385"),
        (Purpose.CONSENSUS, b"s" * 31, b"", "got 31 and 0 bytes"),
        (Purpose.ACCOUNT, b"s" * 33, b"", "got 33 and 0 bytes"),
        (Purpose.CONSENSUS, SEED, b"k", "got 32 and 1 bytes"),
    ],
)
def test_an_unfit_secret_is_refused(
    tmp_path: Path, purpose: Purpose, secret: bytes, public_key: bytes, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        create_key_file(
            tmp_path / "key",
            secret=secret,
            purpose=purpose,
            passphrase=PASSPHRASE,
            public_key=public_key,
        )

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [0, 4097])
def test_an_unfit_passphrase_is_refused(tmp_path: Path, length: int) -> None:
    with pytest.raises(ValueError, match=f"expected 1 to 4096 bytes, got {length}"):
        create_seed_file(tmp_path / "key", purpose=Purpose.ACCOUNT, passphrase=b"p" * length)


def test_a_key_is_never_written_over(path: Path) -> None:
    before = path.read_bytes()

    with pytest.raises(KeyFileExists, match="a key is never written over"):
        create_seed_file(
            path, purpose=Purpose.CONSENSUS, passphrase=PASSPHRASE, cost=THROW_AWAY_COST
        )

    assert path.read_bytes() == before


def test_a_key_is_not_put_into_a_directory_open_to_others(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)

    with pytest.raises(LocalError, match="chmod 700"):
        create_seed_file(
            tmp_path / "keys" / "key",
            purpose=Purpose.ACCOUNT,
            passphrase=PASSPHRASE,
            cost=THROW_AWAY_COST,
        )

    assert list((tmp_path / "keys").iterdir()) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileMissing, match="absent: expected a file, got none"):
        read_public_part(tmp_path / "absent")


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601])
def test_a_file_that_others_have_rights_to_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)

    with pytest.raises(KeyFileUnsafe) as caught:
        open_key_file(path, purpose=Purpose.CONSENSUS, passphrase=PASSPHRASE)

    assert f"got {mode:04o}" in str(caught.value)
    assert str(caught.value).endswith(f"run: chmod 600 {path}")


def test_a_read_only_file_is_accepted(path: Path) -> None:
    path.chmod(0o400)

    assert read_public_part(path).public_key == PUBLIC_KEY


def test_a_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(path, 4242, -1) if os.geteuid() == 0 else monkeypatch.setattr(
        os, "geteuid", lambda: 4242
    )

    with pytest.raises(KeyFileUnsafe, match="expected a file of user"):
        read_public_part(path)


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_no_regular_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    if kind == "directory":
        path.mkdir(mode=0o700)
    else:
        os.mkfifo(path, 0o600)

    with pytest.raises(KeyFileUnsafe, match="expected a regular file"):
        read_public_part(path)


def test_a_wrong_passphrase_is_told_from_damage(path: Path) -> None:
    with pytest.raises(WrongPassphrase, match="the file itself is not damaged"):
        open_key_file(path, purpose=Purpose.CONSENSUS, passphrase=b"wrong horse")


def test_a_key_of_another_purpose_is_refused(path: Path) -> None:
    with pytest.raises(KeyFileError, match="expected a key for 'tls', got one for 'consensus'"):
        open_key_file(path, purpose=Purpose.TLS, passphrase=PASSPHRASE)


def test_every_flipped_byte_is_damage_and_never_a_wrong_passphrase(path: Path) -> None:
    content = path.read_bytes()

    for offset in range(len(content)):
        damaged = bytearray(content)
        damaged[offset] ^= 0x01
        path.write_bytes(damaged)
        with pytest.raises(KeyFileDamaged):
            read_public_part(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"[" * 5000, b"null", b"\xff\xfe", b"{}", b'{"version":0}', b'{"version":true}'],
)
def test_other_content_is_damage(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(KeyFileDamaged, match="restore the file from its backup"):
        read_public_part(path)


def test_a_later_version_is_named(path: Path) -> None:
    path.write_bytes(b'{"anything":1,"version":2}\n')

    with pytest.raises(KeyFileDamaged, match="version: expected 1, got 2, of a later release"):
        read_public_part(path)


def test_an_oversized_file_is_refused_unread(path: Path) -> None:
    path.write_bytes(b"1" * 65_537)

    with pytest.raises(KeyFileDamaged, match="expected at most 65536 bytes, got more"):
        read_public_part(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kdf": "scrypt"}, "kdf: expected argon2id13"),
        ({"opslimit": 11}, "opslimit: expected 1 to 10, got 11"),
        ({"opslimit": 0}, "opslimit: expected 1 to 10, got 0"),
        ({"memlimit": 2**30 + 1}, "memlimit: expected 8192 to 1073741824 bytes"),
        ({"memlimit": 8191}, "memlimit: expected 8192 to 1073741824 bytes, got 8191"),
        ({"salt": "00" * 15}, "expected 16 and 24 bytes, got 15 and 24"),
        ({"nonce": "00" * 25}, "expected 16 and 24 bytes, got 16 and 25"),
        ({"purpose": "mining"}, "'mining' is not a valid Purpose"),
        ({"ciphertext": "zz"}, "non-hexadecimal"),
        ({"opslimit": True}, "expected the fields"),
    ],
)
def test_a_hostile_file_with_a_right_checksum_is_refused_before_any_work(
    path: Path, change: dict[str, str | int], words: str
) -> None:
    rewrite(path, with_checksum=True, **change)

    with pytest.raises(KeyFileDamaged, match=words):
        open_key_file(path, purpose=Purpose.CONSENSUS, passphrase=PASSPHRASE)


def test_an_unknown_field_is_refused(path: Path) -> None:
    rewrite(path, with_checksum=True, note="hello")

    with pytest.raises(KeyFileDamaged, match="expected the fields"):
        read_public_part(path)


@pytest.mark.parametrize(
    "change", [{"public_key": "00" * 32}, {"purpose": "account"}, {"opslimit": 2}]
)
def test_fields_cannot_be_exchanged_even_with_a_right_checksum(
    path: Path, change: dict[str, str | int]
) -> None:
    rewrite(path, with_checksum=True, **change)

    with pytest.raises(WrongPassphrase):
        open_key_file(path, purpose=read_public_part(path).purpose, passphrase=PASSPHRASE)


def test_a_seed_under_a_foreign_public_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "tls.json"
    passphrase = b"p"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keystore.Purpose.TLS, "_value_", "consensus")
        create_key_file(
            path,
            secret=SEED,
            purpose=Purpose.TLS,
            passphrase=passphrase,
            public_key=b"k" * 32,
            cost=THROW_AWAY_COST,
        )

    with pytest.raises(KeyFileDamaged, match="public_key: expected that of the secret"):
        open_key_file(path, purpose=Purpose.CONSENSUS, passphrase=passphrase)


@pytest.mark.parametrize(
    ("opslimit", "memlimit_bytes"), [(0, 8192), (11, 8192), (1, 8191), (1, 2**30 + 1)]
)
def test_a_cost_out_of_bounds_is_refused(opslimit: int, memlimit_bytes: int) -> None:
    with pytest.raises(ValueError, match="limit: expected"):
        KdfCost(opslimit=opslimit, memlimit_bytes=memlimit_bytes)


def test_costs_at_the_bounds_are_accepted() -> None:
    assert KdfCost(opslimit=10, memlimit_bytes=2**30).opslimit == 10
    assert KdfCost(opslimit=1, memlimit_bytes=8192) == THROW_AWAY_COST
    assert INTERACTIVE_COST.opslimit == 2


@pytest.mark.parametrize(
    ("content", "passphrase"),
    [
        (b"horse", b"horse"),
        (b"horse\n", b"horse"),
        (b"horse\r\n", b"horse"),
        (b"horse\n\n", b"horse\n"),
        (b" h \n", b" h "),
        (b"p" * 4096 + b"\n", b"p" * 4096),
    ],
)
def test_a_passphrase_file_loses_one_line_break(
    tmp_path: Path, content: bytes, passphrase: bytes
) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(content)
    path.chmod(0o600)

    assert passphrase_from_file(path) == passphrase


@pytest.mark.parametrize(
    ("content", "got"), [(b"", "none"), (b"\n", "none"), (b"p" * 4097, "more")]
)
def test_an_empty_or_oversized_passphrase_file_is_refused(
    tmp_path: Path, content: bytes, got: str
) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(PassphraseError, match=f"1 to 4096 bytes, got {got}"):
        passphrase_from_file(path)


def test_a_passphrase_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(b"horse")
    path.chmod(0o644)

    with pytest.raises(KeyFileUnsafe, match=f"run: chmod 600 {path}"):
        passphrase_from_file(path)


def test_a_credential_comes_from_the_directory_that_systemd_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "node-passphrase"
    path.write_bytes(b"horse\n")
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert passphrase_from_credential("node-passphrase") == b"horse"


def test_a_credential_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node-passphrase"
    path.write_bytes(b"horse\n")
    path.chmod(0o444)

    with pytest.raises(KeyFileUnsafe):
        passphrase_from_credential("node-passphrase", tmp_path)


def test_without_systemd_a_credential_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    with pytest.raises(PassphraseError, match="LoadCredential=node-passphrase:FILE"):
        passphrase_from_credential("node-passphrase")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/shadow", "a\0b"])
def test_a_credential_is_a_plain_file_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(PassphraseError, match="expected a plain file name"):
        passphrase_from_credential(name, tmp_path)


def test_an_absent_credential_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileMissing, match="node-passphrase"):
        passphrase_from_credential("node-passphrase", tmp_path)


def test_a_prompt_asks_once_for_an_old_key_and_twice_for_a_new_one() -> None:
    asked: list[str] = []

    def ask(words: str) -> str:
        asked.append(words)
        return "pferd ö"

    assert passphrase_from_prompt(ask, is_new=False) == b"pferd \xc3\xb6"
    assert asked == ["Passphrase: "]
    assert passphrase_from_prompt(ask, is_new=True) == b"pferd \xc3\xb6"
    assert asked[1:] == ["Passphrase: ", "The same again: "]


def test_two_different_answers_are_refused() -> None:
    answers = iter(["one", "two"])

    with pytest.raises(PassphraseError, match="expected the same one twice"):
        passphrase_from_prompt(lambda _words: next(answers), is_new=True)


def test_an_empty_answer_is_refused() -> None:
    with pytest.raises(PassphraseError, match="prompt: expected a passphrase"):
        passphrase_from_prompt(lambda _words: "", is_new=False)
