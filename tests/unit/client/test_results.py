"""Results of calls, from a node's JSON."""

from typing import Any

import pytest

from client.errors import MalformedAnswer
from client.results import fit_result_of, submit_result_of
from contracts.baseline import Model, Reason, Resolution
from contracts.baselines import FitResult
from contracts.reading import Outcome, SubmitResult
from node.rpc.presentation import present

FIT = FitResult(
    meter_id="m",
    version=2,
    model=Model.CHANGE_POINT_5P,
    resolution=Resolution.MONTH,
    accepted=False,
    reason=Reason.SCATTER_TOO_HIGH,
    cv_rmse_permille=2**60,
    nmbe_permille=-158,
    fsu_permille=411,
    interval_count=7,
    coverage_permille=988,
)


def document(result: object) -> dict[str, Any]:
    return {"receipt": {"result": result}}


def test_what_a_node_presents_of_readings_is_read_back() -> None:
    result = SubmitResult(
        outcomes=(Outcome.ACCEPTED, Outcome.OFF_GRID), failed=(0, 2), root=bytes(32)
    )

    assert submit_result_of(document(present(result))) == result


def test_what_a_node_presents_of_a_fit_is_read_back() -> None:
    assert fit_result_of(document(present(FIT))) == FIT


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"receipt": None},
        document("98ab"),
        document({"outcomes": ["ACCEPTED"]}),
        document({"outcomes": ["ACCEPTED"], "failed": [0]}),
        document({"outcomes": ["EATEN"], "failed": [0], "root": ""}),
        document({"outcomes": ["ACCEPTED"], "failed": [None], "root": ""}),
        document({"outcomes": ["ACCEPTED"], "failed": [0], "root": "no digits"}),
    ],
)
def test_anything_else_is_a_malformed_answer(answer: dict[str, Any]) -> None:
    with pytest.raises(MalformedAnswer):
        submit_result_of(answer)
