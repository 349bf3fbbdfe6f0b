"""What the chain made of a baseline, read from its receipt and worded for people."""

from typing import TYPE_CHECKING

from client import results as client_results
from commands.baseline_words import MODELS, POINTS, reason_words
from commands.submission import committed_transaction
from contracts.baselines import FitResult
from demo.fitting import percent

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient


def fit_result_of(client: "SyncTanlianClient", transaction_id: bytes) -> FitResult:
    """Returns the result of a committed ``baseline.fit``."""
    return client_results.fit_result_of(committed_transaction(client, transaction_id))


def words_of(result: FitResult) -> str:
    """Returns the result in a sentence."""
    verdict = "qualifies"
    if result.reason is not None:
        verdict = f"is REFUSED by the gate, {reason_words(result.reason, result.resolution)}"
    return (
        f"Baseline {result.version} of {result.meter_id} ({MODELS[result.model]}) {verdict}: "
        f"CV(RMSE) {percent(result.cv_rmse_permille)}, NMBE {percent(result.nmbe_permille)}, "
        f"{result.interval_count} {POINTS[result.resolution]}, "
        f"coverage {percent(result.coverage_permille)}."
    )
