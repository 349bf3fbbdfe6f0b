"""Reading certification: engagements, certificates with their history, and who is not valid."""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from aiohttp import web

from chain.codec import Record
from contracts import queries
from contracts.certificate import (
    CERTIFICATE_PREFIX,
    STATUS_PURPOSES,
    CertificateBinding,
    CertificateStatus,
    Change,
    certificate_key,
    change_prefix,
    standing_prefix,
    status_key,
)
from contracts.certification import (
    CERTIFICATION_ID_PATTERN,
    CERTIFICATION_PREFIX,
    CERTIFICATIONS_MAX,
    MISSTATEMENTS_MAX,
    Certification,
    Misstatement,
    Scoped,
    certification_key,
    misstatement_prefix,
)
from contracts.queries import Cut, Page
from node.rpc.chain_queries import read_record
from node.rpc.context import RpcContext, answer
from node.rpc.parameters import malformed, parse_identifier
from node.rpc.presentation import add_member, present, present_object
from node.rpc.problems import quoted, unknown
from node.rpc.registry_queries import list_of
from node.rpc.strict_json import Json

ScopedT = TypeVar("ScopedT", bound=Scoped)
RecordT = TypeVar("RecordT", bound=Record)

CHANGES_MAX: Final = 1_000
"""Newest changes of a certificate that are shown with it."""


async def certifications(context: RpcContext, request: web.Request) -> web.Response:
    """Lists engagements by body and number; of one body or organisation where asked."""
    read = _reader_of(context, request.query, Certification, CERTIFICATION_PREFIX)
    return answer(await context.read(list_of, "certifications", read, request.query))


async def certification(context: RpcContext, request: web.Request) -> web.Response:
    """Shows an engagement with its misstatements."""
    certification_id = _id_of(request, "UNKNOWN_CERTIFICATION")

    def read() -> dict[str, Json]:
        found = read_record(context, Certification, certification_key(certification_id))
        if found is None:
            raise unknown("UNKNOWN_CERTIFICATION", "id", quoted(certification_id))
        document = present_object(found)
        prefix = misstatement_prefix(certification_id)
        document["misstatements"] = present(_all(context, Misstatement, prefix, MISSTATEMENTS_MAX))
        return document

    return answer(await context.read(read))


async def certificates(context: RpcContext, request: web.Request) -> web.Response:
    """Lists certificates by body and number; of one body or organisation where asked."""
    read = _reader_of(context, request.query, CertificateBinding, CERTIFICATE_PREFIX)

    def documents() -> dict[str, Json]:
        document = list_of("certificates", read, request.query)
        shown = document["certificates"]
        assert isinstance(shown, list), "a list is what was asked for"
        for each in shown:
            assert isinstance(each, dict), "records are objects"
            each["status"] = _status(context, str(each["certificate_id"]))
        return document

    return answer(await context.read(documents))


async def certificate(context: RpcContext, request: web.Request) -> web.Response:
    """Shows a certificate, how it stands, and its changes."""
    certificate_id = _id_of(request, "UNKNOWN_CERTIFICATE")

    def read() -> dict[str, Json]:
        found = read_record(context, CertificateBinding, certificate_key(certificate_id))
        if found is None:
            raise unknown("UNKNOWN_CERTIFICATE", "id", quoted(certificate_id))
        document = present_object(found)
        document["status"] = _status(context, certificate_id)
        prefix = change_prefix(certificate_id)
        document["changes"] = present(_all(context, Change, prefix, CHANGES_MAX))
        return document

    return answer(await context.read(read))


async def status_list(context: RpcContext, request: web.Request) -> web.Response:
    """Lists the entries that are set in a body's status list of one purpose."""
    body = parse_identifier(request.match_info["body"], "body")
    purpose = request.match_info["purpose"]
    if purpose not in STATUS_PURPOSES:
        raise malformed("purpose", " or ".join(STATUS_PURPOSES), purpose)

    def read() -> dict[str, Json]:
        if queries.find_organisation(context.store, body) is None:
            raise unknown("UNKNOWN_ORGANISATION", "body", body)
        head = context.store.head()
        prefix = standing_prefix(body, STATUS_PURPOSES[purpose])
        numbers = [int(key[len(prefix) :]) for key, _ in context.store.iterate(prefix)]
        document: dict[str, Json] = {
            "body": body,
            "purpose": purpose,
            "entries": CERTIFICATIONS_MAX,
            "set": [number - 1 for number in numbers],
            "height": 0 if head is None else head[0].height,
        }
        add_member(document, "time_ms", 0 if head is None else head[0].time_ms)
        return document

    return answer(await context.read(read))


def _reader_of(
    context: RpcContext, query: Mapping[str, str], cls: type[ScopedT], prefix: bytes
) -> Callable[[Cut], Page[ScopedT]]:
    organisation = query.get("organisation")
    if organisation is not None:
        parse_identifier(organisation, "organisation")
    body = query.get("body")
    if body is not None:
        prefix += parse_identifier(body, "body").encode() + b"/"

    def read(cut: Cut) -> Page[ScopedT]:
        return queries.list_records(
            context.store,
            cls,
            prefix,
            cut,
            lambda record: organisation in {None, record.organisation},
        )

    return read


def _id_of(request: web.Request, code: str) -> str:
    text = request.match_info["id"]
    if re.fullmatch(CERTIFICATION_ID_PATTERN.expression, text, re.ASCII) is None:
        raise unknown(code, "id", quoted(text))
    return text


def _status(context: RpcContext, certificate_id: str) -> Json:
    status = read_record(context, CertificateStatus, status_key(certificate_id))
    assert status is not None, "a certificate has its status from the issue on"
    return present(status)


def _all(context: RpcContext, cls: type[RecordT], prefix: bytes, count_max: int) -> list[RecordT]:
    """Returns the records under a prefix, the newest of them where there are more."""
    stored = [value for _, value in context.store.iterate(prefix)]
    return [cls.decode(value) for value in stored[-count_max:]]
