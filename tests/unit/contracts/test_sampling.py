"""The draw: reproducible by hand, fair, without repeats."""

import hashlib

from hypothesis import given, strategies as st

from contracts.sampling import draw

SEED = bytes(range(32))


def reference(seed: bytes, label: str, population: int, count: int) -> list[int]:
    """The documented rule, written anew: one digest at a time."""
    drawn: list[int] = []
    counter = 0
    while len(drawn) < min(count, population):
        text = b"tanlian/certification-sample/1\x00" + seed
        text += counter.to_bytes(8, "big") + label.encode()
        value = int(hashlib.sha256(text).hexdigest()[:16], 16)
        counter += 1
        if value >= 2**64 // population * population or value % population in drawn:
            continue
        drawn.append(value % population)
    return sorted(drawn)


def test_a_draw_is_what_it_was() -> None:
    assert draw(SEED, "main", population=2_976, count=5) == (81, 201, 315, 1496, 2923)


def test_another_label_or_seed_draws_others() -> None:
    first = draw(SEED, "main", population=10**9, count=5)

    assert first != draw(SEED, "other", population=10**9, count=5)
    assert first != draw(bytes(32), "main", population=10**9, count=5)


def test_every_index_is_about_equally_likely() -> None:
    counts = [0] * 10
    for number in range(2_000):
        for index in draw(SEED, str(number), population=10, count=1):
            counts[index] += 1

    assert 140 < min(counts) <= max(counts) < 260  # 200 each, four standard deviations


@given(
    st.binary(min_size=32, max_size=32),
    st.text(min_size=1, max_size=9),
    st.integers(1, 500),
    st.integers(0, 600),
)
def test_a_draw_follows_the_documented_rule(
    seed: bytes, label: str, population: int, count: int
) -> None:
    if count < population:
        assert list(draw(seed, label, population=population, count=count)) == reference(
            seed, label, population, count
        )
    else:
        assert draw(seed, label, population=population, count=count) == tuple(range(population))


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw(SEED, "main", population=0, count=3) == ()
