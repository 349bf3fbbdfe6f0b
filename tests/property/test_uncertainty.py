"""Uncertainties against the same formulas in decimals of 200 digits."""

from decimal import ROUND_CEILING, Decimal, localcontext

import pytest
from hypothesis import given, strategies as st

from contracts.uncertainty import FactorShare, Source, combined_uncertainty

EMISSIONS = st.integers(0, 10**24)
PERMILLE = st.integers(0, 1_000)
SHARES = st.builds(
    FactorShare,
    series=st.sampled_from(["coal", "gas", "grid"]),
    emission=EMISSIONS,
    uncertainty_permille=st.none() | PERMILLE,
)
SOURCES = st.lists(
    st.builds(
        Source, uncertainty_permille=PERMILLE, shares=st.lists(SHARES, max_size=4).map(tuple)
    ),
    max_size=8,
)


def source(emission: int, amount: int, factor: int | None = None, series: str = "grid") -> Source:
    share = FactorShare(series=series, emission=emission, uncertainty_permille=factor)
    return Source(uncertainty_permille=amount, shares=(share,))


def root(value: Decimal | int) -> Decimal:
    return Decimal(value).sqrt()


def rounded_up(exact: Decimal) -> int:
    """Far more digits than the inputs have: what is left of a root's rounding is cut first."""
    with localcontext(prec=120):
        return int((+exact).to_integral_value(ROUND_CEILING))


@given(SOURCES)
def test_the_combination_is_the_formula_rounded_up_once(sources: list[Source]) -> None:
    """The reference varies one independent quantity after the other: each amount, each series."""
    shares = [share for each in sources for share in each.shares]
    total = sum(share.emission for share in shares)
    with localcontext(prec=200):
        variance = Decimal(0)
        for each in sources:
            moved = sum(share.emission for share in each.shares)
            variance += (Decimal(moved) * each.uncertainty_permille / 1_000) ** 2
        for series in {share.series for share in shares}:
            moved_by_factor = sum(
                Decimal(share.emission) * (share.uncertainty_permille or 0) / 1_000
                for share in shares
                if share.series == series
            )
            variance += Decimal(moved_by_factor) ** 2
        expected = rounded_up(root(variance) / total * 10_000) if total else None
    assert combined_uncertainty(sources) == expected


@given(st.lists(st.tuples(EMISSIONS, PERMILLE, PERMILLE), min_size=1, max_size=8))
def test_terms_that_share_nothing_are_tier_1(terms: list[tuple[int, int, int]]) -> None:
    """Tier 1 in its two steps: each product by the root of squares, then their sum."""
    sources = [
        source(emission, amount, factor, series=f"series-{number}")
        for number, (emission, amount, factor) in enumerate(terms)
    ]
    total = sum(emission for emission, _, _ in terms)
    with localcontext(prec=200):
        products = [
            (root(amount**2 + factor**2) * emission) ** 2 for emission, amount, factor in terms
        ]
        expected = rounded_up(10 * root(sum(products, Decimal(0))) / total) if total else None
    assert combined_uncertainty(sources) == expected


@given(st.lists(st.tuples(st.integers(1, 10**24), PERMILLE), min_size=1, max_size=8), PERMILLE)
def test_one_factor_for_all_is_one_product_of_the_summed_amounts(
    terms: list[tuple[int, int]], factor: int
) -> None:
    shared = combined_uncertainty([source(each, amount, factor) for each, amount in terms])
    total = sum(emission for emission, _ in terms)
    with localcontext(prec=200):
        squares = sum((Decimal(amount) * emission) ** 2 for emission, amount in terms)
        expected = rounded_up(10 * root(Decimal(squares) / total**2 + factor**2))
    assert shared == expected
    apart = [
        source(emission, amount, factor, series=str(number))
        for number, (emission, amount) in enumerate(terms)
    ]
    assert (combined_uncertainty(apart) or 0) <= (shared or 0)


@given(SOURCES)
def test_it_lies_between_perfect_and_no_cancelling(sources: list[Source]) -> None:
    combined = combined_uncertainty(sources)
    if combined is None:
        return
    total = sum(each.emission for each in sources)
    errors = [each.uncertainty_permille * each.emission for each in sources] + [
        (share.uncertainty_permille or 0) * share.emission
        for each in sources
        for share in each.shares
    ]
    assert combined * total >= 10 * max(errors)
    assert (combined - 1) * total < 10 * sum(errors) or combined == 0


@given(st.integers(1, 10**24), PERMILLE)
def test_one_source_keeps_its_uncertainty(emission: int, permille: int) -> None:
    assert combined_uncertainty([source(emission, permille)]) == 10 * permille
    assert combined_uncertainty([source(emission, 0, permille)]) == 10 * permille


@given(st.integers(1, 10**12), st.integers(1, 1_000), st.sampled_from([4, 9, 16, 25]))
def test_equal_amounts_gain_by_the_root_of_their_number(
    emission: int, permille: int, count: int
) -> None:
    side = {4: 2, 9: 3, 16: 4, 25: 5}[count]
    assert combined_uncertainty([source(emission, permille)] * count) == -(-10 * permille // side)
    by_factor = [source(emission, 0, permille)] * count
    assert combined_uncertainty(by_factor) == 10 * permille, "one factor's error never cancels"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([source(300, 20), source(400, 10)], 104),
        # A product: sqrt(30^2 + 40^2) = 50 permille.
        ([source(7, 30, 40)], 500),
        # One factor: sqrt(6,000^2 + 4,000^2 + (50 x 700)^2) / 700 = 51.0502 permille.
        ([source(300, 20, 50), source(400, 10, 50)], 511),
        # Two of the same: sqrt(6,000^2 + 4,000^2 + 15,000^2 + 20,000^2) / 700 = 37.1746 permille.
        ([source(300, 20, 50, "coal"), source(400, 10, 50, "gas")], 372),
        # 0 is declared, None is not; both add nothing here, the report tells them apart.
        ([source(300, 20, 0), source(400, 10, None)], 104),
        ([], None),
        ([source(0, 20, 50)], None),
    ],
)
def test_the_documents_examples(sources: list[Source], expected: int | None) -> None:
    assert combined_uncertainty(sources) == expected
