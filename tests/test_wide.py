"""Wide integers are exact where 64 bits are not enough."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spectronorm.profile.counting import int128

FACTORS = st.integers(-(2**59), 2**59)


@given(st.lists(st.tuples(FACTORS, FACTORS), min_size=1, max_size=30))
def test_sums_of_products_are_pythons(pairs: list[tuple[int, int]]) -> None:
    """Adding products of 60-bit numbers gives what Python's integers give, in normal form."""
    limbs = int128.zeros(1)
    for a, b in pairs:
        int128.add_product(limbs[0], a, b)
    assert int128.to_integers(limbs)[0] == sum(a * b for a, b in pairs)
    assert int128.is_normal(limbs)


@given(st.lists(st.lists(st.integers(0, 2**62), min_size=4, max_size=4), min_size=1, max_size=5))
def test_normal_form_keeps_the_number(rows: list[list[int]]) -> None:
    """Carrying changes the limbs, never the number, and equal numbers get equal limbs."""
    limbs = np.array(rows, dtype=np.int64) >> 1
    normal = int128.normalized(limbs)
    assert int128.is_normal(normal)
    assert (int128.to_integers(normal) == int128.to_integers(limbs)).all()
    np.testing.assert_array_equal(int128.normalized(normal), normal)
