"""The Android agent on the lab's phone: its start, a candidate's cost, what Java adds to a run.

A JVM stands in for ART (tests/lab/android/README.md says what is real): these are times of a PC.
The same .tflite is timed by turns through the agent and by a program in C (`android/runs.c`) on
the same library, each in a new process; the interval is of the mean of the pairs' log ratios.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import shlex
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.agent_kind import Preparing
from adadeep.core.clock import Deadline
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.statistics import t_quantile
from adadeep.core.transport import Transport
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_kinds.android_java.kind import ANDROID_JAVA, AndroidAgent
from adadeep.devices.discovery import select
from adadeep.measure.layer_models import micro_benchmark, tflite_of
from adadeep.measure.reference_models import reference_model
from bench_candidate import EVERY, warm_agent
from lab_box import lab_android
from record import Row, options, save

SOURCE = Path(__file__).parent / "android" / "runs.c"
LIBRARIES = "/apex/com.android.art/lib64"  # of the phone's C library
LAUNCHES, STARTS = 40, 15
JOB = "be4c4a11-0123456789abcdef"
# One model alone, in one place in memory; as the C program does it.
PLAN = MeasuringPlan(
    placements=1, least_placements=1, placement_ms=300, block_ms=15, drop_ms=5, warmup_ms=100,
    max_ms=3000,
)  # fmt: skip


@dataclass(frozen=True)
class Ratio:
    """Of times through the agent to those of the C program.

    Attributes:
        value: geometric mean over the pairs.
        half_width: of its 95 % interval, as a share.
        launches: pairs.
        c_ms: the median of the C program's.
    """

    value: float
    half_width: float
    launches: int
    c_ms: float

    @property
    def from_1(self) -> float:
        """How far it is from 1, in half-widths: the interval holds 1 up to 1."""
        return abs(math.log(self.value)) / math.log1p(self.half_width)


def soon() -> Deadline:
    return Deadline.after(120)


def starts_ms(ready: AndroidAgent, count: int) -> list[float]:
    """From the command to the agent's hello, its files being there."""
    AgentClient.start(ready, soon()).close()
    found = []
    for _ in range(count):
        began = time.perf_counter()
        client = AgentClient.start(ready, soon())
        found.append(1000 * (time.perf_counter() - began))
        client.close()
    return found


def pushes_ms(transport: Transport, models: list[bytes]) -> list[float]:
    """What it takes to put each model on the device, and nothing else."""
    found = []
    for model in models:
        began = time.perf_counter()
        transport.push(model, f"{transport.workdir}/bench.tflite", soon())
        found.append(1000 * (time.perf_counter() - began))
    return found


def run(transport: Transport, command: str) -> str:
    done = transport.run(command, soon())
    if done.exit_code:
        raise SystemExit(f"{command}: {done.text} {done.stderr.decode()}")
    return done.text


def started(transport: Transport, ready: AndroidAgent, words: str) -> str:
    """What the agent's own program prints when started with other words."""
    folder = transport.workdir
    library, main = f"{folder}/{ready.library.name}", "org.adadeep.agent.Main"
    return run(
        transport,
        f"CLASSPATH=$(ls -t {folder}/agent-*.jar | head -n 1) app_process"
        f" -Dadadeep.library={library} {folder} {main} {words} 2>/dev/null",
    )


def beyond_us(transport: Transport, ready: AndroidAgent, model: bytes, runs: int) -> float:
    """What a run takes as the agent times it, beyond what the interpreter alone takes."""
    path = f"{transport.workdir}/bench.tflite"
    transport.push(model, path, soon())
    told = json.loads(started(transport, ready, f"dispatch {path} {runs}"))
    return float(told["agent_ns"] - told["interpreter_ns"]) / 1e3


def through_agent_ms(ready: AndroidAgent, model: bytes) -> float:
    """The model's time by an agent that is started for it."""
    client = AgentClient.start(ready, soon())
    path, digest = client.push_model(model, soon()), hashlib.sha256(model).hexdigest()
    asked = RemoteModel("m", path, digest)
    session = client.measure(JOB, [asked], MeasureSettings(), PLAN, soon(), spool=False)
    client.close()
    return session.placements[0][0].median_ms


