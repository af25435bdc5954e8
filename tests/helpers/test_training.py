import sys
import warnings

import pytest
import torch
from torch import nn

import helpers


@pytest.fixture
def data():
    torch.manual_seed(0)
    return helpers.SyntheticRegressionData(torch.tensor([2, -3.4]), 4.2, num_train=70, num_val=40)


class Line(helpers.Module):
    """A linear model without a lazy layer."""

    def __init__(self, lr=0.03):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(2, 1)

    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()


def test_counters_and_board(data):
    model, trainer = Line(), helpers.Trainer(max_epochs=2)
    trainer.fit(model, data)
    assert (trainer.num_train_batches, trainer.num_val_batches) == (3, 2)
    assert (trainer.epoch, trainer.train_batch_idx, trainer.val_batch_idx) == (1, 6, 4)
    assert model.board.xlim == [0, 2]
    assert [p.x for p in model.board.data["val_loss"]] == [1, 2]
    assert [p.x for p in model.board.data["train_loss"]] == [0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3]


def test_the_weights_are_those_of_a_bare_loop(data):
    torch.manual_seed(0)
    model = Line()
    bare = nn.Linear(2, 1)
    bare.load_state_dict(model.net.state_dict())
    torch.manual_seed(1)
    helpers.Trainer(max_epochs=3).fit(model, data)

    torch.manual_seed(1)
    optimizer = torch.optim.SGD(bare.parameters(), lr=0.03)
    for _ in range(3):
        for X, y in data.train_dataloader():
            optimizer.zero_grad()
            ((bare(X) - y) ** 2 / 2).mean().backward()
            optimizer.step()
        list(data.val_dataloader())
    assert torch.allclose(bare.weight, model.net.weight, atol=1e-6)
    assert torch.allclose(bare.bias, model.net.bias, atol=1e-6)


def test_fitting_again_goes_on_with_the_model_and_starts_a_new_chart(data):
    model, trainer = Line(), helpers.Trainer(max_epochs=2)
    trainer.fit(model, data)
    reached = model.board.data["val_loss"][-1].y
    trainer.fit(model, data)
    assert [p.x for p in model.board.data["val_loss"]] == [1, 2]
    assert model.board.data["val_loss"][0].y < reached
    assert trainer.train_batch_idx == 6


def test_a_second_model_with_the_same_trainer(data):
    trainer = helpers.Trainer(max_epochs=1)
    first, second = Line(), Line()
    trainer.fit(first, data)
    trainer.fit(second, data)
    assert trainer.model is second
    assert first.board.data["val_loss"]
    assert second.board.data["val_loss"]


def test_a_board_that_models_share_keeps_the_series_of_all(data):
    first, second = Line(), Line()
    second.board = first.board
    for model in (first, second):
        helpers.Trainer(max_epochs=1).fit(model, data)
    assert len(first.board.data["val_loss"]) == 2


def test_no_validation_loader(data):
    data.val_dataloader = lambda: None
    trainer, model = helpers.Trainer(max_epochs=1), Line()
    trainer.fit(model, data)
    assert trainer.num_val_batches == 0
    assert "val_loss" not in model.board.data


def test_train_and_eval_mode(data):
    modes = []

    class Watching(Line):
        def forward(self, X):
            modes.append(self.training)
            return self.net(X)

    helpers.Trainer(max_epochs=1).fit(Watching(), data)
    assert modes == [True] * 3 + [False] * 2


def test_gradients_are_clipped(data):
    model = Line()
    trainer = helpers.Trainer(max_epochs=1, gradient_clip_val=0.01)
    trainer.fit(model, data)
    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    assert norm <= 0.01 + 1e-6


def test_clip_gradients_scales_all_together():
    model = Line()
    for param in model.parameters():
        param.grad = torch.full_like(param, 2.0)
    helpers.Trainer(1).clip_gradients(1.0, model)
    grads = torch.cat([p.grad.flatten() for p in model.parameters()])
    assert torch.allclose(grads, torch.full((3,), 3**-0.5), atol=1e-5)


def test_num_gpus_without_a_gpu_trains_on_the_cpu(data):
    trainer = helpers.Trainer(max_epochs=1, num_gpus=1)
    trainer.fit(Line(), data)
    assert trainer.gpus == []


def test_a_device_gets_model_plain_tensors_and_batches(data):
    model, trainer = helpers.LinearRegressionScratch(2, lr=0.03), helpers.Trainer(max_epochs=1)
    trainer.gpus = [torch.device("meta")]  # stands in for a GPU: it has shapes and no numbers
    trainer.prepare_model(model)
    assert model.w.device.type == model.b.device.type == "meta"
    assert model.w.is_leaf
    assert model.w.requires_grad
    assert [a.device.type for a in trainer.prepare_batch(data.val_dataloader().dataset[0:2])] == [
        "meta",
        "meta",
    ]


def test_a_fit_waits_for_the_device_once_for_each_point_that_is_drawn(data, monkeypatch):
    """A number that is asked for keeps a GPU from working ahead."""
    waits = []
    for name in ("item", "tolist", "__float__", "__bool__", "__int__"):
        ask = getattr(torch.Tensor, name)
        monkeypatch.setattr(
            torch.Tensor, name, lambda self, ask=ask: (waits.append(self), ask(self))[1]
        )
    model = helpers.LinearRegressionScratch(2, lr=0.03)
    data.batch_size = 5
    helpers.Trainer(max_epochs=2).fit(model, data)
    points = sum(len(line) for line in model.board.data.values())
    assert points == 6
    assert len(waits) <= points


