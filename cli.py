"""The command line ``tanlian``: parse, call, print.

Exit codes: 0 done, 1 refused or failed with a reason, 2 wrong usage. A fault that a person can mend
is one sentence and never a traceback: what was expected, what came, what to do.
"""

import sys
from typing import Annotated, Final

import typer

from commands import (
    account,
    activity,
    alert,
    baseline,
    bench,
    bill,
    certificate,
    check,
    demo,
    deposit,
    evidence,
    instrument,
    key,
    meter,
    network,
    node,
    period,
    proof,
    reading,
    reduction_target,
    report,
    restatement,
    simulate,
    site,
    total,
)
from commands.output import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, CommandFailed, say, warn

_CTRL_C: Final = 130
"""What typer makes of a KeyboardInterrupt."""

app = typer.Typer(
    name="tanlian",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(is_asked: bool) -> None:  # noqa: FBT001  # typer calls it so
    if is_asked:
        from node.app import software_version

        say(f"tanlian {software_version()}")
        raise typer.Exit


@app.callback()
def _tanlian(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A permissioned chain for carbon readings."""


app.command("demo")(demo.demo)
app.add_typer(network.app, name="network")
app.add_typer(node.app, name="node")
app.add_typer(key.app, name="key")
app.add_typer(account.app, name="account")
app.add_typer(meter.app, name="meter")
app.add_typer(site.app, name="site")
app.add_typer(check.app, name="check")
app.add_typer(bill.app, name="bill")
app.add_typer(baseline.app, name="baseline")
app.add_typer(reading.app, name="reading")
app.add_typer(alert.app, name="alert")
app.add_typer(restatement.app, name="factor")
app.add_typer(instrument.app, name="instrument")
app.add_typer(activity.app, name="activity")
app.add_typer(total.app, name="total")
app.add_typer(proof.app, name="proof")
app.add_typer(reduction_target.app, name="target")
app.add_typer(certificate.app, name="certificate")
app.add_typer(period.app, name="period")
app.add_typer(report.app, name="report")
app.add_typer(deposit.app, name="deposit")
app.add_typer(evidence.app, name="evidence")
app.command("simulate")(simulate.simulate)
app.add_typer(bench.app, name="bench")


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code.

    Args:
        arguments: what follows the command's name.
    """
    if any(_is_no_text(each) for each in arguments):
        warn("Error: arguments: expected text in UTF-8, got other bytes")
        return EXIT_USAGE
    try:
        app(args=arguments, prog_name="tanlian")
    except SystemExit as ended:
        if ended.code != _CTRL_C:
            return ended.code if isinstance(ended.code, int) else EXIT_DONE
        warn("Stopped.")
        return EXIT_FAILED
    except CommandFailed as error:
        warn(f"Error: {error}")
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001  told apart by what it is, below
        return _report(error)
    return EXIT_DONE


def _is_no_text(argument: str) -> bool:
    """Returns whether the system handed over bytes that are no UTF-8 (PEP 383)."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return True
    return False


def _report(error: Exception) -> int:
    """Tells a person about an error that a layer below words for people; raises any other."""
    from commands.failures import sentence_of

    sentence = sentence_of(error)
    if sentence is None:
        raise error
    warn(f"Error: {sentence}")
    return EXIT_FAILED


def main() -> None:
    """Runs the command line of this process."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
