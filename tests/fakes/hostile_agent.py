"""An agent that lies: replays what a sound one said, changed as a scenario says.

As a script, `hostile_agent.py SCENARIO RECORDING`, it takes the agent's place: requests on stdin,
replies on stdout. The recording has the replies of a sound agent by the type of their request (and
"anchor" for measurements that are not spooled), so whatever the protocol becomes, it is the real
one that is spoilt here. Standard library only: it starts in a moment.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Message = dict[str, Any]
Spoil = Callable[[Message], "bytes | Message | Iterator[bytes]"]

ESCAPES = "\x1b]0;owned\x07\x1b[2J[/][bold]\u202e\x9b31m\nerror: fake"
DEEP = b"[" * 100_000
ENDLESS = 1 << 40


def key_of(request: Message) -> str:
    """Under which the reply to a request is recorded."""
    if request["type"] == "measure" and request.get("spool") is False:
        return "anchor"
    return str(request["type"])


def record(path: Path, line: bytes, reply: bytes) -> None:
    """Adds a request and its reply to a recording."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known.setdefault(key_of(json.loads(line)), json.loads(reply))
    path.write_text(json.dumps(known))


# ---- scenarios


def line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def fields(**changes: Any) -> Spoil:
    """Replies with these fields replaced; None removes one."""

    def spoil(reply: Message) -> Message:
        return {k: v for k, v in {**reply, **changes}.items() if v is not None}

    return spoil


def text(old: str, new: str) -> Spoil:
    """The reply's line with a piece of text replaced."""

    def spoil(reply: Message) -> bytes:
        whole = json.dumps(reply)
        assert old in whole, (old, whole)
        return whole.replace(old, new, 1).encode() + b"\n"

    return spoil


def result(spoil: Callable[[Message], Message]) -> Spoil:
    """A reply whose only result is spoilt."""
    return lambda reply: {**reply, "results": [spoil(reply["results"][0])]}


def of_result(**changes: Any) -> Spoil:
    """A result with these fields replaced; None removes one."""
    return result(lambda found: {k: v for k, v in {**found, **changes}.items() if v is not None})


def launches(**changes: Any) -> Spoil:
    return result(lambda found: {**found, "launches": [{**found["launches"][0], **changes}]})


def before(**changes: Any) -> Spoil:
    return result(lambda found: {**found, "before": {**found["before"], **changes}})


def texts(**files: Any) -> Spoil:
    """What the agent read before, with these files; `__` parts the names of a path."""
    more = {f"/{name.replace('__', '/')}": text for name, text in files.items()}
    return result(
        lambda found: {
            **found,
            "before": {**found["before"], "texts": {**found["before"]["texts"], **more}},
        }
    )


def raw(data: bytes) -> Spoil:
    return lambda _: data


def first(data: bytes) -> Spoil:
    """Says something else before the right answer."""
    return lambda reply: data + line(reply)


def ends(data: bytes = b"") -> Spoil:
    def spoil(_: Message) -> Iterator[bytes]:
        yield data
        raise SystemExit(0)

    return spoil


