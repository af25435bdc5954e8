"""Reader of IDX files, the format of MNIST and Fashion-MNIST (section 4.2).

The file starts with two zero bytes, a type code (8: unsigned bytes), the number of axes, and the
length of each axis as a big-endian 32-bit integer; the numbers follow.
"""

import struct

import torch


def parse_idx(content: bytes) -> torch.Tensor:
    """Return the array in an IDX file of unsigned bytes, dtype uint8, shape as its header says.

    Only content whose checksum was verified gets here, so the header is believed.
    """
    num_axes = content[3]
    shape = struct.unpack_from(f">{num_axes}I", content, offset=4)
    # The one copy: a tensor may be written to, bytes may not.
    values = torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=4 + 4 * num_axes)
    return values.reshape(shape)
