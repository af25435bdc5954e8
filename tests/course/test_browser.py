"""JupyterLab as `make lab` starts it, driven in a real browser. Screenshots: build/browser/."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import psutil
import pytest
from playwright.sync_api import Page, sync_playwright

from tools.course import BUILD, NOTEBOOKS, kernel_environment, read, tags

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
TRUSTED, UNTRUSTED = "5.1-multilayer-perceptrons.ipynb", "not-trusted.ipynb"
INSTALLATION, REGRESSION = "0.1-installation.ipynb", "3.4-linear-regression-from-scratch.ipynb"
MANY_EPOCHS = 10_000  # nobody waits for them: the test stops the kernel
SCREENSHOTS = BUILD / "browser"
PATIENCE = 600_000  # milliseconds, of which a machine with nothing else to do needs a few thousand

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(BROWSERS)} is installed"),
]

# Counts the pictures in the output area of one cell, and notes which, whenever it changes.
WATCH = """cell => {
    window.seen = [];
    const note = () => {
        const pictures = cell.querySelectorAll('.jp-OutputArea-output img');
        window.seen.push([...pictures].map(picture => picture.src));
    };
    new MutationObserver(note).observe(cell, {childList: true, subtree: true, attributes: true});
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with copies of two chapters, in one of which a learner has turned a knob."""
    folder = tmp_path_factory.mktemp("lab")
    for name in (INSTALLATION, TRUSTED):
        shutil.copy(NOTEBOOKS / name, folder)
    changed = read(NOTEBOOKS / TRUSTED)  # trust goes by the content
    changed.cells[0].source += "\n\nA sentence more."
    nbformat.write(changed, folder / UNTRUSTED)
    notebook = read(NOTEBOOKS / REGRESSION)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if "parameters" in tags(cell):
            cell.source = re.sub(r"max_epochs = \d+", f"max_epochs = {MANY_EPOCHS}", cell.source)
            cell.source = re.sub(r"epochs_sweep = \d+", "epochs_sweep = 1", cell.source)
    nbformat.write(notebook, folder / REGRESSION)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    """JupyterLab, started as `make lab` does but without opening a browser; yields its facts.

    HOME is a fresh one, as that of a learner who has just cloned the course.
    """
    runtime, settings = folder / "runtime", folder / "settings"
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}')  # cells out of sight can be watched, too
    env = {**kernel_environment(), "JUPYTER_RUNTIME_DIR": str(runtime)}
    del env["HELPERS_BOARD"]
    env |= {"HOME": str(folder / "home"), "JUPYTER_DATA_DIR": str(folder / "home" / "jupyter")}
    trusted = [INSTALLATION, REGRESSION, TRUSTED]
    subprocess.run(
        [sys.executable, "-m", "jupyter", "trust", *trusted], cwd=folder, env=env, check=True
    )
    options = ["--no-browser", f"--LabApp.user_settings_dir={settings}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    log = (folder / "lab.log").open("w")
    process = psutil.Popen(
        [sys.executable, "-m", "jupyterlab", INSTALLATION, *options],
        cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield {**facts_of(process, runtime), "process": process}
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def facts_of(process: psutil.Popen, runtime: Path) -> dict:
    """Wait for what the server writes about itself: its address and its token."""
    for _ in range(600):
        for path in runtime.glob("jpserver-*.json"):
            return json.loads(path.read_text())
        assert process.poll() is None, "JupyterLab ended"
        time.sleep(0.1)
    raise TimeoutError("JupyterLab did not start within a minute")


@pytest.fixture(scope="module")
def open_chapter(server):
    """Return a function that opens a chapter in the browser and returns the page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    switches = [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=switches)

        def open_in_lab(name: str) -> Page:
            page = browser.new_page(viewport={"width": 1300, "height": 1000})
            page.goto(f"{server['url']}lab/tree/{name}?reset&token={server['token']}")
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PATIENCE)
            # The indicator above the cells is idle before there is a kernel. Whoever runs a cell
            # then is asked which one to start.
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=PATIENCE)
            return page

        yield open_in_lab
        browser.close()


def test_jupyterlab_listens_on_loopback_only_and_keeps_its_token(server):
    family = [server["process"], *server["process"].children(recursive=True)]
    listening = [
        connection.laddr.ip
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) <= {"127.0.0.1", "::1"}
    assert len(server["token"]) >= 32
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{server['url']}api/contents")


def test_a_chapter_opens_without_a_question_and_with_its_contents(open_chapter):
    page = open_chapter(INSTALLATION)
    assert page.locator(".jp-Dialog").count() == 0
    page.get_by_role("tab", name="Table of Contents").click()
    contents = page.locator(".jp-TableOfContents")
    for heading in ("0.1 Installation", "Takeaways", "Exercises"):
        contents.get_by_text(heading, exact=True).wait_for(timeout=PATIENCE)
    page.screenshot(path=SCREENSHOTS / "contents.png")
    page.close()


def pictures(page: Page) -> int:
    """How many pictures of outputs are shown, those that are folded left out."""
    page.wait_for_timeout(2000)
    return page.evaluate(
        "[...document.querySelectorAll('.jp-OutputArea-output img')]"
        ".filter(image => image.naturalWidth > 0).length"
    )


def test_a_fresh_clone_shows_its_pictures_before_a_cell_was_run(open_chapter):
    """`make lab` trusts the chapters; a notebook that nobody trusts shows none."""
    page = open_chapter(TRUSTED)
    assert pictures(page) >= 3
    page.screenshot(path=SCREENSHOTS / "trusted.png")
    page.close()
    page = open_chapter(UNTRUSTED)
    assert pictures(page) == 0
    page.close()


def test_the_board_is_drawn_in_one_place_and_an_interrupt_keeps_the_model(open_chapter, folder):
    page = open_chapter(REGRESSION)
    sources = [cell.source for cell in read(folder / REGRESSION).cells]
    (fit,) = [i for i, s in enumerate(sources) if "Trainer(max_epochs=max_epochs)" in s]
    cell = page.locator(".jp-Notebook .jp-Cell").nth(fit)
    cell.evaluate(WATCH)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    several = "new Set(window.seen.filter(p => p.length).map(p => p[0])).size >= 3"
    page.wait_for_function(several, timeout=PATIENCE)
    cell.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / "training.png")
    page.locator('button[data-command="notebook:interrupt-kernel"], '
                 'jp-button[data-command="notebook:interrupt-kernel"]').first.click()  # fmt: skip
    cell.get_by_text(re.compile(rf"Stopped in epoch \d+ of {MANY_EPOCHS}")).wait_for(
        timeout=PATIENCE
    )

    # The run ends there. The cell below goes on with the model as it is.
    following = page.locator(".jp-Notebook .jp-Cell").nth(fit + 2)
    following.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")
    following.get_by_text("error in estimating b: tensor").wait_for(timeout=PATIENCE)
    page.screenshot(path=SCREENSHOTS / "interrupted.png")
    counts = page.evaluate("window.seen.map(pictures => pictures.length)")
    assert set(counts[counts.index(1) :]) == {1}
    errors = page.locator('[data-mime-type="application/vnd.jupyter.stderr"]')
    assert [text.strip().splitlines() for text in errors.all_inner_texts()] == [
        [cell.get_by_text(re.compile("Stopped in epoch")).inner_text().strip()]
    ]
    page.close()
