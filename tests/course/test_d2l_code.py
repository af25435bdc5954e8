"""Code written for d2l runs with its import line changed and nothing else.

Each program changes classes of helpers, which are restored after it.
"""

import inspect

import pytest

import helpers
from helpers._internal.notices import say_once

SIGNATURES = {
    "set_figsize": "figsize=(3.5, 2.5)",
    "set_axes": "axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend",
    "plot": "X, Y=None, xlabel=None, ylabel=None, legend=[], xlim=None, ylim=None, "
    "xscale='linear', yscale='linear', fmts=('-', 'm--', 'g-.', 'r:'), figsize=(3.5, 2.5), "
    "axes=None",
    "show_images": "imgs, num_rows, num_cols, titles=None, scale=1.5",
    "add_to_class": "Class",
    "HyperParameters.save_hyperparameters": "self, ignore=[]",
    "ProgressBoard.__init__": "self, xlabel=None, ylabel=None, xlim=None, ylim=None, "
    "xscale='linear', yscale='linear', ls=['-', '--', '-.', ':'], "
    "colors=['C0', 'C1', 'C2', 'C3'], fig=None, axes=None, figsize=(3.5, 2.5), display=True",
    "ProgressBoard.draw": "self, x, y, label, every_n=1",
    "Module.__init__": "self, plot_train_per_epoch=2, plot_valid_per_epoch=1",
    "Module.loss": "self, y_hat, y",
    "Module.forward": "self, X",
    "Module.plot": "self, key, value, train",
    "Module.training_step": "self, batch",
    "Module.validation_step": "self, batch",
    "Module.configure_optimizers": "self",
    "Module.apply_init": "self, inputs, init=None",
    "DataModule.__init__": "self, root='../data', num_workers=4",
    "DataModule.get_dataloader": "self, train",
    "DataModule.get_tensorloader": "self, tensors, train, indices=slice(0, None, None)",
    "Trainer.__init__": "self, max_epochs, num_gpus=0, gradient_clip_val=0",
    "Trainer.prepare_data": "self, data",
    "Trainer.prepare_model": "self, model",
    "Trainer.fit": "self, model, data",
    "Trainer.fit_epoch": "self",
    "Trainer.prepare_batch": "self, batch",
    "Trainer.clip_gradients": "self, grad_clip_val, model",
    "SyntheticRegressionData.__init__": "self, w, b, noise=0.01, num_train=1000, num_val=1000, "
    "batch_size=32",
    "SGD.__init__": "self, params, lr",
    "LinearRegressionScratch.__init__": "self, num_inputs, lr, sigma=0.01",
    "LinearRegression.__init__": "self, lr",
    "LinearRegression.get_w_b": "self",
    "FashionMNIST.text_labels": "self, indices",
    "FashionMNIST.visualize": "self, batch, nrows=1, ncols=8, labels=[]",
    "Classifier.accuracy": "self, Y_hat, Y, averaged=True",
    "Classifier.loss": "self, Y_hat, Y, averaged=True",
    "Classifier.layer_summary": "self, X_shape",
    "SoftmaxRegression.__init__": "self, num_outputs, lr",
    "gpu": "i=0",
    "try_gpu": "i=0",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(name):
    function = helpers
    for part in name.split("."):
        function = getattr(function, part)
    parameters = inspect.signature(function).parameters.values()
    plain = [str(p.replace(annotation=inspect.Parameter.empty)) for p in parameters]
    assert ", ".join(plain) == SIGNATURES[name]


def test_fashion_mnist_begins_with_the_parameters_of_d2l():
    parameters = list(inspect.signature(helpers.FashionMNIST.__init__).parameters.values())[1:3]
    assert [(p.name, p.default) for p in parameters] == [("batch_size", 64), ("resize", (28, 28))]


@pytest.fixture
def run(capsys):
    """Return a function that runs a program and returns what it prints, but for the epochs."""
    classes = {cls: dict(vars(cls)) for cls in vars(helpers).values() if isinstance(cls, type)}
    say_once.cache_clear()

    def execute(program: str) -> str:
        imports = "import torch\nfrom torch import nn\nimport helpers as d2l\n"
        exec(imports + "torch.manual_seed(0)\n" + program, {"__name__": "program"})
        lines = capsys.readouterr().out.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("epoch "))

    yield execute
    for cls, before in classes.items():
        for name in set(vars(cls)) - set(before):
            delattr(cls, name)
        for name, value in before.items():
            if vars(cls)[name] is not value:
                setattr(cls, name, value)


