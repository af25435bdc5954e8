import struct
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.idx import DataError, parse_idx


def idx(*shape, values=b"", start=(0, 8)):
    return struct.pack(f">HBB{len(shape)}I", *start, len(shape), *shape) + values


GOOD = idx(2, 1, 2, values=bytes([1, 2, 3, 4]))


def test_the_array_in_the_file():
    assert parse_idx(GOOD).tolist() == [[[1, 2]], [[3, 4]]]
    assert parse_idx(idx(values=b"\x07")).tolist() == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "got 0 bytes"),
        (b"<html>", "expected an IDX file"),
        (GOOD[:10], "got 10 bytes, expected a header of 16"),
        (GOOD[:-1], "got 3 values, expected 4"),
        (GOOD + b"x", "got 5 values, expected 4"),
        (idx(2**31, 2**31, 2**31), "got 0 values"),
        (idx(0, 28, 28), r"got the shape \(0, 28, 28\), expected at least one value"),
        (idx(0, *[2**32 - 1] * 7), "expected at least one value"),
        (idx(*[1] * 255, values=b"x"), "got 255 axes"),
        (idx(1, values=b"abcd", start=(0, 13)), "unsigned bytes"),
    ],
)
def test_anything_else_is_refused(content, message):
    with pytest.raises(DataError, match=message):
        parse_idx(content)


FILES = [GOOD, idx(3, values=b"abc"), idx(2, 28, 28, values=bytes(range(256)) * 6 + bytes(32))]
AXES = st.lists(st.sampled_from([0, 1, 2, 3, 28, 2**31, 2**32 - 1]), max_size=10)
PLACES = st.integers(0, 30)
CHANGES = st.one_of(
    st.tuples(PLACES, st.just(1), st.binary(min_size=1, max_size=1)),
    st.tuples(PLACES, st.integers(0, 4), st.binary(max_size=6)),
)


def mutate(file, axes, changes):
    """Give the file other axes, and change, cut out or put in bytes."""
    file = bytearray(file)
    if axes is not None:
        file[: 4 + 4 * file[3]] = idx(*axes)
    for first, length, others in changes:
        file[first : first + length] = others
    return bytes(file)


MUTATIONS = st.builds(
    mutate, st.sampled_from(FILES), st.none() | AXES, st.lists(CHANGES, max_size=3)
)


@pytest.mark.slow
@settings(
    max_examples=10_000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(MUTATIONS)
def test_a_mutated_file_gives_the_right_array_or_our_error(content):
    try:
        array = parse_idx(content)
    except DataError:
        return
    start = 4 + 4 * content[3]
    assert content[:3] == b"\0\0\x08"
    assert array.shape == struct.unpack(f">{content[3]}I", content[4:start])
    assert array.dtype == torch.uint8
    assert np.array_equal(array.flatten().numpy(), np.frombuffer(content[start:], np.uint8))


@pytest.mark.parametrize("claimed", [10_000, 2**32 - 1])
def test_memory_goes_by_what_the_file_holds_not_by_what_it_claims(claimed):
    content = idx(claimed, 28, 28, values=bytes(10_000 * 28 * 28))
    tracemalloc.start()
    try:
        assert parse_idx(content).shape == (10_000, 28, 28)
    except DataError:
        assert claimed > 10_000
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 1.1 * len(content)