@pytest.mark.parametrize("max_epochs", [0, -1])
def test_no_epochs(max_epochs):
    with pytest.raises(ValueError, match=f"max_epochs is {max_epochs}: .* at least one epoch"):
        helpers.Trainer(max_epochs=max_epochs)


def test_an_empty_loader(data):
    data.num_train = 0
    with pytest.raises(ValueError, match="the training loader has no minibatch"):
        helpers.Trainer(1).fit(Line(), data)


def test_a_loader_of_unknown_length(data):
    data.train_dataloader = lambda: iter([])
    with pytest.raises(TypeError, match="training loader, a list_iterator, does not know its len"):
        helpers.Trainer(1).fit(Line(), data)


def with_loss(loss):
    model = Line()
    model.loss = loss
    return model


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda y_hat, y: (y_hat - y) ** 2, r"one number, got shape \(32, 1\).*\.mean\(\)"),
        (lambda y_hat, y: None, "one number, got None.*is there a return"),
        (lambda y_hat, y: (y_hat - y).detach().mean(), "no gradient.*detached"),
        (lambda y_hat, y: (y_hat - y).mean().item(), "no gradient.*Python number"),
    ],
)
def test_a_loss_that_cannot_be_trained_on(data, loss, message):
    trainer = helpers.Trainer(max_epochs=1)
    with pytest.raises(ValueError, match=message):
        trainer.fit(with_loss(loss), data)
    trainer.fit(Line(), data)  # the trainer still works
    assert trainer.train_batch_idx == 3


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_warns_once_a_fit(data, bad):
    model, trainer = with_loss(lambda y_hat, y: y_hat.mean() * bad), helpers.Trainer(max_epochs=2)
    for _ in range(2):
        with pytest.warns(UserWarning, match="the loss is .* in epoch 1, minibatch 1") as caught:
            trainer.fit(model, data)
        assert len(caught) == 1


def test_a_finite_loss_does_not_warn(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        helpers.Trainer(max_epochs=1).fit(Line(), data)


def test_no_optimizer(data):
    model = Line()
    model.configure_optimizers = lambda: None
    with pytest.raises(TypeError, match="of Line returned None, not an optimizer"):
        helpers.Trainer(1).fit(model, data)


def test_no_learning_rate(data):
    model = Line()
    del model.lr
    with pytest.raises(NotImplementedError, match=r"Line has neither self\.lr nor"):
        helpers.Trainer(1).fit(model, data)


def test_what_a_subclass_must_write(data):
    with pytest.raises(NotImplementedError, match=r"Module has no method loss\(self, y_hat, y\)"):
        helpers.Module().loss(None, None)
    with pytest.raises(NotImplementedError, match=r"neither a network self\.net nor"):
        helpers.Module()(torch.zeros(1))
    with pytest.raises(NotImplementedError, match="needs a method get_dataloader"):
        helpers.DataModule().train_dataloader()
    with pytest.raises(RuntimeError, match="no trainer yet"):
        Line().training_step(data.val_dataloader().dataset[0:2])


class Interrupted(Line):
    """A model that is interrupted, as by the stop button, after some minibatches."""

    def training_step(self, batch):
        if self.trainer.train_batch_idx == 5:
            raise KeyboardInterrupt
        return super().training_step(batch)


def test_an_interrupt_keeps_what_was_learned_and_ends_the_code_around_the_fit(data, capsys):
    model, trainer = Interrupted(), helpers.Trainer(max_epochs=100)
    before = model.net.weight.clone()
    with pytest.raises(KeyboardInterrupt, match="Stopped in epoch 2 of 100, after 5 minibatches"):
        trainer.fit(model, data)
    assert not torch.equal(before, model.net.weight)
    assert len(model.board.to_frame()) > 0
    trainer = helpers.Trainer(max_epochs=1)
    trainer.fit(model, data)
    assert trainer.train_batch_idx == 3


def test_outside_a_notebook_a_line_is_printed_for_each_epoch(data, capsys):
    model = Line()
    helpers.Trainer(max_epochs=2).fit(model, data)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert lines[1].startswith("epoch 2 of 2: train_loss ")
    assert lines[1].endswith(f"val_loss {model.board.data['val_loss'][-1].y:.3g}")
    model = Line()
    model.board.display = False
    helpers.Trainer(max_epochs=2).fit(model, data)
    assert capsys.readouterr().out == ""


def test_in_a_terminal_the_epochs_have_a_progress_bar(data, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    helpers.Trainer(max_epochs=2).fit(Line(), data)
    out, err = capsys.readouterr()
    assert out == ""
    assert "100%" in err
    assert "val_loss" in err


def test_sgd_step_and_zero_grad():
    w = torch.tensor([1.0], requires_grad=True)
    idle = torch.tensor([1.0], requires_grad=True)
    (w * 3).sum().backward()
    optimizer = helpers.SGD(iter([w]), lr=0.1)
    optimizer.step()
    assert w.item() == pytest.approx(0.7)
    optimizer.zero_grad()
    assert w.grad.item() == 0
    helpers.SGD([idle], lr=0.1).zero_grad()
    assert idle.grad is None


def test_a_board_of_the_learners_own_will_do(data):
    """As in section 3.2, which builds one with a method draw and nothing else."""

    class Board:
        def draw(self, x, y, label, every_n=1):
            self.last = label

    model = Line()
    model.board = Board()
    helpers.Trainer(max_epochs=1).fit(model, data)
    assert model.board.last == "val_loss"
