from tools.run.limits import MEGABYTE, Limits


def test_each_limit_is_told_by_its_own_words():
    limits = Limits(seconds=10, memory_mb=2, output_mb=3)
    assert limits.exceeded(10, 2 * MEGABYTE, 3 * MEGABYTE) == ("", "")
    assert limits.exceeded(10.1, 0, 0) == ("too slow", "not done after 10 s")
    assert limits.exceeded(0, 2 * MEGABYTE + 1, 0)[1] == "took more than 2 MB of memory"
    assert limits.exceeded(0, 0, 3 * MEGABYTE + 1)[1] == "wrote more than 3 MB to its log"
