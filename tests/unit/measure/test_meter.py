"""The meter's decisions, with an agent that plays back what a test tells it."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace as replace_struct

from adadeep.core.device import DeviceFacts
from adadeep.core.errors import (
    AgentError,
    DeadlinePassed,
    ProcessEnded,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Block, Memory, Placement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import PRIOR
from adadeep.core.session import Ended, session_id
from adadeep.devices.agent_messages import AgentSession, ModelResult, ResultBody
from adadeep.devices.parse.conditions import ANDROID_PATHS, CONDITION_COMMANDS
from adadeep.devices.parse.cpu_sysfs import CPU
from adadeep.devices.reading import Reading
from adadeep.measure.faults import blaming_the_runtime
from adadeep.measure.launches import launch_plan
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.measure.meter import DeviceMeter, ModelJob
from adadeep.measure.tensors import to_message
from adadeep_agent.wire import VERSION
from fakes.clock import HandClock
from fakes.tflite_models import rewritten

FACTS = DeviceFacts("serial-1", "adb", model="Toy")
SETTINGS = MeasureSettings()
PLAN = MeasuringPlan(placements=6, least_placements=3)
MODEL, OTHER = b"a model", b"another model"
SHA, OTHER_SHA = (hashlib.sha256(model).hexdigest() for model in (MODEL, OTHER))
AGENT = Agent("toy", VERSION, "toy", "0")
TARGET = AGENT.target(FACTS.fingerprint, FACTS.title, SETTINGS)
STUDY = "5717d1e5"
ID = session_id([SHA], PLAN, TARGET.key)
JOB = f"{STUDY}-{ID}"
MS = 1_000_000


def reading(khz=1000, celsius=None):
    texts = {f"{CPU}/online": "0", f"{CPU}/cpu0/cpufreq/scaling_cur_freq": f"{khz}\n"}
    if celsius is not None:
        zone = "/sys/class/thermal/thermal_zone0"
        texts |= {f"{zone}/type": "cpu-thermal", f"{zone}/temp": f"{1000 * celsius}\n"}
    return Reading(0.0, texts, {})


ONE = ((SHA, len(MODEL), 2 * MS),)


def session(job, models=ONE, placements=2, khz=(1000, 1000), **changes):
    """What an agent says of models: (hash, size, ns of a run)."""
    told = {
        "job": job, "agent": AGENT, "settings": SETTINGS, "plan": PLAN, "read_block": (),
        "models": tuple(ModelResult(sha[:8], sha, size, (), ()) for sha, size, _ in models),
        "memory": Memory(), "before": reading(celsius=40), "after": reading(),
        "ended": "placements", "parts": placements,
    }  # fmt: skip
    blocks = [(number, khz[0] if number < 2 else khz[1]) for number in range(4)]
    placed = tuple(
        tuple(
            Placement(number, 0, 1, ns, tuple(
                Block(n, n, 1, (ns,) * 3, core=0, khz=clock) for n, clock in blocks
            ))
            for number in range(placements)
        )
        for _, _, ns in models
    )  # fmt: skip
    return AgentSession(ResultBody(**{**told, **changes}), placed)


class PlayedAgent:
    """Answers `measure` with what `script` says; remembers what was asked."""

    ended, answers = False, True

    def __init__(self, script=None, spool=(), state=reading):
        self.script, self.spool, self.state = script or steady, list(spool), state
        self.hello = SimpleNamespace(spooled=len(self.spool))
        self.agent = AGENT
        self.asked, self.acknowledged, self.pushed, self.closed = [], [], [], []
        self.models, self.plans, self.looks = [], [], 0

    def push_model(self, model, deadline, name=None):
        self.pushed.append(model)
        return name or hashlib.sha256(model).hexdigest()

    def measure(self, job, models, settings, plan, deadline, **around):
        self.asked.append(job)
        self.models.append(models)
        self.plans.append(plan)
        self.around = around
        answer = self.script(job, models, plan)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def read(self, patterns, deadline, commands=()):
        self.looks += 1
        return self.state()

    def spooled(self, deadline):
        return tuple(left.job for left in self.spool)

    def fetch(self, job, deadline):
        return next((left for left in self.spool if left.job == job), None)

    def acknowledge(self, jobs, deadline):
        self.acknowledged += jobs

    acknowledge_ahead = acknowledge

    def close(self, cancel=False):
        self.closed.append(cancel)

    def end(self):
        self.ended = True
        return self.answers


SIZES = {SHA: len(MODEL), OTHER_SHA: len(OTHER)}


def steady(job, models, plan, **changes):
    told = [(model.sha256, SIZES[model.sha256], 2 * MS) for model in models]
    return session(job, told, plan=plan, **changes)


def always(error):
    return lambda *_: error


def meter_with(*agents, clock=None):
    waiting = list(agents)
    return DeviceMeter(FACTS, lambda: waiting.pop(0), SETTINGS, STUDY, PRIOR, clock or HandClock())


def test_a_model_that_the_runtime_is_known_not_to_run_is_not_pushed():
    agent = PlayedAgent()
    agent.agent = Agent("toy", VERSION, "tensorflow-lite", "2.16.1")

    def change(parts):
        parts.operatorCodes[0].version = 12

    new = rewritten(tflite_of(SingleLayer(dense(8, 4))), change)
    with pytest.raises(AgentError, match="needs a newer runtime") as caught:
        meter_with(agent).measure([MODEL, new], PLAN)
    assert caught.value.model == hashlib.sha256(new).hexdigest()[:8]
    assert agent.pushed == []


def on_cpuset(group):
    texts = {"/proc/self/cgroup": f"4:cpuset:{group}\n", "/proc/self/status": ""}
    return Reading(0.0, texts, {})


BATTERY = "Current Battery Service state:\n  status: 3\n  level: 50\n  voltage: 3900\n"


def on_android(*agents, clock=None):
    facts, waiting = replace(FACTS, os="android"), list(agents)
    return DeviceMeter(facts, lambda: waiting.pop(0), SETTINGS, STUDY, PRIOR, clock or HandClock())


def test_on_android_services_are_asked_and_where_the_agent_runs_is_part_of_the_target():
    def told(job, models, plan):
        return steady(job, models, plan, before=on_cpuset("/"))

    agent, elsewhere = PlayedAgent(told, state=lambda: on_cpuset("/")), PlayedAgent()
    meter = on_android(agent)
    assert meter.target.scheduling == "cpuset /"
    assert meter.measure([MODEL], PLAN).measurements[0].target == meter.target
    assert agent.around["commands"] == CONDITION_COMMANDS
    assert agent.around["read"] == ANDROID_PATHS
    linux = meter_with(elsewhere)
    linux.measure([MODEL], PLAN)
    assert linux.target.scheduling is None
    assert elsewhere.around["commands"] == ()
    assert elsewhere.looks == 0


def test_services_are_asked_every_ten_seconds_and_what_they_said_holds_as_long():
    said = {"dumpsys power": "  mWakefulness=Awake\n", "dumpsys battery": BATTERY}

    def told(job, models, plan):
        around = replace_struct(on_cpuset("/"), commands=said if agent.around["commands"] else {})
        return steady(job, models, plan, before=around, after=around)

    agent = PlayedAgent(told, state=lambda: on_cpuset("/"))
    clock = HandClock()
    meter = on_android(agent, clock=clock)
    asked = []
    for wait_s in (0, 1, 8, 1, 30):
        clock.sleep(wait_s)
        [measured] = meter.measure([MODEL], PLAN).measurements
        asked.append(bool(agent.around["commands"]))
        for state in (measured.before, measured.after):
            assert (state.screen, state.battery_status) == ("on", "Discharging")
            assert state.scheduling == "cpuset /"
    assert asked == [True, False, False, True, True]


def test_what_ran_on_other_cores_than_the_target_has_is_not_taken():
    def moved(job, models, plan):
        return steady(job, models, plan, before=on_cpuset("/background"))

    agent = PlayedAgent(moved, state=lambda: on_cpuset("/"))
    with pytest.raises(TransientDeviceError, match=r"other cores: cpuset /background.*cpuset /\."):
        on_android(agent).measure([MODEL], PLAN)


def test_models_are_measured_in_one_request_and_can_be_compared():
    agent = PlayedAgent()
    meter = meter_with(agent)
    found = meter.measure([MODEL, OTHER], PLAN)
    assert len(agent.asked) == 1
    assert [one.model_sha256 for one in found.measurements] == [SHA, OTHER_SHA]
    assert {one.session for one in found.measurements} == {found.id}
    assert found.id == session_id([SHA, OTHER_SHA], PLAN, meter.target.key)
    assert agent.asked == [f"{STUDY}-{found.id}"]
    assert [one.disturbed for one in found.measurements] == [(), ()]
    assert found.ended is Ended.PLACEMENTS


def test_a_session_is_acknowledged_only_when_the_next_one_is_asked_for():
    agent = PlayedAgent()
    meter = meter_with(agent)
    meter.measure([MODEL], PLAN)
    assert agent.acknowledged == []
    meter.measure([OTHER], PLAN)
    assert agent.acknowledged == [JOB]
    meter.close()
    assert agent.acknowledged == agent.asked
    assert agent.closed == [False]


def test_what_a_broken_link_may_not_have_heard_is_acknowledged_again():
    answers = [steady, always(TransientDeviceError("the link broke"))]
    lost, mended = PlayedAgent(lambda *asked: answers.pop(0)(*asked)), PlayedAgent()
    meter = meter_with(lost, mended)
    meter.measure([MODEL], PLAN)
    meter.measure([OTHER], PLAN)
    assert lost.acknowledged == [JOB]
    assert mended.acknowledged == [JOB]


def test_a_cancelled_meter_leaves_the_last_session_on_the_device():
    agent = PlayedAgent()
    meter = meter_with(agent)
    meter.measure([MODEL], PLAN)
    meter.close(cancel=True)
    assert (agent.acknowledged, agent.closed) == ([], [True])


def test_a_model_that_comes_again_stays_on_the_device_and_a_candidate_does_not():
    agent = PlayedAgent()
    meter = meter_with(agent)
    for model in (MODEL, MODEL, MODEL, OTHER):
        meter.measure([model], PLAN)
    assert [model.keep for (model,) in agent.models] == [False, True, True, False]
    assert agent.pushed == [MODEL, MODEL, OTHER]


def test_what_is_to_be_kept_under_a_name_is_pushed_there_and_stays():
    agent = PlayedAgent()
    meter_with(agent).session([ModelJob(MODEL, keep_as="deployed/x.tflite")], PLAN)
    [[model]] = agent.models
    assert (model.path, model.keep) == ("deployed/x.tflite", True)


def test_errors_have_the_jobs_names_and_else_the_start_of_the_hash():
    agent = PlayedAgent()
    meter_with(agent).session([ModelJob(MODEL, name="mine", block_ms=3.0), ModelJob(OTHER)], PLAN)
    [[mine, other]] = agent.models
    assert (mine.name, mine.block_ms, other.name, other.block_ms) == (
        "mine", 3.0, OTHER_SHA[:8], None,
    )  # fmt: skip


# ---- launches


def test_each_launch_is_an_agent_of_its_own_and_does_its_share():
    agents = [PlayedAgent(), PlayedAgent(), PlayedAgent()]
    meter = meter_with(*agents)
    found = meter.measure([MODEL], PLAN, launches=3)
    plans = [agent.plans[0] for agent in agents]
    assert plans == [launch_plan(PLAN, launch, 3) for launch in range(3)]
    assert [plan.placements for plan in plans] == [2, 2, 2]
    assert len({plan.seed for plan in plans}) == 3
    placements = found.measurements[0].placements
    assert [(p.number, p.launch) for p in placements] == [
        (0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2),
    ]  # fmt: skip
    assert (found.id, found.plan) == (ID, PLAN)
    assert [agent.acknowledged for agent in agents] == [[], [], []]
    assert [agent.closed for agent in agents] == [[False], [False], []]


def test_a_session_of_several_launches_is_forgotten_as_a_whole():
    agents = [PlayedAgent(), PlayedAgent()]
    meter = meter_with(*agents)
    found = meter.measure([MODEL], PLAN, launches=2)
    jobs = agents[0].asked + agents[1].asked
    assert len(set(jobs)) == 2
    meter.acknowledge([found.id])
    assert agents[1].acknowledged == jobs


def test_a_launch_whose_link_broke_is_repeated_alone():
    agents = [PlayedAgent(), PlayedAgent(always(TransientDeviceError("cut"))), PlayedAgent()]
    meter_with(*agents).measure([MODEL], PLAN, launches=2)
    assert agents[1].asked == agents[2].asked
    assert len(agents[0].asked) == 1


# ---- disturbances


def throttled(job, models, plan):
    return session(job, khz=(2000, 1500), plan=plan)


def test_a_disturbed_session_is_kept_and_says_why():
    meter = meter_with(PlayedAgent(throttled))
    [one] = meter.measure([MODEL], PLAN).measurements
    assert one.disturbed == ("the clock dropped 25%",)
    assert (meter.tally.models, meter.tally.suspect) == (1, 1)
    assert meter.tally.undisturbed == {}


def test_a_device_that_throttled_is_waited_for_until_it_is_cool():
    warm = iter([60, 50, 43, 42])
    agent = PlayedAgent(throttled, state=lambda: reading(100, next(warm)))
    clock = HandClock()
    meter = meter_with(agent, clock=clock)
    meter.measure([MODEL], PLAN)
    assert agent.looks == 0
    agent.script = steady
    [one] = meter.measure([MODEL], PLAN).measurements
    assert agent.looks == 3
    assert one.disturbed == ()
    meter.measure([MODEL], PLAN)
    assert agent.looks == 3  # it did not throttle again
    assert 0 < clock.time < 60


def test_a_device_that_stays_hot_is_measured_after_a_minute_and_it_is_said():
    agent = PlayedAgent(throttled, state=lambda: reading(100, 70))
    clock = HandClock()
    meter = meter_with(agent, clock=clock)
    meter.measure([MODEL], PLAN)
    agent.script = steady
    [one] = meter.measure([MODEL], PLAN).measurements
    [reason] = one.disturbed
    assert "still 30 °C warmer after 60 s" in reason
    assert 60 <= clock.time < 65


# ---- the link


def test_after_a_broken_link_the_spool_is_asked_before_anything_is_repeated():
    broken = PlayedAgent(always(TransientDeviceError("cut")))
    left = session(JOB, [(SHA, len(MODEL), 3 * MS)])
    back = PlayedAgent(spool=[left])
    [one] = meter_with(broken, back).measure([MODEL], PLAN).measurements
    assert one.latency_ms == pytest.approx(3.0)
    assert back.asked == []
    assert broken.closed == [True]


@pytest.mark.parametrize(
    "left", [(), [session(JOB, plan=MeasuringPlan(seed=1))]], ids=["empty", "of another plan"]
)
def test_after_a_broken_link_a_spool_without_it_means_measuring_again(left):
    broken = PlayedAgent(always(TransientDeviceError("cut")))
    back = PlayedAgent(spool=left)
    [one] = meter_with(broken, back).measure([MODEL], PLAN).measurements
    assert one.latency_ms == pytest.approx(2.0)
    assert back.asked == [JOB]


@pytest.mark.parametrize("code", ["slept", "clock_jumped"])
def test_a_device_that_slept_is_measured_again_by_the_same_agent(code):
    first = iter([AgentError("slept", code)])
    agent = PlayedAgent(lambda *asked: next(first, None) or steady(*asked))
    meter_with(agent).measure([MODEL], PLAN)
    assert agent.asked == [JOB, JOB]
    sleepy = PlayedAgent(always(AgentError("slept", code)))
    with pytest.raises(AgentError) as caught:
        meter_with(sleepy).measure([MODEL], PLAN)
    assert (caught.value.code, caught.value.exit_code) == (code, 3)
    assert len(sleepy.asked) == 3


@pytest.mark.parametrize("code", ["model_missing", "model_damaged"])
def test_a_model_that_is_gone_or_damaged_on_the_device_is_pushed_again(code):
    agent = PlayedAgent()
    meter = meter_with(agent)
    for _ in range(2):
        meter.measure([MODEL], PLAN)
    pushed = len(agent.pushed)
    first = iter([AgentError("gone", code)])
    agent.script = lambda *asked: next(first, None) or steady(*asked)
    meter.measure([MODEL], PLAN)
    assert len(agent.pushed) == pushed + 1


def test_a_device_that_is_gone_is_not_the_models_fault():
    agents = iter([PlayedAgent(always(TransientDeviceError("cut")))])

    def connect():
        agent = next(agents, None)
        if agent is None:
            raise TransientDeviceError("no device")
        return agent

    meter = DeviceMeter(FACTS, connect, SETTINGS, STUDY, PRIOR, HandClock())
    with pytest.raises(TransientDeviceError, match="did not come back"):
        meter.measure([MODEL], PLAN)


def test_a_model_that_arrived_as_another_is_not_measured_silently():
    agent = PlayedAgent(lambda job, *_: session(job, [("0" * 64, len(MODEL), 1)]))
    with pytest.raises(TransientDeviceError, match="damaged"):
        meter_with(agent).measure([MODEL], PLAN)


# ---- models at fault


def test_an_agents_error_goes_to_the_caller_and_is_not_tried_again():
    agent = PlayedAgent(always(AgentError("bad", "model_corrupt", "mine")))
    with pytest.raises(AgentError, match="bad") as caught:
        meter_with(agent).measure([MODEL], PLAN)
    assert caught.value.model == "mine"
    assert len(agent.asked) == 1


def test_a_model_that_ends_every_agent_is_the_models_fault():
    agents = [PlayedAgent(always(TransientDeviceError("gone"))) for _ in range(4)]
    with pytest.raises(AgentError) as caught:
        meter_with(*agents).measure([MODEL], PLAN)
    assert (caught.value.code, caught.value.model) == ("agent_died", SHA[:8])
    assert caught.value.exit_code == 3  # somebody may have killed them


@pytest.mark.parametrize("status", [-11, 139, -6, 134, -8])
def test_a_model_that_crashes_every_agent_is_bad_input(status):
    agents = [PlayedAgent(always(ProcessEnded("gone", status))) for _ in range(4)]
    with pytest.raises(
        AgentError, match=f"crashes the runtime there .exit code {status}"
    ) as caught:
        meter_with(*agents).measure([MODEL], PLAN)
    assert (caught.value.code, caught.value.exit_code) == ("runtime_crashed", 2)


def test_a_model_that_crashed_the_runtime_twice_is_not_run_again():
    def deadly(job, models, plan):
        if OTHER_SHA in [model.sha256 for model in models]:
            return ProcessEnded("gone", 139)
        return steady(job, models, plan)

    agents = [PlayedAgent(deadly) for _ in range(5)]
    meter = meter_with(*agents)
    with pytest.raises(AgentError, match="crashes the runtime"):
        meter.measure([OTHER], PLAN)
    asked = [len(agent.asked) for agent in agents]
    assert sum(asked) == 2
    for models in ([OTHER], [MODEL, OTHER]):
        with pytest.raises(AgentError, match="crashed the runtime there twice") as caught:
            meter.measure(models, PLAN)
        assert (caught.value.code, caught.value.model) == ("runtime_crashed", OTHER_SHA[:8])
        assert caught.value.exit_code == 2
    assert [len(agent.asked) for agent in agents] == asked
    assert meter.measure([MODEL], PLAN).measurements


def test_one_crash_is_not_enough():
    answers = iter([ProcessEnded("gone", 139)])
    agents = [PlayedAgent(lambda *asked: next(answers, None) or steady(*asked)) for _ in range(3)]
    meter = meter_with(*agents)
    assert meter.measure([MODEL], PLAN).measurements
    assert meter.measure([MODEL], PLAN).measurements


def test_of_several_models_the_one_that_crashes_the_runtime_is_found():
    def deadly(job, models, plan):
        if OTHER_SHA in [model.sha256 for model in models]:
            return ProcessEnded("gone", -11)
        return steady(job, models, plan)

    agents = [PlayedAgent(deadly) for _ in range(10)]
    with pytest.raises(AgentError) as caught:
        meter_with(*agents).measure([MODEL, OTHER], PLAN)
    assert (caught.value.code, caught.value.model) == ("runtime_crashed", OTHER_SHA[:8])


def test_models_that_crash_the_runtime_only_together_are_no_ones_fault():
    def deadly(job, models, plan):
        return ProcessEnded("gone", -11) if len(models) > 1 else steady(job, models, plan)

    agents = [PlayedAgent(deadly) for _ in range(10)]
    with pytest.raises(AgentError) as caught:
        meter_with(*agents).measure([MODEL, OTHER], PLAN)
    assert (caught.value.code, caught.value.model) == ("runtime_crashed", None)


@pytest.mark.parametrize("status", [0, 1, -9, 137, 255, None])
def test_an_agent_that_was_killed_or_went_by_itself_is_no_crash(status):
    assert not ProcessEnded("gone", status).crashed


def test_an_agent_that_is_not_done_by_the_deadline_is_ended_and_tidied_up_after():
    endless, next_one = PlayedAgent(always(DeadlinePassed("late"))), PlayedAgent()
    meter = meter_with(endless, next_one)
    with pytest.raises(AgentError, match="far longer") as caught:
        meter.measure([MODEL], PLAN)
    assert (caught.value.exit_code, caught.value.model) == (2, SHA[:8])
    assert endless.ended
    assert endless.closed
    assert meter._link.open() is next_one  # whose start removes the model


def test_a_device_that_does_not_answer_by_the_deadline_may_come_back():
    silent = PlayedAgent(always(DeadlinePassed("late")))
    silent.answers = False
    [one] = meter_with(silent, PlayedAgent()).measure([MODEL], PLAN).measurements
    assert one.latency_ms == 2.0


def test_a_runtime_that_our_own_model_ends_is_the_devices_fault():
    with (
        pytest.raises(StableDeviceError, match=r"even our own small model.*--provision"),
        blaming_the_runtime("S", ["ours"]),
    ):
        raise AgentError("dead", "runtime_crashed", "ours")
    with pytest.raises(AgentError, match="dead"), blaming_the_runtime("S", ["ours"]):
        raise AgentError("dead", "runtime_crashed", "yours")


# ---- what an earlier host left


def test_what_an_earlier_host_left_is_there_and_still_on_the_device():
    agent = PlayedAgent(spool=[session(JOB)])
    meter = meter_with(agent)
    assert [found.id for found in meter.recovered] == [ID]
    assert agent.acknowledged == []
    meter.acknowledge([ID])
    assert agent.acknowledged == [JOB]


@pytest.mark.parametrize(
    "left",
    [
        session(JOB, agent=Agent("toy", VERSION, "toy", "older")),
        session(f"{STUDY}-of-before-an-update"),
        session(JOB, settings=MeasureSettings(threads=2)),
        session(f"{STUDY}-{'0' * 16}"),
    ],
    ids=["another runtime", "no session", "other settings", "another build"],
)
def test_leftovers_that_can_not_be_taken_for_a_session_of_now_are_dropped(left):
    agent = PlayedAgent(spool=[left])
    assert meter_with(agent).recovered == ()
    assert agent.acknowledged == [left.job]


@pytest.mark.parametrize("job", [ID, f"0a0a0a0a-{ID}", "0a0a0a0a-of-before-an-update"])
def test_what_another_study_left_is_neither_taken_nor_dropped(job):
    agent = PlayedAgent(spool=[session(job)])
    meter = meter_with(agent)
    assert meter.recovered == ()
    for _ in range(2):
        meter.measure([MODEL], PLAN)
    assert agent.acknowledged == [JOB]


def test_what_this_host_measured_itself_is_nothing_recovered():
    second = PlayedAgent(spool=[session(JOB)])
    meter = meter_with(PlayedAgent(), second)
    meter.measure([MODEL], PLAN, launches=2)
    assert meter.recovered == ()
    assert second.acknowledged == []


# ---- outputs


def test_outputs_are_given_a_model_and_a_sample():
    def script(job, models, plan):
        answer = steady(job, models, plan)
        [told] = answer.models
        sample = (to_message(np.full((1, 2), 7, "f4")),)
        model = ModelResult(told.name, told.model_sha256, told.model_bytes, (), (), (sample,))
        body = {f: getattr(answer.result, f) for f in answer.result.__struct_fields__}
        return AgentSession(ResultBody(**{**body, "models": (model,)}), answer.placements)

    agent = PlayedAgent(script)
    done = meter_with(agent).session([ModelJob(MODEL, [[np.zeros((1, 3), "f4")]])], PLAN)
    assert done.outputs[0][0][0].tolist() == [[7.0, 7.0]]
    [[model]] = agent.models
    assert len(model.inputs) == 1


def test_outputs_that_are_no_tensors_are_an_error_of_the_device():
    def script(job, models, plan):
        answer = steady(job, models, plan)
        odd = ({"dtype": "float32", "shape": [9], "data": "AA=="},)
        model = ModelResult("x", SHA, len(MODEL), (), (), (odd,))
        body = {f: getattr(answer.result, f) for f in answer.result.__struct_fields__}
        return AgentSession(ResultBody(**{**body, "models": (model,)}), answer.placements)

    with pytest.raises(TransientDeviceError, match="no tensors"):
        meter_with(PlayedAgent(script)).measure([MODEL], PLAN)


def test_the_target_is_the_device_the_agent_and_the_settings():
    meter = meter_with(PlayedAgent())
    target = meter.target
    assert (target.device_fingerprint, target.device_title) == (FACTS.fingerprint, "Toy")
    assert (target.agent, target.runtime, target.settings) == ("toy", "toy", SETTINGS)
    assert meter.measure([MODEL], PLAN).measurements[0].target == target


def test_every_model_of_every_session_is_counted():
    meter = meter_with(PlayedAgent())
    meter.measure([MODEL, OTHER], PLAN)
    meter.measure([MODEL], PLAN)
    assert (meter.tally.models, meter.tally.suspect, len(meter.tally.sessions)) == (3, 0, 2)
    assert meter.tally.undisturbed[SHA].latency_ms == pytest.approx(2.0)
