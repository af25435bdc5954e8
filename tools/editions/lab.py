"""Open the course in JupyterLab: the learner's own copies of the chapters, without solutions.

usage: python -m tools.editions.lab [--source] [what JupyterLab takes...]

The copies lie in the folder work, which git ignores. A chapter that is not there yet is added;
nothing that is there is ever changed. --source opens the chapters themselves.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tools.course import NOTEBOOKS, ROOT, chapters, read, section
from tools.editions import student
from tools.terminal import ToolError, run_tool

WORK = ROOT / "work"


def fill(folder: Path) -> list[Path]:
    """Add the chapters that are not in a folder yet; return the copies that were made."""
    folder.mkdir(exist_ok=True)
    missing = [path for path in chapters() if not os.path.lexists(folder / path.name)]
    with tempfile.TemporaryDirectory() as edition:
        if missing:
            student.write(missing, Path(edition), answers=True)
        for path in missing:
            content = Path(edition, path.name).read_bytes()
            with open(folder / path.name, "xb") as copy:  # an error if it is there by now
                copy.write(content)
    return [folder / path.name for path in missing]


def outdated(folder: Path) -> list[str]:
    """The sections whose chapter has changed since its copy was made."""
    changed = []
    for path in chapters():
        try:
            made_from = read(folder / path.name).metadata[student.OURS]["version"]
        except (ToolError, KeyError):
            continue  # not ours any more: the learner may do with it what they like
        if made_from != student.version(path):
            changed.append(section(path))
    return changed


def main() -> int:
    arguments = sys.argv[1:]
    if "--source" in arguments:
        arguments.remove("--source")
        folder, added = NOTEBOOKS, chapters()
    else:
        folder, added = WORK, fill(WORK)
        print(f"Your own copies of the chapters are in {folder}.", flush=True)
        if changed := outdated(folder):
            print(
                f"These chapters have changed since you got them: {', '.join(changed)}. To get the "
                "new ones, rename your copies and open the course again.",
                flush=True,
            )
    if added:  # JupyterLab withholds the pictures of a notebook until it is trusted
        trust = [sys.executable, "-m", "jupyter", "trust", *map(str, added)]
        subprocess.run(trust, check=True, stdout=subprocess.DEVNULL)
    first = folder / chapters()[0].name
    return wait_for(subprocess.Popen([sys.executable, "-m", "jupyterlab", *arguments, str(first)]))


def wait_for(process: subprocess.Popen) -> int:
    """Wait until a process ends by itself: at Ctrl-C, JupyterLab asks before it does."""
    while True:
        with suppress(KeyboardInterrupt):
            return process.wait()


if __name__ == "__main__":
    run_tool(main)
