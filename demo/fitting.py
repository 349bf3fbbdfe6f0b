"""Fitting a baseline, and saying what the gate made of it."""

from dataclasses import dataclass

from client.asynchronous import TanlianClient
from client.results import fit_result_of
from contracts.baselines import FitBaseline, SetBaseline
from demo.receipts import committed_transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedBaseline:
    """What the chain computed."""

    meter_id: str
    cv_rmse_permille: int
    nmbe_permille: int
    reason: str | None
    """Why it does not qualify; None where it does."""

    @property
    def qualifies(self) -> bool:
        """Returns whether it came into force."""
        return self.reason is None

    def to_json(self) -> dict[str, object]:
        """Returns it as the summary shows it."""
        document: dict[str, object] = {
            "meter": self.meter_id,
            "cv_rmse_permille": self.cv_rmse_permille,
            "nmbe_permille": self.nmbe_permille,
        }
        return document if self.reason is None else document | {"reason": self.reason}

    def sentence(self) -> str:
        """Returns it for people."""
        cv_rmse, nmbe = percent(self.cv_rmse_permille), percent(self.nmbe_permille)
        measures = f"CV(RMSE) {cv_rmse}, NMBE {nmbe}"
        if self.reason is None:
            return f"Baseline of {self.meter_id} qualifies: {measures}."
        return f"Baseline of {self.meter_id} REFUSED by the gate ({self.reason}): {measures}."


def percent(permille: int) -> str:
    """Returns a share for people, such as ``26.4 %``."""
    sign = "-" if permille < 0 else ""
    return f"{sign}{abs(permille) // 10}.{abs(permille) % 10} %"


async def fit_baseline(
    fitter: TanlianClient,
    setter: TanlianClient,
    *,
    meter_id: str,
    from_ms: int,
    to_ms: int,
) -> FittedBaseline:
    """Lets the chain fit a baseline, and brings it into force where it qualifies.

    Args:
        fitter: client of the account that names the window.
        setter: of another account of the same organisation, for nobody sets what they fitted.
        meter_id: the meter.
        from_ms: start of the training window, UTC.
        to_ms: its exclusive end, from which on the baseline is in force.

    Raises:
        TransactionError: a call was refused; that a baseline does not qualify is no error.
    """
    arguments = FitBaseline(meter_id=meter_id, from_ms=from_ms, to_ms=to_ms)
    outcome = await fitter.submit_and_wait("baseline.fit", arguments)
    document = await committed_transaction(fitter, outcome.transaction_id)
    result = fit_result_of(document)
    if result.accepted:
        in_force = SetBaseline(meter_id=meter_id, version=result.version, from_ms=to_ms)
        await setter.submit_and_wait("baseline.set", in_force)
    return FittedBaseline(
        meter_id=meter_id,
        cv_rmse_permille=result.cv_rmse_permille,
        nmbe_permille=result.nmbe_permille,
        reason=None if result.reason is None else result.reason.name,
    )
