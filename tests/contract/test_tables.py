"""Every table of every command at 40, 80, 120 and 200 columns.

The last test finds the tables by the calls of `Ui.table` in the source, so that a new one must
come here, too.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adadeep.cli import ui as ui_module
from adadeep.cli.commands import deploy as deploy_command
from adadeep.cli.commands import devices as devices_command
from adadeep.cli.commands import search as search_command
from adadeep.cli.main import cli, run
from adadeep.cli.ui import Ui
from adadeep.core.cost import Cost, Provenance, Quantity, Ratio
from adadeep.core.device import (
    AttachedDevice,
    Capability,
    CapabilityStatus,
    CpuCache,
    CpuCluster,
    DeviceFacts,
)
from adadeep.core.device_profile import (
    DeviceProfile,
    ProfileEntry,
    ProfileProvenance,
    ProfileReference,
    ProfileSession,
)
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import (
    Agent,
    Block,
    Conditions,
    Delegate,
    Measurement,
    Memory,
    Placement,
)
from adadeep.core.metric import ACCURACY_SCALE
from adadeep.core.noise import PRIOR
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.verdict import Verdict, Verdicts
from adadeep.devices.first_contact import ASLEEP, WORK
from adadeep.profiles import files
from adadeep.report.final_table import PlanRow
from adadeep.report.table_text import Column, Table, cell_width, render, wrapped
from adadeep.study.compressing import Compression, Weighed
from adadeep.study.deploy import Agreement
from adadeep.study.worker_messages import PartLoss
from adadeep.testing.measurements import together
from fakes.lenet_spec import lenet_spec
from fakes.runs import of_now, of_version_0_1
from unit.study import test_outcome

COMMANDS = Path(search_command.__file__).parent
WIDTHS = (40, 80, 120, 200)
AGENT = Agent("linux-python", "0.1.0", "ai_edge_litert", "2.3.0")
LONG = "/sys/class/power_supply/battery/current_now holds -1 whether the charger is in or not"


def measurement(scale: int = 1) -> Measurement:
    return Measurement(
        "a" * 64, 1_310_000, "f" * 16, "Maker of long names Device 15 Ultra", AGENT,
        MeasureSettings(), (Placement(0, 0, 1, 2, (
            Block(0, 0, 1, tuple(scale * (10**6 + i) for i in range(40)), 2 * scale * 10**6),
        )),), (Delegate("XNNPACK", 12),), Memory(),
        Conditions(1.0, (1_800_000,) * 8, ("schedutil",)), Conditions(2.0),
        disturbed=("the clock dropped by 20 % in the second launch",),
    )  # fmt: skip


def save(name: str, scale: int) -> None:
    facts = DeviceFacts(
        "S", "adb", manufacturer="Maker of long names", model=f"{name} [/] [bold]",
        soc="Qualcomm Technologies, Inc SM8650", ram_bytes=8 * 10**9,
        clusters=(CpuCluster((0, 1, 2, 3), 2_000_000, 300_000, "Cortex-A520"),
                  CpuCluster((4, 5, 6, 7), 3_300_000, 500_000, "Cortex-X4")),
        caches=(CpuCache(1, "Data", 32768, (0,)), CpuCache(2, "Unified", 2**20, (4, 5, 6, 7))),
    )  # fmt: skip
    layer = LayerSpec("dense", LayerKind.DENSE, (3136,), (1024,))
    entries = (
        ProfileEntry("dense-3136-1024-float32", layer, "float32", measurement(scale)),
        ProfileEntry("dense-10-6-float32", layer, "float32", error="out of memory " + LONG),
    )
    capabilities = (Capability("battery current", CapabilityStatus.IMPLAUSIBLE, LONG),)
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0", AGENT)
    sessions = tuple(
        ProfileSession(
            f"2026-11-{day}T00:00:00+00:00", "search a-task-with-a-long-name", "0123abcd", 9, 1,
            ProfileReference("a" * 64, day / 10, facts.fingerprint, "ai_edge_litert 2.3.0", 4),
        )
        for day in (20, 25)
    )  # fmt: skip
    curve = ((0.1, 0.061), (1.0, 0.049), (10.0, 0.07))
    own = replace(PRIOR.references[2], model_sha256="a" * 64, curve=curve)
    noise = replace(PRIOR, references=(own, *PRIOR.references), ratios=curve)
    files.save(DeviceProfile(name, facts, capabilities, origin, entries, sessions, noise))


def show_profiles(patch: pytest.MonkeyPatch) -> None:
    save("a-phone", 1)
    save("another-phone-with-a-long-name", 3)
    two = ["a-phone", "another-phone-with-a-long-name"]
    for arguments in (["list"], ["show", two[0]], ["show", "huawei-p9"], ["diff", *two]):
        assert run(cli, ["profiles", *arguments]) == 0


def show_devices(patch: pytest.MonkeyPatch) -> None:
    rows = [
        AttachedDevice("192.168.100.100:5555", "device", "tcp", {"model": "Some_Box_With_Name"}),
        AttachedDevice(
            "R58M12ABCDE", "unauthorized", "usb", {}, "This computer is not authorised.",
            "Unlock the device and allow USB debugging for this computer on its screen.",
        ),
        AttachedDevice(
            "RFAR10ABCDE", "device", "usb", {"model": "Watch"}, notes=(ASLEEP, WORK),
        ),
        AttachedDevice("local", "device", "local", {"machine": "x86_64"}),
    ]  # fmt: skip
    devices_command._show(Ui(), rows)


def show_measurement(patch: pytest.MonkeyPatch) -> None:
    """One model, and two that are compared."""
    from adadeep.cli.commands import measure

    class PlayedMeter:
        noise, target = PRIOR, together([b"a"]).measurements[0].target

        def session(self, jobs: list[Any], plan: Any, *_: Any) -> Any:
            session = together([job.model for job in jobs], plan=plan)
            noted = tuple(
                replace(one, disturbed=("waited 12% of the time for a processor", LONG))
                for one in session.measurements
            )
            return SimpleNamespace(session=replace(session, measurements=noted))

    played = contextlib.nullcontext(PlayedMeter())
    patch.setattr("adadeep.measure.session.open_meter", lambda *_: played)
    patch.setattr("adadeep.devices.facts.gather_facts", lambda *_: (DeviceFacts("S", "adb"), ()))
    patch.setattr(
        measure, "each_device",
        lambda ui, devices, action: ([action(SimpleNamespace(serial="S"))], []),
    )  # fmt: skip
    models = [Path("a-model-with-a-long-name.tflite"), Path("b.tflite")]
    for number, model in enumerate(models):
        model.write_bytes(bytes(4) + b"TFL3" + bytes(40 + number))
    assert run(cli, ["measure", str(models[0])]) == 0
    assert run(cli, ["measure", *map(str, models)]) == 0


def show_deployment(patch: pytest.MonkeyPatch) -> None:
    deployment: Any = SimpleNamespace(
        serial="R58M12ABCDE", path="/data/local/tmp/adadeep/deployed/digits-0123456789abcdef",
        agreement=Agreement(1e-6, 1.0), samples=32,
        best=measurement(), initial=measurement(5), searched_here=False,
        speed_up=Ratio(5.0, 4.9, 5.1), noise=PRIOR,
        metric=ACCURACY_SCALE,
        file="best.tflite",
        snippets={"python": "import numpy\nprint('a program')"},
        verdicts=Verdicts(
            Verdict(0.03, 0.05, 0.04, 0.06, "x"), *(Verdict(1.0, 0.5, 0.4, 0.6),) * 3
        ),
    )  # fmt: skip
    deploy_command._show(Ui(), deployment)


def show_search(patch: pytest.MonkeyPatch) -> None:
    quantity = Quantity(0.00516, Provenance.MEASURED, "Maker Device, litert 2", ("clock",))
    energy = Quantity(0.0573, Provenance.ANALYTIC, "Eq. 5")
    cost = Cost(quantity, energy, 71.6e3, 1e3, 109_000, 205_000)
    labels = ["initial network", "#7 conv1:L1 conv2:C2 fc1:W1f fc2:W3 int8", "#12 conv2:C2 int8"]
    rows = [
        PlanRow(label, 0.966, 0.95, cost, 1.319, verdict, f"{label}: alpha=0.5")
        for label, verdict in zip(labels, ("met", "open, within", "open, beyond"), strict=True)
    ]
    patch.setattr("adadeep.study.table.plan_rows", lambda *_: rows)
    devices = (("Maker of long names Device 15 Ultra", "f" * 16), ("Other box", "e" * 16))
    patch.setattr(test_outcome, "BENCHES", devices)
    with tempfile.TemporaryDirectory() as folder:
        search_command._show(Ui(), test_outcome.finished(Path(folder), 2)[0])


def show_runs(patch: pytest.MonkeyPatch) -> None:
    two = Path("runs/mnist-xiaomi-redmi-3s")
    if not two.exists():
        of_now(two, 2)
        of_version_0_1(Path("runs/old"))
    Path("runs/old/journal.jsonl").write_text("{}\n[]\n{}\n")
    arguments = (["list"], ["show", str(two), "--pareto"], ["show", "runs/old"])
    for words in (*arguments, ["prune", str(two), "--dry-run"]):
        assert run(cli, ["runs", *words]) == 0


def show_ranking(patch: pytest.MonkeyPatch) -> None:
    run_folder = Path("runs/mnist-ranked")
    if not run_folder.exists():
        of_now(run_folder, 2)
    assert run(cli, ["search", "--from", str(run_folder), "--max-latency", "2ms"]) == 0


def show_techniques(patch: pytest.MonkeyPatch) -> None:
    """All that there are, and those of a network with names that look like markup."""
    spec = lenet_spec()
    names = {"conv2": "block2_conv2", "fc1": "[bold]fc1[/]"}
    layers = tuple(
        replace(
            one, name=names.get(one.name, one.name),
            inputs=tuple(names.get(name, name) for name in one.inputs),
        )
        for one in spec.layers
    )  # fmt: skip
    shown = replace(spec, name="a network of the user's own " * 3, layers=layers)
    patch.setattr("adadeep.study.look.network_of", lambda *_: shown)
    for words in ([], ["digits"]):
        assert run(cli, ["techniques", *words]) == 0


def show_compression(patch: pytest.MonkeyPatch) -> None:
    """With data and what int8 costs, and without."""
    choices = tuple(
        (name, LayerChoice(technique))
        for name, technique in (("conv2", "C2"), ("fc1", "W1f"), ("a_layer_of_a_backbone", "L1"))
    )
    losses = (
        PartLoss(("conv1", "a_batch_normalisation_with_a_long_name", "relu1"), 31.4),
        PartLoss(("fc1",), None, True), PartLoss(("fc2",), None),
    )  # fmt: skip
    before, after = (Weighed(lenet_spec(), size, 0.9871) for size in (13_300_000, 271_000))
    found = Compression(
        "a-task-with-a-long-name", CompressionPlan(choices, "int8"), before, after,
        Path("a folder/best.tflite"), Path("a folder/best.keras"), ACCURACY_SCALE, losses,
    )  # fmt: skip
    bare = replace(found, scale=None, losses=None, after=replace(after, test_accuracy=None))
    for one in (found, bare):
        patch.setattr("adadeep.study.compressing.compress", lambda *_, one=one: one)
        assert run(cli, ["compress", "digits", "--plan", "fc1=W1f"]) == 0


CASES = (
    show_compression,
    show_techniques,
    show_profiles,
    show_devices,
    show_measurement,
    show_deployment,
    show_search,
    show_runs,
    show_ranking,
)
Shown = tuple[str, Table, int, list[str]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Shown]:
    """The tables that were rendered: the caller's file and line, what, how wide, the lines."""
    found: list[Shown] = []

    def rendered(table: Table, width: int) -> list[str]:
        frame = sys._getframe(2)
        lines = render(table, width)
        place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        found.append((place, table, width, lines))
        return lines

    monkeypatch.setattr(ui_module, "render", rendered)
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    return found


