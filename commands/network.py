"""``tanlian network``: a network of processes of this host, for trying things."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.output import (
    JsonOption,
    fail,
    print_json,
    print_table,
    say,
    short,
    warn,
)

if TYPE_CHECKING:
    from node.provisioning import Network

app = typer.Typer(
    no_args_is_help=True,
    help="A network on this host: make it, start it, look at it, stop it.",
)

DirectoryArgument = Annotated[Path, typer.Argument(help="Directory of the network.")]


@app.command("init")
def init(
    directory: DirectoryArgument,
    validators: Annotated[int, typer.Option(min=1, max=31, help="1, or 4 and more.")] = 4,
    observers: Annotated[int, typer.Option(min=0, max=16, help="Certification bodies.")] = 1,
    max_block_interval_ms: Annotated[
        int,
        typer.Option(min=100, max=86_400_000, help="Longest time between two blocks."),
    ] = 60_000,
    as_json: JsonOption = False,
) -> None:
    """Make keys, genesis and a home for each node in a new directory."""
    from commands.founding import found_members
    from commands.target import remember_network

    network = found_members(
        directory,
        validators=validators,
        observers=observers,
        max_block_interval_ms=max_block_interval_ms,
    )
    remember_network(directory)
    if as_json:
        print_json(_description(network))
        return
    _print_nodes(network)
    say(
        f"Keys are encrypted; each passphrase is in a file of mode 0600: {directory}/*/passphrase",
        "",
        "Next:",
        f"  tanlian network up {directory}",
    )


@app.command("up")
def up(
    directory: DirectoryArgument,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave the nodes running and return.")
    ] = False,
    sample: Annotated[
        bool, typer.Option(help="Register a site, a meter, a baseline and an operator to try.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Start all nodes; at the first start also register something to try."""
    from commands.founding import check_ports, check_stopped
    from commands.interruption import announce_stop, ended_like_ctrl_c
    from commands.target import open_network, remember_network
    from node.devnet import Devnet

    network = open_network(directory)
    check_stopped(network)
    check_ports(network)
    devnet = Devnet(network)
    is_left_running = False
    with ended_like_ctrl_c():
        try:
            devnet.start()
            devnet.wait_ready()
            remember_network(directory)
            _tell(network, has_sample=sample, is_detached=detach, as_json=as_json)
            is_left_running = detach
            if not detach:
                _watch(devnet)
        finally:
            if not is_left_running:
                announce_stop()
                devnet.stop()


def _tell(network: "Network", *, has_sample: bool, is_detached: bool, as_json: bool) -> None:
    """Registers the sample where it is wanted, and says what runs."""
    if has_sample:
        from commands.sample import ensure_sample

        ensure_sample(network, say=warn if as_json else say)
    if as_json:
        print_json(_description(network))
    else:
        _print_nodes(network)
        _print_next(has_sample=has_sample, is_detached=is_detached)


@app.command("down")
def down(
    directory: DirectoryArgument,
    node: Annotated[
        list[str] | None, typer.Option(help="Only this node; may be given again.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Stop the nodes of a network that run in the background."""
    from commands.target import open_network
    from node.devnet import stop_running

    network = open_network(directory)
    known = [each.node_id for each in network.nodes]
    for name in node or ():
        if name not in known:
            fail(f"--node: expected one of {', '.join(known)}, got {name!a}")
    stopped = stop_running(network, node or known)
    if as_json:
        print_json({"stopped": stopped})
    elif stopped:
        say(f"Stopped: {', '.join(stopped)}.")
    else:
        say("None of them was running." if node else "No node of this network was running.")


@app.command("status")
def status(directory: DirectoryArgument, as_json: JsonOption = False) -> None:
    """Show height, head and state root of each node."""
    from commands.founding import statuses_of
    from commands.target import open_network

    statuses = statuses_of(open_network(directory))
    if as_json:
        print_json({"nodes": statuses})
    else:
        print_table(
            ("!node", "role", ">height", "!head", "!state root", "state"),
            [
                (
                    each["name"],
                    each["role"],
                    each["height"],
                    None if each["head"] is None else short(each["head"]),
                    None if each["state_root"] is None else short(each["state_root"]),
                    each["state"],
                )
                for each in statuses
            ],
        )
    if silent := [each["name"] for each in statuses if each["height"] is None]:
        fail(f"{', '.join(silent)}: expected an answer, got none; {way_out(directory, statuses)}")


def way_out(directory: Path, statuses: list[dict[str, Any]]) -> str:
    """Returns what to do where some nodes do not answer."""
    from node.devnet import LOG_FILE

    stopped = [each["name"] for each in statuses if each["state"] == "stopped"]
    if len(stopped) == len(statuses):
        return f"start the network with `tanlian network up {directory}`"
    if stopped:
        command = f"tanlian node run --config {directory / stopped[0]}/config.toml"
        return f"start one again with `{command}`"
    return f"the process runs: look at its {LOG_FILE}, and end it where it hangs"


def _description(network: "Network") -> dict[str, object]:
    return {
        "directory": str(network.directory),
        "name": network.name,
        "nodes": [
            {
                "name": node.node_id,
                "organisation": node.organisation,
                "role": node.role,
                "rpc_url": node.rpc_url,
            }
            for node in network.nodes
        ],
    }


def _print_nodes(network: "Network") -> None:
    rows = [(node.node_id, node.role, node.organisation, node.rpc_url) for node in network.nodes]
    print_table(("!node", "role", "organisation", "!RPC"), rows)


def _print_next(*, has_sample: bool, is_detached: bool) -> None:
    say("Try, in another shell here:" if not is_detached else "Try:")
    if has_sample:
        from commands.sample import SAMPLE_METER

        say(f"  tanlian reading submit {SAMPLE_METER} 1350", "  tanlian alert list")
    say("  tanlian node status")
    if not is_detached:
        say("", "The network runs until Ctrl-C.")


def _watch(devnet: object) -> None:
    """Waits until somebody presses Ctrl-C or a node ends by itself."""
    import time

    from node.devnet import Devnet

    assert isinstance(devnet, Devnet)
    try:
        while not (ended := devnet.ended()):
            time.sleep(0.5)
    except KeyboardInterrupt:
        return
    fail("\n".join(ended))
