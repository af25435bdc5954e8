"""Obtain Fashion-MNIST before the notebooks run, and say where it is.

usage: python -m tools.data
"""

from helpers.downloads import SYSTEM_FOLDER, TIME_LIMIT, raw_folder
from helpers.sources import default_root, load_files


def main() -> None:
    root = default_root()
    limit = f"{TIME_LIMIT // 60} minutes for each source at most"
    print(f"Fashion-MNIST: looking for it; a download is 30 MB, {limit}", flush=True)
    _, source = load_files(root)
    if source != "sample":
        place = SYSTEM_FOLDER if source == "system package" else raw_folder(root)
        print(f"Fashion-MNIST: 60,000 + 10,000 images ({source}), checksums hold, in {place}")


if __name__ == "__main__":
    main()
