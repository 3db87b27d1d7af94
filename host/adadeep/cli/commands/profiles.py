"""`adadeep profiles`: list, show, diff and validate profiles."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.options import PROFILE
from adadeep.cli.ui import Ui
from adadeep.core.errors import ConfigError
from adadeep.core.units import format_ms
from adadeep.report.table_text import Column

if TYPE_CHECKING:
    from adadeep.core.device import CpuCluster, DeviceFacts
    from adadeep.core.device_profile import DeviceProfile
    from adadeep.profiles.diff import ProfileDiff
    from adadeep.profiles.files import ProfileSummary

_LIST_COLUMNS = (
    Column("profile"), Column("device", wraps=True, rank=2),
    Column("processor", wraps=True, rank=3),
    Column("measured"), Column("from", rank=1),
)  # fmt: skip
_CAPABILITY_COLUMNS = (Column("capability"), Column("status"), Column("evidence", wraps=True))
_MEASURE = "adadeep-profile -d"

_MOST_DRIFTS = 5  # in the text; `measure` makes every model a reference
_JSON = click.option("--json", "json_mode", is_flag=True, help="Print one JSON document.")


@click.group()
def command() -> None:
    """List, show, diff and validate device profiles.

    NAME is the name of a profile, or the path of a profile's TOML file.
    """


@command.command("list")
@_JSON
def list_command(json_mode: bool) -> None:
    """List the profiles: your own, then those that come with adadeep."""
    from adadeep.profiles import files

    ui, found = Ui(json_mode), files.list_profiles()
    rows = [
        (
            row.name, row.title or "-", row.soc or "-", _state(row),
            "adadeep" if row.shipped else "yours",
        )
        for row in found
    ]  # fmt: skip
    ui.table(_LIST_COLUMNS, rows)
    for row in found:
        if row.problem:
            ui.warn(row.problem)
    readable = [row.name for row in found if not row.problem]
    if readable:
        ui.now("adadeep profiles show", readable[0])
    ui.emit("profiles", {"profiles": [_plain(row) for row in found]})


def _state(row: ProfileSummary) -> str:
    if row.problem:
        return "can't be read"
    return f"{row.entries} layers" if row.entries else "unmeasured"


@command.command()
@click.argument("name", type=PROFILE)
@_JSON
def show(name: str, json_mode: bool) -> None:
    """Show a profile: the device, what it lets us read, and its measured layers."""
    from adadeep.profiles import files
    from adadeep.report.profile_lines import NOISE_COLUMNS, noise_rows

    ui, path, profile = Ui(json_mode), files.find(name), files.load(name)
    ui.say(f"{profile.name}  ({path})")
    models = _time_models(profile)
    rows = [
        *_identity_rows(profile), *_use_rows(profile), *_trust_rows(profile),
        *_time_model_rows(models),
    ]  # fmt: skip
    for label, value in rows:
        ui.say(f"  {label:<10} {value}")
    _show_hardware(ui, profile.facts)
    capabilities = [(c.name, c.status.value, c.evidence) for c in profile.capabilities]
    if capabilities:
        ui.table(_CAPABILITY_COLUMNS, capabilities)
    if profile.noise is not None:
        ui.table(NOISE_COLUMNS, noise_rows(profile.noise))
    _show_entries(ui, profile)
    if _can_be_attached(profile):
        ui.now("adadeep search digits -d" if profile.is_measured else _MEASURE, profile.name)
    document = {"path": str(path), "profile": _profile_json(profile, models)}
    ui.emit("profile", document, version=2)


def _use_rows(profile: DeviceProfile) -> list[tuple[str, str]]:
    """When and how often the device was used, and how the time of a reference changed since."""
    from adadeep.profiles.usage import drifts_of

    sessions = profile.sessions
    if not sessions:
        return []
    last, count = sessions[-1], len(sessions)
    times = "once" if count == 1 else f"{count} times since {sessions[0].day}"
    rows = [("used", f"{times}, last on {last.day} by {last.command}")]
    drifts = sorted(drifts_of(sessions), key=lambda drift: drift.last_at)
    for drift in drifts[-_MOST_DRIFTS:]:
        first, now = drift.first, drift.last
        threads = f"{now.threads} thread{'s' if now.threads > 1 else ''}"
        rows.append((
            "reference",
            f"{now.model_sha256[:8]}, {threads}: {format_ms(first.latency_ms)} on"
            f" {drift.first_at[:10]}, {format_ms(now.latency_ms)} on {drift.last_at[:10]}"
            f" ({round(100 * drift.change):+d} %)",
        ))  # fmt: skip
    return rows


def _time_models(profile: DeviceProfile) -> list[dict[str, Any]]:
    """What the tables of a profile let expect of networks, and how far that is off."""
    from adadeep.convert.precisions.registry import PRECISIONS
    from adadeep.core.cost import Provenance
    from adadeep.profiles.time_prior import ProfileTimePrior, measured_ways

    precisions = PRECISIONS.usable()
    found = [
        (way, ProfileTimePrior.of(profile, way, precisions)) for way in measured_ways(profile)
    ]
    return [
        {**_plain(way), "relative_error": prior.relative_error, "provenance": Provenance.FITTED}
        for way, prior in found
        if prior is not None
    ]


def _time_model_rows(models: list[dict[str, Any]]) -> list[tuple[str, str]]:
    rows = []
    for model in models:
        error, threads = model["relative_error"], model["threads"]
        way = f"{model['runtime']}, {threads} thread{'s' if threads > 1 else ''}: "
        within = "of too few layers to tell its error (fitted)"
        if error is not None:
            within = f"within about {100 * error:.0f} % of its own table (fitted, leave one out)"
        rows.append(("time model", (way if len(models) > 1 else "") + within))
    return rows


def _trust_rows(profile: DeviceProfile) -> list[tuple[str, str]]:
    if profile.noise is None:
        return [("trust", "not known, it was not measured: adadeep-profile")] * profile.is_measured
    return [("trust", profile.noise.words())]


def _can_be_attached(profile: DeviceProfile) -> bool:
    """Whether `-d NAME` can find its device: it is in a library, and not written from a table."""
    from adadeep.profiles import files

    return profile.facts.transport != "none" and files.exists(profile.name)


def _identity_rows(profile: DeviceProfile) -> list[tuple[str, str]]:
    facts, origin = profile.facts, profile.provenance
    battery, agent = facts.battery, origin.agent
    capacity = battery.capacity_mah if battery else None
    pairs = [
        ("device", facts.title),
        ("kind", facts.kind),
        ("processor", facts.soc),
        ("ABIs", ", ".join(facts.abis)),
        ("system", f"{facts.os or ''} {facts.os_version or ''}".strip()),
        ("kernel", facts.kernel),
        ("RAM", f"{facts.ram_bytes / 1024**3:.3g} GiB" if facts.ram_bytes else None),
        ("battery", f"{capacity:g} mAh" if capacity else "there" if battery else None),
        ("serial", facts.serial),
        ("created", f"{origin.created} by adadeep {origin.adadeep_version}"),
        ("agent", f"{agent.name}, {agent.runtime} {agent.runtime_version}" if agent else None),
        ("note", origin.note),
    ]
    return [(label, value) for label, value in pairs if value]


def _show_hardware(ui: Ui, facts: DeviceFacts) -> None:
    from adadeep.profiles.schema import core_text

    if facts.clusters:
        rows = [(core_text(c.cores), c.part or "-", *_clocks(c)) for c in facts.clusters]
        ui.table(
            (
                Column("cores", wraps=True),
                Column("kind", wraps=True),
                ">lowest MHz",
                ">highest MHz",
            ),
            rows,
        )
    groups: dict[tuple[int, str, int], list[str]] = {}
    for cache in facts.caches:
        instances = groups.setdefault((cache.level, cache.type, cache.size_bytes), [])
        instances.append(core_text(cache.cores) or "-")
    if groups:
        cache_rows = [
            (f"L{level}", kind, f"{size / 1024:g} KiB", " / ".join(cores))
            for (level, kind, size), cores in groups.items()
        ]
        ui.table(("cache", "type", ">size", Column("of cores", wraps=True)), cache_rows)


def _clocks(cluster: CpuCluster) -> tuple[str, str]:
    low, high = cluster.min_khz, cluster.max_khz
    return f"{low / 1000:g}" if low else "-", f"{high / 1000:g}" if high else "-"


def _show_entries(ui: Ui, profile: DeviceProfile) -> None:
    from adadeep.report.profile_lines import ENTRY_COLUMNS, entry_row

    if not profile.is_measured:
        ui.say("No layer has been measured: unmeasured. Measure with: adadeep-profile")
        return
    ui.table(ENTRY_COLUMNS, [entry_row(profile, entry) for entry in profile.entries])


@command.command("diff")
@click.argument("first", type=PROFILE)
@click.argument("second", type=PROFILE)
@_JSON
def diff_command(first: str, second: str, json_mode: bool) -> None:
    """Compare two profiles: facts that differ, and the speed of the layers in both."""
    from adadeep.profiles import files
    from adadeep.profiles.diff import diff

    ui, both = Ui(json_mode), (files.load(first), files.load(second))
    found = diff(*both)
    facts = [(f.name, f.first or "-", f.second or "-") for f in found.facts]
    names = [Column(name, wraps=True) for name in (found.first, found.second)]
    ui.table((Column("fact"), *names), facts)
    _show_ratios(ui, found)
    for profile in [one for one in both if not one.is_measured and _can_be_attached(one)][:1]:
        ui.now(_MEASURE, profile.name)
    document = {
        **_plain(found),
        "mean_ratio": found.mean_ratio,
        "entries": [
            {**_plain(entry), "ratio": entry.ratio, "overlaps": entry.overlaps}
            for entry in found.entries
        ],
    }
    ui.emit("profile-diff", document, version=2)


def _show_ratios(ui: Ui, found: ProfileDiff) -> None:
    rows = [
        (
            entry.key, str(entry.threads), format_ms(entry.first.median_ms),
            format_ms(entry.second.median_ms), f"{entry.ratio:.3f}",
            "perhaps equal" if entry.overlaps else "slower" if entry.ratio > 1 else "faster",
        )
        for entry in found.entries
    ]  # fmt: skip
    if found.mean_ratio is None:
        ui.say("No layer has been measured in both.")
        return
    columns = (
        Column("layer", wraps=True), Column("threads", right=True, rank=1),
        Column(found.first, right=True, rank=2), Column(found.second, right=True, rank=2),
        Column("ratio", right=True), Column("verdict"),
    )  # fmt: skip
    ui.table(columns, rows)
    ui.say(
        f"{found.second} takes {found.mean_ratio:.3f} times as long as {found.first} "
        f"(geometric mean of {len(rows)} layers)."
    )
    for name, keys in ((found.first, found.only_first), (found.second, found.only_second)):
        if keys:
            ui.say(f"Only in {name}: {len(keys)} layers.")


@command.command()
@click.argument("names", nargs=-1, type=PROFILE)
@_JSON
def validate(names: tuple[str, ...], json_mode: bool) -> int:
    """Check profiles: all there are, or those named. Exit code 2 if one is wrong."""
    from adadeep.profiles import files

    ui = Ui(json_mode)
    chosen = names or tuple(str(row.path) for row in files.list_profiles())
    results = [(name, _problems(name)) for name in chosen]
    for name, problems in results:
        ui.say(f"{name}: {'good' if not problems else ''}".rstrip())
        for problem in problems:
            ui.say(f"  {problem}")
    bad = sum(bool(problems) for _, problems in results)
    ui.say(f"{len(results)} checked, {bad} wrong.")
    checked = [{"name": name, "problems": problems} for name, problems in results]
    ui.emit("profiles-validation", {"checked": checked})
    return ConfigError.exit_code if bad else 0


def _problems(name: str) -> list[str]:
    from adadeep.profiles import files
    from adadeep.profiles.validation import problems_of

    try:
        return problems_of(files.load(name), files.find(name))
    except ConfigError as error:
        return [str(error)]


@command.command("path")
@_JSON
def path_command(json_mode: bool) -> None:
    """Print where your profiles and those of adadeep lie."""
    from adadeep.profiles.library import library_dir, shipped_dir

    ui = Ui(json_mode)
    ui.say(str(library_dir()))
    ui.emit("profiles-path", {"library": str(library_dir()), "shipped": str(shipped_dir())})


def _plain(value: Any) -> Any:
    """Dataclasses, tuples and paths as what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _profile_json(profile: DeviceProfile, models: list[dict[str, Any]]) -> dict[str, Any]:
    """The profile as its files hold it, with each entry's statistics beside the samples."""
    from adadeep.profiles.layers import layer_estimate
    from adadeep.profiles.usage import drifts_of

    document: dict[str, Any] = _plain(profile)
    for entry, row in zip(profile.entries, document["entries"], strict=True):
        if entry.measurement:
            row["latency_ms"] = _plain(layer_estimate(profile, entry))
    drifts = [
        {
            "first_at": drift.first_at,
            "first_ms": drift.first.latency_ms,
            "last_at": drift.last_at,
            "change": drift.change,
            "reference": _plain(drift.last),
        }
        for drift in drifts_of(profile.sessions)
    ]
    return {
        **document,
        "drifts": drifts,
        "is_measured": profile.is_measured,
        "trust": profile.noise.words() if profile.noise else None,
        "time_models": models,
    }