def through_c_ms(transport: Transport, ready: AndroidAgent, path: str) -> float:
    """The same by the C program."""
    folder, blocks = transport.workdir, int(PLAN.placement_ms / PLAN.block_ms)
    words = [f"{folder}/runs", f"{folder}/{ready.library.name}", path, PLAN.warmup_ms,
             PLAN.block_ms, blocks]  # fmt: skip
    return int(run(transport, f"LD_LIBRARY_PATH={LIBRARIES} {shlex.join(map(str, words))}")) / 1e6


def compared(transport: Transport, ready: AndroidAgent, model: bytes, launches: int) -> Ratio:
    """Both ways by turns, which goes first by chance."""
    path = f"{transport.workdir}/both.tflite"
    transport.push(model, path, soon())
    rng, logs, ours = random.Random(11), [], []
    for _ in range(launches):
        agent_first = rng.random() < 0.5
        before = through_agent_ms(ready, model) if agent_first else 0.0
        c_ms = through_c_ms(transport, ready, path)
        agent_ms = before or through_agent_ms(ready, model)
        logs.append(math.log(agent_ms / c_ms))
        ours.append(c_ms)
    spread = statistics.stdev(logs) / math.sqrt(launches)
    half = math.expm1(t_quantile(0.975, launches - 1) * spread)
    return Ratio(math.exp(statistics.mean(logs)), half, launches, statistics.median(ours))


def put_program(transport: Transport) -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "runs")
        subprocess.run(["gcc", "-O2", "-o", str(program), str(SOURCE), "-ldl"], check=True)
        transport.push(program, f"{transport.workdir}/runs", soon(), 0o755)


def ratio_rows(name: str, found: Ratio, most: float) -> list[Row]:
    detail = f"{found.launches} launches of each by turns, {found.c_ms:.3g} ms a run"
    return [
        Row(f"agent over C program, {name}", found.value, "times", detail=detail),
        Row(f"its 95 % interval's half-width, {name}", 100 * found.half_width, "%", most),
        Row(f"how far it is from 1, {name}", found.from_1, "half-widths", 1),
    ]


def main() -> None:
    chosen = options(__doc__)
    layers = micro_benchmark()[::EVERY]
    models = [tflite_of(single) for single in (layers[:3] if chosen.smoke else layers)]
    launches, starts = (3, 2) if chosen.smoke else (LAUNCHES, STARTS)
    small, heavy = reference_model("small"), reference_model("heavy")
    with lab_android() as serial:
        [transport] = select([serial], soon())
        ready = ANDROID_JAVA.prepare(transport, soon(), Preparing())
        began = starts_ms(ready, starts)
        costs = [min(one.beyond for one in took) for took in warm_agent(serial, models)]
        pushes = pushes_ms(transport, models)
        java_us = beyond_us(transport, ready, small, 50 if chosen.smoke else 5000)
        put_program(transport)
        found = {name: compared(transport, ready, model, launches)
                 for name, model in (("small", small), ("13 MB", heavy))}  # fmt: skip
    beyond = [cost - push for cost, push in zip(costs, pushes, strict=True)]
    detail = f"median of {len(beyond)} models"
    rows = [
        Row("agent start", statistics.median(began), "ms", 500, detail=f"median of {starts}"),
        Row("a candidate beyond loads, runs and push", statistics.median(beyond), "ms", 15,
            detail=detail),
        Row("push of a candidate", statistics.median(pushes), "ms", detail=detail),
        Row("a run beyond the interpreter's own time", java_us, "us", 30, detail="median of 5000"),
        *ratio_rows("small network", found["small"], 3),
        *ratio_rows("13 MB network", found["13 MB"], 8),
    ]  # fmt: skip
    save(chosen, "android", "The Android agent on the lab's phone, a JVM in place of ART", rows)


if __name__ == "__main__":
    main()
