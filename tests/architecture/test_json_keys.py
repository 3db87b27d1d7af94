"""Every key of every JSON document is in docs/json.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from adadeep.cli.commands import deploy as deploy_command
from adadeep.cli.commands import search as search_command
from adadeep.cli.commands.measure import measurement_json
from adadeep.cli.main import cli, run
from adadeep.cli.ui import Ui
from adadeep.core.check import Check
from adadeep.core.device import AttachedDevice
from adadeep.core.device_profile import DeviceProfile
from adadeep.core.metric import ACCURACY_SCALE
from adadeep.core.noise import PRIOR
from adadeep.core.registry import Plugin
from adadeep.core.verdict import Verdict, Verdicts
from adadeep.profiles.diff import ProfileDiff
from adadeep.profiles.files import ProfileSummary
from adadeep.storage.records import KINDS
from adadeep.study.deploy import Agreement, Deployment
from adadeep.testing.measurements import together
from fakes.commands import CASES
from fakes.documented import DOCUMENTED, FREE, undocumented
from fakes.runs import of_version_0_1
from unit.study import test_outcome


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
    [AttachedDevice, Check, DeviceProfile, Plugin, ProfileDiff, ProfileSummary, *KINDS.values()],
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


def test_every_key_of_a_search_and_of_its_plan_is_documented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome, store = test_outcome.finished(tmp_path, 2)
    search_command._show(Ui(json_mode=True), outcome)
    document = json.loads(capsys.readouterr().out)
    by_target = [*document.pop("front").values()]
    for trial in document["trials"]:
        by_target += trial.pop("on").values()
    test_outcome.write(outcome, store)
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert undocumented([document, by_target, plan]) == []
    assert {"front", "on"} <= DOCUMENTED


def test_every_key_of_a_measurement_and_a_deployment_is_documented() -> None:
    met = Verdict(1.0, 0.5, 0.4, 0.6)
    session = together([b"best", b"initial"])
    deployment = Deployment(
        "S", "p", Agreement(0.0, 1.0), 1, session, PRIOR, True, Verdicts(met, met, met, met),
        ACCURACY_SCALE, "best.tflite",
        snippets={"python": "import numpy", "kotlin": "", "java": ""},
    )  # fmt: skip
    measured = measurement_json(session.measurements[0], PRIOR)
    for document in (measured, deploy_command._json(deployment)):
        assert undocumented(document) == []


def test_every_key_of_a_run_of_version_0_1_is_documented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["runs", "show", str(of_version_0_1(tmp_path)), "--json"]) == 0
    assert undocumented(json.loads(capsys.readouterr().out)) == []


def test_the_guard_sees_a_key_that_is_not_there() -> None:
    assert undocumented({"devices": [{"serial": 1, "no_such_key": 2}]}) == ["no_such_key"]