DATA = "data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)\n"


def test_methods_of_the_trainer_are_replaced(run):
    out = run(
        DATA
        + """
@d2l.add_to_class(d2l.Trainer)
def prepare_batch(self, batch):
    return batch

@d2l.add_to_class(d2l.Trainer)
def fit_epoch(self):
    self.model.train()
    for batch in self.train_dataloader:
        loss = self.model.training_step(self.prepare_batch(batch))
        self.optim.zero_grad()
        with torch.no_grad():
            loss.backward()
            if self.gradient_clip_val > 0:
                self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step()
        self.train_batch_idx += 1
    if self.val_dataloader is None:
        return
    self.model.eval()
    for batch in self.val_dataloader:
        with torch.no_grad():
            self.model.validation_step(self.prepare_batch(batch))
        self.val_batch_idx += 1

trainer = d2l.Trainer(max_epochs=3, gradient_clip_val=50)
model = d2l.LinearRegressionScratch(2, lr=0.03)
trainer.fit(model, data)
print(trainer.train_batch_idx, trainer.val_batch_idx, model.board.xlim)
print((data.w - model.w.detach().reshape(data.w.shape)).abs().max().item() < 0.4)
"""
    )
    assert out == "96 96 [0, 3]\nTrue\n"


def test_an_optimizer_without_no_grad_and_a_model_of_plain_tensors(run):
    out = run(
        DATA
        + """
class SGD(d2l.HyperParameters):
    def __init__(self, params, lr):
        self.save_hyperparameters()
    def step(self):
        for param in self.params:
            param -= self.lr * param.grad
    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()

class Scratch(d2l.Module):
    def __init__(self, num_inputs, lr, sigma=0.01):
        super().__init__()
        self.save_hyperparameters()
        self.w = torch.normal(0, sigma, (num_inputs, 1), requires_grad=True)
        self.b = torch.zeros(1, requires_grad=True)
    def forward(self, X):
        return torch.matmul(X, self.w) + self.b
    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()
    def parameters(self):
        return [self.w, self.b]
    def configure_optimizers(self):
        return SGD([self.w, self.b], self.lr)

model = Scratch(2, lr=0.03)
trainer = d2l.Trainer(max_epochs=2, gradient_clip_val=1)
trainer.fit(model, data)
print(model.hparams, model.board.to_frame().y.iloc[-1] < 10)
"""
    )
    assert out == "{'num_inputs': 2, 'lr': 0.03, 'sigma': 0.01} True\n"


def test_a_data_module_without_validation_that_uses_get_tensorloader(run):
    out = run(
        """
class Data(d2l.DataModule):
    def __init__(self, num_train=100, batch_size=5):
        super().__init__()
        self.save_hyperparameters()
        self.X, self.y = torch.randn(100, 3), torch.randn(100, 1)
    def get_dataloader(self, train):
        i = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader([self.X, self.y], train, i)
    def val_dataloader(self):
        return None

data = Data(num_train=20)
model, trainer = d2l.LinearRegression(lr=0.01), d2l.Trainer(max_epochs=3)
trainer.fit(model, data)
print(data.root, data.num_workers, trainer.num_train_batches, trainer.num_val_batches)
X, y = next(iter(data.train_dataloader()))
print(X.shape, y.shape, trainer.epoch)
"""
    )
    assert out == "../data 4 4 0\ntorch.Size([5, 3]) torch.Size([5, 1]) 2\n"


def test_d2ls_own_loader_and_a_lazy_model_fitted_twice_by_one_trainer(run):
    out = run(
        """
@d2l.add_to_class(d2l.FashionMNIST)
def get_dataloader(self, train):
    data = self.train if train else self.val
    return torch.utils.data.DataLoader(data, self.batch_size, shuffle=train,
                                       num_workers=self.num_workers)

class MLP(d2l.Classifier):
    def __init__(self, num_outputs, num_hiddens, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_hiddens), nn.ReLU(),
                                 nn.LazyLinear(num_outputs))
    def validation_step(self, batch):
        Y_hat = self(*batch[:-1])
        self.plot('loss', self.loss(Y_hat, batch[-1]), train=False)
        self.plot('acc', self.accuracy(Y_hat, batch[-1]), train=False)
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)

data = d2l.FashionMNIST(batch_size=256, resize=(32, 32), limit=1000)
trainer = d2l.Trainer(max_epochs=1)
for _ in range(2):
    model = MLP(num_outputs=10, num_hiddens=16, lr=0.01)
    trainer.fit(model, data)
X, y = next(iter(data.val_dataloader()))
print(model(X).argmax(axis=1).shape, model.net[1].weight.shape, sorted(model.board.data))
"""
    )
    assert out.splitlines()[1] == (
        "torch.Size([256]) torch.Size([16, 1024]) ['train_loss', 'val_acc', 'val_loss']"
    )


