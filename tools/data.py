"""Obtain Fashion-MNIST before the notebooks run, say where it is, and write copies of it.

usage: python -m tools.data
"""

from pathlib import Path

from helpers._internal.download import SYSTEM_FOLDER, TIME_LIMIT, raw_folder
from helpers._internal.sources import default_root, load_files
from tools.terminal import run_tool


def write_raw_files(root: Path) -> str:
    """Write the files under `root` as torchvision lays them out; return their source."""
    files, source = load_files(default_root())
    raw_folder(root).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (raw_folder(root) / name).write_bytes(content)
    return source


def main() -> None:
    root = default_root()
    limit = f"{TIME_LIMIT // 60} minutes for each source at most"
    print(f"Fashion-MNIST: looking for it; a download is 30 MB, {limit}", flush=True)
    _, source = load_files(root)
    if source != "sample":
        place = SYSTEM_FOLDER if source == "system package" else raw_folder(root)
        print(f"Fashion-MNIST: 60,000 + 10,000 images ({source}), checksums hold, in {place}")


if __name__ == "__main__":
    run_tool(main)
