from decimal import ROUND_CEILING, Decimal, localcontext

from hypothesis import given, strategies as st

from contracts.uncertainty import Source, combined_uncertainty

SOURCES = st.lists(
    st.builds(Source, emission=st.integers(0, 10**24), uncertainty_permille=st.integers(0, 1_000)),
    max_size=12,
)


@given(SOURCES)
def test_the_combination_is_the_formula_rounded_up_once(sources: list[Source]) -> None:
    total = sum(source.emission for source in sources)
    combined = combined_uncertainty(sources)
    if total == 0:
        assert combined is None
        return
    with localcontext() as context:
        context.prec = 200
        squares = sum(
            Decimal(source.uncertainty_permille * source.emission) ** 2 for source in sources
        )
        exact = Decimal(10) * Decimal(squares).sqrt() / Decimal(total)
        # Far more digits than the inputs have: what is left of the root's rounding is cut first.
        context.prec = 120
        expected = int((+exact).to_integral_value(ROUND_CEILING))
    assert combined == expected


@given(SOURCES)
def test_it_lies_between_perfect_and_no_cancelling(sources: list[Source]) -> None:
    combined = combined_uncertainty(sources)
    if combined is None:
        return
    total = sum(source.emission for source in sources)
    products = [source.uncertainty_permille * source.emission for source in sources]
    assert combined * total >= 10 * max(products)
    assert (combined - 1) * total < 10 * sum(products) or combined == 0


@given(st.integers(1, 10**24), st.integers(0, 1_000))
def test_one_source_keeps_its_uncertainty(emission: int, permille: int) -> None:
    source = Source(emission=emission, uncertainty_permille=permille)
    assert combined_uncertainty([source]) == 10 * permille


@given(st.integers(1, 10**12), st.integers(1, 1_000), st.sampled_from([4, 9, 16, 25]))
def test_equal_sources_gain_by_the_root_of_their_number(
    emission: int, permille: int, count: int
) -> None:
    source = Source(emission=emission, uncertainty_permille=permille)
    root = {4: 2, 9: 3, 16: 4, 25: 5}[count]
    assert combined_uncertainty([source] * count) == -(-10 * permille // root)


def test_the_documents_example() -> None:
    sources = [
        Source(emission=300, uncertainty_permille=20),
        Source(emission=400, uncertainty_permille=10),
    ]
    assert combined_uncertainty(sources) == 104
