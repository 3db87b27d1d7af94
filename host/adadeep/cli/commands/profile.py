"""`adadeep profile`, also `adadeep-profile`: the attached devices into the profile library."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.options import (
    agent_option,
    cores_option,
    device_option,
    duration,
    each_device,
    json_option,
    measure_settings,
    runtime_option,
    threads_option,
)
from adadeep.cli.ui import Progress, Ui
from adadeep.core.errors import (
    ConfigError,
    DeviceError,
    Interrupted,
    TransientDeviceError,
)
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.units import format_bytes
from adadeep.storage.scratch import scratch_folder

if TYPE_CHECKING:
    from adadeep.core.device_profile import DeviceProfile, ProfileEntry
    from adadeep.core.transport import Transport
    from adadeep.measure.profiling import ProfileRequest

_QUICK_EVERY = 6  # --quick measures every sixth layer
_QUICK_NOISE_S = 4.0
_MOST_NOISE_S = 3600.0


@click.command(name="adadeep-profile")
@device_option
@click.option("--name", help="Name in the library; by default made from maker and model.")
@click.option("--quick", is_flag=True, help="A sixth of the layers: a few seconds.")
@click.option(
    "--provision/--no-provision", "provide", default=None,
    help="Give a board without a TFLite runtime one; by default a terminal is asked.",
)  # fmt: skip
@click.option(
    "--noise", "noise_s", callback=duration, metavar="TIME",
    help="How long to measure how much the device strays, 0s to 1h: longer makes the intervals of"
    " everything that is measured later narrower. By default 18 s (4 s with --quick).",
)  # fmt: skip
@click.option("--fresh", is_flag=True, help="Measure anew what an unfinished profile holds.")
@threads_option
@cores_option
@agent_option
@runtime_option
@json_option
def command(
    devices: tuple[str, ...],
    name: str | None,
    quick: bool,
    provide: bool | None,
    noise_s: float | None,
    fresh: bool,
    threads: int,
    cores: str | None,
    agent: str | None,
    runtime: Path | None,
    as_json: bool,
) -> int:
    """Profile the attached device: what it is, how long layers take on it, how much it strays.

    The profile goes to the user's library ($ADADEEP_LIBRARY); see it with `adadeep profiles show`.
    Interrupted, the same command goes on where it ended.
    """
    from adadeep.measure.layer_models import micro_benchmark
    from adadeep.measure.noise_session import SECONDS
    from adadeep.measure.profiling import ProfileRequest

    ui = Ui(as_json)
    layers = micro_benchmark()[:: _QUICK_EVERY if quick else 1]
    settings = measure_settings(MeasureSettings(), threads, cores)
    if name and (len(devices) > 1 or "all" in devices):
        raise ConfigError("--name goes with one device; name one with -d.")
    usual_s = _QUICK_NOISE_S if quick else SECONDS
    noise_s = usual_s if noise_s is None else noise_s
    if noise_s > _MOST_NOISE_S:
        raise ConfigError("--noise: an hour is the most; write for example 5min.")
    request = ProfileRequest(layers, settings, name, fresh, agent, noise_s, runtime)
    shown, failed = each_device(ui, devices, lambda t: _profile(ui, t, request, provide))
    ui.emit("profiling", {"profiles": shown, "failed": failed})
    return DeviceError.exit_code if failed else 0


def _profile(
    ui: Ui, transport: Transport, request: ProfileRequest, provide: bool | None
) -> dict[str, Any]:
    from adadeep.measure.profiling import profile_device
    from adadeep.profiles import files

    with (
        contextlib.ExitStack() as passing,
        ui.progress(f"profiling {transport.serial}", len(request.layers)) as bar,
    ):
        observer = _Observer(ui, bar, provide, passing)
        try:
            profile = profile_device(transport, request, observer)
        except KeyboardInterrupt:
            raise Interrupted(_GO_ON.format(observer.count)) from None
        except TransientDeviceError as error:
            raise TransientDeviceError(f"{error} {_GO_ON.format(observer.count)}") from error
    path = files.find(profile.name)
    _show(ui, profile, str(path))
    return {
        "name": profile.name,
        "path": str(path),
        "measured_layers": sum(1 for entry in profile.entries if entry.measurement),
        "failed_layers": sum(1 for entry in profile.entries if entry.error),
        "no_agent": observer.reason,
    }


_GO_ON = "{} layers are measured and kept; the same command goes on from there."


class _Observer:
    """Shows what happens; `provide` is what the user said beforehand, None for nothing."""

    def __init__(
        self, ui: Ui, bar: Progress, provide: bool | None, passing: contextlib.ExitStack
    ) -> None:
        self._ui, self._bar = ui, bar
        self._provide, self._passing = provide, passing
        self.count = 0
        self.reason: str | None = None

    def facts(self, profile: DeviceProfile) -> None:
        facts = profile.facts
        cores = " + ".join(
            f"{len(c.cores)}x {c.part or 'core'}"
            + (f" {c.max_khz / 1e6:.2g} GHz" if c.max_khz else "")
            for c in facts.clusters
        )
        known = [facts.title, facts.soc, cores, format_bytes(facts.ram_bytes), facts.os_version]
        self._ui.note(", ".join(part for part in known if part and part != "-"))

    def entry(self, entry: ProfileEntry) -> None:
        self.count += entry.measurement is not None
        text = f"{entry.measurement.latency_ms:.3f} ms" if entry.measurement else "failed"
        self._bar.advance(1, f"{entry.key}: {text}")

    def may_provide(self, missing: str) -> bool:
        may = self._provide
        if may is None:
            may = self._ui.confirms(f"{missing}\nDownload one and put it there now?")
        if may:
            self._passing.enter_context(scratch_folder())
        return may

    def note(self, text: str) -> None:
        self._ui.note(text)

    def no_agent(self, reason: str) -> None:
        self.reason = reason
        self._ui.warn(f"facts only, nothing measured. {reason}")


def _show(ui: Ui, profile: DeviceProfile, path: str) -> None:
    failed = [entry for entry in profile.entries if entry.error]
    measured = [entry.measurement for entry in profile.entries if entry.measurement]
    readable = [c.name for c in profile.capabilities if str(c.status) == "readable"]
    ui.say(f"profile {profile.name}: {len(measured)} layers measured, {len(failed)} failed")
    ui.say(f"readable: {', '.join(readable) or 'nothing'}")
    suspect = sum(1 for measurement in measured if measurement.disturbed)
    if suspect:
        ui.say(f"disturbed while they were measured: {suspect} (marked in the table)")
    if profile.noise is not None:
        ui.say(f"how far to trust it: {profile.noise.words()}")
    for entry in failed[:3]:
        ui.warn(f"{entry.key}: {entry.error}")
    ui.say(f"in {path}")
    ui.now("adadeep profiles show", profile.name)
