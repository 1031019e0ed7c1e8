"""What a benchmark says of a promise."""

import pytest

from benchmarks.figures import Figure, ratio


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        pytest.param(
            ratio("reading", 3.0, 2.0, 2.0),
            "reading: 3.0 s against 2.0 s, ratio 1.50, promised at most 2: kept",
            id="a share",
        ),
        pytest.param(
            Figure("memory", 401, 400, " MB"),
            "memory: 401.00 MB, promised at most 400 MB: MISSED",
            id="too much",
        ),
        pytest.param(
            Figure("times faster", 20, 20, at_least=True),
            "times faster: 20.00, promised at least 20: kept",
            id="just enough",
        ),
        pytest.param(
            Figure("times faster", 19, 20, made_of="190 s against 10 s,", at_least=True),
            "times faster: 190 s against 10 s, 19.00, promised at least 20: MISSED",
            id="too little",
        ),
    ],
)
def test_a_figure_stands_beside_its_promise(figure, line):
    assert str(figure) == line
    assert figure.is_kept == line.endswith("kept")
