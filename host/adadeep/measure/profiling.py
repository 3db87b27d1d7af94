"""Profiles a device: its facts, what it lets us read, and a table of single layers measured."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from adadeep import __version__
from adadeep.core.agent_kind import Preparing
from adadeep.core.clock import Deadline
from adadeep.core.device import Capability, CapabilityStatus, DeviceFacts
from adadeep.core.device_profile import (
    SESSIONS_KEPT,
    DeviceProfile,
    ProfileEntry,
    ProfileProvenance,
)
from adadeep.core.errors import AgentError, ConfigError, NoAgentError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, new_study
from adadeep.core.transport import Transport
from adadeep.devices.agent_watch import Watch
from adadeep.devices.facts import gather_facts
from adadeep.measure.faults import blaming_the_runtime
from adadeep.measure.layer_models import SingleLayer
from adadeep.measure.layer_table import measure_layers
from adadeep.measure.meter import LatencyMeter
from adadeep.measure.meter_jobs import model_name
from adadeep.measure.noise_session import SECONDS, NoisePlan, learn_noise, noise_plans
from adadeep.measure.reference_models import SHARP, reference_model
from adadeep.measure.session import MeterOptions, open_meter
from adadeep.measure.session_log import SessionLog
from adadeep.profiles import files
from adadeep.profiles.files import UNFINISHED
from adadeep.profiles.schema import is_profile_name

_READY_S = 120.0


class ProfileObserver(Protocol):
    """Is told what happens; shows it to the user."""

    def facts(self, profile: DeviceProfile) -> None:
        """The facts are known and saved; the table comes next."""
        ...

    def entry(self, entry: ProfileEntry) -> None:
        """A layer was measured and saved, or could not be measured."""
        ...

    def no_agent(self, reason: str) -> None:
        """The device can't measure as it is; the profile has its facts only."""
        ...

    def may_provide(self, missing: str) -> bool:
        """Whether what an agent lacks on the device may be put there."""
        ...

    def note(self, text: str) -> None:
        """Something takes long."""
        ...


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """What is to be profiled.

    Attributes:
        layers: the table.
        settings: how each runs.
        name: of the profile; None for one made from the device's facts.
        fresh: measure everything anew, also what an unfinished profile of this device holds.
        agent: name of the kind that measures; None for the one that suits the device best.
        noise_s: how long to measure how much the device strays; 0: not at all.
        runtime: an archive whose runtime is to be taken; None for the agent's own.
    """

    layers: tuple[SingleLayer, ...]
    settings: MeasureSettings = field(default_factory=MeasureSettings)
    name: str | None = None
    fresh: bool = False
    agent: str | None = None
    noise_s: float = SECONDS
    runtime: Path | None = None


def profile_device(
    transport: Transport, request: ProfileRequest, observer: ProfileObserver
) -> DeviceProfile:
    """Profiles a device into the user's library; saved as it comes, so nothing is lost.

    An unfinished profile of the same device, runtime and settings is gone on with.

    Raises:
        DeviceError: the device went away; the same call goes on later.
        ConfigError: the library can't be written.
    """
    if request.name and not is_profile_name(request.name):
        raise ConfigError(f"{request.name!r} is no profile name; use a-z, 0-9 and '-'.")
    facts, capabilities = gather_facts(transport, Deadline.after(_READY_S))
    name = request.name or files.name_for(facts)
    _earlier(name, facts)  # raises if the name is another device's
    profile = DeviceProfile(name, facts, capabilities, _provenance(None, "facts only; unmeasured"))
    observer.facts(profile)
    draft = None if request.fresh else _earlier(name + UNFINISHED, facts)
    study = (draft.provenance.study if draft else None) or new_study()
    options = MeterOptions(
        request.agent, (facts, capabilities), study,
        Preparing(observer.may_provide, observer.note, request.runtime), Watch(observer.note),
        SessionLog("profile", observer.note),
    )  # fmt: skip
    ready_by = Deadline.after(_READY_S)
    try:
        with open_meter(transport, ready_by, request.settings, options) as meter:
            agent = meter.agent
            profile = replace(
                profile,
                provenance=_provenance(agent, ""),
                capabilities=_with(capabilities, agent),
            )
            # A part before the table and a part after: sessions minutes apart tell most.
            plans = list(noise_plans(request.noise_s, int(study, 16)))
            _strayed(meter, plans[:1], request.noise_s, observer)
            profile = _measured(meter, profile, request, draft, observer)
            _strayed(meter, plans[1:], request.noise_s, observer)
    except NoAgentError as error:
        observer.no_agent(str(error))
    return _finished(profile)


