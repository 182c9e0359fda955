"""Sets of digests agree with plain Python, whatever is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinsyncd.targets.bulk.digest_sets import DigestSet, MetDigests

# Few different ones, near and far from each other, so that all kinds of equality are met.
_NUMBER = st.sampled_from([0, 1, 2, 1 << 40, (1 << 40) + 1, 1 << 63, (1 << 64) - 1])
_NUMBERS = st.lists(_NUMBER | st.integers(0, (1 << 64) - 1), max_size=40)


def _digests(numbers: Iterable[int]) -> bytes:
    return b"".join(number.to_bytes(8, "little") for number in numbers)


@given(_NUMBERS, _NUMBERS)
def test_what_is_in_the_set_is_found(there: list[int], wanted: list[int]) -> None:
    """One that is missed is sent again each time; one too many hides a changed row."""
    found = DigestSet([_digests(there)]).has(_digests(wanted))

    assert found.tolist() == [number in there for number in wanted]


@given(_NUMBERS, st.data())
def test_each_removal_takes_one(there: list[int], data: st.DataObject) -> None:
    """A row that leaves and one that stays may have the same digest."""
    removed = data.draw(st.lists(st.sampled_from(there), unique=False)) if there else []
    left = Counter(there) - Counter(removed)

    if Counter(removed) <= Counter(there):
        found = DigestSet([_digests(there)], _digests(removed))
        assert bytes(found) == _digests(sorted(left.elements()))
    else:
        with pytest.raises(KeyError):
            DigestSet([_digests(there)], _digests(removed))


@given(_NUMBERS.map(set), st.lists(_NUMBERS, max_size=4))
def test_rows_with_one_digest_are_known(there: set[int], batches: list[list[int]]) -> None:
    """They are two rows of one record, and it is not known which is meant."""
    met = MetDigests(DigestSet([_digests(there)]))
    for batch in batches:
        found = met.meet(_digests(batch))
        assert found.tolist() == [number in there for number in batch]

    rows = Counter(number for batch in batches for number in batch if number in there)
    doubled = met.doubled()
    several = {doubled[at : at + 8] for at in range(0, len(doubled), 8)}
    assert several == {_digests([number]) for number, times in rows.items() if times > 1}
    wanted = [*sorted(there), 3, 5]
    assert met.met(_digests(wanted)).tolist() == [number in rows for number in wanted]
