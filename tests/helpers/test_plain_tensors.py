"""A model whose weights are plain tensors is a model, whatever is done to it."""

import pytest
import torch
from torch import nn

import helpers


@pytest.fixture
def data():
    torch.manual_seed(0)
    return helpers.SyntheticRegressionData(torch.tensor([2, -3.4]), 4.2, num_train=64, num_val=32)


def test_they_are_parameters():
    model = helpers.LinearRegressionScratch(2, lr=0.1)
    assert dict(model.named_parameters()) == {"w": model.w, "b": model.b}


def test_a_module_within_a_module_has_them_as_well():
    class Two(helpers.Module):
        def __init__(self):
            super().__init__()
            self.first = helpers.LinearRegressionScratch(2, lr=0.1)
            self.layer = nn.Linear(2, 1)
            self.scale = torch.ones(1, requires_grad=True)

    names = [name for name, _ in Two().named_parameters()]
    assert sorted(names) == ["first.b", "first.w", "layer.bias", "layer.weight", "scale"]
    assert len(names) == len(set(names))


def test_a_tensor_without_a_gradient_is_no_parameter():
    model = helpers.LinearRegressionScratch(2, lr=0.1)
    model.mean = torch.zeros(2)
    model.y_hat = model(torch.zeros(1, 2))  # a result, which has a gradient but is no leaf
    assert set(dict(model.named_parameters())) == {"w", "b"}


@pytest.mark.parametrize("clip", [0, 0.1])
def test_their_gradients_are_clipped(data, clip):
    lengths = []

    class Watching(helpers.SGD):
        def step(self):
            lengths.append(torch.cat([p.grad.flatten() for p in self.params]).norm().item())
            super().step()

    model = helpers.LinearRegressionScratch(2, lr=0.03)
    model.configure_optimizers = lambda: Watching([model.w, model.b], model.lr)
    helpers.Trainer(max_epochs=1, gradient_clip_val=clip).fit(model, data)
    assert (max(lengths) <= 0.1 + 1e-5) == bool(clip)


def test_they_are_saved_and_loaded(tmp_path):
    saved, loaded = (helpers.LinearRegressionScratch(2, lr=0.1) for _ in range(2))
    torch.save(saved.state_dict(), tmp_path / "model.pt")
    w = loaded.w
    loaded.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(loaded.w, saved.w)
    assert loaded.w is w
    with pytest.raises(RuntimeError, match=r"Missing key.*\"b\""):
        loaded.load_state_dict({"w": saved.w})
    with pytest.raises(RuntimeError, match=r"Unexpected key.*\"c\""):
        loaded.load_state_dict({**saved.state_dict(), "c": torch.zeros(1)})


def test_an_optimizer_of_torch_trains_them(data):
    class Model(helpers.LinearRegressionScratch):
        configure_optimizers = helpers.Module.configure_optimizers

    model = Model(2, lr=0.1)
    before = model.w.detach().clone()
    helpers.Trainer(max_epochs=1).fit(model, data)
    assert not torch.equal(before, model.w)


def test_they_change_their_type_with_the_model():
    model = helpers.LinearRegressionScratch(2, lr=0.1).double()
    assert model.w.dtype == model.b.dtype == torch.float64
    assert model.w.requires_grad
