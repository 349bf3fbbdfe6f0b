"""What a person sees of the demonstration: steps, progress bars and alerts as they are raised."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from contracts.check import LABELS, Check

ALERTS_SHOWN: Final = 8
_STYLES: Final = {
    "OPEN": "red",
    "ACKNOWLEDGED": "yellow",
    "INVESTIGATING": "yellow",
    "EXPLAINED": "cyan",
    "REBASELINED": "cyan",
    "CORRECTED": "cyan",
    "DISMISSED": "cyan",
    "VERIFIED": "green",
    "CLOSED": "green",
}


class Screen:
    """A live view on a terminal, or plain lines where there is none; a context manager.

    Args:
        console: where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            expand=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._alerts: OrderedDict[str, Mapping[str, object]] = OrderedDict()
        self._live = Live(console=console, get_renderable=self._view, refresh_per_second=5)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def say(self, text: str) -> None:
        """Shows a step, above what moves."""
        self._console.print(Text(text))

    def expect(self, source: str, readings: int) -> None:
        """Shows a bar for what a source is going to send."""
        self._tasks[source] = self._progress.add_task(source, total=readings)

    def advance(self, source: str, readings: int) -> None:
        """Moves a source's bar on."""
        self._progress.advance(self._tasks[source], readings)

    def show_alert(self, alert: Mapping[str, object]) -> None:
        """Shows an alert as it is now; the one that changed last stands last."""
        if "check" not in alert:
            return  # an entry of a story, or the terms of an organisation
        alert_id = str(alert["alert_id"])
        is_new = self._alerts.pop(alert_id, None) is None
        self._alerts[alert_id] = alert
        if is_new and not self._console.is_terminal:
            self.say(f"  alert {alert_id}: {_label(alert)}, {alert['state']}")

    def _view(self) -> Group:
        return Group(self._progress, self._alert_table())

    def _alert_table(self) -> Table:
        table = Table(
            box=box.SIMPLE_HEAD,
            expand=True,
            pad_edge=False,
            title=f"{len(self._alerts)} alerts; the latest:",
            title_justify="left",
        )
        table.add_column("alert", no_wrap=True, overflow="fold")
        table.add_column("what", overflow="fold")
        table.add_column("state")
        table.add_column("interval (UTC)")
        table.add_column("times", justify="right")
        for alert in list(self._alerts.values())[-ALERTS_SHOWN:]:
            state = str(alert["state"])
            table.add_row(
                Text(str(alert["alert_id"])),
                _label(alert),
                Text(state, style=_STYLES.get(state, "")),
                minute_text(alert["first_interval_ms"]),
                str(alert["occurrences"]),
            )
        return table


def minute_text(milliseconds: object) -> str:
    """Returns a moment as people read it, UTC to the minute."""
    assert isinstance(milliseconds, int), "moments are integers"
    moment = datetime.fromtimestamp(milliseconds / 1_000, tz=UTC)
    return moment.strftime("%Y-%m-%d %H:%M")


def _label(alert: Mapping[str, object]) -> str:
    return LABELS[Check[str(alert["check"])]]
