"""The website as `make site` builds it, opened from the disk in a real browser.

Screenshots: build/browser/.
"""

import re
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.course.test_browser import BROWSER, BROWSERS, SCREENSHOTS
from tools.course import chapters
from tools.editions import site

MISSING = [name for name in [*site.NEEDED, "axe_playwright_python"] if find_spec(name) is None]
PAGES = ["index", *(path.stem for path in chapters())]
PAGES += ["glossary", "notation", "reference", "genindex", "search"]
AXE_AT_EVERY_PUSH = {"index", PAGES[1], "notation", "search"}  # it takes its time
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1300, "height": 1000}
# The chapters that one of these searches has to find among its first three results.
SEARCHES = {
    "learning rate": {"3.1", "3.4"},
    "broadcasting": {"2.1"},
    "val_loss": {"3.2", "3.4", "4.4"},
    "softmax overflow": {"4.1", "4.4", "4.5"},
    "shape mismatch": {"2.1", "4.1", "4.3"},
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(BROWSERS)} is installed"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; `make setup` does it"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The website of all chapters."""
    target = tmp_path_factory.mktemp("site") / "site"
    site.build("html", target, chapters())
    return target


@pytest.fixture(scope="module")
def browser():
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        switches = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=BROWSER, args=switches)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, folder):
    """Return a function that opens a page from the disk; it must ask for nothing from elsewhere."""
    opened, problems = [], []

    def note(request):
        if not request.url.startswith((folder.as_uri(), "data:", "blob:")):
            problems.append(f"a request to {request.url}")

    def open_from_disk(name: str, size=DESKTOP, scheme="light", query=""):
        page = browser.new_page(viewport=size, color_scheme=scheme)
        page.on("request", note)
        page.on("requestfailed", lambda r: problems.append(f"a failed request for {r.url}"))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.goto(f"{(folder / name).as_uri()}.html{query}")
        page.wait_for_function("!window.MathJax || window.MathJax.startup?.promise")
        page.evaluate("window.MathJax?.startup?.promise.then(() => true)")
        opened.append(page)
        return page

    yield open_from_disk
    for page in opened:
        page.close()
    assert not problems


def serious(page) -> list[str]:
    """What axe finds, if it is serious: the rule, and where."""
    from axe_playwright_python.sync_playwright import Axe

    # Formulas are MathJax's own matter; and axe cannot load the style sheets from the disk again.
    context, options = {"exclude": [["mjx-container"]]}, {"preload": False}
    found = Axe().run(page, context=context, options=options).response["violations"]
    return [
        f"{fault['id']}: {fault['help']} ({node['target']}: {node['html'][:200]})"
        for fault in found
        if fault["impact"] in ("serious", "critical") or fault["id"] == "heading-order"
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_complete_and_fits_a_phone(open_page, name):
    page = open_page(name)
    unrendered = page.locator("mjx-merror, .math:not(:has(mjx-container))")
    assert unrendered.count() == 0, unrendered.first.inner_html()
    pictures = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert page.evaluate(pictures) == []
    without = "[...document.images].filter(i => !i.alt || i.alt.length > 900).map(i => i.src)"
    assert page.evaluate(without) == [], "say in words what the picture shows"
    page.set_viewport_size(PHONE)
    widths = page.evaluate(
        "[document.documentElement.scrollWidth, document.querySelector('.bd-article, "
        "[role=main]').scrollWidth]"
    )
    assert max(widths) <= PHONE["width"], "something is wider than a phone"


@pytest.mark.parametrize(
    "name",
    [
        name if name in AXE_AT_EVERY_PUSH else pytest.param(name, marks=pytest.mark.weekly)
        for name in PAGES
    ],
)
def test_axe_finds_nothing_serious(open_page, name):
    assert serious(open_page(name)) == []


@pytest.mark.parametrize("name", ["index", "2.2-data-preprocessing"])
def test_dark_mode(open_page, name):
    page = open_page(name, scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = sum(map(int, re.findall(r"\d+", page.evaluate(background))[:3]))
    assert dark < 150
    assert serious(page) == []
    page.screenshot(path=SCREENSHOTS / f"site-dark-{name}.png")
    page.locator(".theme-switch-button").first.click()
    page.get_by_role("button", name="Light", exact=True).click()
    page.wait_for_function("document.documentElement.dataset.theme === 'light'")


@pytest.mark.parametrize("words", SEARCHES)
def test_the_search_finds_the_right_chapter(open_page, words):
    page = open_page("search", query=f"?q={words.replace(' ', '+')}")
    page.locator("ul.search li p.context").first.wait_for()
    page.wait_for_function("/finished/.test(document.querySelector('.search-summary').innerText)")
    found = page.locator("ul.search > li > a").evaluate_all("links => links.map(l => l.innerText)")
    first = {title.split()[0] for title in found[:3]}
    assert first & SEARCHES[words], found
    page.screenshot(path=SCREENSHOTS / "site-search.png")


def test_solutions_answers_and_guesses_are_folded_and_open_at_a_click(open_page):
    page = open_page("2.1-data-manipulation")
    for cell in (".tag_solution", ".tag_guess", ".tag_setup", ".tag_check"):
        fold = page.locator(f"{cell} details").first
        assert fold.get_attribute("open") is None
        inside = fold.locator("pre").first
        assert not inside.is_visible()
        fold.locator("summary").click()
        assert inside.is_visible()
    answer = page.locator("details.answer").first
    answer.locator("summary").focus()
    page.keyboard.press("Enter")  # the keyboard is enough
    assert answer.locator("p").first.is_visible()
    page.screenshot(path=SCREENSHOTS / "site-folds.png")


def test_a_teachers_link_hides_solutions_on_every_page(open_page):
    page = open_page("2.1-data-manipulation", query="?solutions=hidden")
    secret = page.locator(".tag_solution, .tag_check, details.answer")
    assert secret.count() > 0
    assert not any(secret.nth(i).is_visible() for i in range(secret.count()))
    page.locator(".prev-next-footer a.right-next").click()
    page.wait_for_url("**/2.2-*solutions=hidden*")
    assert not page.locator(".tag_solution").first.is_visible()
    page.get_by_role("button", name="Show solutions").click()
    assert page.locator(".tag_solution").first.is_visible()
    assert "solutions=" not in page.locator(".prev-next-footer a.right-next").get_attribute("href")


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str | None] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors.add(found.get("id"))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))


def test_every_link_within_the_site_leads_somewhere(folder):
    pages = {path.name: Page(path) for path in folder.glob("*.html")}
    assert len(pages) == len(PAGES)
    dead = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = unquote(parts.path) or name
            if parts.scheme or target == "#":
                continue
            exists = (folder / target).is_file()
            anchors = pages[target].anchors if target in pages else set()
            if not exists or (parts.fragment and unquote(parts.fragment) not in anchors):
                dead.append(f"{name}: {link}")
    assert not dead
