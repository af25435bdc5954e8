"""Settings of Sphinx for the course's website, see tools/editions/site.py."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))  # tools and helpers

import helpers
from tools.editions import stamp

PRINTED = bool(os.environ.get("COURSE_PRINTED"))  # one long page, which chromium prints
ADDRESS = stamp.stored_address()

project = "Deep learning that runs"
author = "The authors of Deep learning that runs"
project_copyright = "The prose is published under CC BY 4.0, the code under the MIT licence."
version = release = helpers.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # MathJax and its fonts, as files of the site
    "sphinx_design",
    "tools.editions.site_files.extension",
]
templates_path = ["templates"]

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "deflist", "attrs_inline"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
add_module_names = False
default_role = "code"  # as docstrings write it
toc_object_entries = False
# Names from other packages: they have no page here, and a link would lead out of the site.
nitpick_ignore_regex = [
    ("py:.*", r"(torch|collections|typing|pathlib|types|contextlib|numpy|nn|pandas)\b.*"),
    ("py:.*", r".*\b(Answer|WrongAnswer|Minibatches|DataError)"),  # nobody makes them by name
]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_copy_source = html_show_sourcelink = False  # a copy would hold the solutions as well
html_show_search_summary = True
html_domain_indices = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "article_header_end": ["solutions.html", "article-header-buttons.html"],
    **(
        {"repository_url": f"https://github.com/{ADDRESS.repo}", "use_repository_button": True}
        if ADDRESS.repo
        else {}
    ),
}

if PRINTED:
    html_theme, html_theme_options = "basic", {"nosidebar": True}
    html_css_files, html_js_files = ["print.css"], ["print.js"]
