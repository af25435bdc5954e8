"""What goes wrong in the middle of a training says where, and the same trainer fits again."""

import pytest
import torch

import helpers

W, B = torch.tensor([2, -3.4]), 4.2


class Loader(list):
    """Minibatches as they are given; one that is an exception is raised."""

    def __iter__(self):
        for batch in super().__iter__():
            if isinstance(batch, Exception):
                raise batch
            yield batch


def batches(spoil, train):
    """Three regression minibatches, the second changed by `spoil`."""
    good = [(torch.randn(8, 2), torch.randn(8, 1)) for _ in range(3)]
    good[1] = spoil(*good[1])
    data = helpers.DataModule()
    whole = [(torch.randn(8, 2), torch.randn(8, 1))]
    data.train_dataloader = lambda: Loader(good if train else whole)
    data.val_dataloader = lambda: Loader(whole if train else good)
    return data


FAULTS = {
    "features of another shape": (
        lambda X, y: (X[:, :1], y),
        RuntimeError,
        "mat1 and mat2 shapes",
        "the last one has shape (8, 1) torch.float32, shape (8, 1) torch.float32.",
    ),
    "labels of another shape": (
        lambda X, y: (X, y.reshape(-1)),
        ValueError,
        r"got labels of shape \(8,\), torch.float32, for predictions of shape \(8, 1\)",
        "shape (8,) torch.float32",
    ),
    "integer labels": (
        lambda X, y: (X, y.long()),
        ValueError,
        r"labels of shape \(8, 1\), torch.int64, .* expected floating-point labels",
        "shape (8, 1) torch.int64",
    ),
    "a loader that fails": (
        lambda X, y: OSError("the disk is gone"),
        OSError,
        "the disk is gone",
        "the last one has shape (8, 2) torch.float32",
    ),
}
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
each_model = pytest.mark.parametrize(
    "model",
    [lambda: helpers.LinearRegressionScratch(2, 0.03), lambda: helpers.LinearRegression(0.03)],
)


@each_fault
@each_model
@pytest.mark.parametrize("train", [True, False], ids=["training", "validation"])
def test_an_error_in_a_minibatch_says_where_and_the_trainer_fits_again(fault, model, train):
    spoil, kind, message, note = fault
    trainer = helpers.Trainer(max_epochs=2)
    with pytest.raises(kind, match=message) as raised:
        trainer.fit(model(), batches(spoil, train))
    (where,) = raised.value.__notes__
    done = (1, 0) if train else (1, 1)
    assert where.startswith(
        f"In {'training' if train else 'validation'}, epoch 1, after {done[0]} training and "
        f"{done[1]} validation minibatches;"
    )
    assert note in where
    check_that_it_fits(trainer, model())


def check_that_it_fits(trainer, model):
    torch.manual_seed(0)
    data = helpers.SyntheticRegressionData(W, B, num_train=70, num_val=40)
    trainer.fit(model, data)
    assert (trainer.train_batch_idx, trainer.val_batch_idx) == (6, 4)
    assert [p.x for p in model.board.data["val_loss"]] == [1, 2]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_data_that_is_not_finite_warns_and_the_trainer_fits_again(bad):
    trainer = helpers.Trainer(max_epochs=2)
    spoilt = batches(lambda X, y: (X * bad, y), train=True)
    with pytest.warns(UserWarning, match="in epoch 1, minibatch 2, expected a finite number"):
        trainer.fit(helpers.LinearRegressionScratch(2, 0.03), spoilt)
    assert trainer.train_batch_idx == 6
    check_that_it_fits(trainer, helpers.LinearRegressionScratch(2, 0.03))


@pytest.mark.parametrize(
    ("labels", "error", "note"),
    [
        (torch.tensor([0, 3]), IndexError, "Got 2 labels from 0 to 3, torch.int64, on cpu, for "),
        (torch.tensor([-1, 2]), IndexError, "Got 2 labels from -1 to 2, torch.int64"),
        (torch.tensor([0.0, 1.0]), RuntimeError, "Got 2 labels from 0.0 to 1.0, torch.float32"),
        (torch.tensor([0, 1, 2]), ValueError, "Got 3 labels from 0 to 2, torch.int64, on cpu, for "
            "logits of shape (2, 3) on cpu. Expected one label for each row, an int64 from 0 to 2"),
    ],
)  # fmt: skip
def test_labels_that_are_no_classes(labels, error, note):
    """The error of torch is kept: it may have another reason, such as two devices."""
    model = helpers.SoftmaxRegression(3, lr=0.1)
    data, trainer = helpers.DataModule(), helpers.Trainer(max_epochs=1)
    loader = [(torch.randn(2, 4), labels)]
    data.get_dataloader = lambda train: loader
    with pytest.raises(error) as raised:
        trainer.fit(model, data)
    on_labels, where = raised.value.__notes__
    assert on_labels.startswith(note)
    assert "In training, epoch 1, after 0 training" in where
    loader[0] = torch.randn(2, 4), torch.tensor([0, 2])
    trainer.fit(model, data)
    assert trainer.train_batch_idx == 1


def test_a_loader_that_fails_at_once_has_no_minibatch_to_show():
    data = helpers.DataModule()
    data.get_dataloader = lambda train: Loader([OSError("no disk")])
    with pytest.raises(OSError, match="no disk") as raised:
        helpers.Trainer(max_epochs=1).fit(helpers.LinearRegression(0.03), data)
    (where,) = raised.value.__notes__
    assert where == "In training, epoch 1, after 0 training and 0 validation minibatches."


def test_a_trainer_whose_methods_are_replaced_still_shows_the_minibatch():
    """As section 3.4 does: nothing of ours is left between the loader and the error."""

    class Trainer(helpers.Trainer):
        def prepare_batch(self, batch):
            return batch

        def fit_epoch(self):
            self.model.train()
            for batch in self.train_dataloader:
                self.model.training_step(self.prepare_batch(batch))

    data = helpers.DataModule()
    data.get_dataloader = lambda train: [(torch.randn(8, 3), torch.randn(8, 1))]
    with pytest.raises(RuntimeError) as raised:
        Trainer(1).fit(helpers.LinearRegressionScratch(2, 0.03), data)
    assert "the last one has shape (8, 3) torch.float32, shape" in raised.value.__notes__[0]
