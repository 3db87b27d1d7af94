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
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.facts import gather_facts
from adadeep.devices.local import LocalTransport
from adadeep.devices.parse.conditions import CONDITION_PATHS, conditions_of
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.measure.tensors import to_message
from adadeep_agent import wire
from adadeep_agent.wire import ErrorCode

CODES = {value for name, value in vars(ErrorCode).items() if name.isupper()}
QUICK = MeasureSettings(
    launches=2, warmup_min_runs=1, warmup_min_ms=0, min_runs=4, max_runs=20, min_ms=0, max_ms=50
)
MODEL = tflite_of(SingleLayer(dense(64, 10)))
NOTHING = DeviceFacts("toy-1", "adb")


def soon(seconds: float = 60) -> Deadline:
    """A deadline that nothing here needs."""
    return Deadline.after(seconds)


def sent(client: AgentClient, job: str = "j", model: bytes = MODEL, **more: object) -> RemoteModel:
    """A model that was pushed, to be measured."""
    remote = RemoteModel(job, client.push_model(model, soon()))
    return dataclasses.replace(remote, **more)  # type: ignore[arg-type]


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

    def test_it_measures_as_the_protocol_says(self, client: AgentClient) -> None:
        sample = np.full((1, 64), 0.5, "f4")
        model = sent(client, inputs=[[to_message(sample)]])
        [result] = client.measure([model], QUICK, soon(), CONDITION_PATHS)
        assert result.model_sha256 == hashlib.sha256(MODEL).hexdigest()
        assert len(result.launches) == 2
        assert sum(len(launch.runs_ns) for launch in result.launches) >= 4
        assert [given.fed for given in result.inputs] == ["given"]
        for reading in (result.before, result.after):
            found = conditions_of(reading.timestamp, reading.texts)
            assert found.timestamp > 1.6e9
            assert found.online_cores or "/sys/devices/system/cpu/online" not in reading.texts
        client.acknowledge(["j"], soon())

    def test_it_keeps_a_result_until_it_is_told_that_it_is_safe(self, client: AgentClient) -> None:
        [result] = client.measure([sent(client, "5717d1e5-a")], QUICK, soon(), ["/proc/loadavg"])
        assert client.spooled(soon()) == ("5717d1e5-a",)
        left = client.fetch("5717d1e5-a", soon())
        assert left is not None
        assert (left.launches, left.before) == (result.launches, result.before)
        client.acknowledge(["5717d1e5-a"], soon())
        assert client.spooled(soon()) == ()
        client.measure([sent(client, "5717d1e5-b")], QUICK, soon(), spool=False)
        assert client.spooled(soon()) == ()

    def test_of_several_models_each_has_its_result_or_the_request_is_refused(
        self,
        client: AgentClient,
    ) -> None:
        other = tflite_of(SingleLayer(dense(64, 12)))
        models = [sent(client), sent(client, "k", other)]
        sizes, refusal = [], None
        try:
            sizes = [result.model_bytes for result in client.measure(models, QUICK, soon())]
        except AgentError as error:
            refusal = error
        if refusal is None:
            assert sizes == [len(MODEL), len(other)]
        else:
            assert refusal.code == ErrorCode.BAD_MESSAGE
            assert "one model at a time" in str(refusal)

    def test_it_reads_what_it_may_and_refuses_the_rest(self, client: AgentClient) -> None:
        wanted = ["/proc/loadavg", "/proc/no-such-file", "/sys/devices/system/cpu/cpu*/nothing"]
        texts = client.read(wanted, soon()).texts
        assert set(texts) == set(wanted[:2])
        assert texts["/proc/no-such-file"] is None
        for path in ("/etc/passwd", "/proc/self/root/etc/passwd", "/sys/../etc/passwd"):
            with pytest.raises(AgentError) as caught:
                client.read([path], soon())
            assert caught.value.code == ErrorCode.BAD_MESSAGE

    @pytest.mark.parametrize(
        ("model", "code"), [(b"junk" * 100, "model_corrupt"), (None, "model_missing")]
    )
    def test_a_model_that_can_not_be_measured_is_an_error_and_the_session_goes_on(
        self, client: AgentClient, model: bytes | None, code: str
    ) -> None:
        bad = sent(client, model=model) if model else RemoteModel("j", "/no/such/model.tflite")
        with pytest.raises(AgentError) as caught:
            client.measure([bad], QUICK, soon())
        assert caught.value.code == code
        assert client.measure([sent(client)], QUICK, soon(), spool=False)

    def test_a_damaged_or_missing_agent_is_pushed(
        self, ready: ReadyAgent, transport: LocalTransport
    ) -> None:
        AgentClient.start(ready, soon()).close()
        for file in Path(transport.workdir).glob("agent-*"):
            file.write_bytes(b"")
        AgentClient.start(ready, soon()).close()
