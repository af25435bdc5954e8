"""What a cell prints, as one output."""

from nbformat.v4 import new_output

from tools.streams import joined


def out(text):
    return new_output("stream", name="stdout", text=text)


def err(text):
    return new_output("stream", name="stderr", text=text)


def test_pieces_of_a_stream_become_one_where_the_first_was():
    picture = new_output("display_data", data={"text/plain": "picture"})
    assert joined([out("a"), picture, out("b\n"), out("c")]) == [out("ab\nc"), picture]
    assert joined([picture]) == [picture]
    assert joined([]) == []


def test_what_is_given_stays_as_it_is():
    pieces = [out("a"), out("b")]
    joined(pieces)
    assert pieces == [out("a"), out("b")]


def test_errors_come_after_what_is_printed_beside_them():
    assert joined([err("1"), out("a"), err("2"), out("b")]) == [out("ab"), err("12")]
    assert joined([out("a"), err("1")]) == [out("a"), err("1")]


def test_of_a_progress_bar_the_last_state_stays():
    assert joined([err("0%\r5"), err("0%\r100%\nend\r"), err("\n")]) == [err("100%\nend\r\n")]
    assert joined([out("a\r\nb\r\n")]) == [out("a\r\nb\r\n")]
