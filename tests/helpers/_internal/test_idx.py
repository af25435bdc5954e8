import struct

import numpy as np
import torch

from helpers._internal.idx import parse_idx


def test_the_array_in_the_file():
    header = struct.pack(">HBB3I", 0, 8, 3, 2, 1, 2)
    assert parse_idx(header + bytes([1, 2, 3, 4])).tolist() == [[[1, 2]], [[3, 4]]]
    assert parse_idx(struct.pack(">HBB", 0, 8, 0) + b"\x07").tolist() == 7


def test_the_tensor_is_a_copy_that_may_be_written_to():
    content = struct.pack(">HBBI", 0, 8, 1, 300) + bytes(300)
    array = parse_idx(content)
    array += 1
    assert content[-300:] == bytes(300)
    assert (array.dtype, array.shape) == (torch.uint8, (300,))


def test_axes_longer_than_a_byte_are_read_in_the_right_order():
    values = np.arange(2 * 300, dtype=np.uint8).reshape(2, 300)
    content = struct.pack(">HBB2I", 0, 8, 2, 2, 300) + values.tobytes()
    assert np.array_equal(parse_idx(content).numpy(), values)
