"""``tanlian baseline``: fitted and gated by the chain, set in force by a second role."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.output import (
    fail,
    minute_text,
    print_fields,
    print_json,
    print_table,
    say,
    time_text,
)
from commands.session import Session, reads, signs
from commands.submission import submit_and_print
from commands.target import OPERATOR_ACCOUNT

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient

app = typer.Typer(no_args_is_help=True, help="Baselines: fit, set in force, show.")
MeterArgument = Annotated[str, typer.Argument(help="Meter id.")]
_DAY_MS = 86_400_000
_ADMIN = "member-1-admin"


@app.command("fit")
@signs(OPERATOR_ACCOUNT)
def fit(
    session: Session,
    meter_id: MeterArgument,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Start of the window, ISO 8601; by default 28 days back."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="End of the window; by default after the newest reading."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="day-type-hour, hour-of-week, degree-day, heating-3p, cooling-3p, "
            "change-point-4p, change-point-5p or production."
        ),
    ] = "day-type-hour",
    monthly: Annotated[
        bool, typer.Option("--monthly", help="Fit the mean days of months and not days.")
    ] = False,
    temperature: Annotated[
        str | None, typer.Option(help="Meter of the outdoor temperature, for the weather models.")
    ] = None,
    production: Annotated[
        str | None, typer.Option(help="Meter of what is produced, for the production model.")
    ] = None,
    zone: Annotated[str, typer.Option(help="IANA zone of times without offset.")] = "UTC",
) -> None:
    """Let every validator fit a baseline from the readings of a window, and gate it."""
    from commands.choices import choice_of
    from commands.fit_results import fit_result_of, words_of
    from contracts.baseline import Model
    from contracts.baselines import FitBaseline

    chosen = choice_of(Model, model, "--model")
    with session.connect() as client:
        from_ms, to_ms = _window_of(client, meter_id, (start, end), zone)
        arguments = FitBaseline(
            meter_id=meter_id,
            from_ms=from_ms,
            to_ms=to_ms,
            model=chosen,
            is_monthly=monthly,
            temperature=temperature,
            production=production,
        )
        document = submit_and_print(client, "baseline.fit", arguments, as_json=session.as_json)
        result = fit_result_of(client, bytes.fromhex(document["id"]))
        if not session.as_json:
            say(words_of(result), _parameters_of(client, meter_id, result.version))
    if not result.accepted:
        fail(
            f"{meter_id}: expected a baseline that qualifies, got one that does not; choose "
            "another window or model, or accept that this meter has none"
        )
    if not session.as_json:
        say(f"Set it in force: tanlian baseline set {meter_id} {result.version} --as ADMIN")


def _window_of(
    client: "SyncTanlianClient", meter_id: str, ends: tuple[str | None, str | None], zone: str
) -> tuple[int, int]:
    """Returns start and end of the window: as they were given, else up to the newest reading."""
    from commands.reading_input import stamp_of
    from commands.registry import meter_of, newest_interval_ms

    start, end = ends
    meter = meter_of(client, meter_id)
    if end is not None:
        to_ms = stamp_of(end, zone)
    else:
        newest_ms = newest_interval_ms(client, meter_id)
        if newest_ms is None:
            fail(f"{meter_id}: expected readings to fit a baseline from, got none yet")
        to_ms = newest_ms + meter.interval_ms
    from_ms = to_ms - 28 * _DAY_MS if start is None else stamp_of(start, zone)
    return max(from_ms, 0), to_ms


@app.command("set")
@signs(_ADMIN)
def set_in_force(
    session: Session,
    meter_id: MeterArgument,
    version: Annotated[int, typer.Argument(min=1, help="A version that qualifies.")],
    start: Annotated[
        str | None,
        typer.Option("--from", help="First interval held against it; by default its window's end."),
    ] = None,
    case: Annotated[
        str | None, typer.Option(help="Alert that is explained by a change of use.")
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why; needed where one was in force before, or with --case.")
    ] = "",
    zone: Annotated[str, typer.Option(help="IANA zone of times without offset.")] = "UTC",
) -> None:
    """Bring a baseline into force; needs an admin or certifier that did not fit it."""
    from commands.reading_input import stamp_of
    from contracts.baselines import SetBaseline

    with session.connect() as client:
        if start is None:
            from_ms = _version_of(client.baselines(meter=meter_id), meter_id, version)["to_ms"]
        else:
            from_ms = stamp_of(start, zone)
        arguments = SetBaseline(
            meter_id=meter_id, version=version, from_ms=from_ms, case=case, reason=reason
        )
        submit_and_print(client, "baseline.set", arguments, as_json=session.as_json)


@app.command("show")
@reads
def show(
    session: Session,
    meter_id: MeterArgument,
    version: Annotated[
        int | None, typer.Argument(min=1, help="One version with its profile or parameters.")
    ] = None,
) -> None:
    """Show the baselines of a meter, refused ones too, or one of them in full."""
    from commands.registry import meter_of

    with session.connect() as client:
        baselines: list[dict[str, Any]] = client.baselines(meter=meter_id)
        if not baselines:
            meter_of(client, meter_id)
        if version is not None:
            found = _version_of(baselines, meter_id, version)
            if session.as_json:
                print_json(found)
            else:
                _print_one(client, found)
            return
        if session.as_json:
            print_json({"baselines": baselines})
        elif not baselines:
            say("No baselines.")
        else:
            _print_all(client, baselines)


def _print_all(client: "SyncTanlianClient", baselines: list[dict[str, Any]]) -> None:
    from commands.baseline_words import MODELS, measure_words, since_words, verdict_words
    from contracts.baseline import Model

    print_table(
        (">version", "model", "!window (UTC)", ">CV(RMSE)", ">NMBE", ">FSU", "!verdict"),
        [
            (
                each["version"],
                MODELS[Model[each["model"]]],
                f"{minute_text(each['from_ms'])[:10]}, {_days_of(each)} d",
                *measure_words(each),
                verdict_words(each),
            )
            for each in baselines
        ],
    )
    for each in baselines:
        since = since_words(each)
        words = _words_of_parameters(client, each)
        say(f"{each['version']}: {words}; {since}" if since else f"{each['version']}: {words}")


def _days_of(baseline: dict[str, Any]) -> int:
    return int(baseline["to_ms"] - baseline["from_ms"]) // _DAY_MS


def _print_one(client: "SyncTanlianClient", baseline: dict[str, Any]) -> None:
    from commands.baseline_words import MODELS, POINTS, measure_words, verdict_words
    from contracts.baseline import Model, Resolution
    from contracts.fit_quality import SAVING_PERCENT
    from demo.fitting import percent

    points = POINTS[Resolution[baseline["resolution"]]]
    cv_rmse, nmbe, fsu = measure_words(baseline)
    print_fields(
        [
            ("meter", baseline["meter_id"]),
            ("version", baseline["version"]),
            ("model", MODELS[Model[baseline["model"]]]),
            ("driven by", baseline["driver"]),
            ("parameters", _words_of_parameters(client, baseline)),
            ("window", f"{minute_text(baseline['from_ms'])} to {minute_text(baseline['to_ms'])}"),
            (points, f"{baseline['interval_count']}, {percent(baseline['coverage_permille'])}"),
            ("CV(RMSE)", cv_rmse),
            ("NMBE", nmbe),
            ("uncertainty", f"{fsu} of a saving of {SAVING_PERCENT} %, at 68 %"),
            ("verdict", verdict_words(baseline)),
            ("fitted by", baseline["fitted_by"]),
        ]
    )
    for each in baseline["approvals"]:
        case = "" if each["case"] is None else f", case {each['case']}"
        reason = f": {each['reason']}" if each["reason"] else ""
        say(
            f"approved {time_text(each['approved_ms'])} by {each['approved_by'][:12]}, in force "
            f"from {minute_text(each['from_ms'])}{case}{reason}"
        )
    medians = baseline["medians"]
    if medians is not None:
        print_table(
            (">hour", *(f">{name.lower()}" for name in medians)),
            [(hour, *(medians[name][hour] for name in medians)) for hour in range(24)],
            title="Median, base units an interval",
        )


def _parameters_of(client: "SyncTanlianClient", meter_id: str, version: int) -> str:
    return _words_of_parameters(
        client, _version_of(client.baselines(meter=meter_id), meter_id, version)
    )


def _words_of_parameters(client: "SyncTanlianClient", baseline: dict[str, Any]) -> str:
    from commands.baseline_words import parameter_words
    from commands.registry import meter_of

    driver = baseline["driver"]
    return parameter_words(
        baseline,
        meter_of(client, baseline["meter_id"]),
        None if driver is None else meter_of(client, driver),
    )


def _version_of(baselines: list[Any], meter_id: str, version: int) -> dict[str, Any]:
    by_version = {each["version"]: dict(each) for each in baselines}
    if version not in by_version:
        known = ", ".join(map(str, by_version)) or "none yet"
        fail(f"{meter_id}: expected one of its baselines ({known}), got version {version}")
    return by_version[version]
