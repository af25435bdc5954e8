"""The table of faults in docs/faults.md names tests that exist."""

import re

from tools.course import ROOT

TESTS = ROOT / "tests"


def test_every_test_that_the_table_names_exists():
    named = set(re.findall(r"`(test_\w+)(\.py)?", (ROOT / "docs" / "faults.md").read_text()))
    code = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    missing = [
        name
        for name, suffix in named
        if not (any(TESTS.rglob(f"{name}.py")) if suffix else f"def {name}(" in code)
    ]
    assert named
    assert not missing
