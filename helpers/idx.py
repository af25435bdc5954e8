"""Reader of IDX files, the format of MNIST and Fashion-MNIST (section 4.2).

The file starts with two zero bytes, a type code (8: unsigned bytes), the number of axes, and the
length of each axis as a big-endian 32-bit integer; the numbers follow.
"""

import math
import struct

import torch

UNSIGNED_BYTES = 8
MOST_AXES = 8


class DataError(Exception):
    """A data file is missing, or is not what it should be."""


def parse_idx(content: bytes) -> torch.Tensor:
    """Return the array in an IDX file of unsigned bytes, dtype uint8, shape as its header says.

    Raises:
        DataError: when the content is no such file, or is longer or shorter than its header says.
    """
    if len(content) < 4:
        raise DataError(f"got {len(content)} bytes, expected an IDX file, which has at least 4")
    zeros, kind, num_axes = struct.unpack(">HBB", content[:4])
    if zeros != 0 or kind != UNSIGNED_BYTES:
        raise DataError(f"starts with {content[:4]!r}, expected an IDX file of unsigned bytes")
    if num_axes > MOST_AXES:
        raise DataError(f"got {num_axes} axes, expected at most {MOST_AXES}")
    start = 4 + 4 * num_axes
    if len(content) < start:
        raise DataError(f"got {len(content)} bytes, expected a header of {start}")
    shape = struct.unpack(f">{num_axes}I", content[4:start])
    if 0 in shape:
        raise DataError(f"got the shape {shape}, expected at least one value")
    got, expected = len(content) - start, math.prod(shape)
    if got != expected:
        raise DataError(f"got {got} values, expected {expected} for the shape {shape}")
    # The one copy: a tensor may be written to, bytes may not.
    values = torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=start)
    return values.reshape(shape)
