"""What claims to work on an accelerator, run on the ones that there are."""

import warnings

import pytest
import torch

import helpers

ACCELERATORS = {
    "cuda": (torch.cuda.is_available, "no CUDA device here"),
    "mps": (torch.backends.mps.is_available, "no Apple MPS device here"),
}


@pytest.fixture(params=ACCELERATORS)
def device(request):
    is_there, reason = ACCELERATORS[request.param]
    if not is_there():
        pytest.skip(reason)
    return request.param


def models():
    return (
        helpers.LinearRegressionScratch(2, lr=0.03),
        helpers.LinearRegression(lr=0.03),
    )


@pytest.mark.parametrize("i", [0, 1])
def test_a_model_trains_there_as_on_the_cpu(device, i):
    losses = []
    for num_gpus in (0, 1):
        torch.manual_seed(0)
        data = helpers.SyntheticRegressionData(torch.tensor([2, -3.4]), 4.2)
        model = models()[i]
        model.apply_init([data.X[:1]])
        trainer = helpers.Trainer(max_epochs=2, num_gpus=num_gpus, gradient_clip_val=10)
        trainer.fit(model, data)
        losses.append([point.y for point in model.board.data["val_loss"]])
        assert next(iter(model.parameters())).device.type == (device if num_gpus else "cpu")
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_classifier_trains_there(device):
    data = helpers.FashionMNIST(batch_size=100, limit=500)
    model = helpers.SoftmaxRegression(num_outputs=10, lr=0.1)
    helpers.Trainer(max_epochs=3, num_gpus=1).fit(model, data)
    assert model.board.data["val_acc"][-1].y > 0.5


def test_tensors_on_two_devices_keep_the_error_of_torch(device):
    model = helpers.SoftmaxRegression(num_outputs=3, lr=0.1)
    with pytest.raises(RuntimeError, match="device") as error:
        model.loss(torch.zeros(2, 3, device=device), torch.tensor([0, 1]))
    assert f"for logits of shape (2, 3) on {device}" in error.value.__notes__[0]


def test_a_fit_waits_for_the_device_once_for_each_point_that_is_drawn(device):
    if device != "cuda":
        pytest.skip("only CUDA tells when it is waited for")
    data = helpers.SyntheticRegressionData(torch.tensor([2, -3.4]), 4.2)
    model, trainer = helpers.LinearRegressionScratch(2, lr=0.03), helpers.Trainer(1, num_gpus=1)
    model.board.display = False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            trainer.fit(model, data)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [w for w in caught if "synchronizing CUDA operation" in str(w.message)]
    moves = 2 * (trainer.num_train_batches + trainer.num_val_batches) + 2
    points = sum(len(line) for line in model.board.data.values())
    assert len(waits) <= points + moves  # copying a minibatch from the CPU waits as well
