"""Sessions without the product: models in turn in a loop of our own, a process a launch.

The same as `device_agent/protocol/PROTOCOL.md` says, in short; for a machine on which only a
runtime is installed, and to judge the agent by another one.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import math
import multiprocessing
import os
import random
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from adadeep.core.measurement import Block, Placement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import MeasuredTogether
from noise.stored import together

Placements = list[list[Placement]]  # of each model


def measure(
    models: Sequence[bytes], plan: MeasuringPlan, launches: int, name: str
) -> MeasuredTogether:
    """A session, as the meter gives it."""
    found: Placements = [[] for _ in models]
    share = max(plan.placements // launches, 1)
    for launch in range(launches):
        part = replace(plan, seed=plan.seed * 97 + launch, placements=share,
                       max_ms=plan.max_ms / launches)  # fmt: skip
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            done = pool.apply(_launch, (list(models), part, launch, launch * share))
        for one, more in zip(found, done, strict=True):
            one += more
    return _session(models, plan, found, name)


def in_process(
    models: Sequence[bytes], plan: MeasuringPlan, launches: int, name: str
) -> MeasuredTogether:
    """As `measure`, without a process of its own: to see that it runs."""
    del launches
    return _session(models, plan, _launch(list(models), plan, 0, 0), name)


def _session(
    models: Sequence[bytes], plan: MeasuringPlan, found: Placements, name: str
) -> MeasuredTogether:
    shas = [hashlib.sha256(model).hexdigest() for model in models]
    sizes = [len(model) for model in models]
    session = hashlib.sha256(f"{name} {plan} {shas}".encode()).hexdigest()[:16]
    return together(session, plan, shas, sizes, found, time.time())


def _launch(models: list[bytes], plan: MeasuringPlan, launch: int, first: int) -> Placements:
    shuffle = random.Random(plan.seed)
    found: Placements = [[] for _ in models]
    end = time.perf_counter() + plan.max_ms / 1000
    for number in range(first, first + plan.placements):
        if number > first and time.perf_counter() > end:
            break
        placed = _placed(models, plan, shuffle, launch, number)
        for one, placement in zip(found, placed, strict=True):
            one.append(placement)
    return found


def _placed(
    models: list[bytes], plan: MeasuringPlan, shuffle: random.Random, launch: int, number: int
) -> list[Placement]:
    order = list(range(len(models)))
    shuffle.shuffle(order)
    loaded = {index: _load(models[index]) for index in order}
    load_s = sum(load for _, load, _, _ in loaded.values())
    blocks: list[list[Block]] = [[] for _ in models]
    timed, rounds = 0.0, 0
    gc.disable()
    while timed < max(plan.placement_ms / 1000, 4 * load_s) or not rounds:
        shuffle.shuffle(order)
        for index in order:
            run, _, _, run_s = loaded[index]
            blocks[index].append(_block(run, run_s, plan, rounds))
            timed += sum(blocks[index][-1].times_ns) / 1e9
        rounds += 1
    gc.enable()
    return [
        Placement(number, launch, int(load * 1e9), int(first_s * 1e9), tuple(blocks[index]))
        for index, (_, load, first_s, _) in sorted(loaded.items())
    ]


def _load(model: bytes):
    from ai_edge_litert.interpreter import Interpreter

    start = time.perf_counter()
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        values = np.random.default_rng(0).uniform(0, 1, detail["shape"])
        interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
    loaded = time.perf_counter()
    interpreter.invoke()
    first = time.perf_counter()
    interpreter.invoke()
    interpreter.invoke()
    run_s = (time.perf_counter() - first) / 2
    return interpreter.invoke, loaded - start, first - loaded, run_s


def _block(run, run_s: float, plan: MeasuringPlan, number: int) -> Block:
    clock = time.perf_counter_ns
    block_s = plan.block_ms / 1000
    group = max(
        math.ceil(plan.group * 2e-7 / run_s), math.ceil(block_s / run_s / plan.block_timings)
    )
    dropped, drop_ns = [], 0
    while len(dropped) < plan.drop_runs or drop_ns < plan.drop_ms * 1e6:
        start = clock()
        run()
        dropped.append(clock() - start)
        drop_ns += dropped[-1]
    waited = _waited_ns()
    times, begun = [], clock()
    while not times or sum(times) < plan.block_ms * 1e6:
        start = clock()
        for _ in range(group):
            run()
        times.append(max(clock() - start, 1))
    after = _waited_ns()
    delay = None if waited is None or after is None else after - waited
    return Block(number, begun, group, tuple(times), dropped[0], delay_ns=delay)


@functools.cache
def _schedstat() -> int | None:
    try:
        return os.open("/proc/thread-self/schedstat", os.O_RDONLY)
    except OSError:
        return None


def _waited_ns() -> int | None:
    """How long this thread waited for a processor so far; None where the kernel does not tell."""
    file = _schedstat()
    return None if file is None else int(os.pread(file, 100, 0).split()[1])