def test_a_board_used_alone(run):
    out = run(
        """
import numpy as np
board = d2l.ProgressBoard('x')
for x in np.arange(0, 10, 0.1):
    board.draw(x, np.sin(x), 'sin', every_n=2)
    board.draw(x, np.cos(x), 'cos', every_n=10)
print({label: len(line) for label, line in board.data.items()})
"""
    )
    assert out == "{'sin': 50, 'cos': 10}\n"


def test_the_timer_and_the_devices(run):
    out = run(
        """
timer = d2l.Timer()
timer.stop()
print(d2l.cpu(), d2l.gpu(1), d2l.num_gpus() >= 0, d2l.try_gpu(99), len(timer.cumsum()))
d2l.use_svg_display()
d2l.set_figsize()
print(d2l.plt.rcParams['figure.figsize'])
"""
    )
    assert out == "cpu cuda:1 True cpu 1\n[3.5, 2.5]\n"


def test_slopes_are_printed_and_a_tangent_is_drawn(run):
    """Section 2.4."""
    out = run(
        """
import numpy as np
def f(x):
    return 3 * x ** 2 - 4 * x
for h in 10.0**np.arange(-1, -6, -1):
    print(f'h={h:.5f}, numerical limit={(f(1+h)-f(1))/h:.5f}')
x = np.arange(0, 3, 0.1)
d2l.plot(x, [f(x), 2 * x - 3], 'x', 'f(x)', legend=['f(x)', 'Tangent line (x=1)'])
"""
    )
    assert out.splitlines()[:2] == [
        "h=0.10000, numerical limit=2.30000",
        "h=0.01000, numerical limit=2.03000",
    ]


def test_coins_are_tossed_and_their_shares_drawn(run):
    """Section 2.6."""
    out = run(
        """
from torch.distributions.multinomial import Multinomial
fair_probs = torch.tensor([0.5, 0.5])
print(Multinomial(100, fair_probs).sample().sum())
counts = Multinomial(1, fair_probs).sample((10000,))
cum_counts = counts.cumsum(dim=0)
estimates = (cum_counts / cum_counts.sum(dim=1, keepdims=True)).numpy()
d2l.set_figsize((4.5, 3.5))
d2l.plt.plot(estimates[:, 0], label=("P(coin=heads)"))
d2l.plt.axhline(y=0.5, color='black', linestyle='dashed')
d2l.plt.gca().set_ylabel('Estimated probability')
d2l.plt.legend()
print(abs(estimates[-1, 0] - 0.5) < 0.02)
"""
    )
    assert out == "tensor(100.)\nTrue\n"


def test_made_up_data_with_a_loader_by_hand(run):
    """Section 3.3."""
    out = run(
        """
import random
class SyntheticRegressionData(d2l.DataModule):
    def __init__(self, w, b, noise=0.01, num_train=1000, num_val=1000, batch_size=32):
        super().__init__()
        self.save_hyperparameters()
        n = num_train + num_val
        self.X = torch.randn(n, len(w))
        noise = torch.randn(n, 1) * noise
        self.y = torch.matmul(self.X, w.reshape((-1, 1))) + b + noise

@d2l.add_to_class(SyntheticRegressionData)
def get_dataloader(self, train):
    if train:
        indices = list(range(0, self.num_train))
        random.shuffle(indices)
    else:
        indices = list(range(self.num_train, self.num_train+self.num_val))
    for i in range(0, len(indices), self.batch_size):
        batch_indices = torch.tensor(indices[i: i+self.batch_size])
        yield self.X[batch_indices], self.y[batch_indices]

data = SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
X, y = next(iter(data.train_dataloader()))
print('X shape:', X.shape, 'y shape:', y.shape)

@d2l.add_to_class(SyntheticRegressionData)
def get_dataloader(self, train):
    i = slice(0, self.num_train) if train else slice(self.num_train, None)
    return self.get_tensorloader((self.X, self.y), train, i)

print(len(data.train_dataloader()))
"""
    )
    assert out == "X shape: torch.Size([32, 2]) y shape: torch.Size([32, 1])\n32\n"


