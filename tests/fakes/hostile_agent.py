"""An agent that lies: replays what a sound one said, changed as a scenario says.

As a script, `hostile_agent.py SCENARIO RECORDING`, it takes the agent's place: requests on stdin,
replies on stdout. The recording has the replies of a sound agent by the type of their request, and
the parts of a session, so whatever the protocol becomes, it is the real one that is spoilt here.
Standard library only: it starts in a moment.
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


def record(path: Path, line: bytes, reply: bytes) -> None:
    """Adds a reply to the recording: a session's result under its request, its parts apart."""
    known = json.loads(path.read_text()) if path.exists() else {}
    request, said = json.loads(line), json.loads(reply)
    if said["type"] == "part":
        if "measure" not in known:  # those of the first session
            known.setdefault("parts", []).append(said)
    elif said["type"] != "progress":
        known.setdefault(request["type"], said)
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


def model(spoil: Callable[[Message], Message]) -> Spoil:
    """A result whose first model is spoilt."""
    return lambda reply: {**reply, "models": [spoil(reply["models"][0]), *reply["models"][1:]]}


def of_model(**changes: Any) -> Spoil:
    """A result whose first model has these fields replaced; None removes one."""
    return model(lambda found: {k: v for k, v in {**found, **changes}.items() if v is not None})


placed = of_model  # of a part: its first model


def block(**changes: Any) -> Spoil:
    """A part whose first block is so."""

    def spoil(found: Message) -> Message:
        first, *others = found["blocks"]
        return {**found, "blocks": [{**first, **changes}, *others]}

    return model(spoil)


def before(**changes: Any) -> Spoil:
    return lambda reply: {**reply, "before": {**reply["before"], **changes}}


