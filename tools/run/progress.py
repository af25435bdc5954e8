"""How far a run is: a bar on a terminal, plain lines elsewhere."""

import sys
import threading

from tqdm import tqdm

from tools.terminal import printable


class Progress:
    """Says which notebooks run, and what became of those that are done."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.running = total, 0, list[str]()
        self.lock = threading.Lock()
        self.bar = tqdm(
            total=total,
            file=sys.stdout,
            unit="notebook",
            leave=False,
            disable=not sys.stdout.isatty(),
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()

    def start(self, name: str) -> None:
        """A notebook is being executed from now on."""
        with self.lock:
            self.running.append(name)
            if self.bar.disable:
                print(f"{printable(name)} …", flush=True)
            self.bar.set_postfix_str(printable(", ".join(self.running)))

    def finish(self, name: str, line: str) -> None:
        """A notebook is done; `line` says what became of it."""
        with self.lock:
            self.running.remove(name)
            self.done += 1
            self.bar.set_postfix_str(printable(", ".join(self.running)), refresh=False)
            self.bar.update()
            self.bar.write(f"[{self.done}/{self.total}] {line}", file=sys.stdout)
            sys.stdout.flush()
