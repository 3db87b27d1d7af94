"""What the host makes of an agent that answers oddly: one clear error, whatever is said."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import AgentError, DeadlinePassed, DeviceError, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.transport import ShellResult
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_watch import Watch
from adadeep_agent import wire
from fakes.toy_agent import ToyAgent

SETTINGS = MeasureSettings(launches=1)
HELLO = {
    "type": "hello", "protocol": wire.PROTOCOL, "version": wire.VERSION, "agent": "toy",
    "runtime": "toy", "runtime_version": "0", "pid": 4711, "spooled": 0,
}  # fmt: skip
STATE = {"timestamp": 0.0, "texts": {}}
RESULT: dict[str, Any] = {
    "job": "j", "model_sha256": "0" * 64, "model_bytes": 4,
    "agent": {"name": "toy", "version": wire.VERSION, "runtime": "toy", "runtime_version": "0"},
    "settings": dataclasses.asdict(SETTINGS), "delegates": [], "memory": {}, "before": STATE,
    "launches": [{"load_ns": 1, "first_ns": 1, "warmup_ns": [], "runs_ns": [5]}],
    "after": STATE, "inputs": [], "outputs": [],
}  # fmt: skip


def results(*found: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {"type": "results", "id": number, "results": list(found)}


def harmed(**changes: Any) -> dict[str, Any]:
    return results({**RESULT, **changes})


class TurnedClock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class PlayedStream:
    """Says what a test tells it, then nothing until the deadline."""

    def __init__(self, lines: list[bytes], clock: TurnedClock) -> None:
        self.lines, self.clock, self.closed = list(lines), clock, False

    def write(self, data: bytes, deadline: Deadline) -> None:
        pass

    def read_line(self, deadline: Deadline) -> bytes:
        if self.lines:
            return self.lines.pop(0)
        self.clock.time = max(self.clock.time, deadline.at)
        raise DeadlinePassed("silence")

    def close(self) -> None:
        self.closed = True


class PlayedTransport:
    """Answers a look at a process with the next of `stats` (state and ticks); notes kills."""

    serial, workdir = "toy-1", "/w"

    def __init__(self, *answers: Any, stats: Any = ()) -> None:
        lines = [a if isinstance(a, bytes) else json.dumps(a).encode() for a in answers]
        self.clock = TurnedClock()
        self.stream = PlayedStream(lines, self.clock)
        self.stats, self.kills, self.pushed = iter(stats), [], []

    def open(self, command: str, deadline: Deadline) -> PlayedStream:
        return self.stream

    def push(self, data: bytes, remote: str, deadline: Deadline) -> None:
        self.pushed.append(remote)

    def pull(self, remote: str, deadline: Deadline) -> bytes:
        return b""

    def run(self, command: str, deadline: Deadline) -> ShellResult:
        text = b""
        if "kill -9" in command:
            self.kills.append(command)
        elif "/stat" in command:
            state, ticks = next(self.stats)
            text = f"4711 (a ) b) {state} {'0 ' * 10}{ticks} 0 0".encode()
        return ShellResult(command, text, b"", 0)


def start(transport: PlayedTransport, **remedies: str) -> AgentClient:
    told: list[str] = []
    ready = ToyAgent(transport, remedies)
    client = AgentClient.start(ready, Deadline.after(60, transport.clock), Watch(told.append))
    client.told = told  # type: ignore[attr-defined]
    return client


def ask(transport: PlayedTransport, seconds: float = 60) -> Any:
    client = start(transport)
    deadline = Deadline.after(seconds, transport.clock)
    [result] = client.measure([MODEL], SETTINGS, deadline)
    return result


MODEL = RemoteModel("j", "/m")


@pytest.mark.parametrize(
    "line",
    [
        b"", b"null", b"[]", b"hello", b"\xff\xfe", b"[" * 100_000, b'{"type":"dance"}', b"{}",
        {"type": "done", "id": 1}, {**HELLO, "pid": "x"}, {**HELLO, "spooled": -1},
        {**HELLO, "runtime": "../../x"}, {**HELLO, "runtime": "\x1b[2J"},
        {**HELLO, "version": "\x1b[31m9"}, {**HELLO, "protocol": 1}, {"type": "hello"},
        {"type": "error", "id": None, "code": "\x1b", "message": "\x1b[2Jx\ny" * 500},
    ],
)  # fmt: skip
def test_an_odd_greeting_is_an_error_of_the_device(line: Any) -> None:
    transport = PlayedTransport(line)
    with pytest.raises(DeviceError) as caught:
        start(transport)
    message = str(caught.value)
    assert message.startswith("toy-1: ")
    assert message.isprintable()
    assert len(message) < 700
    assert transport.stream.closed


LAUNCH = RESULT["launches"][0]


@pytest.mark.parametrize(
    "answer",
    [
        b"{", b"nothing", {"type": "done", "id": 1}, results(RESULT, number=2), results(),
        results(RESULT, RESULT), {**results(), "results": 5}, {"type": "error", "id": 1},
        {**RESULT, "type": "result", "id": 1}, {**HELLO, "id": 1},
        {"type": "reading", "id": 1, **STATE}, harmed(job="k"),
        harmed(model_bytes=-1), harmed(model_sha256="x"), harmed(launches=[]),
        harmed(launches=[{**LAUNCH, "runs_ns": []}]),
        harmed(launches=[{**LAUNCH, "runs_ns": [0]}]),
        harmed(launches=[{**LAUNCH, "runs_ns": [-5]}]),
        harmed(launches=[{**LAUNCH, "runs_ns": [10**40]}]),
        harmed(settings={**RESULT["settings"], "threads": 4}),
        harmed(agent={**RESULT["agent"], "runtime": "other"}),
        harmed(outputs=[[]]), harmed(outputs=5), harmed(before={}),
        harmed(after={"timestamp": 0.0, "texts": {"/sys/x": 5}}),
        harmed(after={"timestamp": 0.0, "texts": {"/sys/x": "x" * 5000}}),
        harmed(after={"timestamp": 0.0, "texts": {f"/sys/{n}": "" for n in range(1001)}}),
        harmed(memory={"peak_rss_bytes": 10**300}),
        harmed(delegates=[{"name": "x", "nodes": -1}]),
        results({k: v for k, v in RESULT.items() if k != "launches"}),
    ],
)  # fmt: skip
def test_an_odd_result_is_a_transient_error_and_never_a_measurement(answer: Any) -> None:
    with pytest.raises(TransientDeviceError, match="protocol") as caught:
        ask(PlayedTransport(HELLO, answer))
    assert str(caught.value).isprintable()


def test_a_result_as_it_should_be_is_taken() -> None:
    assert ask(PlayedTransport(HELLO, results(RESULT))).launches[0].runs_ns == (5,)


def test_an_error_is_shown_as_one_line_and_an_unknown_code_is_internal() -> None:
    error = {"type": "error", "id": 1, "code": "brand_new", "message": "\x1b[2J a\nb." * 300}
    with pytest.raises(AgentError) as caught:
        ask(PlayedTransport(HELLO, error))
    assert caught.value.code == "internal"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_the_remedy_of_a_kind_goes_before_the_hosts() -> None:
    error = {"type": "error", "id": 1, "code": "model_corrupt", "message": "no model"}
    client = start(PlayedTransport(HELLO, error), model_corrupt="See {serial} about it.")
    with pytest.raises(AgentError, match=r"^toy-1: no model\. See toy-1 about it\.$"):
        client.measure([MODEL], SETTINGS, Deadline.after(9, client._transport.clock))


def test_what_files_hold_is_read() -> None:
    reply = {
        "type": "reading",
        "id": 1,
        "timestamp": 1.5,
        "texts": {"/sys/a": "1", "/sys/b": None},
    }
    client = start(PlayedTransport(HELLO, reply))
    read = client.read(["/sys/*"], Deadline.after(9, client._transport.clock))
    assert (read.timestamp, read.texts) == (1.5, {"/sys/a": "1", "/sys/b": None})


def test_an_agent_that_is_not_there_is_pushed_once_and_started_again() -> None:
    transport = PlayedTransport(b"adadeep: the agent is not here", HELLO)
    start(transport)
    assert transport.pushed == ["/w/toy"]


@pytest.mark.parametrize("result", [None, {}, {**RESULT, "launches": 3}, {**RESULT, "job": "k"}])
def test_what_waited_and_is_odd_is_not_there(result: Any) -> None:
    client = start(PlayedTransport(HELLO, {"type": "spooled", "id": 1, "result": result}))
    assert client.fetch("j", Deadline.after(9, client._transport.clock)) is None


# ---- silence


def ticking() -> Any:
    ticks = 0
    while True:
        yield "S", (ticks := ticks + 1)


def idle(state: str = "S") -> Any:
    while True:
        yield state, 5


def test_silence_is_told_after_ten_seconds_and_then_every_thirty() -> None:
    transport = PlayedTransport(HELLO, stats=ticking())
    client = start(transport)
    with pytest.raises(DeadlinePassed):
        client.measure([MODEL], SETTINGS, Deadline.after(100, transport.clock))
    assert client.told == [
        f"toy-1: waiting for the agent's answer; {s} s so far" for s in (10, 40, 70)
    ]
    assert transport.kills == []


def test_an_agent_without_processor_time_for_twenty_seconds_is_ended() -> None:
    transport = PlayedTransport(HELLO, stats=idle())
    with pytest.raises(TransientDeviceError, match=r"hung .*no processor time for 20 s"):
        ask(transport, 300)
    assert transport.clock.time == pytest.approx(30)
    [kill] = transport.kills
    assert "4711" in kill
    assert " serve /w " in kill


def test_a_stopped_agent_is_ended_at_the_first_look() -> None:
    transport = PlayedTransport(HELLO, stats=idle("T"))
    with pytest.raises(TransientDeviceError, match=r"hung .*was stopped"):
        ask(transport, 300)
    assert transport.clock.time == pytest.approx(10)
    assert len(transport.kills) == 1


def test_a_process_that_proc_does_not_tell_of_is_left_alone() -> None:
    transport = PlayedTransport(HELLO, stats=iter([("", "")] * 100))
    with pytest.raises(DeadlinePassed):
        ask(transport, 100)
    assert transport.kills == []
