"""Proof files: what :mod:`chain.proof_file` verifies, made from the store of any node.

Each file holds all that one question needs: a reading comes with everything that its page was sent,
so that a second value of its interval would show; a certificate with the absence of its revocation.
"""

from collections.abc import Callable, Iterator
from typing import Final

from aiohttp import web

from chain.block import CertifiedBlock
from chain.codec import encode
from chain.merkle import inclusion_path, path_of_hashes
from chain.proof_file import sealed
from chain.receipt import Receipt, Status
from chain.transaction import Transaction
from chain.types import Milliseconds
from contracts import queries
from contracts.alert import alert_key
from contracts.certificate import certificate_key, revoked_key, status_key, suspended_key
from contracts.correction import corrected_page_key
from contracts.deviation.clock import interval_start_of, kept_ms_of, tolerance_of
from contracts.meter import Meter, StampConvention, meter_key
from contracts.organisations import organisation_key
from contracts.reading import Outcome, RawReading, SubmitReadings, SubmitResult, leaf_of
from contracts.reading_page import page_key, page_start, slots_per_page
from contracts.reading_query import index_keys_between
from contracts.site_month import organisation_month_key, site_month_key
from contracts.sites import site_key
from node.rpc.context import RpcContext
from node.rpc.parameters import malformed, parse_bytes, parse_identifier, parse_integer
from node.rpc.problems import quoted, unknown
from node.rpc.state_prover import ProvenState
from node.rpc.total_queries import parse_month

_VALUES: Final = (Outcome.ACCEPTED, Outcome.LATE)
"""What becomes of the reading that is the value of its interval."""

JsonClaim = dict[str, object]


class _Sent:
    """A committed submission of readings of one meter."""

    __slots__ = ("arguments", "block", "position", "result")

    def __init__(self, block: CertifiedBlock, position: int, receipt: Receipt) -> None:
        self.block = block
        self.position = position
        payload = Transaction.parse(block.transactions[position]).payload
        self.arguments = SubmitReadings.decode(payload.arguments)
        self.result = SubmitResult.decode(receipt.result)


async def reading(context: RpcContext, request: web.Request) -> web.Response:
    """Proves the reading of an interval, and all that its page was sent: there is no second one."""
    meter_id = parse_identifier(request.match_info["meter"], "meter")
    at_ms = parse_integer(request.match_info["at"], "at")
    return _file(await context.read(_reading_file, context, meter_id, at_ms))


async def absent_reading(context: RpcContext, request: web.Request) -> web.Response:
    """Proves all that the page of an interval was sent, whatever there is of the interval."""
    meter_id = parse_identifier(request.match_info["meter"], "meter")
    at_ms = parse_integer(request.match_info["at"], "at")
    return _file(await context.read(_absence_file, context, meter_id, at_ms))


async def alert(context: RpcContext, request: web.Request) -> web.Response:
    """Proves an alert as it stands."""
    alert_id = request.match_info["id"]

    def keys() -> tuple[bytes, ...]:
        if queries.find_alert(context.store, alert_id) is None:
            raise unknown("UNKNOWN_ALERT", "id", quoted(alert_id))
        return (alert_key(alert_id),)

    return _file(await context.read(_state_file, context, keys))


async def certificate(context: RpcContext, request: web.Request) -> web.Response:
    """Proves a certificate, how it stands, and whether it is revoked or suspended."""
    certificate_id = request.match_info["id"]

    def keys() -> tuple[bytes, ...]:
        body, dot, number = certificate_id.rpartition(".")
        if not dot or not body or not number:
            raise malformed("id", "body and number such as verifier.000001", certificate_id)
        if context.store.get(certificate_key(certificate_id)) is None:
            raise unknown("UNKNOWN_CERTIFICATE", "id", quoted(certificate_id))
        functions = (certificate_key, status_key, revoked_key, suspended_key)
        return tuple(function(certificate_id) for function in functions)

    return _file(await context.read(_state_file, context, keys))


async def total(context: RpcContext, request: web.Request) -> web.Response:
    """Proves the total of a site's or organisation's month, or that there is none."""
    owner = parse_identifier(request.match_info["id"], "id")
    month = parse_month(request.match_info["month"], "month")

    def keys() -> tuple[bytes, ...]:
        if context.store.get(site_key(owner)) is not None:
            return (site_month_key(owner, month),)
        if context.store.get(organisation_key(owner)) is not None:
            return (organisation_month_key(owner, month),)
        raise unknown("UNKNOWN_SITE", "id", owner)

    return _file(await context.read(_state_file, context, keys))


async def state(context: RpcContext, request: web.Request) -> web.Response:
    """Proves what any state key holds, or that it is absent."""
    key = parse_bytes(request.match_info["key"], "key")
    return _file(await context.read(_state_file, context, lambda: (key,)))


def _file(text: bytes) -> web.Response:
    return web.Response(body=text, content_type="application/json")


def _state_file(context: RpcContext, keys_of: Callable[[], tuple[bytes, ...]]) -> bytes:
    keys = keys_of()
    proven = context.prover.prove_all(keys)
    claims = [_state_claim(key, each, 0) for key, each in zip(keys, proven, strict=True)]
    block = (proven[0].header, proven[0].certificate)
    return sealed(genesis=context.service.genesis, blocks=[block], claims=claims)


