"""Every key of every JSON document is in docs/json.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest

from adadeep.cli.commands import deploy as deploy_command
from adadeep.cli.commands.measure import measurement_json
from adadeep.cli.main import cli, run
from adadeep.convert.verify import Agreement
from adadeep.core.check import Check
from adadeep.core.device import AttachedDevice
from adadeep.core.device_profile import DeviceProfile
from adadeep.core.measurement import Measurement
from adadeep.core.registry import Plugin
from adadeep.profiles.diff import ProfileDiff
from adadeep.profiles.files import ProfileSummary
from adadeep.study.outcome import scored_as_json
from adadeep.testing.measurements import measurement

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text()
DOCUMENTED = set(re.findall(r"[A-Za-z0-9_]+", " ".join(re.findall(r"`([^`]+)`", DOCUMENT))))
# Keys that are data: names of layers, sensors, what an adb server says.
FREE = {"description", "temperatures_c", "plan", "parameters"}


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


def keys_of_value(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            if key not in FREE:
                yield from keys_of_value(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from keys_of_value(item)


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
    assert sorted(set(keys_of_value(json.loads(capsys.readouterr().out))) - DOCUMENTED) == []


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
        assert sorted(set(keys_of_value(document)) - DOCUMENTED) == []


def test_the_guard_sees_a_key_that_is_not_there() -> None:
    assert set(keys_of_value({"devices": [{"serial": 1, "no_such_key": 2}]})) - DOCUMENTED == {
        "no_such_key"
    }