def texts(**files: Any) -> Spoil:
    """What the agent read before, with these files; `__` parts the names of a path."""
    more = {f"/{name.replace('__', '/')}": text for name, text in files.items()}
    return lambda reply: before(texts={**reply["before"]["texts"], **more})(reply)


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
    fields = {"type": "error", "code": code, "message": message, "model": message[:50]}
    return lambda reply: {**fields, "id": reply.get("id")}


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
    "a protocol of text": (fields(protocol="4"), DEVICE),
    "without a clock": (fields(clock=None), DEVICE),
    "a clock of no resolution": (fields(clock={"resolution_ns": 0, "cost_ns": 0}), DEVICE),
    "a clock beyond any number": (fields(clock={"resolution_ns": 10**400, "cost_ns": 1}), DEVICE),
    "features of escapes": (fields(features=[ESCAPES]), DEVICE),
    "memory below zero": (fields(memory_available_bytes=-1), DEVICE),
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
PART: dict[str, tuple[Spoil, set[int]]] = {
    "no JSON": (raw(b"part\n"), DEVICE),
    "nested 100,000 deep": (raw(b'{"id":' + DEEP + b"\n"), DEVICE),
    "a line without an end": (endless(b"1,"), DEVICE),
    "parts without an end": (
        lambda reply: endless(line(reply))(reply),
        DEVICE,
    ),
    "progress without an end": (
        lambda reply: endless(
            b'{"type":"progress","id":%d,"placement":0,"placements":1,"elapsed_ms":1,'
            b'"half_width":null}\n' % reply["id"]
        )(reply),
        DEVICE,
    ),
    "another id": (fields(id=99), DEVICE),
    "twice": (lambda reply: line(reply) + line(reply), DEVICE),
    "none": (raw(b""), DEVICE),
    "another placement": (fields(placement=7), DEVICE),
    "no models": (fields(models=[]), DEVICE),
    "models in no list": (fields(models="many"), DEVICE),
    "more models": (lambda r: {**r, "models": r["models"] + r["models"][:1]}, DEVICE),
    "no blocks": (placed(blocks=[]), DEVICE),
    "without blocks": (placed(blocks=None), DEVICE),
    "blocks of text": (placed(blocks="many"), DEVICE),
    "no timings": (block(times_ns=[]), DEVICE),
    "times of text": (block(times_ns=["1"]), DEVICE),
    "times below zero": (block(times_ns=[-5] * 60), DEVICE),
    "runs of no time": (block(times_ns=[0] * 60), DEVICE),
    "runs of a year": (block(times_ns=[10**17] * 60), DEVICE),
    "runs beyond any number": (block(times_ns=[10**400]), DEVICE),
    "a million timings": (block(times_ns=[1000] * 1_000_000), DEVICE),
    "times that are true": (block(times_ns=[True] * 60), DEVICE),
    "groups of none": (block(group=0), DEVICE),
    "groups beyond count": (block(group=10**30), DEVICE),
    "rounds that are no rounds": (block(round=5), DEVICE),
    "a core below zero": (block(core=-1), DEVICE),
    "clocks beyond any number": (block(start_ns=10**30, boot_ns=-(10**30)), DEVICE),
    "processor time below zero": (block(cpu_ns=-1), DEVICE),
    "texts of other files": (block(texts=[["x"] * 8, ["x"] * 8]), DEVICE),
    "texts of numbers around a block": (block(texts=[[1], [2]]), DEVICE),
    "texts of escapes around a block": (
        lambda r: block(texts=[[ESCAPES] * len(r["models"][0]["blocks"][0]["texts"][0])] * 2)(r),
        FINE,
    ),
    "a load of no time": (placed(load_ns=0), DEVICE),
    "cold runs of text": (placed(cold_ns=["1"]), DEVICE),
    "NaN": (text('"load_ns": ', '"load_ns": NaN, "x": '), DEVICE),
    "ends at once": (ends(), DEVICE),
    "ends within a line": (
        ends(b'{"type":"part","id":1,"models":[{"blocks":[{"times_ns":[1,2'),
        DEVICE,
    ),
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
    "another model": (of_model(model_sha256="0" * 64), DEVICE),
    "a model of no bytes": (of_model(model_bytes=-1), DEVICE),
    "a model of another name": (of_model(name=ESCAPES), DEVICE),
    "no models": (fields(models=[]), DEVICE),
    "models in no list": (fields(models="many"), DEVICE),
    "more models": (lambda r: {**r, "models": r["models"] + r["models"][:1]}, DEVICE),
    "fewer parts": (fields(parts=1000), DEVICE),
    "parts of text": (fields(parts="1"), DEVICE),
    "an unknown end": (fields(ended="bored"), DEVICE),
    "an end of escapes": (fields(ended=ESCAPES), DEVICE),
    "infinity": (before(timestamp=float("inf")), DEVICE),
    "1e999": (text('"timestamp": ', '"timestamp": 1e999, "x": '), DEVICE),
    "an agent that is a list": (fields(agent=[]), DEVICE),
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
    "delegates of escapes": (of_model(delegates=[{"name": ESCAPES, "nodes": 1}]), FINE),
    "delegates below zero": (of_model(delegates=[{"name": "x", "nodes": -1}]), EITHER),
    "inputs of escapes": (
        model(lambda r: {**r, "inputs": [{**r["inputs"][0], "name": ESCAPES, "fed": ESCAPES}]}),
        FINE,
    ),
    "without outputs": (of_model(outputs=None), EITHER),
    "outputs that are no tensors": (of_model(outputs=[[7]]), EITHER),
    "memory in a list": (fields(memory=[]), DEVICE),
    "other settings": (
        lambda r: {**r, "settings": {**r["settings"], "threads": 64}},
        EITHER,
    ),
    "another plan": (lambda r: {**r, "plan": {**r["plan"], "seed": 12345}}, DEVICE),
    "a plan that can't be": (lambda r: {**r, "plan": {**r["plan"], "group": -1}}, DEVICE),
    "a plan of no number": (
        lambda r: {**r, "plan": {**r["plan"], "max_ms": float("nan")}},
        DEVICE,
    ),
    "settings of text": (fields(settings="none"), DEVICE),
    "another job": (fields(job="../../../x"), EITHER),
    "an error of no known code": (error("such", "no"), DEVICE),
    "an error of escapes": (error("model_corrupt", ESCAPES), {2}),
    "an error of 10 MB": (error("internal", "x" * 10_000_000), DEVICE),
    "a code that is a list": (error([], "no"), DEVICE),
    "ends at once": (ends(), DEVICE),
    "ends within a line": (
        ends(b'{"type":"result","id":1,"models":[{"name":"x'),
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
    **{f"part: {name}": ("parts", *entry) for name, entry in PART.items()},
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
        *before, last = answers(known, request, waiting=kind == "spool")
        for number, reply in enumerate(before):
            say(spoil(reply) if kind == "parts" and number == 0 else reply)
        say(spoil(last) if request["type"] == kind else last)


def say(said: bytes | Message | Iterator[bytes]) -> None:
    said = line(said) if isinstance(said, dict) else said
    for piece in [said] if isinstance(said, bytes) else said:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


def answers(known: Message, request: Message, waiting: bool = False) -> list[Message]:
    """All that a sound agent said to such a request."""
    before = parts(known, request) if request["type"] == "measure" else []
    return [*before, answer(known, request, waiting)]


def of_each(request: Message, told: list[Message]) -> list[Message]:
    """What was told of models, for as many as are asked for now."""
    return [told[number % len(told)] for number in range(len(request["models"]))]


def known_as(asked: Message, told: Message) -> Message:
    """What was told of a model, of that which is asked for now."""
    size = Path(asked["path"]).stat().st_size
    outputs = [told["outputs"][0] for _ in asked.get("inputs", [])] if told["outputs"] else []
    names = {"name": asked["name"], "model_sha256": asked["sha256"], "model_bytes": size}
    return {**told, **names, "outputs": outputs}


def parts(known: Message, request: Message) -> list[Message]:
    """The placements of a sound session of such models."""
    most = request["plan"]["placements"]
    return [
        {**part, "id": request["id"], "models": of_each(request, part["models"])}
        for part in known["parts"][:most]
    ]


def answer(known: Message, request: Message, waiting: bool = False) -> Message:
    """What a sound agent said to such a request."""
    number, key = request.get("id"), request["type"]
    if key not in known:
        empty = {"spool": {"type": "spool", "jobs": []}}
        return {**empty.get(key, {"type": "done"}), "id": number}
    reply = dict(known[key])
    if "id" in reply:
        reply["id"] = request["id"]
    if key == "measure":
        for name in ("job", "settings", "plan", "read_block"):
            reply[name] = request[name]
        reply["parts"] = len(parts(known, request))
        pairs = zip(request["models"], of_each(request, reply["models"]), strict=True)
        reply["models"] = [known_as(asked, told) for asked, told in pairs]
    if key == "hello":
        reply.update(pid=os.getpid(), spooled=3 if waiting else 0)
    return reply


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except BrokenPipeError:
        os._exit(0)
