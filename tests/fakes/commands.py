"""Every command there is, and for each what it is run with: nothing is attached or trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from adadeep.cli import options
from adadeep.cli.commands import devices as devices_command
from adadeep.cli.commands import doctor as doctor_command
from adadeep.cli.commands import search as search_command
from adadeep.cli.main import COMMANDS, cli, run
from adadeep.core.device import AttachedDevice, DeviceFacts, hashed
from adadeep.core.device_profile import DeviceProfile, ProfileEntry, ProfileProvenance
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.metric import ACCURACY_SCALE
from adadeep.core.noise import PRIOR
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.verdict import Verdict, Verdicts
from adadeep.devices.discovery import local_device
from adadeep.devices.doctor import Check, CheckStatus
from adadeep.profiles import files
from adadeep.study.compressing import Compression, Weighed
from adadeep.study.deploy import Agreement, Deployment
from adadeep.testing.measurements import measurement, together
from fakes.lenet_spec import lenet_spec
from fakes.runs import of_now


def leaves(name: str) -> Iterator[tuple[str, click.Command]]:
    """The command of that name, of a group all its commands: (as it is typed, the command)."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    if isinstance(command, click.Group):
        for sub in command.list_commands(click.Context(command)):
            leaf = command.get_command(click.Context(command), sub)
            assert leaf is not None
            yield f"{name} {sub}", leaf
    else:
        yield name, command


def all_leaves() -> dict[str, click.Command]:
    """Every command that does something, by what is typed."""
    return dict(leaf for name in COMMANDS for leaf in leaves(name))


MET = Verdicts(*(Verdict(1.0, 0.5, 0.4, 0.6),) * 4)
SERIAL = "R58 M12"  # a serial may hold a space: what is said must be quoted

Arrange = Callable[[pytest.MonkeyPatch], None]


def save(name: str, measured: bool, serial: str = SERIAL) -> None:
    layer = LayerSpec("dense", LayerKind.DENSE, (10,), (5,))
    entry = ProfileEntry("dense-10-5-float32", layer, "float32", measurement(b"model"))
    facts = DeviceFacts(hashed(serial), "adb", manufacturer="Maker", model=name)
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0")
    files.save(DeviceProfile(name, facts, (), origin, (entry,) if measured else ()))


def nothing(patch: pytest.MonkeyPatch) -> None:
    pass


