from helpers import HyperParameters, add_to_class


def test_add_to_class_reaches_objects_that_exist():
    class A:
        def __init__(self):
            self.b = 1

    a = A()

    @add_to_class(A)
    def do(self):
        return f'Class attribute "b" is {self.b}'

    assert a.do() == 'Class attribute "b" is 1'


def test_add_to_class_replaces_a_method():
    class A:
        def do(self):
            return 1

    @add_to_class(A)
    def do(self):
        return 2

    assert A().do() == 2


class B(HyperParameters):
    def __init__(self, a, b, c, _d=4):
        self.save_hyperparameters(ignore=["c"])


def test_save_hyperparameters_leaves_out_what_is_ignored_private_or_self():
    b = B(a=1, b=2, c=3)
    assert (b.a, b.b) == (1, 2)
    assert not hasattr(b, "c")
    assert not hasattr(b, "_d")
    assert b.hparams == {"a": 1, "b": 2}


def test_a_subclass_keeps_its_own_hparams():
    class C(B):
        def __init__(self, e):
            super().__init__(1, 2, 3)
            self.save_hyperparameters()

    c = C(e=5)
    assert c.hparams == {"e": 5}
    assert (c.a, c.e) == (1, 5)
