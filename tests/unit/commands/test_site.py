import pytest

from commands.output import CommandFailed
from commands.site import holders_of, percent_text
from contracts.equity import WHOLE_PPM, Holding


@pytest.mark.parametrize(
    ("text", "share_ppm", "shown"),
    [
        ("grid=48.75", 487_500, "48.75"),
        ("grid=100", WHOLE_PPM, "100"),
        ("grid=0.0001", 1, "0.0001"),
        ("grid=33.3333", 333_333, "33.3333"),
        ("grid=5.10", 51_000, "5.1"),
    ],
)
def test_shares_are_per_cent_and_exact(text: str, share_ppm: int, shown: str) -> None:
    assert holders_of([text]) == (Holding(organisation="grid", share_ppm=share_ppm),)
    assert percent_text(share_ppm) == shown


def test_holders_may_come_in_any_order() -> None:
    assert [each.organisation for each in holders_of(["steel=60", "grid=40"])] == ["grid", "steel"]


@pytest.mark.parametrize(
    "text",
    ["grid", "grid=", "=50", "grid=1,5", "grid=33.33333", "grid=-5", "grid=1e2", "grid=\u0665"],
)
def test_what_is_no_share_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CommandFailed, match=r"--holder: expected ORGANISATION=PER-CENT .* got"):
        holders_of([text])


@pytest.mark.parametrize("text", ["grid=0", "grid=100.0001", "grid=999"])
def test_a_share_is_more_than_nothing_and_at_most_everything(text: str) -> None:
    with pytest.raises(CommandFailed, match=r"--holder: expected a share from 0\.0001 to 100"):
        holders_of([text])
