"""What a new network comes with, so that a newcomer's next command can be a reading.

One organisation's site with calendar, factor and meter, an operator and a certifier with key files,
four weeks of an office building's real readings, and a baseline fitted from them. All of it goes
onto the chain by signed transactions as anybody would send them. Every step may be repeated: a
start that was interrupted is finished by the next one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chain.crypto import Ed25519Signer
from client.asynchronous import Call
from client.importers.lbnl import read_lbnl
from client.outcome import Outcome, OutcomeState
from client.synchronous import SyncTanlianClient
from commands.fit_results import fit_result_of, words_of
from commands.output import fail
from commands.target import OPERATOR_ACCOUNT
from contracts.account import Role
from contracts.accounts import RegisterAccount
from contracts.baselines import FitBaseline, SetBaseline
from contracts.calendars import RegisterCalendar
from contracts.reading import SubmitReadings
from demo import cast
from demo.marked_copy import TRAINING_FROM_MS, TRAINING_TO_MS
from node.keystore import (
    Purpose,
    create_seed_file,
    open_key_file,
    passphrase_from_file,
)
from node.provisioning import PASSPHRASE_FILE, Network

SAMPLE_METER: Final = cast.OFFICE_METER
SAMPLE_ORGANISATION: Final = "member-1"
CERTIFIER_ACCOUNT: Final = "certifier"
READINGS_PER_TRANSACTION: Final = 500
_DONE_ALREADY: Final = frozenset({"ALREADY_EXISTS", "PERIOD_OVERLAP"})


def ensure_sample(network: Network, say: Callable[[str], None]) -> None:
    """Registers the sample where the network does not have it yet.

    Raises:
        CommandFailed: a transaction was refused.
        ClientError: the nodes do not answer.
    """
    sample = _Sample(network)
    with sample.client(f"{SAMPLE_ORGANISATION}-admin") as admin:
        if _has_baseline(admin):
            return
        say("First start: registering a site, a meter and an operator ...")
        operator = sample.account(OPERATOR_ACCOUNT)
        sample.set_up(admin, operator)
    say(f"Sending four weeks of an office building's readings to {SAMPLE_METER} ...")
    with sample.client(OPERATOR_ACCOUNT) as client:
        sample.send_readings(client)
        version = sample.fit_baseline(client, say)
    with sample.client(f"{SAMPLE_ORGANISATION}-admin") as admin:
        arguments = SetBaseline(meter_id=SAMPLE_METER, version=version, from_ms=TRAINING_TO_MS)
        _send(admin, [Call(method="baseline.set", arguments=arguments)])


@dataclass(frozen=True, slots=True)
class _Sample:
    """The steps, over one network."""

    network: Network

    def client(self, account: str) -> SyncTanlianClient:
        urls = [node.rpc_url for node in self.network.nodes]
        return SyncTanlianClient(urls, signer=self.account(account))

    def account(self, name: str) -> Ed25519Signer:
        """Returns the key of an account of the network; makes it where there is none."""
        passphrase = passphrase_from_file(self.network.accounts / PASSPHRASE_FILE)
        path = self.network.accounts / f"{name}.key"
        if not path.exists():
            create_seed_file(path, purpose=Purpose.ACCOUNT, passphrase=passphrase)
        return Ed25519Signer(
            open_key_file(path, purpose=Purpose.ACCOUNT, passphrase=passphrase).secret
        )

    def set_up(self, admin: SyncTanlianClient, operator: Ed25519Signer) -> None:
        place = cast.office_place(SAMPLE_ORGANISATION)
        meter = cast.office_meter(SAMPLE_METER, "Whole building", operator.public_key)
        # One after the other: each needs what stands before it.
        _send(admin, [_register(operator, "Operator", (Role.OPERATOR,))])
        _send(admin, [Call(method="factor.set", arguments=cast.us_factor())])
        _send(admin, [_calendar_call(place)])
        _send(admin, [Call(method="site.register", arguments=place.site)])
        _send(admin, [Call(method="meter.register", arguments=meter)])
        certifiers = [each.organisation for each in self.network.nodes if each.role == "observer"][
            :1
        ]
        for organisation in certifiers:
            with self.client(f"{organisation}-admin") as client:
                certifier = self.account(CERTIFIER_ACCOUNT)
                _send(client, [_register(certifier, "Certifier", (Role.CERTIFIER,))])

    def send_readings(self, client: SyncTanlianClient) -> None:
        readings = [
            reading
            for reading in read_lbnl(cast.DATA / "lbnl" / "kw.csv.gz")
            if TRAINING_FROM_MS <= reading.stamp_ms < TRAINING_TO_MS
        ]
        unit = cast.office_meter(SAMPLE_METER, "", bytes(32)).unit
        for start in range(0, len(readings), READINGS_PER_TRANSACTION):
            batch = tuple(readings[start : start + READINGS_PER_TRANSACTION])
            arguments = SubmitReadings(meter_id=SAMPLE_METER, unit=unit, readings=batch)
            _send(client, [Call(method="readings.submit", arguments=arguments)])

    def fit_baseline(self, client: SyncTanlianClient, say: Callable[[str], None]) -> int:
        """Returns the version that the chain fitted.

        Raises:
            CommandFailed: it does not qualify.
        """
        arguments = FitBaseline(
            meter_id=SAMPLE_METER, from_ms=TRAINING_FROM_MS, to_ms=TRAINING_TO_MS
        )
        (outcome,) = _send(client, [Call(method="baseline.fit", arguments=arguments)])
        result = fit_result_of(client, outcome.transaction_id)
        say(words_of(result))
        if not result.accepted:
            fail(f"{SAMPLE_METER}: expected a baseline that qualifies, got one that does not")
        return result.version


def _register(signer: Ed25519Signer, name: str, roles: tuple[Role, ...]) -> Call:
    arguments = RegisterAccount(public_key=signer.public_key, name=name, roles=roles)
    return Call(method="account.register", arguments=arguments)


def _calendar_call(place: cast.Place) -> Call:
    return Call(method="calendar.register", arguments=RegisterCalendar(calendar=place.calendar))


def _send(client: SyncTanlianClient, calls: Sequence[Call]) -> list[Outcome]:
    outcomes = client.submit_many(calls, until_final=True)
    for call, outcome in zip(calls, outcomes, strict=True):
        if outcome.state is not OutcomeState.COMMITTED and outcome.code not in _DONE_ALREADY:
            fail(
                f"{call.method}: expected it committed, got {outcome.state.name.lower()}: "
                f"{outcome.code}: {outcome.detail}"
            )
    return outcomes


def _has_baseline(client: SyncTanlianClient) -> bool:
    return any(each["qualifies"] for each in client.baselines(meter=SAMPLE_METER))
