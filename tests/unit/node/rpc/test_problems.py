"""Problem documents: stable types, statuses, and no empty members."""

import pytest

from chain.errors import DecodeError
from contracts.refusal import Code
from node.rpc.problems import Problem, problem_of_decode, quoted, refuse, unknown


def test_a_problem_is_a_document_of_rfc_9457() -> None:
    problem = refuse(
        "MALFORMED_BODY", field="transactions[3]", expected="base64", got="'?'"
    ).problem

    assert problem.to_json() == {
        "type": "urn:tanlian:problem:malformed-body",
        "title": "Malformed body",
        "status": 400,
        "detail": "transactions[3]: expected base64, got '?'",
        "code": "MALFORMED_BODY",
        "field": "transactions[3]",
        "expected": "base64",
        "got": "'?'",
    }
    assert problem.headers() == {}


def test_a_detail_is_cut_at_its_limit() -> None:
    assert len(str(Problem(code="INTERNAL", detail="x" * 1_024).to_json()["detail"])) == 1_024
    assert len(str(Problem(code="INTERNAL", detail="x" * 1_025).to_json()["detail"])) == 1_024


def test_what_is_unknown_is_not_found_but_a_refused_transaction_is_unprocessable() -> None:
    assert unknown("UNKNOWN_METER", "id", "m").problem.status == 404
    assert Problem(code="UNKNOWN_METER", detail="").status == 404
    assert Problem(code="UNKNOWN_METER", detail="", is_refusal=True).status == 422
    assert Problem(code="DUPLICATE", detail="", is_refusal=True).status == 409


@pytest.mark.parametrize("code", list(Code))
def test_every_refusal_of_a_contract_is_a_client_error(code: Code) -> None:
    assert 400 <= Problem(code=code, detail="", is_refusal=True).status < 500


def test_a_code_of_a_later_version_is_unprocessable() -> None:
    assert Problem(code="SOMETHING_NEW", detail="").status == 422


@pytest.mark.parametrize(("code", "seconds"), [("MEMPOOL_FULL", "1"), ("NOT_READY", "5")])
def test_what_may_work_later_says_when(code: str, seconds: str) -> None:
    assert Problem(code=code, detail="").headers() == {"Retry-After": seconds}
    assert Problem(code=code, detail="", retry_after_s=7).headers() == {"Retry-After": "7"}


def test_a_finding_of_the_codec_keeps_field_expectation_and_finding() -> None:
    error = DecodeError(path="payload.nonce", expected="16 bytes", got="3 bytes")

    problem = problem_of_decode("MALFORMED_BODY", error).problem

    assert (problem.field, problem.expected, problem.got) == (
        "payload.nonce",
        "16 bytes",
        "3 bytes",
    )


def test_client_text_is_quoted_so_that_no_terminal_misreads_it() -> None:
    assert quoted("a\r\n\x1b[31m碳") == "'a\\r\\n\\x1b[31m\\u78b3'"
    assert len(quoted("x" * 1_000)) == 62
