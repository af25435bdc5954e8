"""Fashion-MNIST, the images of the course (section 4.2)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F
from torch.utils.data import Dataset

from helpers._internal.idx import parse_idx
from helpers._internal.notices import say_once
from helpers._internal.sources import default_root, load_files
from helpers.minibatches import DataModule, Minibatches
from helpers.plotting import show_images

RESIZED_BYTES_KEPT = 2**28  # in memory; a larger set is resized by minibatch


class ImageDataset(Dataset):
    """Grey images and their classes, in memory as bytes; indexed singly or by the minibatch.

    Args:
        data: images, shape (n, h, w), dtype uint8.
        targets: classes, shape (n,), dtype int64.
        size: height and width that the images are given.
    """

    def __init__(self, data: torch.Tensor, targets: torch.Tensor, size: tuple[int, int]) -> None:
        self.targets, self.size = targets, size
        fits = len(data) * size[0] * size[1] <= RESIZED_BYTES_KEPT
        self.data = _resize(data, size) if fits else data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> tuple[torch.Tensor, torch.Tensor | int]:
        """Return image and class of one index, shape (1, h, w), or of many, shape (k, 1, h, w).

        The images are of torch's default type, float32, in [0, 1]; a class is an int, classes are
        int64 of shape (k,).
        """
        pixels = _resize(_take(self.data, index), self.size).unsqueeze(-3)
        images = pixels.to(torch.get_default_dtype()).div_(255)
        labels = self.targets[index]
        return images, labels if labels.ndim else int(labels)


def _take(images: torch.Tensor, index: Any) -> torch.Tensor:
    """Return images[index]; of a minibatch, image by image and not pixel by pixel."""
    is_minibatch = isinstance(index, torch.Tensor) and index.ndim == 1
    if is_minibatch and index.dtype == torch.int64 and (index >= 0).all():
        return images.index_select(0, index)
    return images[index]


def _resize(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return images of shape (..., h, w), uint8, in another size, as torchvision's Resize does."""
    if images.shape[-2:] == size:
        return images
    batch = images.reshape(-1, 1, *images.shape[-2:])
    resized = F.interpolate(batch, size, mode="bilinear", antialias=True)
    return resized.reshape(*images.shape[:-2], *size)


class FashionMNIST(DataModule):
    """Fashion-MNIST: 60,000 training and 10,000 validation images of clothes in 10 classes (4.2).

    The set is read into memory once: 55 MB at 28 × 28 pixels. It comes from the first of: the
    folder `root`, the system's package dataset-fashion-mnist, torchvision's download, that package
    by apt-get, and the sample of 6,000 images in the repository. Checksums are always verified.

    Args:
        batch_size: images in a minibatch.
        resize: height and width of the images, in pixels; one number makes them square.
        root: folder with FashionMNIST/raw/, as torchvision makes it; by default the course's own.
        num_workers: processes that read the minibatches. The data is in memory, so 0 is quickest.
        limit: use only the first so many images for training, and as many at most for validation;
            0 uses all.

    Attributes:
        train, val: the datasets; `train[0]` is an image, shape (1, h, w), and its class.
        source: where the data came from.

    Raises:
        DataError: when no source has the data; it says what was wrong with each.
        ValueError: for a negative `limit` or a `batch_size` below 1.
    """

    labels = (
        "t-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    )

    def __init__(
        self,
        batch_size: int = 64,
        resize: int | tuple[int, int] = (28, 28),
        root: str | Path | None = None,
        num_workers: int = 0,
        limit: int = 0,
    ) -> None:
        if batch_size < 1 or limit < 0:
            raise ValueError(
                f"got batch_size={batch_size} and limit={limit}: a minibatch has at least one "
                "image, and limit is 0 (all images) or more"
            )
        super().__init__()
        self.save_hyperparameters()
        self.root = Path(root).expanduser() if root else default_root()
        height, width = (resize, resize) if isinstance(resize, int) else resize
        size = height, width
        files, self.source = load_files(self.root)
        self.train = self._dataset(files, "train", size)
        self.val = self._dataset(files, "t10k", size)
        say_once(
            f"Fashion-MNIST: {len(self.train):,} training and {len(self.val):,} validation images "
            f"({self.source}, checksums hold)"
        )

    def _dataset(self, files: dict[str, bytes], split: str, size: tuple[int, int]) -> ImageDataset:
        images = parse_idx(files[f"{split}-images-idx3-ubyte"])
        labels = parse_idx(files[f"{split}-labels-idx1-ubyte"]).long()
        n = self.limit or len(images)
        return ImageDataset(images[:n], labels[:n], size)

    def text_labels(self, indices: Sequence[int] | torch.Tensor) -> list[str]:
        """Return the names of the classes `indices`, each 0 to 9."""
        return [self.labels[int(i)] for i in indices]

    def get_dataloader(self, train: bool) -> Minibatches:
        """Return minibatches of images, shape (batch_size, 1, h, w), and classes (batch_size,).

        Images are float32 in [0, 1], classes int64. Training images are shuffled in every epoch.
        """
        dataset = self.train if train else self.val
        return Minibatches(dataset, self.batch_size, shuffle=train, num_workers=self.num_workers)

    def visualize(
        self,
        batch: Sequence[torch.Tensor],
        nrows: int = 1,
        ncols: int = 8,
        labels: Sequence[str] = [],
    ) -> None:
        """Show the first images of a minibatch with their labels, by default the classes' names."""
        X, y = batch
        show_images(X.squeeze(1), nrows, ncols, titles=labels or self.text_labels(y))
