"""What `adadeep deploy` warns of."""

from dataclasses import replace

import pytest

from adadeep.cli.main import cli, run
from adadeep.core.verdict import Verdict
from fakes.commands import MET, deployed

BROKEN = Verdict(1.0, 2.0, 1.9, 2.1)
OPEN_WITHIN, OPEN_BEYOND = Verdict(1.0, 0.9, 0.8, 1.2), Verdict(1.0, 1.1, 0.8, 1.2)


@pytest.mark.parametrize(
    ("verdict", "warning"),
    [
        (BROKEN, "warning: the winner does not meet its demand: latency_ms is broken."),
        (OPEN_BEYOND, "warning: the winner does not meet its demand: latency_ms is open, beyond."),
        (OPEN_WITHIN, None),
        (MET.latency_ms, None),
    ],
)
def test_a_plan_that_breaks_its_demand_is_deployed_with_a_warning(
    verdict, warning, monkeypatch, capsys
):
    deployed(True, "digits", replace(MET, latency_ms=verdict))(monkeypatch)
    assert run(cli, ["deploy", "run"]) == 0
    said = capsys.readouterr()
    warnings = [line for line in said.err.splitlines() if line.startswith("warning: ")]
    assert warnings == ([] if warning is None else [warning])
    assert f"T: {verdict.text}" in said.out


def test_a_winner_of_another_device_is_deployed_with_a_warning(monkeypatch, capsys):
    deployed(False, "digits")(monkeypatch)
    assert run(cli, ["deploy", "run"]) == 0
    assert "warning: the search measured on another device" in capsys.readouterr().err
