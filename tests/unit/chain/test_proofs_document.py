"""A second verifier, written from docs/proofs.md with nothing of ours, finds the same.

It shows that the document is enough to write one, and catches a change of the format that the
document does not tell.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgpack
import pytest
from nacl.signing import VerifyKey

VECTORS = Path(__file__).parents[2] / "vectors" / "proofs"
GENESIS = bytes.fromhex(json.loads((VECTORS / "genesis.json").read_bytes())["canonical"])
VALIDATOR = 1
COMMIT = 5


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def tagged(tag: str, data: bytes) -> bytes:
    return sha(b"tanlian/" + tag.encode() + b"/1\x00" + data)


def record(text: str) -> list[Any]:
    data = bytes.fromhex(text)
    fields: list[Any] = msgpack.unpackb(data, use_list=True)
    assert msgpack.packb(fields) == data
    return fields


def along(node: bytes, index: int, count: int, path: list[str]) -> bytes:
    taken, last = [bytes.fromhex(each) for each in path], count - 1
    while last > 0:
        if index % 2:
            node = sha(b"\x01" + taken.pop(0) + node)
        elif index != last:
            node = sha(b"\x01" + node + taken.pop(0))
        index, last = index // 2, last // 2
    assert not taken
    return node


def check_block(block: dict[str, str], keys: list[bytes], keys_record: bytes) -> list[Any]:
    header, certificate = record(block["header"]), record(block["certificate"])
    block_hash = tagged("header", bytes.fromhex(block["header"]))
    height, view, signed_hash, signatures = certificate
    set_hash = tagged("validator-set", keys_record)
    assert (header[1], header[2], header[10]) == (tagged("genesis", GENESIS), height, set_hash)
    assert signed_hash == block_hash
    signers = [signer for signer, _ in signatures]
    assert signers == sorted(set(signers))
    assert len(signers) >= (len(keys) + (len(keys) - 1) // 3 + 2) // 2
    for signer, signature in signatures:
        vote = msgpack.packb([COMMIT, height, view, block_hash, signer, set_hash])
        message = b"tanlian/vote/1\x00" + header[1] + vote
        VerifyKey(keys[signer]).verify(message, signature)
    return header


def check_state(claim: dict[str, Any], header: list[Any]) -> None:
    key = tagged("state-key", bytes.fromhex(claim["key"]))
    index, bucket, levels = record(claim["proof"])
    assert index == int.from_bytes(key[:2], "big")
    node = tagged("state-bucket", bucket)
    for level in levels:
        place, index = index % 16, index // 16
        assert len(level) == 480
        node = tagged("state-node", level[: place * 32] + node + level[place * 32 :])
    assert node == header[9]
    entries = {bucket[at : at + 32]: bucket[at + 32 : at + 64] for at in range(0, len(bucket), 64)}
    value = claim["value"]
    held = None if value is None else tagged("state-value", bytes.fromhex(value))
    assert entries.get(key) == held


def check_reading(claim: dict[str, Any], header: list[Any]) -> None:
    receipt = record(claim["receipt"])
    leaf = sha(b"\x00" + bytes.fromhex(claim["receipt"]))
    count = header[6] + 1
    assert along(leaf, claim["receipt_index"], count, claim["receipt_path"]) == header[8]
    assert receipt[1] == 1
    outcomes, masks, root = msgpack.unpackb(receipt[4])
    assert len(outcomes) == len(masks)
    reading = tagged("reading", bytes.fromhex(claim["leaf"]))
    assert along(reading, claim["index"], len(outcomes), claim["path"]) == root


def check_page(claim: dict[str, Any], header: list[Any]) -> None:
    check_state(claim, header)
    page, running, within = record(claim["value"]), bytes(32), 0
    for text in claim["leaves"]:
        running = tagged("reading-day", running + tagged("reading", bytes.fromhex(text)))
        leaf = record(text)
        assert bytes.fromhex(claim["key"]).startswith(f"reading-page/{leaf[0]}/".encode())
        within += claim["stamp_from_ms"] <= leaf[2] <= claim["stamp_to_ms"]
    assert (page[1], page[2]) == (running, len(claim["leaves"]))
    assert within == claim["within"]


def check_file(text: bytes) -> int:
    """Checks a file and returns how many claims it makes."""
    document = json.loads(text)
    members = {name: member for name, member in document.items() if name != "seal"}

    def canonical(value: object) -> bytes:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    assert text == canonical(document) + b"\n"
    assert document["seal"] == tagged("proof-file", canonical(members)).hex()
    assert document["chain_id"] == tagged("genesis", GENESIS).hex()
    keys = [each[3] for each in msgpack.unpackb(GENESIS)[5] if each[2] == VALIDATOR]
    keys_record = msgpack.packb([keys])
    assert document["validator_sets"] == [{"keys": keys_record.hex()}]
    headers = [check_block(block, keys, keys_record) for block in document["blocks"]]
    checks = {"state": check_state, "reading": check_reading, "page": check_page}
    for claim in document["claims"]:
        checks[claim["kind"]](claim, headers[claim["block"]])
    return len(document["claims"])


@pytest.mark.parametrize(
    ("name", "claims"),
    [("reading", 4), ("absence", 3), ("alert", 1), ("total", 1), ("nothing", 1)],
)
def test_the_document_is_enough_to_verify(name: str, claims: int) -> None:
    assert check_file((VECTORS / f"{name}.json").read_bytes()) == claims
