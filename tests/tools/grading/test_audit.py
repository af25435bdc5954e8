import json

import pytest
import torch

from tools.grading import audit
from tools.grading.audit import Call

DOUBLE = Call({"name": "double", "args": [3.0], "kwargs": {}}, 6.0, 1e-4)
MATRIX = Call({"name": "double", "args": [], "kwargs": {}}, {"tensor": [[1.0, 2.0]]}, 1e-4)


def printed(*results):
    return f"whatever came before\n{audit.MARK}{json.dumps(results)}\n"


def test_values_that_agree_are_no_news():
    assert audit.disagreement([], "") == ""
    assert audit.disagreement([DOUBLE], printed(6.0)) == ""
    assert audit.disagreement([DOUBLE, MATRIX], printed(6, {"array": [[1, 2]]})) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing of the kind",
        printed(),
        printed(5.0),
        printed(6.0, 6.0),
        printed({"error": "ValueError"}),
        printed({"tensor": [[1], [2, 3]]}),
        printed("6.0"),
        printed(None),
        printed({"list": [{"list": [6.0]}]}),
        f"{audit.MARK}{'[' * 100_000}",
        f"{audit.MARK}{json.dumps([10**400])}",
        f"{audit.MARK}__import__('os').abort()",
    ],
)
def test_whatever_else_is_printed_is_a_disagreement(text):
    assert audit.disagreement([DOUBLE], text[:200_000]) == audit.OTHERWISE


def test_the_code_knows_the_arguments_and_not_the_expected_value():
    secret = Call({"name": "double", "args": [3.0], "kwargs": {}}, 424242.0, 1e-4)
    assert "3.0" in audit.code([secret])
    assert "424242" not in audit.code([secret])


def test_the_code_calls_again_and_prints_data(capsys):
    namespace = {"double": lambda x: 2 * x}
    tensor = torch.tensor([1.5, float("nan")], dtype=torch.float16)
    exec(audit.CODEC, namespace)
    call = {"name": "double", "args": [namespace["_encode"](tensor)], "kwargs": {}}
    missing = {"name": "other", "args": [], "kwargs": {}}
    exec(audit.code([Call(call, None, 0), Call(missing, None, 0)]), namespace)
    results = json.loads(capsys.readouterr().out.removeprefix(audit.MARK))
    assert results[0]["dtype"] == "float16"
    assert results[0]["tensor"][0] == 3.0
    assert results[1] == {"error": "KeyError"}


@pytest.mark.parametrize(
    "value",
    [1, 2.5, True, None, "a", [1, (2, "b")], (), torch.tensor([[True]]), torch.tensor(3)],
)
def test_plain_data_comes_back_as_it_was(value):
    namespace = {}
    exec(audit.CODEC, namespace)
    back = namespace["_decode"](json.loads(json.dumps(namespace["_encode"](value))))
    assert type(back) is type(value)
    assert torch.equal(back, value) if isinstance(value, torch.Tensor) else back == value


def test_a_shape_is_a_tuple():
    namespace = {}
    exec(audit.CODEC, namespace)
    assert namespace["_encode"](torch.Size([2, 1])) == {"tuple": [2, 1]}


def test_what_is_no_plain_data_is_not_recorded():
    namespace = {}
    exec(audit.CODEC, namespace)
    for value in (len, object(), {"a": 1}, [torch.nn.Linear(1, 1)]):
        with pytest.raises(TypeError):
            namespace["_encode"](value)
