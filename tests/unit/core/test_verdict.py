import pytest

from adadeep.core.metric import Scale
from adadeep.core.verdict import Verdict, Verdicts, VerdictState
from adadeep.report.verdict_lines import verdict_lines
from fakes.metrics import ERROR

MET, OPEN = Verdict(1.0, 0.5, 0.4, 0.6), Verdict(1.0, 0.9, 0.8, 1.1)
BEYOND, BROKEN = Verdict(1.0, 1.05, 0.9, 1.2), Verdict(1.0, 1.5, 1.4, 1.6)


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (MET, "met"),
        (OPEN, "open, within"),
        (BEYOND, "open, beyond"),
        (BROKEN, "broken"),
        (Verdict(1.0, 0.5), "open, within"),  # no interval: nothing is proven
        (Verdict(1.0, 1.5), "open, beyond"),
        (Verdict(1.0, None), "open, beyond"),
        (Verdict.exact(1.0, 1.0, ""), "met"),
        (Verdict.exact(4000 / 3, 4000 / 3 * (1 + 1e-13), ""), "met"),
        (Verdict.exact(1.0, 1.001, ""), "broken"),
        (Verdict(0.0, 0.0, 0.0, 0.0), "met"),
    ],
)
def test_a_verdict_is_where_the_interval_lies(verdict, text):
    assert verdict.text == text


@pytest.mark.parametrize(
    ("accuracy", "latency", "state", "acceptable", "text"),
    [
        (MET, MET, VerdictState.MET, True, "met"),
        (MET, OPEN, VerdictState.OPEN, True, "open, within"),
        (BEYOND, MET, VerdictState.OPEN, False, "open, beyond"),
        (OPEN, BROKEN, VerdictState.BROKEN, False, "broken"),
    ],
)
def test_a_demand_is_as_its_worst_limit(accuracy, latency, state, acceptable, text):
    verdicts = Verdicts(accuracy, latency, MET, MET)
    assert (verdicts.state, verdicts.is_acceptable, verdicts.text) == (state, acceptable, text)


def test_lines_say_what_was_found_and_what_is_allowed():
    lines = verdict_lines(Verdicts(Verdict(0.03, 0.01, -0.01, 0.02, "179 samples"), MET, MET, MET))
    assert lines[0] == "accuracy loss: met: 1.0 % (-1.0 % to 2.0 %), 3.0 % allowed; 179 samples"
    assert len(lines) == 4
    lines = verdict_lines(Verdicts(MET, MET, MET, MET), Scale.of(ERROR))
    assert lines[0].startswith("mean error loss: met: ")
