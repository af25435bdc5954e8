"""The package d2l, in a folder of its own that only the kernels of its side see."""

import os
import subprocess
import sys
from pathlib import Path

from tools.bench.jobs import IMPORT
from tools.bench.rows import D2L

# It pins versions that today's Python does not run, so it comes without what it depends on. What it
# imports is there already, but for scipy.
PACKAGES = ["d2l==1.0.3", "scipy"]


def install(folder: Path) -> str:
    """Install d2l into `folder`, once; return why not, or nothing."""
    if imports(folder):
        return ""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--retries", "1", "--upgrade", "--target", str(folder)]
    run = subprocess.run([*pip, *options, *PACKAGES], capture_output=True, text=True)
    if run.returncode == 0:
        return "" if imports(folder) else "not installed: it cannot be imported"
    print(run.stderr.strip())
    return f"not installed: {'no network' if 'onnection' in run.stderr else 'pip failed'}"


def imports(folder: Path) -> bool:
    """Whether a process that sees `folder` can import d2l."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", IMPORT[D2L]]
    return subprocess.run(command, env=environment, stderr=subprocess.DEVNULL).returncode == 0