def _strayed(
    meter: LatencyMeter, plans: Sequence[NoisePlan], seconds: float, observer: ProfileObserver
) -> None:
    """Measures how much the device strays; the session log tells its profile in the end."""
    if not plans:
        return
    observer.note(f"measuring how much the device strays ({seconds:.0f} s in all)")
    try:
        learn_noise(meter, plans)
    except AgentError as error:
        observer.note(f"how much the device strays is not known: {error}")


def _finished(profile: DeviceProfile) -> DeviceProfile:
    """The profile in the library, with what others and earlier ones have measured there."""
    name, facts = profile.name, profile.facts
    growing = name + UNFINISHED

    def merged(now: DeviceProfile | None) -> DeviceProfile:
        earlier, draft = _same_device(now, facts), _earlier(growing, facts)
        whole = profile
        if profile.provenance.agent is None and earlier is not None and earlier.is_measured:
            whole = replace(profile, provenance=earlier.provenance)
        for older in (draft, earlier):
            whole = replace(whole, entries=_with_older(whole.entries, older))
        sessions = sorted(
            [*(now.sessions if now else ()), *(draft.sessions if draft else ())],
            key=lambda session: session.created,
        )
        known = [one.noise for one in (now, draft) if one and one.noise]
        return replace(
            whole, sessions=tuple(sessions[-SESSIONS_KEPT:]), noise=known[0] if known else None
        )

    return files.update(name, merged, instead_of=growing)


def _earlier(name: str, facts: DeviceFacts) -> DeviceProfile | None:
    """The user's profile of that name; None if there is none, or it is of before an update.

    Raises:
        ConfigError: it is another device's.
    """
    return _same_device(files.load(name) if files.is_users(name) else None, facts)


def _same_device(earlier: DeviceProfile | None, facts: DeviceFacts) -> DeviceProfile | None:
    """The profile; None if it is of before an update.

    Raises:
        ConfigError: it is another device's.
    """
    if earlier is None or earlier.facts.fingerprint == facts.fingerprint:
        return earlier
    if earlier.facts.identity != facts.identity:
        raise ConfigError(
            f"the profile {earlier.name!r} is of another device ({earlier.facts.title});"
            " take another --name."
        )
    return None


def _with_older(
    entries: tuple[ProfileEntry, ...], older: DeviceProfile | None
) -> tuple[ProfileEntry, ...]:
    """Entries, and those of an older table that were not measured anew."""
    if older is None:
        return entries
    taken = {entry.slot for entry in entries}
    keys = {entry.key for entry in entries}
    kept = [
        entry
        for entry in older.entries
        if entry.slot not in taken and (entry.measurement or entry.key not in keys)
    ]
    return (*entries, *kept)


def _measured(
    meter: LatencyMeter,
    profile: DeviceProfile,
    request: ProfileRequest,
    draft: DeviceProfile | None,
    observer: ProfileObserver,
) -> DeviceProfile:
    """The profile with its table; meanwhile it is in the library under a name of its own.

    It is there before the first measurement, with the study under which the device keeps results
    that this host may not live to fetch.
    """
    known = _reusable(draft, profile.provenance.agent, request.settings)
    done = dict(known)
    growing = replace(
        profile,
        name=profile.name + UNFINISHED,
        provenance=replace(profile.provenance, study=meter.study),
    )

    def save(begins: bool = False) -> None:
        def grown(now: DeviceProfile | None) -> DeviceProfile:
            same = _same_device(now, profile.facts)
            older = None if begins and request.fresh else same
            entries = _with_older(tuple(done.values()), older)
            sessions, noise = (same.sessions, same.noise) if same else ((), None)
            return replace(growing, entries=entries, sessions=sessions, noise=noise)

        files.update(growing.name, grown)

    def keep(entries: Sequence[ProfileEntry]) -> None:
        done.update((entry.key, entry) for entry in entries)
        save()
        for entry in entries:
            observer.entry(entry)

    save(begins=True)
    for entry in known.values():
        observer.entry(entry)
    ours = model_name(reference_model(SHARP))
    with blaming_the_runtime(profile.facts.serial, [ours]):
        entries = measure_layers(meter, request.layers, known, keep)
    return replace(profile, entries=entries)


def _reusable(
    draft: DeviceProfile | None, agent: Agent | None, settings: MeasureSettings
) -> dict[str, ProfileEntry]:
    """What an interrupted profiling of the same device, agent and settings has measured."""
    return {
        entry.key: entry
        for entry in (draft.entries if draft else ())
        if entry.measurement
        and (entry.measurement.agent, entry.measurement.settings) == (agent, settings)
    }


def _provenance(agent: Agent | None, note: str) -> ProfileProvenance:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return ProfileProvenance(now, __version__, agent, note)


def _with(capabilities: Sequence[Capability], agent: Agent) -> tuple[Capability, ...]:
    text = f"{agent.name} {agent.version}, {agent.runtime} {agent.runtime_version}"
    return (*capabilities, Capability("agent", CapabilityStatus.READABLE, text))
