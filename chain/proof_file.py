"""The proof file: what a chain holds, or does not hold, shown to whoever has its genesis only.

A file is one JSON object (docs/proofs.md says what stands in it, byte by byte): the validator sets
since genesis, blocks with their certificates, and claims that lead to a root in one of the blocks.
Reading JSON is for the caller; everything from there on is here, needs no node, no database and no
network, and believes nothing but the genesis.

Claims speak of state keys and readings by their bytes. What a record under a key means is the
contracts' business; that it is the one that a quorum signed is shown here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from chain import jcs
from chain.block import Header
from chain.certificate import CommitCertificate
from chain.codec import Record, Value, decode
from chain.crypto import Domain, SignatureScheme, hash_of
from chain.errors import DecodeError, InvalidCertificate, InvalidProof
from chain.genesis import Genesis
from chain.merkle import verify_inclusion, verify_path
from chain.proof import verify_final
from chain.receipt import Receipt, Status
from chain.state_tree import StateProof, verify_state_proof
from chain.types import HASH_BYTES, Hash, Height, Milliseconds
from chain.validator_set import ValidatorSet

FORMAT: Final = "tanlian/proof/1"
FILE_BYTES_MAX: Final = 33_554_432
"""Larger files are not read: a claim of a whole day's readings takes 30 KB."""
PAGE_PREFIX: Final = b"reading-page/"
"""State keys under which the running hashes of readings stand: prefix, meter, "/", 20 digits."""
LEAF_FIELDS: Final = 10
"""Meter, unit, stamp, register, amount, quality, sequence, previous leaf, channels, method."""

