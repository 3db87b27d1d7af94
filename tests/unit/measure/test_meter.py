"""The meter's decisions, with an agent that plays back what a test tells it."""

import hashlib

import pytest

from adadeep.core.device import DeviceFacts
from adadeep.core.errors import (
    AgentError,
    DeadlinePassed,
    FormatError,
    ProcessEnded,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, measurement_key
from adadeep.core.reader import convert
from adadeep.devices.agent import AgentHello
from adadeep.devices.agent_messages import AgentResult
from adadeep.devices.parse.cpu_sysfs import CPU
from adadeep.measure import meter as meter_module
from adadeep.measure.meter import DeviceMeter, ModelJob
from adadeep_agent.wire import VERSION
from fakes.clock import HandClock

FACTS = DeviceFacts("serial-1", "adb", model="Toy")
SETTINGS = MeasureSettings(launches=1)
MODEL = b"a model"
SHA = hashlib.sha256(MODEL).hexdigest()
AGENT = Agent("toy", VERSION, "toy", "0")
KEY = measurement_key(SHA, AGENT.target(FACTS.fingerprint, FACTS.title, SETTINGS))
STUDY = "5717d1e5"
JOB = f"{STUDY}-{KEY}"


def reading(khz):
    clock = {f"{CPU}/online": "0", f"{CPU}/cpu0/cpufreq/scaling_cur_freq": f"{khz}\n"}
    return {"timestamp": 0.0, "texts": clock}


def result(job, runs_ms, model_sha256=SHA, khz=(1000, 1000)):
    launch = {
        "load_ns": 1,
        "first_ns": 1,
        "warmup_ns": [],
        "runs_ns": [int(ms * 1e6) for ms in runs_ms],
    }
    return {
        "job": job, "model_sha256": model_sha256, "model_bytes": len(MODEL),
        "agent": {"name": "toy", "version": VERSION, "runtime": "toy", "runtime_version": "0"},
        "settings": {k: getattr(SETTINGS, k) for k in SETTINGS.__dataclass_fields__},
        "launches": [launch], "delegates": [], "memory": {},
        "before": reading(khz[0]), "after": reading(khz[1]), "inputs": [], "outputs": [],
    }  # fmt: skip


def read_result(answer):
    return convert(answer, AgentResult, "the agent")


class PlayedAgent:
    """Answers `measure` with what `script` says; remembers what was asked."""

    ended, answers = False, True

    def __init__(self, script, spool=()):
        self.script, self.spool = script, list(spool)
        self.hello = AgentHello("toy", "toy", "0", len(self.spool))
        self.agent = AGENT
        self.asked, self.acknowledged, self.closed = [], [], False

    def push_model(self, model, deadline, name=None):
        return name or "passing"

    def measure(self, models, settings, deadline, read=(), spool=True):
        self.asked += [model.job for model in models]
        answers = [self.script(model.job) for model in models]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return tuple(map(read_result, answers))

    def spooled(self, deadline):
        return tuple(left["job"] for left in self.spool)

    def fetch(self, job, deadline):
        found = [left for left in self.spool if left["job"] == job]
        try:
            return read_result(found[0]) if found else None
        except FormatError:
            return None

    def acknowledge(self, jobs, deadline):
        self.acknowledged += jobs

    def close(self, cancel=False):
        self.closed = True

    def end(self):
        self.ended = True
        return self.answers


def steady(model_ms=2.0, anchor_ms=1.0):
    return lambda job: result(job, [anchor_ms if job == "anchor" else model_ms] * 9)


def meter_with(*agents):
    waiting = list(agents)
    return DeviceMeter(FACTS, lambda: waiting.pop(0), SETTINGS, STUDY, HandClock())


def measure(meter):
    [measurement] = meter.measure([MODEL])
    return measurement


def test_a_model_is_measured_between_two_anchors_and_gets_its_ratio():
    agent = PlayedAgent(steady())
    measurement = measure(meter_with(agent))
    assert agent.asked == ["anchor", JOB, "anchor"]
    assert measurement.latency_ms == pytest.approx(2.0)
    assert measurement.anchor_ratio == pytest.approx(2.0)
    assert (measurement.disturbed, measurement.attempts) == ((), 1)
    assert measurement.key == KEY


def test_a_fresh_anchor_serves_the_next_model_too_and_an_old_one_does_not():
    agent = PlayedAgent(steady())
    meter = meter_with(agent)
    measure(meter)
    measure(meter)
    assert agent.asked.count("anchor") == 3
    meter._clock.sleep(60)
    measure(meter)
    assert agent.asked.count("anchor") == 5


def test_a_result_is_acknowledged_only_when_the_next_one_is_asked_for():
    agent = PlayedAgent(steady())
    meter = meter_with(agent)
    measure(meter)
    assert agent.acknowledged == []
    measure(meter)
    assert agent.acknowledged == [JOB]


def test_suspect_samples_are_measured_again_and_the_good_ones_kept():
    anchors = iter([1.0, 2.0, 1.0, 1.0])
    agent = PlayedAgent(lambda job: result(job, [next(anchors) if job == "anchor" else 2.0] * 9))
    measurement = measure(meter_with(agent))
    assert (measurement.disturbed, measurement.attempts) == ((), 2)


def test_samples_that_stay_suspect_are_kept_with_the_reason():
    throttled = lambda job: result(job, [1.0] * 9, khz=(2000, 1000))  # noqa: E731
    measurement = measure(meter_with(PlayedAgent(throttled)))
    assert measurement.attempts == 3
    assert measurement.disturbed == ("the clock dropped 50%",)


def test_after_a_broken_link_the_spool_is_asked_before_anything_is_repeated():
    broken = PlayedAgent(lambda job: TransientDeviceError("cut") if job == JOB else steady()(job))
    back = PlayedAgent(steady(), spool=[result(JOB, [3.0] * 9)])
    measurement = measure(meter_with(broken, back))
    assert measurement.latency_ms == pytest.approx(3.0)
    assert JOB not in back.asked
    assert broken.closed


def test_after_a_broken_link_an_empty_spool_means_measuring_again():
    broken = PlayedAgent(lambda job: TransientDeviceError("cut") if job == JOB else steady()(job))
    back = PlayedAgent(steady())
    assert measure(meter_with(broken, back)).latency_ms == pytest.approx(2.0)
    assert back.asked[0] == JOB


def test_a_model_that_ends_every_agent_is_the_models_fault():
    def deadly(job):
        return TransientDeviceError("gone") if job == JOB else steady()(job)

    agents = [PlayedAgent(deadly) for _ in range(4)]
    with pytest.raises(AgentError) as caught:
        measure(meter_with(*agents))
    assert caught.value.code == "agent_died"
    assert caught.value.exit_code == 3  # somebody may have killed them


@pytest.mark.parametrize("status", [-11, 139, -6, 134, -8])
def test_a_model_that_crashes_every_agent_is_bad_input(status):
    def deadly(job):
        return ProcessEnded("gone", status) if job == JOB else steady()(job)

    agents = [PlayedAgent(deadly) for _ in range(4)]
    with pytest.raises(
        AgentError, match=f"crashes the runtime there .exit code {status}"
    ) as caught:
        measure(meter_with(*agents))
    assert (caught.value.code, caught.value.exit_code) == ("runtime_crashed", 2)


@pytest.mark.parametrize("status", [0, 1, -9, 137, 255, None])
def test_an_agent_that_was_killed_or_went_by_itself_is_no_crash(status):
    assert not ProcessEnded("gone", status).crashed


def test_an_agent_that_is_not_done_by_the_deadline_is_ended_and_tidied_up_after():
    endless = PlayedAgent(lambda job: DeadlinePassed("late") if job == JOB else steady()(job))
    next_one = PlayedAgent(steady())
    meter = meter_with(endless, next_one)
    with pytest.raises(AgentError, match="far longer") as caught:
        measure(meter)
    assert caught.value.exit_code == 2
    assert endless.ended
    assert endless.closed
    assert meter._client is next_one  # whose start removes the model


def test_a_device_that_does_not_answer_by_the_deadline_may_come_back():
    silent = PlayedAgent(lambda job: DeadlinePassed("late") if job == JOB else steady()(job))
    silent.answers = False
    assert measure(meter_with(silent, PlayedAgent(steady()))).latency_ms == 2.0


@pytest.mark.parametrize("error", [ProcessEnded("gone", -11), DeadlinePassed("late")])
def test_a_runtime_that_our_own_model_ends_is_the_devices_fault(error):
    agents = [PlayedAgent(lambda job: error) for _ in range(4)]
    with pytest.raises(StableDeviceError, match=r"even our own small model.*--provision"):
        measure(meter_with(*agents))


def test_a_device_that_is_gone_is_not_the_models_fault():
    broken = PlayedAgent(lambda job: TransientDeviceError("cut"))
    agents = iter([broken])

    def connect():
        agent = next(agents, None)
        if agent is None:
            raise TransientDeviceError("no device")
        return agent

    meter = DeviceMeter(FACTS, connect, SETTINGS, STUDY, HandClock())
    with pytest.raises(TransientDeviceError, match="did not come back"):
        measure(meter)


def test_an_agents_error_goes_to_the_caller_and_is_not_tried_again():
    agent = PlayedAgent(
        lambda job: AgentError("bad", "model_corrupt") if job == JOB else steady()(job)
    )
    with pytest.raises(AgentError, match="bad"):
        measure(meter_with(agent))
    assert agent.asked.count(JOB) == 1


def test_a_model_that_arrived_damaged_is_not_measured_silently():
    agent = PlayedAgent(lambda job: result(job, [1.0] * 9, model_sha256="0" * 64))
    with pytest.raises(TransientDeviceError, match="damaged"):
        measure(meter_with(agent))


def test_what_an_earlier_host_left_is_there_and_still_on_the_device():
    agent = PlayedAgent(steady(), spool=[result(JOB, [3.0] * 9)])
    meter = meter_with(agent)
    assert [found.key for found in meter.recovered] == [KEY]
    assert agent.acknowledged == []
    meter.acknowledge([KEY])
    assert agent.acknowledged == [JOB]


@pytest.mark.parametrize(
    "harm",
    [
        lambda left: left.update(agent={**left["agent"], "runtime_version": "older"}),
        lambda left: left.update(after=reading(10)),
        lambda left: left.update(job=f"{STUDY}-of-before-an-update"),
        lambda left: left.pop("model_bytes"),
        lambda left: left.update(launches="none"),
    ],
    ids=["another runtime", "suspect", "another build", "field missing", "another shape"],
)
def test_leftovers_that_can_not_be_taken_for_a_measurement_of_now_are_dropped(harm):
    left = result(JOB, [3.0] * 9)
    harm(left)
    agent = PlayedAgent(steady(), spool=[left])
    assert meter_with(agent).recovered == ()
    assert agent.acknowledged == [left["job"]]


@pytest.mark.parametrize("job", [KEY, f"0a0a0a0a-{KEY}", "0a0a0a0a-of-before-an-update"])
def test_what_another_study_left_is_neither_taken_nor_dropped(job):
    agent = PlayedAgent(steady(), spool=[result(job, [3.0] * 9)])
    meter = meter_with(agent)
    assert meter.recovered == ()
    assert measure(meter).latency_ms == pytest.approx(2.0)
    measure(meter)
    assert agent.acknowledged == [JOB]


def test_outputs_that_are_no_tensors_are_an_error_of_the_device():
    odd = [[{"dtype": "float32", "shape": [9], "data": "AA=="}]]

    def script(job):
        return {**steady()(job), "outputs": odd if job == JOB else []}

    with pytest.raises(TransientDeviceError, match="no tensors"):
        measure(meter_with(PlayedAgent(script)))


def test_a_model_that_somebody_removed_from_the_device_is_pushed_again():
    missing = iter([True, False, False])

    def script(job):
        if job == JOB and next(missing):
            return AgentError("gone", "model_missing")
        return steady()(job)

    assert measure(meter_with(PlayedAgent(script))).latency_ms == pytest.approx(2.0)


def test_the_target_is_the_device_the_agent_and_the_settings():
    meter = meter_with(PlayedAgent(steady()))
    target = meter.target
    assert (target.device_fingerprint, target.device_title) == (FACTS.fingerprint, "Toy")
    assert (target.agent, target.runtime, target.settings) == ("toy", "toy", SETTINGS)
    assert measure(meter).target == target


OTHER = b"another model"
OTHER_SHA = hashlib.sha256(OTHER).hexdigest()


def two_models(job):
    mine = job == "anchor" or job == JOB
    digest, size = (SHA, len(MODEL)) if mine else (OTHER_SHA, len(OTHER))
    return {**steady()(job), "model_sha256": digest, "model_bytes": size}


def test_several_models_are_measured_one_after_the_other_each_with_its_own_job():
    agent = PlayedAgent(two_models)
    found = meter_with(agent).measure([MODEL, OTHER])
    assert [one.model_sha256 for one in found] == [SHA, OTHER_SHA]
    other = f"{STUDY}-{found[1].key}"
    assert agent.asked == ["anchor", JOB, "anchor", other, "anchor"]
    assert agent.acknowledged == [JOB]


def test_models_of_one_request_share_anchors_and_are_found_in_the_spool_together(monkeypatch):
    monkeypatch.setattr(meter_module, "_TOGETHER", 2)
    jobs = [ModelJob(MODEL), ModelJob(OTHER)]
    broken = PlayedAgent(
        lambda job: steady()(job) if job == "anchor" else TransientDeviceError("cut")
    )
    meter = meter_with(broken, PlayedAgent(two_models))
    found = [done.measurement for done in meter.measure_jobs(jobs)]
    names = [f"{STUDY}-{one.key}" for one in found]
    assert broken.asked == ["anchor", *names]
    assert meter._client.asked == [*names, "anchor"]
    left = [two_models(name) for name in names]
    again = meter_with(broken, PlayedAgent(two_models, spool=left))
    assert [done.measurement.model_sha256 for done in again.measure_jobs(jobs)] == [SHA, OTHER_SHA]
    assert again._client.asked == ["anchor"]


def test_a_model_is_counted_once_however_often_it_is_measured():
    agent = PlayedAgent(steady())
    meter = meter_with(agent)
    meter.measure([MODEL])
    assert (meter.tally.models, meter.tally.suspect) == (1, 0)
    assert meter.tally.undisturbed[SHA].latency_ms == pytest.approx(2.0)
    hot = iter([1.0, 2.0] * 9)  # the anchor drifts each time
    drifting = PlayedAgent(lambda job: result(job, [next(hot) if job == "anchor" else 2.0] * 9))
    meter = meter_with(drifting)
    [measured] = meter.measure([MODEL])
    assert measured.attempts == 3
    assert (meter.tally.models, meter.tally.suspect) == (1, 1)
    assert meter.tally.undisturbed == {}
