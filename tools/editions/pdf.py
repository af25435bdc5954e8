"""Print the whole course into one PDF, with contents, page numbers and every figure in one piece.

usage: python -m tools.editions.pdf

It is written to build/course.pdf, from the sources of the website: Sphinx makes one long page of
them, and chromium prints it. What is folded on the website is open here, but for the plumbing.
"""

import shutil
from pathlib import Path
from typing import Any

from tools.course import BUILD, chapters
from tools.editions import site
from tools.terminal import ToolError, run_tool

FOLDER, FILE = BUILD / "print", BUILD / "course.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FOOTER = (
    '<div style="width: 100%; text-align: center; font: 8pt sans-serif">'
    '<span class="pageNumber"></span></div>'
)
PAPER = {
    "format": "A4",
    "margin": {"top": "20mm", "bottom": "20mm", "left": "20mm", "right": "20mm"},
    "display_header_footer": True,
    "header_template": "<span></span>",
    "footer_template": FOOTER,
    "print_background": True,
    "outline": True,
    "tagged": True,
}
MINUTES = 10 * 60_000  # milliseconds; a thousand formulas take a while
PREPARE = "() => window.MathJax.startup.promise.then(() => window.coursePrint.prepare())"


def chromium() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise ToolError("Printing needs chromium: `sudo apt-get install chromium`.")
    return found


def pages_of(pdf: Path) -> dict[str, int]:
    """The page on which each target of a link is, counted from 1."""
    from pypdf import PdfReader

    reader = PdfReader(pdf)
    found = {}
    for name, target in reader.named_destinations.items():
        number = reader.get_destination_page_number(target)
        if number is not None:
            found[name.lstrip("/")] = number + 1
    return found


def print_page(page: Any, pdf: Path) -> None:
    """Print twice: the first time says on which pages the chapters are."""
    page.evaluate(PREPARE)
    page.pdf(path=pdf, **PAPER)
    page.evaluate("pages => window.coursePrint.number(pages)", pages_of(pdf))
    page.pdf(path=pdf, **PAPER)


def main() -> None:
    browser = chromium()
    site.build("singlehtml", FOLDER, chapters(), printed=True)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page()
        page.set_default_timeout(MINUTES)
        page.goto((FOLDER / "index.html").as_uri(), timeout=MINUTES)
        print_page(page, FILE)
        opened.close()
    print(f"{FILE}: {FILE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run_tool(main)
