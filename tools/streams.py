"""What a cell prints, as one output: a kernel sends it in pieces, cut where the clock wants it."""

import re

import nbformat

# nbclient's own option for this takes a second for a line of 20,000 characters, and for one of a
# million half an hour, since its pattern has no start.
OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)  # such as the states of a progress bar


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The outputs of a cell with each stream in one piece, where its first piece was.

    Errors printed come after what was printed just before or after them, as the order in which the
    two streams arrive is left to chance.
    """
    whole: list[nbformat.NotebookNode] = []
    pieces: dict[str, list[str]] = {}
    for output in outputs:
        if output.output_type != "stream":
            whole.append(output)
        elif output.name in pieces:
            pieces[output.name].append(output.text)
        else:
            pieces[output.name] = [output.text]
            whole.append(nbformat.from_dict(output))
    for i, output in enumerate(whole):
        if output.output_type == "stream":
            output.text = OVERWRITTEN.sub("", "".join(pieces[output.name]))
            if output.name == "stdout" and i and whole[i - 1].get("name") == "stderr":
                whole[i - 1], whole[i] = whole[i], whole[i - 1]
    return whole
