import pytest
import torch
from torch.nn import functional as F

import helpers


@pytest.fixture
def model():
    return helpers.SoftmaxRegression(num_outputs=3, lr=0.1)


SCORES = torch.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])


def test_accuracy(model):
    assert model.accuracy(SCORES, torch.tensor([0, 2])) == 0.5
    assert model.accuracy(SCORES, torch.tensor([0, 2]), averaged=False).tolist() == [0, 1]


def test_accuracy_of_a_sequence_for_each_example(model):
    assert model.accuracy(torch.stack([SCORES, SCORES]), torch.tensor([[2, 2], [2, 0]])) == 0.75


def test_loss_is_the_cross_entropy_of_scores(model):
    y = torch.tensor([0, 2])
    assert torch.equal(model.loss(SCORES, y), F.cross_entropy(SCORES, y))
    assert model.loss(SCORES, y, averaged=False).shape == (2,)


def test_validation_step_plots_loss_and_accuracy():
    data = helpers.FashionMNIST(batch_size=100, limit=500)
    model = helpers.SoftmaxRegression(num_outputs=10, lr=0.1)
    torch.manual_seed(0)
    helpers.Trainer(max_epochs=3).fit(model, data)
    board = model.board.to_frame()
    assert set(board.label) == {"train_loss", "val_loss", "val_acc"}
    assert board.query("label == 'val_acc'").y.iloc[-1] > 0.6


def test_layer_summary(model, capsys):
    model.layer_summary((2, 1, 4, 4))
    assert capsys.readouterr().out.splitlines() == [
        "Flatten output shape:\t torch.Size([2, 16])",
        "Linear output shape:\t torch.Size([2, 3])",
    ]


def test_apply_init(model):
    model.apply_init([torch.zeros(1, 4)], lambda layer: None)
    assert model.net[1].weight.shape == (3, 4)
