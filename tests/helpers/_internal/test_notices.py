from helpers._internal.notices import say_once


def test_a_notice_is_printed_once(capsys):
    say_once("a notice for this test")
    say_once("a notice for this test")
    assert capsys.readouterr().out == "a notice for this test\n"
