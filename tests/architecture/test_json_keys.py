"""Every key of every JSON document is in docs/json.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest

from adadeep.cli.commands import deploy as deploy_command
from adadeep.cli.commands.measure import measurement_json
from adadeep.cli.main import cli, run
from adadeep.core.check import Check
from adadeep.core.device import AttachedDevice
from adadeep.core.device_profile import DeviceProfile
from adadeep.core.measurement import Measurement
from adadeep.core.registry import Plugin
from adadeep.profiles.diff import ProfileDiff
from adadeep.profiles.files import ProfileSummary
from adadeep.study.deploy import Agreement
from adadeep.study.outcome import scored_as_json
from adadeep.testing.measurements import measurement
from fakes.commands import CASES
from fakes.documented import DOCUMENTED, FREE, undocumented
from fakes.runs import of_version_0_1


def keys_of_class(kind: Any) -> Iterator[str]:
    """Of a dataclass and those within it, as `asdict` would give them."""
    if not is_dataclass(kind):
        for part in get_args(kind):
            yield from keys_of_class(part)
        return
    hints = get_type_hints(kind)
    for field in fields(kind):
        yield field.name
        if field.name not in FREE:
            yield from keys_of_class(hints[field.name])


@pytest.mark.parametrize(
    "kind",
    [AttachedDevice, Check, DeviceProfile, Measurement, Plugin, ProfileDiff, ProfileSummary],
)
def test_every_field_that_a_document_takes_over_is_documented(kind: Any) -> None:
    found = set(keys_of_class(kind))
    assert found, "a class without fields"
    assert sorted(found - DOCUMENTED) == []


@pytest.mark.parametrize(
    "arguments",
    ["list", "path", "validate", "show huawei-p9", "diff huawei-p9 xiaomi-mi-6"],
)
def test_every_key_of_a_document_is_documented(
    arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["profiles", *arguments.split(), "--json"]) == 0
    assert undocumented(json.loads(capsys.readouterr().out)) == []


@pytest.mark.parametrize("name", CASES)
def test_every_key_of_every_commands_document_is_documented(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    arrange, arguments, code, _ = CASES[name][0]
    arrange(monkeypatch)
    assert run(cli, [*name.split(), *arguments.split(), "--json"]) == code
    assert undocumented(json.loads(capsys.readouterr().out)) == []


def test_every_key_of_a_trial_a_measurement_and_a_deployment_is_documented() -> None:
    from adadeep.core.cost import Cost, Provenance, Quantity
    from adadeep.core.plan import CompressionPlan
    from adadeep.core.trial import Trial, TrialState
    from adadeep.core.verdict import Verdict, Verdicts
    from fakes.search_parts import FakeMaker

    quantity = Quantity(1.0, Provenance.MEASURED, "x")
    trial = Trial(
        CompressionPlan(), TrialState.COMPLETE, 0.9, Cost(quantity, quantity, 1, 1, 1, 1)
    )
    reward = SimpleNamespace(gain=1, satisfaction=1, total=2, is_feasible=True)
    scored: Any = SimpleNamespace(trial=trial, reward=reward)
    met = Verdict(1.0, 0.5, 0.4, 0.6)
    measured = measurement(FakeMaker().make(CompressionPlan()).model)
    deployment: Any = SimpleNamespace(
        serial="S", path="p", speed_up=1.0, samples=1, agreement=Agreement(0.0, 1.0),
        searched_here=True, best=measured, initial=measured,
        verdicts=Verdicts(met, met, met, met),
    )  # fmt: skip
    documents = (
        scored_as_json(scored, Verdicts(met, met, met, met)),
        measurement_json("S", measured),
        deploy_command._json(deployment),
    )
    for document in documents:
        assert undocumented(document) == []


def test_every_key_of_a_run_of_version_0_1_is_documented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["runs", "show", str(of_version_0_1(tmp_path)), "--json"]) == 0
    assert undocumented(json.loads(capsys.readouterr().out)) == []


def test_the_guard_sees_a_key_that_is_not_there() -> None:
    assert undocumented({"devices": [{"serial": 1, "no_such_key": 2}]}) == ["no_such_key"]