def test_linear_regression_with_layers(run):
    """Section 3.5."""
    out = run(
        DATA
        + """
class LinearRegression(d2l.Module):
    def __init__(self, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.LazyLinear(1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.fill_(0)

@d2l.add_to_class(LinearRegression)
def forward(self, X):
    return self.net(X)

@d2l.add_to_class(LinearRegression)
def loss(self, y_hat, y):
    fn = nn.MSELoss()
    return fn(y_hat, y)

@d2l.add_to_class(LinearRegression)
def configure_optimizers(self):
    return torch.optim.SGD(self.parameters(), self.lr)

@d2l.add_to_class(LinearRegression)
def get_w_b(self):
    return (self.net.weight.data, self.net.bias.data)

model = LinearRegression(lr=0.03)
trainer = d2l.Trainer(max_epochs=3)
trainer.fit(model, data)
w, b = model.get_w_b()
print((data.w - w.reshape(data.w.shape)).abs().max() < 0.1, (data.b - b).abs() < 0.1)
"""
    )
    assert out == "tensor(True) tensor([True])\n"


def test_weight_decay_from_scratch_and_concisely(run):
    """Section 3.7."""
    out = run(
        """
class Data(d2l.DataModule):
    def __init__(self, num_train, num_val, num_inputs, batch_size):
        self.save_hyperparameters()
        n = num_train + num_val
        self.X = torch.randn(n, num_inputs)
        noise = torch.randn(n, 1) * 0.01
        w, b = torch.ones((num_inputs, 1)) * 0.01, 0.05
        self.y = torch.matmul(self.X, w) + b + noise
    def get_dataloader(self, train):
        i = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader([self.X, self.y], train, i)

def l2_penalty(w):
    return (w ** 2).sum() / 2

class WeightDecayScratch(d2l.LinearRegressionScratch):
    def __init__(self, num_inputs, lambd, lr, sigma=0.01):
        super().__init__(num_inputs, lr, sigma)
        self.save_hyperparameters()
    def loss(self, y_hat, y):
        return (super().loss(y_hat, y) + self.lambd * l2_penalty(self.w))

data = Data(num_train=20, num_val=100, num_inputs=200, batch_size=5)
trainer = d2l.Trainer(max_epochs=10)
norms = []
for lambd in (0, 3):
    model = WeightDecayScratch(num_inputs=200, lambd=lambd, lr=0.01)
    model.board.yscale = 'log'
    trainer.fit(model, data)
    norms.append(float(l2_penalty(model.w)))

class WeightDecay(d2l.LinearRegression):
    def __init__(self, wd, lr):
        super().__init__(lr)
        self.save_hyperparameters()
        self.wd = wd
    def configure_optimizers(self):
        return torch.optim.SGD([{'params': self.net.weight, 'weight_decay': self.wd},
                                {'params': self.net.bias}], lr=self.lr)

model = WeightDecay(wd=3, lr=0.01)
model.board.yscale = 'log'
trainer.fit(model, data)
print(norms[0] > norms[1], model.get_w_b()[0].shape)
"""
    )
    assert out == "True torch.Size([1, 200])\n"


def test_softmax_regression_with_layers(run):
    """Section 4.5."""
    out = run(
        """
from torch.nn import functional as F
class SoftmaxRegression(d2l.Classifier):
    def __init__(self, num_outputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))
    def forward(self, X):
        return self.net(X)

@d2l.add_to_class(d2l.Classifier)
def loss(self, Y_hat, Y, averaged=True):
    Y_hat = Y_hat.reshape((-1, Y_hat.shape[-1]))
    Y = Y.reshape((-1,))
    return F.cross_entropy(Y_hat, Y, reduction='mean' if averaged else 'none')

data = d2l.FashionMNIST(batch_size=256, limit=1000)
model = SoftmaxRegression(num_outputs=10, lr=0.1)
trainer = d2l.Trainer(max_epochs=2)
trainer.fit(model, data)
print(model.net[1].weight.shape, sorted(model.board.data))
"""
    )
    assert out.splitlines()[-1] == ("torch.Size([10, 784]) ['train_loss', 'val_acc', 'val_loss']")
