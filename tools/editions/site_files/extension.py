"""What the website adds to Sphinx: the place where a term is defined, and texts for the search."""

import json
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from tools.editions.terms import anchor


class Definition(SphinxRole):
    """{definition}`learning rate`: a term in italics, with an anchor and an entry in the index."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        name = anchor(self.text)
        label = (self.env.docname, name)
        self.env.domains.standard_domain.anonlabels[name] = label
        entry = ("single", self.text.lower(), name, "main", None)
        index = addnodes.index(entries=[entry])
        return [index, nodes.emphasis("", self.text, ids=[name], classes=["definition"])], []


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    """Store the text of every page as a script: from the disk, the search can load no page."""
    if exception or app.builder.name != "html":
        return
    texts = {name: app.env.get_doctree(name).astext() for name in sorted(app.env.found_docs)}
    content = f"window.courseTexts = {json.dumps(texts, ensure_ascii=False)};\n"
    Path(app.outdir, "_static", "texts.js").write_text(content, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("definition", Definition())
    app.connect("build-finished", write_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