def endless(piece: bytes) -> Spoil:
    def spoil(_: Message) -> Iterator[bytes]:
        block = piece * max(1, 65536 // len(piece))
        for _ in range(ENDLESS):
            yield block

    return spoil


def late(seconds: float) -> Spoil:
    def spoil(reply: Message) -> Message:
        time.sleep(seconds)
        return reply

    return spoil


def error(code: Any, message: Any) -> Spoil:
    return lambda reply: {"type": "error", "id": reply.get("id"), "code": code, "message": message}


DEVICE, EITHER, FINE = {3}, {0, 2, 3}, {0}

HELLO: dict[str, tuple[Spoil, set[int]]] = {
    "no JSON": (raw(b"hello\n"), DEVICE),
    "an empty line": (raw(b"\n"), DEVICE),
    "a list": (raw(b"[]\n"), DEVICE),
    "a number": (raw(b"7\n"), DEVICE),
    "null": (raw(b"null\n"), DEVICE),
    "no UTF-8": (raw(b'{"type":"\xff\xfe"}\n'), DEVICE),
    "nested 100,000 deep": (raw(DEEP + b"\n"), DEVICE),
    "a line without an end": (endless(b"x"), DEVICE),
    "lines without an end": (endless(b'{"type":"done","id":99}\n'), DEVICE),
    "blank lines without an end": (endless(b"\n"), DEVICE),
    "terminal escapes": (raw(ESCAPES.encode() + b"\n"), DEVICE),
    "another protocol": (fields(protocol=999), DEVICE),
    "another version": (fields(version="99" + ESCAPES), DEVICE),
    "a protocol of text": (fields(protocol="3"), DEVICE),
    "without a runtime": (fields(runtime=None), DEVICE),
    "more than it should": (fields(extra=1), EITHER),
    "a runtime of escapes": (fields(runtime=ESCAPES, runtime_version=ESCAPES), EITHER),
    "a runtime of a megabyte": (fields(runtime="x" * 1_000_000), EITHER),
    "spooled below zero": (fields(spooled=-5), EITHER),
    "spooled beyond count": (fields(spooled=10**30), EITHER),
    "ends at once": (ends(), DEVICE),
    "ends within a line": (ends(b'{"type":"hel'), DEVICE),
    "an error of no known code": (error("such", "no"), DEVICE),
    "an error of escapes": (error("no_runtime", ESCAPES), DEVICE),
    "an error of 10 MB": (error("internal", "x" * 10_000_000), DEVICE),
    "late, and right": (late(1.0), FINE),
}
RESULT: dict[str, tuple[Spoil, set[int]]] = {
    "no JSON": (raw(b"result\n"), DEVICE),
    "nested 100,000 deep": (raw(b'{"id":' + DEEP + b"\n"), DEVICE),
    "a line without an end": (endless(b"1,"), DEVICE),
    "lines without an end": (endless(b'{"type":"done","id":99}\n'), DEVICE),
    "another id, then the end": (ends(b'{"type":"done","id":99}\n'), DEVICE),
    "another id, then the right one": (first(b'{"type":"done","id":99}\n'), EITHER),
    "an id of text": (fields(id="1"), DEVICE),
    "another type": (lambda reply: {"type": "done", "id": reply["id"]}, DEVICE),
    "another model": (of_result(model_sha256="0" * 64), DEVICE),
    "a model of no bytes": (of_result(model_bytes=-1), DEVICE),
    "no launches": (of_result(launches=[]), DEVICE),
    "without launches": (of_result(launches=None), DEVICE),
    "launches of text": (of_result(launches="many"), DEVICE),
    "no runs": (launches(runs_ns=[]), DEVICE),
    "runs of text": (launches(runs_ns=["1"]), DEVICE),
    "runs below zero": (launches(runs_ns=[-5] * 60), DEVICE),
    "runs of no time": (launches(runs_ns=[0] * 60), DEVICE),
    "runs of a year": (launches(runs_ns=[10**17] * 60), DEVICE),
    "runs beyond any number": (launches(runs_ns=[10**400]), DEVICE),
    "a million runs": (launches(runs_ns=[1000] * 1_000_000), DEVICE),
    "runs that are true": (launches(runs_ns=[True] * 60), DEVICE),
    "NaN": (text('"load_ns": ', '"load_ns": NaN, "x": '), DEVICE),
    "infinity": (before(timestamp=float("inf")), DEVICE),
    "1e999": (text('"timestamp": ', '"timestamp": 1e999, "x": '), DEVICE),
    "an agent that is a list": (of_result(agent=[]), DEVICE),
    "no results": (fields(results=[]), DEVICE),
    "results of more models": (lambda r: {**r, "results": r["results"] * 2}, DEVICE),
    "results in no list": (fields(results="many"), DEVICE),
    "texts in a list": (before(texts=[1]), DEVICE),
    "texts that are numbers": (texts(sys__x=5), DEVICE),
    "a text beyond its bound": (texts(sys__x="x" * 5000), DEVICE),
    "texts beyond theirs": (texts(**{f"sys__{n}": "x" * 4000 for n in range(20)}), DEVICE),
    "more texts than there may be": (texts(**{f"sys__{n}": "" for n in range(2000)}), DEVICE),
    "clocks and cores of text": (
        texts(
            sys__devices__system__cpu__online="0-99999999999,x",
            sys__devices__system__cpu__cpu0__cpufreq__scaling_cur_freq="fast" + ESCAPES,
        ),
        FINE,
    ),
    "governors of escapes": (
        texts(
            sys__devices__system__cpu__online="0",
            sys__devices__system__cpu__cpu0__cpufreq__scaling_governor=ESCAPES,
        ),
        FINE,
    ),
    "a battery of escapes": (
        texts(
            sys__class__power_supply__b__type="Battery",
            sys__class__power_supply__b__capacity="50",
            sys__class__power_supply__b__status=ESCAPES,
        ),
        FINE,
    ),
    "temperatures of escapes": (
        texts(
            sys__class__thermal__thermal_zone0__temp="40000",
            sys__class__thermal__thermal_zone0__type=ESCAPES,
        ),
        FINE,
    ),
    "delegates of escapes": (of_result(delegates=[{"name": ESCAPES, "nodes": 1}]), FINE),
    "delegates below zero": (of_result(delegates=[{"name": "x", "nodes": -1}]), EITHER),
    "inputs of escapes": (
        result(lambda r: {**r, "inputs": [{**r["inputs"][0], "name": ESCAPES, "fed": ESCAPES}]}),
        FINE,
    ),
    "without outputs": (of_result(outputs=None), EITHER),
    "outputs that are no tensors": (of_result(outputs=[[7]]), EITHER),
    "memory in a list": (of_result(memory=[]), DEVICE),
    "other settings": (
        result(lambda r: {**r, "settings": {**r["settings"], "threads": 64}}),
        EITHER,
    ),
    "settings of text": (of_result(settings="none"), DEVICE),
    "another job": (of_result(job="../../../x"), EITHER),
    "an error of no known code": (error("such", "no"), DEVICE),
    "an error of escapes": (error("model_corrupt", ESCAPES), {2}),
    "an error of 10 MB": (error("internal", "x" * 10_000_000), DEVICE),
    "a code that is a list": (error([], "no"), DEVICE),
    "ends at once": (ends(), DEVICE),
    "ends within a line": (
        ends(b'{"type":"results","id":1,"results":[{"launches":[{"runs_ns":[1,2'),
        DEVICE,
    ),
    "twice": (lambda reply: line(reply) + line(reply), EITHER),
    "late, and right": (late(1.0), FINE),
}
SPOOL: dict[str, tuple[Spoil, set[int]]] = {
    "jobs that are numbers": (fields(jobs=[1, 2, 3]), EITHER),
    "jobs in no list": (fields(jobs="many"), EITHER),
    "jobs of escapes": (fields(jobs=[ESCAPES, "", "../../x"]), EITHER),
    "jobs nested 100,000 deep": (raw(b'{"id":2,"jobs":' + DEEP + b"\n"), EITHER),
    "a line without an end": (endless(b"[1],"), EITHER),
}
SCENARIOS = {
    **{f"hello: {name}": ("hello", *entry) for name, entry in HELLO.items()},
    **{f"result: {name}": ("measure", *entry) for name, entry in RESULT.items()},
    **{f"spool: {name}": ("spool", *entry) for name, entry in SPOOL.items()},
    "sound": ("none", raw(b""), FINE),
}


# ---- the agent


def main(scenario: str, recording: Path) -> None:
    """Answers requests until the host is gone."""
    kind, spoil, _ = SCENARIOS[scenario]
    known = json.loads(recording.read_text())
    for request in map(json.loads, iter(sys.stdin.buffer.readline, b"")):
        if request["type"] == "bye":
            return
        reply = answer(known, request, waiting=kind == "spool")
        said = spoil(reply) if key_of(request) == kind else reply
        said = line(said) if isinstance(said, dict) else said
        for piece in [said] if isinstance(said, bytes) else said:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()


def answer(known: Message, request: Message, waiting: bool = False) -> Message:
    """What a sound agent said to such a request."""
    number, key = request.get("id"), key_of(request)
    if key not in known:
        empty = {"spool": {"type": "spool", "jobs": []}}
        return {**empty.get(key, {"type": "done"}), "id": number}
    reply = dict(known[key])
    if "id" in reply:
        reply["id"] = request["id"]
    if "results" in reply:
        asked = {"job": request["models"][0]["job"], "settings": request["settings"]}
        reply["results"] = [{**reply["results"][0], **asked}]
    if key == "hello":
        reply.update(pid=os.getpid(), spooled=3 if waiting else 0)
    return reply


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except BrokenPipeError:
        os._exit(0)