def attached(*rows: AttachedDevice) -> Arrange:
    def arrange(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(devices_command, "list_attached", lambda _: [*rows, local_device()])
        patch.setattr(devices_command, "announced", lambda _: [])
        patch.setattr(devices_command, "looked_at", lambda asked, _: list(asked))

    return arrange


def a_device(patch: pytest.MonkeyPatch) -> None:
    """`-d` finds one device."""
    device = SimpleNamespace(serial=SERIAL, kind="adb")
    for module in (options, doctor_command, search_command):
        patch.setattr(module, "chosen_devices", lambda *_: [device])


def examined(status: CheckStatus) -> Arrange:
    def arrange(patch: pytest.MonkeyPatch) -> None:
        a_device(patch)
        check = Check("shell", status, "seen", "mend it.")
        patch.setattr(doctor_command, "examine", lambda *_: [check])

    return arrange


def cleaned(patch: pytest.MonkeyPatch) -> None:
    a_device(patch)
    gone = SimpleNamespace(folder="/data", deployed=0, results=0)
    patch.setattr(doctor_command, "clean", lambda *_: gone)


def profiled(patch: pytest.MonkeyPatch) -> None:
    a_device(patch)
    save("box", measured=True)
    patch.setattr("adadeep.measure.profiling.profile_device", lambda *_: files.load("box"))


def searched(patch: pytest.MonkeyPatch) -> None:
    a_device(patch)
    outcome = SimpleNamespace(folder=Path("runs/a b"), is_acceptable=True, left=())
    patch.setattr("adadeep.study.builder.search", lambda *_: outcome)

    def show(ui: Any, _: object) -> None:
        ui.say("the table")
        ui.emit("search", {})

    patch.setattr(search_command, "_show", show)


def a_network() -> None:
    Path("m.keras").write_bytes(b"a network")


def compressed(patch: pytest.MonkeyPatch) -> None:
    a_network()
    spec = lenet_spec()
    plan = CompressionPlan((("fc1", LayerChoice("W1f")),))
    found = Compression(
        "m", plan, Weighed(spec, 1000), Weighed(spec, 500), Path("m-compressed.tflite"),
        Path("m-compressed.keras"),
    )  # fmt: skip
    patch.setattr("adadeep.study.compressing.compress", lambda *_: found)


def looked_at(patch: pytest.MonkeyPatch) -> None:
    a_network()
    patch.setattr("adadeep.study.look.network_of", lambda *_: lenet_spec())


def measured_on(*known: str) -> Arrange:
    """`measure` on a device; the library has measured profiles of the serials."""

    def arrange(patch: pytest.MonkeyPatch) -> None:
        from adadeep.cli.commands import measure

        def show(ui: Any, transport: Any, _: object) -> dict[str, Any]:
            ui.say("the table")
            return {"serial": transport.serial}

        a_device(patch)
        for number, serial in enumerate(known):
            save(f"box-{number}", measured=True, serial=serial)
        Path("m.tflite").write_bytes(bytes(4) + b"TFL3" + bytes(40))
        patch.setattr(measure, "_measure", show)

    return arrange


def deployed(
    searched_here: bool, task: str, verdicts: Verdicts = MET, file: str = "best.tflite"
) -> Arrange:
    def arrange(patch: pytest.MonkeyPatch) -> None:
        a_device(patch)
        made = together([b"best", b"initial"])
        deployment = Deployment(
            SERIAL, "/data/x.tflite", Agreement(0.0, 1.0), 32, made, PRIOR, searched_here,
            verdicts, ACCURACY_SCALE, file,
            snippets={"python": "import numpy", "kotlin": "", "java": ""},
        )  # fmt: skip
        patch.setattr("adadeep.study.deploy.load_run", lambda _: SimpleNamespace(task=task))
        patch.setattr("adadeep.study.deploy.deploy", lambda *_: deployment)

    return arrange


def saved(*profiles: tuple[str, bool]) -> Arrange:
    def arrange(patch: pytest.MonkeyPatch) -> None:
        for name, measured in profiles:
            save(name, measured)

    return arrange


def damaged_first(patch: pytest.MonkeyPatch) -> None:
    save("a", measured=True)
    files.find("a").write_text("schema_version = 99\n")
    save("b", measured=True)


def ran(*names: str) -> Arrange:
    """Finished searches."""

    def arrange(patch: pytest.MonkeyPatch) -> None:
        for name in names:
            if not Path(name).exists():
                of_now(Path(name))

    return arrange


def begun(patch: pytest.MonkeyPatch) -> None:
    """A search that has not ended."""
    ran("a")(patch)
    Path("a/plan.json").unlink()


def pruned(patch: pytest.MonkeyPatch) -> None:
    ran("a")(patch)
    assert run(cli, ["runs", "prune", "a", "--yes", "--json"]) == 0


PHONE = AttachedDevice(SERIAL, "device", "usb")
LOCKED = AttachedDevice(SERIAL, "unauthorized", "usb", {}, "Not authorised.", "Unlock it.")

# Command as typed -> (what there is, arguments, exit code, what is said or None).
CASES: dict[str, list[tuple[Arrange, str, int, str | None]]] = {
    "devices": [
        (attached(), "", 0, "adadeep-profile -d local"),
        (attached(PHONE), "", 0, "adadeep-profile -d 'R58 M12'"),
        (attached(LOCKED), "", 0, None),  # the remedy stands below its row
    ],
    "doctor": [
        (examined(CheckStatus.OK), "", 0, "adadeep-profile -d 'R58 M12'"),
        (examined(CheckStatus.FAIL), "", 3, None),  # a remedy stands below the finding
        (cleaned, "--clean", 0, None),
    ],
    "profile": [(profiled, "", 0, "adadeep profiles show box")],
    "profiles list": [
        (saved(("box", True)), "", 0, "adadeep profiles show box"),
        (damaged_first, "", 0, "adadeep profiles show b"),
    ],
    "profiles show": [
        (saved(("box", True)), "box", 0, "adadeep search digits -d box"),
        (saved(("box", False)), "box", 0, "adadeep-profile -d box"),
        (nothing, "huawei-p9", 0, None),  # no device that can be attached
    ],
    "profiles diff": [
        (saved(("a", True), ("b", False)), "a b", 0, "adadeep-profile -d b"),
        (saved(("a", True), ("b", True)), "a b", 0, None),
        (nothing, "huawei-p9 xiaomi-mi-6", 0, None),
    ],
    "profiles validate": [(nothing, "", 0, None), (damaged_first, "", 2, None)],
    "profiles path": [(nothing, "", 0, None)],
    "measure": [
        (measured_on(), "m.tflite", 0, "adadeep-profile -d 'R58 M12'"),
        (measured_on("another"), "m.tflite", 0, "adadeep-profile -d 'R58 M12'"),
        (measured_on("another", SERIAL), "m.tflite", 0, None),
    ],
    "search": [
        (searched, "digits", 0, "adadeep deploy 'runs/a b'"),
        (searched, "digits -d box", 0, "adadeep deploy 'runs/a b' -d box"),
        (
            ran("a"),
            "--from a --max-latency 2ms",
            0,
            "adadeep search digits -o a --episodes 8 --max-latency 2ms",
        ),
        (ran("a"), "--from a --max-latency 1ns", 4, None),  # the error says what to do
    ],
    "compress": [(compressed, "m.keras --plan fc1=W1f", 0, "adadeep measure m-compressed.tflite")],
    "techniques": [
        (nothing, "", 0, "adadeep techniques MODEL.keras"),
        (looked_at, "m.keras", 0, "adadeep compress m.keras --plan fc1=L3"),
    ],
    "deploy": [
        (deployed(True, "digits"), "r", 0, "adadeep measure r/best.tflite -d 'R58 M12'"),
        (
            deployed(True, "digits", file="best-0123abcd.tflite"),
            "r",
            0,
            "adadeep measure r/best-0123abcd.tflite -d 'R58 M12'",
        ),
        (deployed(False, "digits"), "r", 0, "adadeep search digits -d 'R58 M12'"),
        (deployed(False, "no-task-of-ours"), "r", 0, "adadeep measure r/best.tflite -d 'R58 M12'"),
    ],
    "runs list": [
        (ran("runs/a b"), "", 0, "adadeep runs show 'runs/a b'"),
        (nothing, "", 0, "adadeep search digits"),
    ],
    "runs show": [
        (ran("a"), "a", 0, "adadeep deploy a"),
        (begun, "a", 0, None),  # the command that began it goes on with it
    ],
    "runs prune": [
        (ran("a"), "a --dry-run", 0, "adadeep runs prune a"),
        (ran("a", "b"), "a b --yes", 0, "adadeep runs show a"),
        (pruned, "a --yes", 0, None),
    ],
}
