"""Run the chapters as Colab opens them: alone, with Colab's versions, in an empty folder.

usage: python -m tools.editions.colab [--python PYTHON3.13] [SECTION...]

Each chapter is stamped with an address, which git is told to find in this repository. So the setup
cell installs helpers exactly as it will from the public address, from the last commit. Then nbval
holds the chapter against its committed outputs, and pip says what was changed in the environment.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from helpers import doctor
from tools.course import BUILD, KERNELS, ROOT, choose, kernel_environment, read, tags
from tools.data import write_raw_files
from tools.editions import stamp
from tools.terminal import ToolError, run_tool

REPO, REF = "owner/name", "v1.0"
VERSIONS = Path(__file__).with_name("colab.txt")
FOLDER = BUILD / "colab"
PYTHON = FOLDER / "venv" / "bin" / "python"


def pip(*arguments: str) -> str:
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def make_environment(python: str) -> None:
    """Install Colab's versions into an environment of their own, once."""
    ready = FOLDER / "venv" / "ready"
    if ready.is_file() and ready.read_text() == VERSIONS.read_text():
        return
    if shutil.which(python) is None:
        raise ToolError(f"No {python} here, which Colab has: name one with ARGS='--python PYTHON'.")
    print("Installing Colab's versions: a few minutes and 5 GB, the first time only.", flush=True)
    venv = subprocess.run([python, "-m", "venv", "--clear", str(FOLDER / "venv")])
    if venv.returncode != 0:
        raise ToolError(f"{python} makes no environment: see the lines above.")
    pip("install", "--quiet", "--requirement", str(VERSIONS))
    shutil.copy(VERSIONS, ready)


def make_kernel() -> None:
    """Describe the environment's Python as a kernel for nbval to start."""
    folder = FOLDER / "jupyter" / "kernels" / "colab"
    folder.mkdir(parents=True, exist_ok=True)
    argv = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Colab", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))


def make_address() -> None:
    """Publish the last commit, under the tag that the chapters are stamped with, on this disk."""
    folder = FOLDER / "public"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "tag", "--force", REF], check=True)


def environment() -> dict[str, str]:
    """What the kernel finds: the local address, the data as if downloaded, and no checkout."""
    cache = FOLDER / "cache"
    if write_raw_files(cache / "datasets") == "sample":
        raise ToolError(
            "The outputs are those of all 60,000 images, and only the sample is here: `make data`."
        )
    kept = {name: value for name, value in kernel_environment().items() if name != "PYTHONPATH"}
    return {
        **kept,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{(FOLDER / 'public').as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{REPO}",
        KERNELS: str(FOLDER / "jupyter"),
        "TORCH_HOME": str(cache),
    }


def run_chapter(path: Path, env: dict[str, str]) -> str:
    """Run one chapter, alone in an empty folder; return what went wrong, or nothing."""
    pip("uninstall", "--quiet", "--yes", doctor.DISTRIBUTION)
    before = set(pip("freeze").splitlines())
    room = FOLDER / "rooms" / path.stem / "content"
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    copy = Path(shutil.copy(path, room))
    stamp.stamp(copy, stamp.Address(REPO, REF), [copy])
    notebook = read(copy)
    for cell in notebook.cells:
        if "setup" in tags(cell):  # here it installs, and pip advises to restart the kernel
            cell.metadata.tags.append("nbval-ignore-output")
    nbformat.write(notebook, copy)
    nbval = ["--quiet", "--nbval-kernel-name", "colab", "-p", "no:cacheprovider", str(room)]
    command = [sys.executable, "-m", "pytest", *nbval]
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if run.returncode != 0:
        return run.stdout + run.stderr
    changed = before ^ set(pip("freeze").splitlines())
    installed = f"{doctor.DISTRIBUTION} @ git+https://github.com/{REPO}@"
    if len(changed) != 1 or not changed.pop().startswith(installed):
        return f"the setup cell changed the installed packages: {sorted(changed)}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="such as 4.4; default: all")
    parser.add_argument("--python", default="python3.13", help="the Python that Colab has")
    options = parser.parse_args()
    paths = choose(options.sections)
    make_environment(options.python)
    make_kernel()
    make_address()
    env, failed = environment(), False
    for path in paths:
        problem = run_chapter(path, env)
        print(f"{path.name}: {problem or 'as committed, one package installed'}", flush=True)
        failed = failed or bool(problem)
    return int(failed)


if __name__ == "__main__":
    run_tool(main)
