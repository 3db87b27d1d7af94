"""What every kind of agent does, and its agent as PROTOCOL.md says, on this computer."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adadeep.core.agent_kind import AgentKind, Preparing, ReadyAgent
from adadeep.core.check import CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.device import Capability, DeviceFacts
from adadeep.core.errors import AgentError, NoAgentError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import Ended
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_messages import AgentSession
from adadeep.devices.facts import gather_facts
from adadeep.devices.local import LocalTransport
from adadeep.devices.parse.block_texts import BLOCK_PATHS
from adadeep.devices.parse.conditions import CONDITION_PATHS
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.measure.tensors import to_message
from adadeep_agent import turns, wire
from adadeep_agent.wire import ErrorCode

CODES = {value for name, value in vars(ErrorCode).items() if name.isupper()}
SETTINGS = MeasureSettings()
QUICK = MeasuringPlan(placements=2, placement_ms=2, block_ms=1, drop_ms=0, warmup_ms=0)
MODEL = tflite_of(SingleLayer(dense(64, 10)))
OTHER = tflite_of(SingleLayer(dense(64, 12)))
JOB = "5717d1e5-0123456789abcdef"
NOTHING = DeviceFacts("toy-1", "adb")


def soon(seconds: float = 60) -> Deadline:
    """A deadline that nothing here needs."""
    return Deadline.after(seconds)


def sent(client: AgentClient, model: bytes = MODEL, **more: object) -> RemoteModel:
    """A model that was pushed, to be measured."""
    path, digest = client.push_model(model, soon()), hashlib.sha256(model).hexdigest()
    return dataclasses.replace(RemoteModel(digest[:8], path, digest), **more)  # type: ignore[arg-type]


def measured(
    client: AgentClient, *models: RemoteModel, job: str = JOB, plan: MeasuringPlan = QUICK
) -> AgentSession:
    """A session of them, which nobody wants back."""
    return client.measure(job, models, SETTINGS, plan, soon(), spool=False)


class AgentKindKit:
    """The contract of `AgentKind` and `ReadyAgent` in `core/agent_kind.py`.

    Where the kind does not fit this computer, or lacks something here, all but the first tests
    are skipped.
    """

    @pytest.fixture
    def kind(self) -> AgentKind:
        """The kind; to be overridden."""
        raise NotImplementedError

    def test_names_itself(self, kind: AgentKind) -> None:
        assert re.fullmatch("[a-z0-9-]{1,40}", kind.name)
        assert kind.title.isprintable()
        assert isinstance(kind.priority, int)

    def test_its_remedies_are_sentences_for_codes_that_there_are(self, kind: AgentKind) -> None:
        assert set(kind.remedies) <= CODES
        for remedy in kind.remedies.values():
            assert remedy.isprintable()
            assert remedy.replace("{serial}", "") == re.sub("{.*?}", "", remedy)

    def test_on_a_device_of_which_nothing_is_known_it_fits_or_says_what_to_do(
        self,
        kind: AgentKind,
    ) -> None:
        for _ in range(2):  # pure
            reason = kind.fits(NOTHING, ())
            assert reason is None or (reason.isprintable() and reason.endswith("."))

    @pytest.fixture
    def transport(self, tmp_path: Path) -> LocalTransport:
        return LocalTransport(tmp_path / "work of ours")

    @pytest.fixture
    def known(self, transport: LocalTransport) -> tuple[DeviceFacts, tuple[Capability, ...]]:
        return gather_facts(transport, soon())

    @pytest.fixture
    def ready(
        self,
        kind: AgentKind,
        transport: LocalTransport,
        known: tuple[DeviceFacts, tuple[Capability, ...]],
    ) -> Iterator[ReadyAgent]:
        reason = kind.fits(*known)
        if reason is not None:
            pytest.skip(reason)
        try:
            ready = kind.prepare(transport, soon(), Preparing())
        except NoAgentError as error:
            pytest.skip(str(error))
        yield ready
        ready.leave(soon())

    @pytest.fixture
    def client(self, ready: ReadyAgent) -> Iterator[AgentClient]:
        client = AgentClient.start(ready, soon())
        yield client
        client.close()

    @pytest.mark.usefixtures("ready")
    def test_where_it_can_be_prepared_its_checks_are_well(
        self, kind: AgentKind, transport: LocalTransport
    ) -> None:
        checks = kind.examine(transport, soon())
        assert checks
        assert CheckStatus.FAIL not in {check.status for check in checks}

    def test_it_starts_again_and_again_under_the_name_of_its_kind(
        self, kind: AgentKind, ready: ReadyAgent
    ) -> None:
        for _ in range(2):
            client = AgentClient.start(ready, soon())
            assert client.agent.name == kind.name
            assert client.agent.version == wire.VERSION
            client.close()

    def test_it_tells_how_well_it_can_time(self, client: AgentClient) -> None:
        clock = client.hello.clock
        assert 1 <= clock.resolution_ns < 1e8
        assert 1 <= clock.cost_ns < 1e8
        assert client.hello.features <= {"cold", "commands", "group", "read_block"}

    def test_it_measures_as_the_protocol_says(self, client: AgentClient) -> None:
        sample = np.full((1, 64), 0.5, "f4")
        models = [sent(client, inputs=[[to_message(sample)]]), sent(client, OTHER)]
        found = client.measure(
            JOB, models, SETTINGS, QUICK, soon(),
            read=CONDITION_PATHS, read_block=BLOCK_PATHS, spool=False,
        )  # fmt: skip
        session = found.together("f" * 16, "a device")
        assert [m.model_sha256 for m in session.measurements] == [m.sha256 for m in models]
        assert [[given.fed for given in m.inputs] for m in found.models] == [
            ["given"],
            ["random 0..1"],
        ]
        assert session.id == JOB[-16:]
        for measurement in session.measurements:
            assert len(measurement.placements) == 2
            assert measurement.after.timestamp >= measurement.before.timestamp > 1.6e9

    def test_its_blocks_follow_the_orders_of_the_plan(self, client: AgentClient) -> None:
        models = [sent(client), sent(client, OTHER), sent(client, name="again")]
        placements = measured(client, *models).placements
        stream = turns.Order(QUICK.seed)
        for number in range(len(placements[0])):
            stream.shuffled(3)  # the order in which they were loaded
            blocks = [of_a_model[number].blocks for of_a_model in placements]
            for turn in zip(*blocks, strict=True):
                begun = sorted(range(3), key=lambda model: turn[model].start_ns)
                assert begun == stream.shuffled(3)

    def test_a_session_ends_as_the_plan_says(self, client: AgentClient) -> None:
        patient = dataclasses.replace(QUICK, max_ms=20_000.0)  # on a busy computer, too
        steady = dataclasses.replace(patient, half_width=1.0, placements=50)
        assert measured(client, sent(client), plan=patient).ended is Ended.PLACEMENTS
        assert measured(client, sent(client), plan=steady).ended is Ended.NARROW
        short = dataclasses.replace(QUICK, placements=1000, max_ms=1)
        assert measured(client, sent(client), plan=short).ended is Ended.TIME

    def test_it_keeps_a_session_until_it_is_told_that_it_is_safe(
        self, client: AgentClient
    ) -> None:
        models = [sent(client), sent(client, OTHER)]
        found = client.measure(JOB, models, SETTINGS, QUICK, soon(), read=["/proc/loadavg"])
        assert client.spooled(soon()) == (JOB,)
        left = client.fetch(JOB, soon())
        assert left is not None
        assert left.together("f" * 16, "it") == found.together("f" * 16, "it")
        client.acknowledge([JOB], soon())
        assert client.spooled(soon()) == ()
        assert client.fetch(JOB, soon()) is None
        measured(client, sent(client))
        assert client.spooled(soon()) == ()

    def test_it_reads_what_it_may_and_refuses_the_rest(self, client: AgentClient) -> None:
        wanted = ["/proc/loadavg", "/proc/no-such-file", "/sys/devices/system/cpu/cpu*/nothing"]
        texts = client.read(wanted, soon()).texts
        assert set(texts) == set(wanted[:2])
        assert texts["/proc/no-such-file"] is None
        for path in ("/etc/passwd", "/proc/self/root/etc/passwd", "/sys/../etc/passwd"):
            with pytest.raises(AgentError) as caught:
                client.read([path], soon())
            assert caught.value.code == ErrorCode.BAD_MESSAGE

    def test_it_runs_the_commands_that_it_may_and_refuses_the_rest(
        self, client: AgentClient
    ) -> None:
        said = client.read([], soon(), wire.COMMANDS).commands
        assert set(said) == set(wire.COMMANDS)
        assert client.read([], soon()).commands == {}
        for command in ("id", "getprop; id", "dumpsys battery set level 5"):
            with pytest.raises(AgentError) as caught:
                client.read([], soon(), [command])
            assert caught.value.code == ErrorCode.BAD_MESSAGE

    @pytest.mark.parametrize("code", ["model_corrupt", "model_missing", "model_damaged"])
    def test_a_model_that_can_not_be_measured_is_named_and_the_agent_goes_on(
        self, client: AgentClient, code: str
    ) -> None:
        bad = sent(client, b"junk" * 100, name="bad")
        if code == "model_missing":
            bad = dataclasses.replace(bad, path="/no/such/model.tflite")
        if code == "model_damaged":
            bad = dataclasses.replace(bad, sha256="0" * 64)
        with pytest.raises(AgentError) as caught:
            client.measure(JOB, [sent(client), bad], SETTINGS, QUICK, soon())
        assert (caught.value.code, caught.value.model) == (code, "bad")
        assert client.spooled(soon()) == ()
        assert measured(client, sent(client)).models

    def test_a_damaged_or_missing_agent_is_pushed(
        self, ready: ReadyAgent, transport: LocalTransport
    ) -> None:
        AgentClient.start(ready, soon()).close()
        for file in Path(transport.workdir).glob("agent-*"):
            file.write_bytes(b"")
        AgentClient.start(ready, soon()).close()
