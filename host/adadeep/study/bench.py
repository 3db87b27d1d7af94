"""The bench of a search: its folder, journal and devices, in order before anything long begins."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from adadeep.core.agent_kind import Preparing
from adadeep.core.clock import Deadline
from adadeep.core.demand import UserDemand
from adadeep.core.device import LOCAL_SERIAL, DeviceFacts, hashed
from adadeep.core.device_profile import DeviceProfile
from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.core.search import TargetKnowledge
from adadeep.core.target import Target
from adadeep.core.transport import Transport
from adadeep.cost.registry import COST_SOURCES, choose_sources
from adadeep.devices.agent_watch import Watch
from adadeep.devices.facts import gather_facts
from adadeep.measure.meter import DeviceMeter
from adadeep.measure.session import MeterOptions, open_meter
from adadeep.measure.session_log import SessionLog
from adadeep.profiles import files
from adadeep.storage.journal import Journal
from adadeep.storage.records import JournalContent, TargetRecord
from adadeep.study.config import StudyConfig
from adadeep.study.crew import DeviceBench
from adadeep.study.jobs import TRAINING
from adadeep.study.observer import StudyObserver
from adadeep.study.trials import INITIAL, missing_source

_READY_S = 180.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Bench:
    """What a search works at.

    Attributes:
        folder: of the run.
        journal: of it.
        until: when no other plan is asked for; None for no such limit.
        devices: by target key, in the order of the user's devices.
        knowledge: of them, likewise.
        demands: of them, likewise.
    """

    folder: Path
    journal: Journal
    until: Deadline | None
    devices: dict[str, DeviceBench] = field(default_factory=dict)
    knowledge: dict[str, TargetKnowledge] = field(default_factory=dict)
    demands: dict[str, UserDemand] = field(default_factory=dict)

    @property
    def is_this_computer(self) -> bool:
        """Whether some device is the computer that trains."""
        return any(bench.resource == TRAINING for bench in self.devices.values())

    def initial_sha256(self) -> str | None:
        """The hash of the initial network; None while there is none."""
        content = self.journal.content
        record = content.trials.get(INITIAL.key)
        artifact = content.artifacts.get(record.artifact or "") if record else None
        return artifact.model_sha256 if artifact else None


@contextlib.contextmanager
def open_bench(
    config: StudyConfig, transports: Sequence[Transport], observer: StudyObserver
) -> Iterator[Bench]:
    """Opens the folder and every device.

    Raises:
        ConfigError: the folder can't be used, or holds another search.
        DeviceError: a device can't measure.
    """
    deadline = Deadline.after(_READY_S)
    until = None if config.max_time_s is None else Deadline.after(config.max_time_s)
    with contextlib.ExitStack() as stack:
        given = config.folder
        journal = stack.enter_context(Journal.open(given)) if given else None
        known = []
        for transport in transports:
            observer.stage(f"getting {transport.serial} ready")
            known.append(gather_facts(transport, deadline))
        folder = given or default_folder(config.task, [facts for facts, _ in known])
        journal = journal or stack.enter_context(Journal.open(folder))
        journal.begin(config.subject.header, is_whole=config.own is None)
        bench = Bench(folder, journal, until)
        for transport, about in zip(transports, known, strict=True):
            facts = about[0]
            options = MeterOptions(
                config.agent, about, journal.content.id,
                Preparing(runtime=config.runtime), Watch(observer.note),
                log=SessionLog(f"search {config.task}", observer.note, bench.initial_sha256),
            )  # fmt: skip
            opened = open_meter(transport, deadline, config.settings, options)
            meter = stack.enter_context(opened)
            _add(bench, config, meter, TargetKnowledge(facts, profile_of(facts, observer.note)))
            resource = _resource(transport, meter.target, deadline)
            record = bench.journal.content.targets[meter.target.key]
            bench.devices[record.key] = DeviceBench(record, meter, resource)
        yield bench


def default_folder(task: str, facts: Sequence[DeviceFacts]) -> Path:
    """runs/<task>-<device>, below the current folder; of several devices the first names it."""
    first = facts[0]
    name = LOCAL_SERIAL if first.is_this_computer else first.title
    more = f"-and-{len(facts) - 1}-more" if len(facts) > 1 else ""
    return Path("runs") / f"{task}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}{more}"


def _add(
    bench: Bench, config: StudyConfig, meter: DeviceMeter, knowledge: TargetKnowledge
) -> None:
    facts, target, content = knowledge.facts, meter.target, bench.journal.content
    require_sources(target, config.cost_sources, content)
    if target.key not in content.targets:
        bench.journal.defer(_new_target(target, _publishable(facts), config.cost_sources))
    bench.knowledge[target.key] = knowledge
    bench.demands[target.key] = config.demand_of(facts.serial)


def _new_target(target: Target, facts: DeviceFacts, wanted: Sequence[str]) -> TargetRecord:
    sources = choose_sources(target, wanted)
    provenances = {
        quantity: str(COST_SOURCES.get(name).offers(target)[quantity])
        for quantity, name in sources.items()
    }
    return TargetRecord(target, facts, sources, provenances)


def require_sources(target: Target, wanted: Sequence[str], content: JournalContent) -> None:
    """Where the costs on a device come from is fixed with its first trial.

    Raises:
        ConfigError: a source is not installed here, or another is asked for now.
    """
    for record in content.targets.values():
        same_device = record.target.device_fingerprint == target.device_fingerprint
        if same_device and (missing := missing_source(content, record)):
            raise ConfigError(f"{missing}; install it, or name another folder with -o.")
    known = content.targets.get(target.key)
    used = set(known.sources.values()) if known else set(wanted)
    for name in (name for name in wanted if name not in used):
        raise ConfigError(
            f"costs on {target.device_title} come from {', '.join(sorted(used))} in this run, not"
            f" from {name}; leave out --cost-source, or name another folder with -o."
        )


def _publishable(facts: DeviceFacts) -> DeviceFacts:
    """Run folders are passed on: they hold hashes of serial numbers."""
    return replace(facts, serial=hashed(facts.serial))


def profile_of(facts: DeviceFacts, note: Callable[[str], None]) -> DeviceProfile | None:
    """The device's profile in the user's library; None if there is none that can be read.

    Sessions of it that can't be read cost no more than themselves, and a note.
    """
    name = files.name_of(facts)
    try:
        profile, problem = files.load_to_use(name) if name else (None, None)
    except AdaDeepError:
        return None
    if problem is not None:
        note(f"the device's profile is used without its sessions: {problem}")
    return profile


def _resource(transport: Transport, target: Target, deadline: Deadline) -> str:
    """What measuring needs for itself: this computer's processor where the device is this one.

    That is told by the kernel's boot: a container here, behind adb, is this computer, too.
    """
    if transport.is_this_computer:
        return TRAINING
    with contextlib.suppress(OSError):
        here = _BOOT_ID.read_text().strip()
        if here and transport.run(f"cat {_BOOT_ID}", deadline).text.strip() == here:
            return TRAINING
    return f"device {target.device_fingerprint}"
