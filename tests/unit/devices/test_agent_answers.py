"""What the host makes of an agent that answers oddly: one clear error, whatever is said."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import AgentError, DeadlinePassed, DeviceError, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import Ended
from adadeep.core.transport import ShellResult
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_watch import Watch
from adadeep.devices.parse.block_texts import BLOCK_PATHS
from adadeep_agent import wire
from fakes.clock import HandClock
from fakes.toy_agent import ToyAgent

SETTINGS, PLAN = MeasureSettings(), MeasuringPlan()
JOB, SHA = "5717d1e5-0123456789abcdef", "ab" * 32
HELLO = {
    "type": "hello", "protocol": wire.PROTOCOL, "version": wire.VERSION, "agent": "toy",
    "runtime": "toy", "runtime_version": "0", "pid": 4711, "spooled": 0,
    "clock": {"resolution_ns": 1, "cost_ns": 40}, "memory_available_bytes": None,
    "abi": None, "features": ["group"],
}  # fmt: skip
STATE = {"timestamp": 0.0, "texts": {}, "commands": {}}
TOLD: dict[str, Any] = {
    "name": "m", "model_sha256": SHA, "model_bytes": 4, "delegates": [], "inputs": [],
    "outputs": [],
}  # fmt: skip
RESULT: dict[str, Any] = {
    "job": JOB,
    "agent": {"name": "toy", "version": wire.VERSION, "runtime": "toy", "runtime_version": "0"},
    "settings": dataclasses.asdict(SETTINGS), "plan": PLAN.message, "read_block": [],
    "models": [TOLD], "memory": {}, "before": STATE, "after": STATE, "ended": "time", "parts": 1,
}  # fmt: skip
BLOCK: dict[str, Any] = {
    "round": 0, "start_ns": 5, "boot_ns": None, "group": 1, "times_ns": [5], "dropped_ns": None,
    "cpu_ns": None, "core": None, "texts": [[], []],
}  # fmt: skip
PLACED: dict[str, Any] = {"load_ns": 1, "first_ns": 1, "cold_ns": [], "blocks": [BLOCK]}
PART: dict[str, Any] = {"placement": 0, "models": [PLACED]}
PROGRESS: dict[str, Any] = {
    "type": "progress", "id": 1, "placement": 0, "placements": 20, "elapsed_ms": 2000.1,
    "half_width": None,
}  # fmt: skip


def part(**changes: Any) -> dict[str, Any]:
    return {"type": "part", "id": 1, **PART, **changes}


def result(**changes: Any) -> dict[str, Any]:
    return {"type": "result", "id": 1, **RESULT, **changes}


def told(**changes: Any) -> list[dict[str, Any]]:
    """An answer whose model is told oddly."""
    return [part(), result(models=[{**TOLD, **changes}])]


def blocks(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return [part(models=[{**PLACED, "blocks": list(found)}]), result()]


class PlayedStream:
    """Says what a test tells it, then nothing until the deadline."""

    def __init__(self, lines: list[bytes], clock: HandClock) -> None:
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
        self.clock = HandClock()
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
    notes: list[str] = []
    ready = ToyAgent(transport, remedies)
    client = AgentClient.start(ready, Deadline.after(60, transport.clock), Watch(notes.append))
    client.told = notes  # type: ignore[attr-defined]
    client.deadline = Deadline.after(60, transport.clock)  # type: ignore[attr-defined]
    return client


def ask(transport: PlayedTransport, seconds: float = 60) -> Any:
    client = start(transport)
    deadline = Deadline.after(seconds, transport.clock)
    return client.measure(JOB, [MODEL], SETTINGS, PLAN, deadline)


MODEL = RemoteModel("m", "/m", SHA)


def test_what_is_acknowledged_ahead_is_answered_before_the_next_request() -> None:
    later = [{**message, "id": 2} for message in (part(), result())]
    client = start(PlayedTransport(HELLO, {"type": "done", "id": 1}, *later))
    client.acknowledge_ahead(["j"], client.deadline)  # type: ignore[attr-defined]
    found = client.measure(JOB, [MODEL], SETTINGS, PLAN, client.deadline)  # type: ignore[attr-defined]
    assert found.job == JOB


@pytest.mark.parametrize("number", [1, 7])
def test_a_done_that_nobody_waits_for_is_odd(number: int) -> None:
    answers = [{"type": "done", "id": 1}] * 2 if number == 1 else [{"type": "done", "id": number}]
    client = start(PlayedTransport(HELLO, *answers))
    client.acknowledge_ahead(["j"], client.deadline)  # type: ignore[attr-defined]
    with pytest.raises(TransientDeviceError, match="not asked"):
        client.measure(JOB, [MODEL], SETTINGS, PLAN, client.deadline)  # type: ignore[attr-defined]


def test_an_error_of_what_was_acknowledged_ahead_is_told() -> None:
    error = {"type": "error", "id": 1, "code": "internal", "message": "no", "model": None}
    client = start(PlayedTransport(HELLO, error))
    client.acknowledge_ahead(["j"], client.deadline)  # type: ignore[attr-defined]
    with pytest.raises(AgentError, match="no"):
        client.measure(JOB, [MODEL], SETTINGS, PLAN, client.deadline)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [
        b"", b"null", b"[]", b"hello", b"\xff\xfe", b"[" * 100_000, b'{"type":"dance"}', b"{}",
        {"type": "done", "id": 1}, {**HELLO, "pid": "x"}, {**HELLO, "spooled": -1},
        {**HELLO, "clock": None}, {**HELLO, "clock": {"resolution_ns": 0, "cost_ns": 1}},
        {**HELLO, "clock": {"resolution_ns": 1, "cost_ns": 10**40}},
        {**HELLO, "memory_available_bytes": -1}, {**HELLO, "features": ["\x1b[2J"]},
        {**HELLO, "abi": "../x"}, {**HELLO, "features": ["x"] * 101},
        {**HELLO, "runtime": "../../x"},
        {**HELLO, "runtime": "\x1b[2J"},
        {**HELLO, "version": "\x1b[31m9"}, {**HELLO, "protocol": 1}, {"type": "hello"},
        {"type": "error", "id": None, "code": "\x1b", "message": "\x1b[2Jx\ny" * 500,
         "model": None},
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


@pytest.mark.parametrize(
    "answer",
    [
        [b"{"], [b"nothing"], [{"type": "done", "id": 1}], [{"type": "error", "id": 1}],
        [{**HELLO, "id": 1}], [{"type": "reading", "id": 1, **STATE}],
        [result()], [part(), result(id=2)], [part(id=2), result()], [part(), result(parts=2)],
        [part(), part(), result()], [part(), part(placement=2), result(parts=2)],
        [part(placement=1), result()], [part(models=[PLACED, PLACED]), result()],
        [part(models=[]), result()], [part(models=[5]), result()],
        [part(placement=n) for n in range(21)],
        [part(), result(job="k")], [part(), result(ended="bored")], [part(), result(models=[])],
        [part(), result(models=[TOLD, TOLD])], [part(), result(plan={**PLAN.message, "seed": 7})],
        [part(), result(plan={**PLAN.message, "group": 0})], [part(), result(plan=5)],
        [part(), result(read_block=["/proc/loadavg"])],
        [part(), result(settings={**RESULT["settings"], "threads": 4})],
        [part(), result(agent={**RESULT["agent"], "runtime": "other"})],
        [part(), result(before={})], [part(), result(memory={"peak_rss_bytes": 10**300})],
        [part(), result(after={**STATE, "texts": {"/sys/x": 5}})],
        [part(), result(after={**STATE, "texts": {"/sys/x": "x" * 5000}})],
        [part(), result(after={**STATE, "texts": {f"/s/{n}": "" for n in range(1001)}})],
        told(name="n"), told(model_bytes=-1), told(model_sha256="x"), told(model_sha256="0" * 64),
        told(outputs=[[]]), told(outputs=5), told(delegates=[{"name": "x", "nodes": -1}]),
        blocks(), blocks({**BLOCK, "times_ns": []}), blocks({**BLOCK, "times_ns": [0]}),
        blocks({**BLOCK, "times_ns": [-5]}), blocks({**BLOCK, "times_ns": [10**40]}),
        blocks({**BLOCK, "times_ns": [True]}), blocks({**BLOCK, "times_ns": [1] * 100_001}),
        blocks({**BLOCK, "group": 0}), blocks({**BLOCK, "round": 1}), blocks(BLOCK, BLOCK),
        blocks({**BLOCK, "texts": [["x"], []]}), blocks({**BLOCK, "texts": [[]]}),
        blocks({**BLOCK, "core": -1}), blocks({**BLOCK, "start_ns": 10**30}),
        blocks({k: v for k, v in BLOCK.items() if k != "texts"}),
        [part(models=[{**PLACED, "load_ns": 0}]), result()],
        [part(models=[{**PLACED, "cold_ns": [-1]}]), result()],
        [{**PROGRESS, "placement": -1}], [{**PROGRESS, "elapsed_ms": "now"}],
        [{**PROGRESS, "id": 2}], [PROGRESS] * 4_001,
    ],
)  # fmt: skip
def test_an_odd_answer_is_a_transient_error_and_never_a_session(answer: Any) -> None:
    with pytest.raises(TransientDeviceError, match="protocol") as caught:
        ask(PlayedTransport(HELLO, *answer))
    assert str(caught.value).isprintable()


def test_a_session_as_it_should_be_is_taken() -> None:
    found = ask(PlayedTransport(HELLO, PROGRESS, part(), PROGRESS, result()))
    assert found.placements[0][0].blocks[0].times_ns == (5,)
    session = found.together("f" * 16, "it")
    assert (session.id, session.ended, session.plan) == (JOB[-16:], Ended.TIME, PLAN)
    assert session.measurements[0].target.settings == SETTINGS


def test_of_two_models_each_has_its_own_blocks() -> None:
    other = {**PLACED, "blocks": [{**BLOCK, "times_ns": [7, 8]}]}
    models = [TOLD, {**TOLD, "name": "n", "model_sha256": "cd" * 32}]
    answers = [part(models=[PLACED, other]), part(placement=1, models=[other, PLACED])]
    client = start(PlayedTransport(HELLO, *answers, result(models=models, parts=2)))
    asked = [MODEL, RemoteModel("n", "/n", "cd" * 32)]
    found = client.measure(JOB, asked, SETTINGS, PLAN, client.deadline)  # type: ignore[attr-defined]
    times = [[p.blocks[0].times_ns for p in placements] for placements in found.placements]
    assert times == [[(5,), (7, 8)], [(7, 8), (5,)]]


def test_texts_around_a_block_become_facts_of_it() -> None:
    texts = [
        ["10 2000 3\n", "nonvoluntary_ctxt_switches:\t7", None],
        ["99 2500 9\n", "nonvoluntary_ctxt_switches:\t9", "1800000\n"],
    ]
    answer = [
        part(models=[{**PLACED, "blocks": [{**BLOCK, "texts": texts}]}]),
        result(read_block=list(BLOCK_PATHS)),
    ]
    client = start(PlayedTransport(HELLO, *answer))
    found = client.measure(
        JOB, [MODEL], SETTINGS, PLAN, client.deadline, read_block=BLOCK_PATHS  # type: ignore[attr-defined]
    )  # fmt: skip
    [block] = found.placements[0][0].blocks
    assert (block.delay_ns, block.switches, block.khz) == (500, 2, 1_800_000)


def test_progress_is_passed_on() -> None:
    heard: list[Any] = []
    client = start(PlayedTransport(HELLO, PROGRESS, part(), result()))
    client.measure(
        JOB, [MODEL], SETTINGS, PLAN, client.deadline, on_progress=heard.append  # type: ignore[attr-defined]
    )  # fmt: skip
    assert [(one.placement, one.elapsed_ms) for one in heard] == [(0, 2000.1)]


def test_an_error_names_the_model_as_one_line() -> None:
    error = {"type": "error", "id": 1, "code": "slept", "message": "no", "model": "\x1b[2Ja\nb"}
    with pytest.raises(AgentError) as caught:
        ask(PlayedTransport(HELLO, part(), error))
    assert caught.value.code == "slept"
    assert caught.value.model is not None
    assert caught.value.model.isprintable()


def test_an_error_is_shown_as_one_line_and_an_unknown_code_is_internal() -> None:
    error = {
        "type": "error",
        "id": 1,
        "code": "brand_new",
        "message": "\x1b[2J a\nb." * 300,
        "model": None,
    }
    with pytest.raises(AgentError) as caught:
        ask(PlayedTransport(HELLO, error))
    assert caught.value.code == "internal"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_the_remedy_of_a_kind_goes_before_the_hosts() -> None:
    error = {
        "type": "error",
        "id": 1,
        "code": "model_corrupt",
        "message": "no model",
        "model": "m",
    }
    client = start(PlayedTransport(HELLO, error), model_corrupt="See {serial} about it.")
    with pytest.raises(AgentError, match=r"^toy-1: no model\. See toy-1 about it\.$"):
        client.measure(JOB, [MODEL], SETTINGS, PLAN, client.deadline)  # type: ignore[attr-defined]


def test_what_files_hold_is_read() -> None:
    reply = {
        "type": "reading",
        "id": 1,
        "timestamp": 1.5,
        "texts": {"/sys/a": "1", "/sys/b": None},
        "commands": {"getprop": "[a]: [b]\n", "dumpsys power": None},
    }
    client = start(PlayedTransport(HELLO, reply))
    read = client.read(
        ["/sys/*"],
        Deadline.after(9, client._transport.clock),
        ["getprop", "dumpsys power"],
    )
    assert (read.timestamp, read.texts) == (1.5, {"/sys/a": "1", "/sys/b": None})
    assert read.commands == {"getprop": "[a]: [b]\n", "dumpsys power": None}


def test_an_agent_that_is_not_there_is_pushed_once_and_started_again() -> None:
    transport = PlayedTransport(b"adadeep: the agent is not here", HELLO)
    start(transport)
    assert transport.pushed == ["/w/toy"]


def spooled(found: Any, *parts: Any) -> PlayedTransport:
    messages = [{"type": "spooled_part", "id": 1, "part": p} for p in parts]
    return PlayedTransport(HELLO, *messages, {"type": "spooled", "id": 1, "result": found})


@pytest.mark.parametrize(
    ("found", "parts"),
    [
        (None, []), ({}, [PART]), (RESULT, []), (RESULT, [{}]), (RESULT, [PART, PART]),
        ({**RESULT, "parts": 3}, [PART]), ({**RESULT, "job": "k"}, [PART]),
        ({**RESULT, "plan": 5}, [PART]), (RESULT, [{**PART, "placement": 1}]),
        (RESULT, [{"placement": 0, "models": [{**PLACED, "load_ns": -1}]}]),
    ],
)  # fmt: skip
def test_what_waited_and_is_odd_is_not_there(found: Any, parts: Any) -> None:
    client = start(spooled(found, *parts))
    assert client.fetch(JOB, client.deadline) is None  # type: ignore[attr-defined]


def test_what_waited_is_found_whole() -> None:
    client = start(spooled(RESULT, PART))
    found = client.fetch(JOB, client.deadline)  # type: ignore[attr-defined]
    assert found is not None
    direct = ask(PlayedTransport(HELLO, part(), result()))
    assert found.together("f" * 16, "it") == direct.together("f" * 16, "it")


def test_parts_without_an_end_are_an_error() -> None:
    client = start(spooled(None, *[{}] * 1001))
    with pytest.raises(TransientDeviceError, match="protocol"):
        client.fetch(JOB, client.deadline)  # type: ignore[attr-defined]


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
        client.measure(JOB, [MODEL], SETTINGS, PLAN, Deadline.after(100, transport.clock))
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
