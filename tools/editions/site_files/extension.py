"""What the website adds to Sphinx: the place where a term is defined, and texts for the search."""

import html
import json
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from tools.editions.terms import anchor, word_lists


class Definition(SphinxRole):
    """{definition}`learning rate`: a term in italics, with an anchor and an entry in the index.

    {definition}`Momentum <momentum>` shows one spelling and has the other in the index.
    """

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        shown, _, entry = self.text.removesuffix(">").partition(" <")
        name = anchor(entry or shown)
        label = (self.env.docname, name)
        self.env.domains.standard_domain.anonlabels[name] = label
        words = [entry or shown, *word_lists()["found_by"].get(entry or shown, [])]
        index = addnodes.index(entries=[("single", word, name, "main", None) for word in words])
        return [index, nodes.emphasis("", shown, ids=[name], classes=["definition"])], []


def outline(node: nodes.Node) -> str:
    """The text of a part of a page as HTML that has nothing but its anchors; no formulas."""
    if isinstance(node, nodes.Text):
        return html.escape(node.astext())
    if isinstance(node, (nodes.math, nodes.math_block, nodes.raw, addnodes.index)):
        return " "
    names = list(node.get("ids", [])) if isinstance(node, nodes.Element) else []
    if isinstance(node, nodes.paragraph):  # a term is found with the text around it
        names += [name for term in node.findall(nodes.emphasis) for name in term["ids"]]
    elif isinstance(node, nodes.emphasis):
        names = []
    text = "".join(map(outline, node.children))
    if isinstance(node, nodes.TextElement) and not isinstance(node, nodes.Inline):
        text += " "
    for name in names:
        text = f'<div id="{html.escape(name)}">{text}</div>'
    return text


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    """Store the text of every page as a script: from the disk, the search can load no page."""
    if exception or app.builder.name != "html":
        return
    texts = {name: outline(app.env.get_doctree(name)) for name in sorted(app.env.found_docs)}
    content = f"window.courseTexts = {json.dumps(texts, ensure_ascii=False)};\n"
    Path(app.outdir, "_static", "texts.js").write_text(content, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("definition", Definition())
    app.connect("build-finished", write_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