def _reading_file(context: RpcContext, meter_id: str, at_ms: Milliseconds) -> bytes:
    meter = _meter_of(context, meter_id)
    page = _Page(context, meter, at_ms)
    start_ms = at_ms - at_ms % meter.interval_ms
    for sent in page.sent:
        for index, raw in enumerate(sent.arguments.readings):
            is_value = sent.result.outcomes[index] in _VALUES
            if is_value and interval_start_of(meter, raw.stamp_ms) == start_ms:
                return page.sealed(sent, index)
    raise unknown("UNKNOWN_READING", "at", f"{at_ms} of {meter_id}")


def _absence_file(context: RpcContext, meter_id: str, at_ms: Milliseconds) -> bytes:
    return _Page(context, _meter_of(context, meter_id), at_ms).sealed()


def _meter_of(context: RpcContext, meter_id: str) -> Meter:
    meter = queries.find_meter(context.store, meter_id)
    if meter is None:
        raise unknown("UNKNOWN_METER", "meter", meter_id)
    return meter


class _Page:
    """What the state holds of a page, its meter and its corrections; and what was sent for it."""

    def __init__(self, context: RpcContext, meter: Meter, at_ms: Milliseconds) -> None:
        interval_ms = meter.interval_ms
        start_ms = at_ms - at_ms % interval_ms
        page_ms = page_start(interval_ms, start_ms)
        self._context = context
        self._meter = meter
        self._keys = (
            page_key(meter.meter_id, page_ms),
            meter_key(meter.meter_id),
            corrected_page_key(meter.meter_id, page_ms),
        )
        self._proven = context.prover.prove_all(self._keys)
        self._span = (page_ms, page_ms + interval_ms * slots_per_page(interval_ms))
        head = self._proven[0].header
        self.sent = tuple(_sent_between(context, meter, self._span, head.height))
        stamp_ms = start_ms + interval_ms if meter.stamp is StampConvention.END else start_ms
        tolerance_ms = tolerance_of(interval_ms)
        self._stamps = (stamp_ms - tolerance_ms, stamp_ms + tolerance_ms)

    def sealed(self, sent: _Sent | None = None, index: int = 0) -> bytes:
        """Returns the file: of a reading where one is given, else of the page only."""
        head = self._proven[0]
        blocks = [(head.header, head.certificate)]
        claims = [
            self._claim() if number == 0 and each.value is not None else _state_claim(key, each, 0)
            for number, (key, each) in enumerate(zip(self._keys, self._proven, strict=True))
        ]
        if sent is not None:
            blocks.append((sent.block.header, sent.block.certificate))
            claims.insert(0, _reading_claim(self._context, self._meter, sent, index))
        return sealed(genesis=self._context.service.genesis, blocks=blocks, claims=claims)

    def _claim(self) -> JsonClaim:
        (page_ms, end_ms), (first_ms, last_ms) = self._span, self._stamps
        raw = [
            each
            for sent in self.sent
            for each in sent.arguments.readings
            if page_ms <= kept_ms_of(self._meter, each.stamp_ms) < end_ms
        ]
        return {
            **_state_claim(self._keys[0], self._proven[0], 0),
            "kind": "page",
            "leaves": [_leaf(self._meter, each).hex() for each in raw],
            "stamp_from_ms": first_ms,
            "stamp_to_ms": last_ms,
            "within": sum(first_ms <= each.stamp_ms <= last_ms for each in raw),
        }


def _sent_between(
    context: RpcContext, meter: Meter, span: tuple[Milliseconds, Milliseconds], height: int
) -> Iterator[_Sent]:
    """Yields the submissions that may hold readings of a span, in order, up to a height."""
    places = {
        (int.from_bytes(entry[-12:-4], "big"), int.from_bytes(entry[-4:], "big")): None
        for prefix in index_keys_between(meter, *span)
        for entry in context.store.index_entries(prefix)
    }
    block: CertifiedBlock | None = None
    receipts: tuple[bytes, ...] = ()
    for at_height, position in sorted(places):
        if at_height > height:
            break
        if block is None or block.header.height != at_height:
            block = context.store.block(at_height)
            receipts = context.store.encoded_receipts(at_height)
        assert block is not None, "an indexed transaction stands in a block"
        receipt = Receipt.decode(receipts[position])  # one of thousands
        if receipt.status is Status.OK:
            yield _Sent(block, position, receipt)


def _leaf(meter: Meter, raw: RawReading) -> bytes:
    return encode((meter.meter_id, meter.unit, *raw.to_value()))


def _reading_claim(context: RpcContext, meter: Meter, sent: _Sent, index: int) -> JsonClaim:
    readings = sent.arguments.readings
    hashes = [leaf_of(meter.meter_id, meter.unit, raw) for raw in readings]
    receipts = context.store.encoded_receipts(sent.block.header.height)
    return {
        "kind": "reading",
        "block": 1,
        "leaf": _leaf(meter, readings[index]).hex(),
        "index": index,
        "path": [each.hex() for each in path_of_hashes(hashes, index)],
        "receipt": receipts[sent.position].hex(),
        "receipt_index": sent.position,
        "receipt_path": [each.hex() for each in inclusion_path(receipts, sent.position)],
    }


def _state_claim(key: bytes, proven: ProvenState, block: int) -> JsonClaim:
    return {
        "kind": "state",
        "block": block,
        "key": key.hex(),
        "value": None if proven.value is None else proven.value.hex(),
        "proof": proven.proof.encode().hex(),
    }
