import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms

import helpers
from helpers import images
from helpers._internal.notices import say_once

SIZES = [(28, 28), (32, 32), (20, 20), (14, 40), (64, 64)]


@pytest.fixture(scope="module")
def data():
    return helpers.FashionMNIST(limit=1000)


def test_synthetic_data():
    torch.manual_seed(0)
    w = torch.tensor([2, -3.4])
    data = helpers.SyntheticRegressionData(w, 4.2, noise=0.01, num_train=5000, num_val=10)
    assert data.X.shape == (5010, 2)
    noise = data.y - data.X @ w.reshape(-1, 1) - 4.2
    assert noise.std().item() == pytest.approx(0.01, rel=0.1)
    assert len(data.train_dataloader()) == 157
    X, y = next(iter(data.val_dataloader()))
    assert torch.equal(X, data.X[5000:])
    assert torch.equal(y, data.y[5000:])


def test_shapes_types_and_range(data):
    X, y = data.train[0]
    assert X.shape == (1, 28, 28)
    assert isinstance(y, int)
    X, y = next(iter(data.train_dataloader()))
    assert (X.shape, X.dtype) == ((64, 1, 28, 28), torch.float32)
    assert (y.shape, y.dtype) == ((64,), torch.int64)
    assert X.min() == 0
    assert X.max() == 1


@pytest.mark.parametrize("size", SIZES)
def test_the_tensors_are_those_of_torchvision(data, size):
    transform = transforms.Compose([transforms.Resize(size), transforms.ToTensor()])
    ours = helpers.FashionMNIST(resize=size, limit=200)
    theirs = torch.stack([transform(Image.fromarray(x.numpy())) for x in data.train.data[:200]])
    allowed = 0 if size == (28, 28) else 2 / 255
    assert (ours.train[:200][0] - theirs).abs().max() <= allowed + 1e-6


def test_large_images_are_resized_by_minibatch(monkeypatch):
    small = helpers.FashionMNIST(resize=(32, 32), limit=50)
    monkeypatch.setattr(images, "RESIZED_BYTES_KEPT", 0)
    lazy = helpers.FashionMNIST(resize=(32, 32), limit=50)
    assert lazy.train.data.shape == (50, 28, 28)
    assert torch.equal(lazy.train[:50][0], small.train[:50][0])
    assert torch.equal(lazy.train[3][0], small.train[3][0])


def test_one_number_makes_square_images():
    assert helpers.FashionMNIST(resize=8, limit=10).train[0][0].shape == (1, 8, 8)


def test_every_image_once_an_epoch_shuffled_with_a_short_last_batch(data):
    torch.manual_seed(0)
    first, second = ([y for _, y in data.train_dataloader()] for _ in range(2))
    assert [len(y) for y in first] == [64] * 15 + [40]
    expected = data.train.targets.sort().values
    assert torch.equal(torch.cat(first).sort().values, expected)
    assert torch.equal(torch.cat(second).sort().values, expected)
    assert not torch.equal(torch.cat(first), torch.cat(second))


def test_validation_images_keep_their_order(data):
    y = torch.cat([y for _, y in data.val_dataloader()])
    assert torch.equal(y, data.val.targets)


def test_d2ls_loader_gives_the_same_batches(data):
    """Image by image through torch's own collation, as the get_dataloader of d2l does."""
    book = DataLoader(data.val, 64, shuffle=False)
    for (X, y), (X_book, y_book) in zip(data.val_dataloader(), book, strict=True):
        assert torch.equal(X, X_book)
        assert torch.equal(y, y_book)


def test_workers_give_the_same_batches(data):
    """In the same order from the same seed, in one epoch after the other."""
    epochs = []
    for num_workers in (0, 1):
        loader = helpers.FashionMNIST(limit=1000, num_workers=num_workers).train_dataloader()
        torch.manual_seed(0)
        epochs.append([batch for _ in range(2) for batch in loader])
    for (X, y), (X_other, y_other) in zip(*epochs, strict=True):
        assert torch.equal(X, X_other)
        assert torch.equal(y, y_other)


@pytest.mark.parametrize(
    "index",
    [
        5,
        -1,
        slice(2, 4),
        [3, 1],
        torch.tensor(7),
        torch.tensor([3, 1, 3]),
        torch.tensor([-1, 0]),
        torch.tensor([], dtype=torch.int64),
        torch.tensor([[1, 2], [3, 4]]),
        torch.arange(1000) < 3,
    ],
)
def test_images_are_indexed_as_a_tensor_is(data, index):
    X, y = data.train[index]
    pixels = data.train.data[index]
    assert torch.equal(X, pixels.unsqueeze(-3) / 255)
    assert X.shape == (*pixels.shape[:-2], 1, 28, 28)
    assert torch.equal(torch.as_tensor(y), data.train.targets[index])


def test_an_index_beyond_the_images_is_refused(data):
    for index in (1000, torch.tensor([0, 1000]), torch.tensor([-1001])):
        with pytest.raises(IndexError):
            data.train[index]


def test_limit_and_source(data):
    assert (len(data.train), len(data.val)) == (1000, 1000)
    assert data.source in ("data folder", "system package", "sample")
    assert len(helpers.FashionMNIST(limit=20_000).val) <= 10_000


def test_the_source_is_said_once(capsys):
    say_once.cache_clear()
    for _ in range(2):
        helpers.FashionMNIST(limit=7)
    assert capsys.readouterr().out.count("7 training and 7 validation images") == 1


@pytest.mark.parametrize(("batch_size", "limit"), [(0, 0), (64, -1)])
def test_impossible_arguments(batch_size, limit):
    with pytest.raises(ValueError, match=f"batch_size={batch_size} and limit={limit}"):
        helpers.FashionMNIST(batch_size=batch_size, limit=limit)


def test_text_labels(data):
    assert data.text_labels(torch.tensor([0, 9])) == ["t-shirt", "ankle boot"]


def test_visualize(data):
    data.visualize(next(iter(data.val_dataloader())), nrows=2, ncols=3)
    axes = helpers.plt.gcf().axes
    assert [a.get_title() for a in axes] == data.text_labels(data.val.targets[:6])
    data.visualize(data.val[:2], ncols=2, labels=["a", "b"])
    assert [a.get_title() for a in helpers.plt.gcf().axes] == ["a", "b"]


def test_the_images_have_the_default_type_of_torch(data):
    torch.set_default_dtype(torch.float64)
    try:
        assert data.train[0][0].dtype == torch.float64
        helpers.Trainer(1).fit(helpers.SoftmaxRegression(10, 0.1), data)
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_root_may_begin_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    asked = []
    monkeypatch.setattr(images, "load_files", lambda root: (asked.append(root), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        helpers.FashionMNIST(root="~/data")
    assert asked == [tmp_path / "data"]