Document: TypeAlias = Mapping[str, object]
RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalBlock:
    """A block that a quorum of the chain's validators signed."""

    height: Height
    time_ms: Milliseconds
    block_hash: Hash
    votes: int
    validators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateClaim:
    """After a block, the state held this value under this key; or none, where value is None."""

    block: FinalBlock
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingClaim:
    """A block holds a reading, and this became of it."""

    block: FinalBlock
    transaction_id: Hash
    leaf: tuple[Value, ...]
    """Its :data:`LEAF_FIELDS` fields, as they were sent."""
    outcome: int
    """What became of it; 1 and 7 say that it is the value of its interval."""
    failed: int
    """Mask of the checks that it failed when it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageClaim:
    """All readings that a page had been sent when a block was final; those within a span."""

    block: FinalBlock
    key: bytes
    count: int
    """Readings of the whole page."""
    stamp_from_ms: Milliseconds
    stamp_to_ms: Milliseconds
    """Last stamp of the span, inclusive."""
    within: tuple[tuple[Value, ...], ...]
    """Fields of the readings with a stamp in the span; there is no other."""


Claim: TypeAlias = StateClaim | ReadingClaim | PageClaim


def seal_of(document: Document) -> Hash:
    """Returns the hash that ends a file: any other byte in it is noticed, whatever it is."""
    members = {name: member for name, member in document.items() if name != "seal"}
    return hash_of(Domain.PROOF_FILE, jcs.encode(members))


def verify_proof_file(
    text: bytes, document: object, *, genesis: Genesis, scheme: SignatureScheme
) -> tuple[Claim, ...]:
    """Checks a proof file and returns what it proves, claim by claim.

    Args:
        text: bytes of the file.
        document: what a JSON reader makes of them; untrusted.
        genesis: of the chain, trusted and checked.
        scheme: verifies signatures.

    Raises:
        InvalidProof: says what does not hold, and where in the file.
    """
    place = _Place(document, "file").members(
        "format", "chain_id", "validator_sets", "blocks", "claims", "seal"
    )
    if place.get("format").text() != FORMAT:
        raise place.get("format").fault(FORMAT)
    try:
        canonical = jcs.encode(document) + b"\n"
    except jcs.NotCanonicalJson as error:
        raise InvalidProof(f"file: {error}") from error
    if text != canonical:
        raise InvalidProof("file: expected canonical JSON (RFC 8785) and one line end, got other")
    if place.get("seal").hexadecimal() != seal_of(_mapping(document)):
        raise place.get("seal").fault("the hash of all other members; the file was changed")
    if place.get("chain_id").hexadecimal() != genesis.chain_id:
        raise place.get("chain_id").fault(f"{genesis.chain_id.hex()}, of the genesis that is given")
    trust = _Trust(genesis, scheme)
    for number, each in enumerate(place.get("validator_sets").elements()):
        trust.take_set(each, is_first=number == 0)
    headers = [trust.final(each) for each in place.get("blocks").elements()]
    used: dict[int, None] = {}
    claims = []
    for each in place.get("claims").elements():
        index = each.get("block").number()
        if index >= len(headers):
            raise each.get("block").fault(f"a number below {len(headers)}")
        used[index] = None
        claims.append(_claim_of(each, *headers[index]))
    if len(used) != len(headers):
        raise InvalidProof(f"blocks: expected each in a claim, got {len(headers) - len(used)} idle")
    return tuple(claims)


class _Trust:
    """The validator sets that the genesis leads to, and who of them may sign a block."""

    def __init__(self, genesis: Genesis, scheme: SignatureScheme) -> None:
        self._genesis = genesis
        self._scheme = scheme
        self._sets: list[tuple[Height, ValidatorSet]] = []
        """Each set with the height of the block that announced it."""

    def take_set(self, place: "_Place", *, is_first: bool) -> None:
        """Takes up the set of genesis, or one that a final block of the set before announces."""
        if is_first:
            found = place.members("keys").get("keys").record(ValidatorSet)
            if found != self._genesis.validator_set():
                raise place.fault("the validators of genesis")
            self._sets.append((0, found))
            return
        place.members("keys", "header", "certificate")
        found = place.get("keys").record(ValidatorSet)
        header, _ = self._check(place, self._sets[-1])
        if header.next_validator_set_hash != found.hash or found == self._sets[-1][1]:
            raise place.get("keys").fault("the new validators that the header announces")
        self._sets.append((header.height, found))

    def final(self, place: "_Place") -> tuple[Header, FinalBlock]:
        """Checks that a block is final; returns it with what is to be told of it."""
        place.members("header", "certificate")
        height = place.get("header").record(Header).height
        since = [entry for entry in self._sets if entry[0] < height]
        if not since:
            raise place.get("header").fault("a block after genesis")
        header, certificate = self._check(place, since[-1])
        return header, FinalBlock(
            height=header.height,
            time_ms=header.time_ms,
            block_hash=header.hash,
            votes=len(certificate.signatures),
            validators=since[-1][1].count,
        )

    def _check(
        self, place: "_Place", of_set: tuple[Height, ValidatorSet]
    ) -> tuple[Header, CommitCertificate]:
        header = place.get("header").record(Header)
        certificate = place.get("certificate").record(CommitCertificate)
        since, validators = of_set
        try:
            verify_final(
                header,
                certificate,
                chain_id=self._genesis.chain_id,
                validators=validators,
                scheme=self._scheme,
            )
        except (InvalidCertificate, InvalidProof) as error:
            raise InvalidProof(f"{place.name}: {error}") from error
        if header.height <= since or header.time_ms <= self._genesis.time_ms:
            raise place.get("header").fault(f"a block after height {since} and after genesis")
        return header, certificate


def _claim_of(place: "_Place", header: Header, block: FinalBlock) -> Claim:
    kind = place.get("kind").text()
    try:
        if kind == "state":
            return _state_claim(place, header, block)
        if kind == "reading":
            return _reading_claim(place, header, block)
        if kind == "page":
            return _page_claim(place, header, block)
    except (DecodeError, InvalidProof) as error:
        if str(error).startswith(place.name):
            raise
        raise InvalidProof(f"{place.name}: {error}") from error
    raise place.get("kind").fault("state, reading or page")


def _state_claim(place: "_Place", header: Header, block: FinalBlock) -> StateClaim:
    place.members("kind", "block", "key", "value", "proof")
    key, value = place.get("key").hexadecimal(), place.get("value").hexadecimal_or_none()
    verify_state_proof(header.state_root, key, value, place.get("proof").record(StateProof))
    return StateClaim(block=block, key=key, value=value)


def _reading_claim(place: "_Place", header: Header, block: FinalBlock) -> ReadingClaim:
    place.members(
        "kind", "block", "leaf", "index", "path", "receipt", "receipt_index", "receipt_path"
    )
    receipt = place.get("receipt").record(Receipt)
    verify_inclusion(
        receipt.encode(),
        index=place.get("receipt_index").number(),
        # The block's own receipt comes after those of its transactions.
        count=header.transaction_count + 1,
        path=place.get("receipt_path").hashes(),
        root=header.receipt_root,
    )
    if receipt.status is not Status.OK:
        raise place.get("receipt").fault("a transaction that succeeded")
    outcomes, failed, root = _submit_result(place.get("receipt"), receipt)
    index = place.get("index").number()
    leaf = place.get("leaf").hexadecimal()
    # The number of leaves is under the root of receipts as well, as the number of outcomes.
    verify_path(
        _leaf_hash(leaf),
        index=index,
        count=len(outcomes),
        path=place.get("path").hashes(),
        root=root,
    )
    return ReadingClaim(
        block=block,
        transaction_id=receipt.transaction_id,
        leaf=_leaf_fields(place.get("leaf"), leaf),
        outcome=outcomes[index],
        failed=failed[index],
    )


def _submit_result(
    place: "_Place", receipt: Receipt
) -> tuple[tuple[int, ...], tuple[int, ...], Hash]:
    """Returns outcomes, masks and root of a result of ``readings.submit``; no other looks so."""
    match decode(receipt.result):
        case (tuple() as outcomes, tuple() as failed, bytes() as root) if (
            len(outcomes) == len(failed) and len(root) == HASH_BYTES
        ):
            return _integers(place, outcomes), _integers(place, failed), root
        case _:
            raise place.fault("the receipt of a call that submitted readings")


def _integers(place: "_Place", values: tuple[Value, ...]) -> tuple[int, ...]:
    found = tuple(value for value in values if type(value) is int)
    if len(found) != len(values):
        raise place.fault("the receipt of a call that submitted readings")
    return found


def _page_claim(place: "_Place", header: Header, block: FinalBlock) -> PageClaim:
    place.members(
        "kind", "block", "key", "value", "proof", "leaves", "stamp_from_ms", "stamp_to_ms", "within"
    )
    key, value = place.get("key").hexadecimal(), place.get("value").hexadecimal()
    verify_state_proof(header.state_root, key, value, place.get("proof").record(StateProof))
    meter_id, slash, _ = key.removeprefix(PAGE_PREFIX).rpartition(b"/")
    match decode(value):
        case (_, bytes() as running_hash, int() as count, *_) if (
            key.startswith(PAGE_PREFIX) and slash
        ):
            pass
        case _:
            raise place.get("key").fault("the key of a page of readings")
    leaves = [each.hexadecimal() for each in place.get("leaves").elements()]
    if len(leaves) != count:
        raise place.get("leaves").fault(f"{count}, as the page counts")
    computed = bytes(HASH_BYTES)
    for leaf in leaves:
        computed = hash_of(Domain.READING_DAY, computed, _leaf_hash(leaf))
    if computed != running_hash:
        raise InvalidProof(
            f"{place.name}.leaves: expected the running hash {running_hash.hex()} of the page, "
            f"got {computed.hex()}: a reading is missing, added, changed or out of order"
        )
    first, last = place.get("stamp_from_ms").number(), place.get("stamp_to_ms").number()
    within = []
    for each, leaf in zip(place.get("leaves").elements(), leaves, strict=True):
        fields = _leaf_fields(each, leaf)
        stamp_ms = fields[2]
        if fields[0] != meter_id.decode(errors="replace"):
            raise each.fault(f"a reading of the meter {meter_id!r}")
        if type(stamp_ms) is int and first <= stamp_ms <= last:
            within.append(fields)
    if place.get("within").number() != len(within):
        raise place.get("within").fault(f"{len(within)}, the readings between the two stamps")
    return PageClaim(
        block=block,
        key=key,
        count=count,
        stamp_from_ms=first,
        stamp_to_ms=last,
        within=tuple(within),
    )


def _leaf_hash(leaf: bytes) -> Hash:
    return hash_of(Domain.READING, leaf)


def _leaf_fields(place: "_Place", leaf: bytes) -> tuple[Value, ...]:
    fields = decode(leaf)
    if type(fields) is not tuple or len(fields) != LEAF_FIELDS:
        raise place.fault(f"a reading of {LEAF_FIELDS} fields")
    return fields


def _mapping(value: object) -> Document:
    assert isinstance(value, dict), "the file has been found to be an object"
    return value


class _Place:
    """A value of an untrusted document, and where it stands in it."""

    __slots__ = ("name", "value")

    def __init__(self, value: object, name: str) -> None:
        self.value = value
        self.name = name

    def fault(self, expected: str) -> InvalidProof:
        """Returns the error to raise where the value is another."""
        return InvalidProof(f"{self.name}: expected {expected}, got {self.value!r:.80}")

    def members(self, *names: str) -> "_Place":
        """Checks that the value is an object with exactly these members."""
        if not isinstance(self.value, dict) or sorted(self.value) != sorted(names):
            raise self.fault(f"an object of {', '.join(names)}")
        return self

    def get(self, name: str) -> "_Place":
        """Returns a member of an object."""
        if not isinstance(self.value, dict) or name not in self.value:
            raise self.fault(f"an object with {name}")
        return _Place(self.value[name], f"{self.name}.{name}".removeprefix("file."))

    def elements(self) -> Iterator["_Place"]:
        """Yields the elements of an array of at least one."""
        if not isinstance(self.value, list):
            raise self.fault("an array")
        if not self.value and not self.name.endswith("leaves"):
            raise self.fault("an array of at least one element")
        for index, element in enumerate(self.value):
            yield _Place(element, f"{self.name}[{index}]")

    def text(self) -> str:
        """Returns a text."""
        if not isinstance(self.value, str):
            raise self.fault("a text")
        return self.value

    def number(self) -> int:
        """Returns a number of at least 0."""
        if type(self.value) is not int or self.value < 0:
            raise self.fault("a whole number of at least 0")
        return self.value

    def hexadecimal(self) -> bytes:
        """Returns bytes that are written as lower-case hexadecimal digits."""
        text = self.text()
        try:
            found = bytes.fromhex(text)
        except ValueError:
            raise self.fault("hexadecimal digits") from None
        if found.hex() != text:
            raise self.fault("lower-case hexadecimal digits")
        return found

    def hexadecimal_or_none(self) -> bytes | None:
        """Returns bytes, or None for null."""
        return None if self.value is None else self.hexadecimal()

    def hashes(self) -> tuple[Hash, ...]:
        """Returns an array of hashes, which may be empty."""
        if not isinstance(self.value, list):
            raise self.fault("an array")
        found = tuple(
            _Place(each, f"{self.name}[{index}]").hexadecimal()
            for index, each in enumerate(self.value)
        )
        if any(len(each) != HASH_BYTES for each in found):
            raise self.fault(f"hashes of {HASH_BYTES} bytes")
        return found

    def record(self, cls: type[RecordT]) -> RecordT:
        """Returns the record that the value is the canonical bytes of."""
        try:
            return cls.decode(self.hexadecimal())
        except DecodeError as error:
            raise InvalidProof(f"{self.name}: {error}") from error


def sealed(
    *,
    genesis: Genesis,
    blocks: Sequence[tuple[Header, CommitCertificate]],
    claims: Sequence[dict[str, object]],
) -> bytes:
    """Returns the bytes of a proof file of a chain whose validators never changed."""
    document: dict[str, object] = {
        "format": FORMAT,
        "chain_id": genesis.chain_id.hex(),
        "validator_sets": [{"keys": genesis.validator_set().encode().hex()}],
        "blocks": [
            {"header": header.encode().hex(), "certificate": certificate.encode().hex()}
            for header, certificate in blocks
        ],
        "claims": list(claims),
    }
    document["seal"] = seal_of(document).hex()
    return jcs.encode(document) + b"\n"