def check(table: Table, width: int, lines: list[str]) -> None:
    text = "\n".join(lines)
    assert [line for line in lines if cell_width(line) > width] == []
    flowing = " ".join(text.split())
    left_out = flowing.partition("left out for width: ")[2].partition("; --json")[0]
    gone = [name.strip() for name in left_out.split(",")]
    whole = "".join(text.split())
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            if column.title not in gone and cell_width(cell) <= 12:
                assert cell in text, f"{cell!r} is broken or missing"
        assert row[0].split(" ")[0] in whole, "a row is missing"
    for below in table.below.values():
        assert "".join(below.split()) in whole


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_no_line_is_too_long_and_no_cell_is_broken(
    case: Callable[[pytest.MonkeyPatch], None],
    width: int,
    shown: list[Shown],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    case(monkeypatch)
    assert shown
    for _, table, used, lines in shown:
        assert used == width
        check(table, width, lines)


def test_every_table_there_is_has_a_case(
    shown: list[Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    for case in CASES:
        with monkeypatch.context() as patch:
            case(patch)
    covered = {place for place, *_ in shown}
    for path in COMMANDS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            function = node.func if isinstance(node, ast.Call) else None
            if isinstance(function, ast.Attribute) and function.attr == "table":
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                assert covered & {f"{path.name}:{line}" for line in lines}, f"{path}:{lines[0]}"


@pytest.mark.parametrize("width", range(20, 130, 7))
def test_any_table_fits_any_width(width: int) -> None:
    kinds = [Column("name", wraps=True), Column("n", right=True), Column("rest", rank=1),
             Column("more", wraps=True, rank=2)]  # fmt: skip
    texts = ["漢字" * 20, "x" * 90, "a few words that wrap " * 4, "", "1.5 ms"]
    for cells in itertools.permutations(texts, 4):
        for line in render(Table(kinds, [cells, cells], "title " * 9, {0: LONG}), width):
            assert cell_width(line) <= width


def test_wrapping_loses_nothing() -> None:
    for width in range(1, 30):
        assert "".join(wrapped(LONG, width)).replace(" ", "") == LONG.replace(" ", "")


def test_a_model_name_that_looks_like_markup_is_shown_as_it_is(
    shown: list[Shown], capsys: pytest.CaptureFixture[str]
) -> None:
    save("a-phone", 1)
    assert run(cli, ["profiles", "list"]) == 0
    assert "a-phone [/] [bold]" in capsys.readouterr().out


def test_what_a_terminal_would_obey_is_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;title\x07\u202e\x9b31m"
    ui = Ui()
    ui.say(evil)
    ui.note(evil)
    ui.warn(evil)
    ui.table(("name",), [(evil,)], title=evil, below={0: evil})
    ui.now("adadeep deploy", evil)
    Ui(json_mode=True).emit("x", {"name": evil, evil: 1})
    with ui.progress(evil, 2) as bar:
        bar.advance(1, evil)
    said = capsys.readouterr()
    for character in set(evil) - set("]0;title31m"):
        assert character not in said.out + said.err
    document = said.out[said.out.index("{") :]
    assert json.loads(document)["name"] == evil
