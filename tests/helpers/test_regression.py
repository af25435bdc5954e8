import pytest
import torch

import helpers


@pytest.mark.parametrize(
    "make",
    [lambda: helpers.LinearRegressionScratch(2, lr=0.1), lambda: helpers.LinearRegression(lr=0.1)],
)
def test_the_true_parameters_are_found(make):
    torch.manual_seed(0)
    data = helpers.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
    model = make()
    helpers.Trainer(max_epochs=10).fit(model, data)
    w, b = (model.w, model.b) if hasattr(model, "w") else model.get_w_b()
    assert torch.allclose(w.detach().flatten(), torch.tensor([2, -3.4]), atol=0.01)
    assert b.item() == pytest.approx(4.2, abs=0.01)


def test_scratch_loss_is_half_the_mean_squared_error():
    model = helpers.LinearRegressionScratch(1, lr=0.1)
    assert model.loss(torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [2.0]])) == 1
    assert helpers.LinearRegression(0.1).loss(torch.tensor([[1.0]]), torch.tensor([[3.0]])) == 4


def test_scratch_starts_small():
    torch.manual_seed(0)
    model = helpers.LinearRegressionScratch(2000, lr=0.1, sigma=0.5)
    assert model.w.std().item() == pytest.approx(0.5, rel=0.1)
    assert model.b.tolist() == [0]
