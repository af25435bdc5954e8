import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.idx import DataError, parse_idx

GOOD = struct.pack(">HBB3I", 0, 8, 3, 2, 1, 2) + bytes([1, 2, 3, 4])


def test_the_array_in_the_file():
    assert parse_idx(GOOD).tolist() == [[[1, 2]], [[3, 4]]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "got 0 bytes"),
        (b"<html>", "expected an IDX file"),
        (GOOD[:10], "got 10 bytes, expected a header of 16"),
        (GOOD[:-1], "got 3 values, expected 4"),
        (GOOD + b"x", "got 5 values, expected 4"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 2**31), "got 0 values"),
        (struct.pack(">HBBI", 0, 13, 1, 1) + b"abcd", "unsigned bytes"),
    ],
)
def test_anything_else_is_refused(content, message):
    with pytest.raises(DataError, match=message):
        parse_idx(content)


@given(st.data())
def test_a_changed_file_gives_an_array_or_our_error(data):
    changed = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(GOOD) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DataError):
        assert parse_idx(bytes(changed)).numel() == 4
