"""The code that is measured, by job and side.

helpers and d2l run the very same code, with one import line changed. The bare loop
does the same arithmetic on tensors in memory: tests/test_bench_jobs.py holds what comes out of it
against what comes out of helpers.
"""

from tools.bench.rows import BARE, D2L, HELPERS, SIDES

IMPORT = {
    BARE: "import torch",
    HELPERS: "import helpers as d2l",
    D2L: "from d2l import torch as d2l",
}

# The kernels run beside ../data, which is where d2l looks.
LOAD_BARE = """
import helpers
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(1)
line = helpers.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
line_train, line_val = (line.X[:1000], line.y[:1000]), (line.X[1000:], line.y[1000:])
images = helpers.FashionMNIST(root="../data", limit=limit)
train, val = images.train[:], images.val[:]
X_large, y_large = helpers.FashionMNIST(resize=(32, 32), root="../data", limit=limit).train[:]


def loop(net, loss, optimizer, train, val, num_epochs, batch_size):
    for _ in range(num_epochs):
        for i in torch.randperm(len(train[0])).split(batch_size):
            l = loss(net(train[0][i]), train[1][i])
            optimizer.zero_grad()
            l.backward()
            optimizer.step()
        losses, accs = [], []
        with torch.no_grad():
            for i in torch.arange(len(val[0])).split(batch_size):
                y_hat = net(val[0][i])
                losses.append(loss(y_hat, val[1][i]))
                if not val[1].is_floating_point():
                    accs.append((y_hat.argmax(1) == val[1][i]).float().mean())
    return losses, accs


def half_square(y_hat, y):
    return ((y_hat - y) ** 2 / 2).mean()


class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    @torch.no_grad()
    def step(self):
        for param in self.params:
            param -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()


def fit(net):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    seen = loop(net, F.cross_entropy, optimizer, train, val, epochs, 256)
    return list(net.parameters()), seen
"""

LOAD_HELPERS = """
from functools import partial

load = partial(d2l.FashionMNIST, root="../data", limit=limit)
"""

LOAD_D2L = """
load = d2l.FashionMNIST
"""

LOAD_BOTH = """
import torch
from torch import nn

torch.manual_seed(1)
line = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
images = load(batch_size=256)
large = load(batch_size=64, resize=(32, 32))


class MLP(d2l.Classifier):
    def __init__(self, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def fit(model):
    d2l.Trainer(max_epochs=epochs).fit(model, images)
    return list(model.parameters())
"""

LOAD = {
    BARE: LOAD_BARE,
    HELPERS: LOAD_HELPERS + LOAD_BOTH,
    D2L: LOAD_D2L + LOAD_BOTH,
}

# The first optimizer of a process imports a second's worth of torch, the first board matplotlib.
WARM_OPTIMIZER = """
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)
"""
WARM_BOARD = """
d2l.ProgressBoard(xlabel="x").draw(0, 0, "y")
"""
WARM = {
    BARE: WARM_OPTIMIZER,
    HELPERS: WARM_OPTIMIZER + WARM_BOARD,
    D2L: WARM_OPTIMIZER + WARM_BOARD,
}

SWEEP_BARE = """
result = []
for lr in (0.001, 0.01, 0.03, 0.1):
    torch.manual_seed(1)
    w = torch.normal(0, 0.01, (2, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    optimizer = SGD([w, b], lr)
    seen = loop(lambda X: X @ w + b, half_square, optimizer, line_train, line_val, sweep_epochs, 32)
    result += [w, b]
"""
SWEEP = """
result = []
for lr in (0.001, 0.01, 0.03, 0.1):
    torch.manual_seed(1)
    model = d2l.LinearRegressionScratch(2, lr=lr)
    d2l.Trainer(max_epochs=sweep_epochs).fit(model, line)
    result += [model.w, model.b]
"""
SOFTMAX_BARE = """
result, seen = fit(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)))
"""
SOFTMAX = """
model = d2l.SoftmaxRegression(10, lr=0.1)
result = fit(model)
"""
MLP_BARE = """
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
result, seen = fit(net)
"""
MLP = """
model = MLP(lr=0.1)
result = fit(model)
"""
READ_BARE = """
for i in torch.randperm(len(X_large)).split(64):
    result = [X_large[i], y_large[i]]
"""
READ = """
for X, y in large.train_dataloader():
    result = [X, y]
"""

JOBS = {  # by name and side
    "sweep": {BARE: SWEEP_BARE, HELPERS: SWEEP, D2L: SWEEP},
    "softmax": {BARE: SOFTMAX_BARE, HELPERS: SOFTMAX, D2L: SOFTMAX},
    "mlp": {BARE: MLP_BARE, HELPERS: MLP, D2L: MLP},
    "read": {BARE: READ_BARE, HELPERS: READ, D2L: READ},
}

# What a fresh process does before the clock starts, and after.
PROCESSES = {
    "load": {
        HELPERS: (IMPORT[HELPERS], "d2l.FashionMNIST(root='../data')"),
        D2L: (IMPORT[D2L], "d2l.FashionMNIST()"),
    },
    "import": {side: ("", IMPORT[side]) for side in SIDES},
}


def sizes(limit: int = 0, epochs: int = 10, sweep_epochs: int = 50) -> str:
    """Code that says how large the jobs are; `limit` is how many images, 0 for all."""
    return f"limit, epochs, sweep_epochs = {limit}, {epochs}, {sweep_epochs}"


def preparation(side: str, **job_sizes: int) -> str:
    """Code that a kernel runs, unmeasured, before its first job."""
    return f"{IMPORT[side]}\n{sizes(**job_sizes)}\n{LOAD[side]}"
