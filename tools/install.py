"""Make the virtual environment and install everything at the versions of constraints.txt.

usage: PYTHON tools/install.py VENV

It runs before anything is installed, and on any Python, so that an old one gets a message too.
"""

import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME", "PYTHONPATH")
GIGABYTES = 8 if sys.platform.startswith("linux") else 3  # torch for Linux brings CUDA along


def problem():
    """Return what is missing and what to do, in one line, or None."""
    if sys.version_info < OLDEST:
        return (
            "Python %d.%d is too old, the course needs %d.%d or newer: install one and name it, "
            "as in `make setup PYTHON=python3.13`." % (sys.version_info[:2] + OLDEST)
        )
    from importlib.util import find_spec

    if find_spec("venv") is None or find_spec("ensurepip") is None:
        return (
            "This Python lacks the venv module: install it "
            "(Debian and Ubuntu: `sudo apt-get install python3-venv`)."
        )
    free = shutil.disk_usage(".").free / 1e9
    if free < GIGABYTES:
        message = "Only %.1f GB are free on this disk, the installation needs %d: make room."
        return message % (free, GIGABYTES)
    return None


def install(folder):
    """Install into the virtual environment `folder`; return the exit status."""
    python = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")
    print("Installing into %s: a few minutes and up to 6 GB, the first time only." % folder)
    sys.stdout.flush()
    if subprocess.call([sys.executable, "-m", "venv", folder]) != 0:
        return 1
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    # The user's own settings may send packages elsewhere; where they come from is kept.
    env = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    env["PIP_USER"] = "0"
    return subprocess.call(
        pip + ["--constraint", "constraints.txt", "--editable", ".[dev,teach,site,cluster]"],
        env=env,
    )


def main():
    """Check, install, and leave a file that says so."""
    if problem():
        sys.exit(problem())
    folder = sys.argv[1]
    if install(folder) != 0:
        sys.exit(
            "The installation failed, see the lines above: it needs the network, and room on the "
            "disk. Then run the same command again; it goes on where it stopped."
        )
    with open(os.path.join(folder, "ready"), "w") as ready:
        ready.write("at the versions of constraints.txt\n")


if __name__ == "__main__":
    main()
