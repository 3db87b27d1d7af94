"""What a profile's table is made of, with a meter that plays back what a test tells it."""

import contextlib
import hashlib
from dataclasses import replace

import pytest

from adadeep.core.device import DeviceFacts
from adadeep.core.errors import AgentError, ConfigError, StableDeviceError, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent
from adadeep.core.noise import PRIOR
from adadeep.measure import profiling
from adadeep.measure.layer_models import SingleLayer, dense
from adadeep.measure.meter_jobs import model_name
from adadeep.measure.profiling import ProfileRequest, profile_device
from adadeep.measure.reference_models import SHARP, reference_model, reference_models
from adadeep.measure.session_log import Tally
from adadeep.profiles import files
from adadeep.testing.measurements import together

SETTINGS = MeasureSettings()
FACTS = DeviceFacts("serial-1", "adb", model="Toy")
AGENT = Agent("a", "0.1.0", "r", "0")  # as played measurements have it
TARGET = AGENT.target(FACTS.fingerprint, "Toy", SETTINGS)
LAYERS = tuple(SingleLayer(dense(8, units)) for units in range(2, 12))  # two sessions


class PlayedMeter:
    """Measures layers; `fail` gives an error by the number of the session of layers."""

    study, noise, target, agent = "5717d1e5", PRIOR, TARGET, AGENT

    def __init__(self, recovered=(), fail=None):
        self.recovered, self.fail = tuple(recovered), fail or {}
        self.tally, self.tables, self.learned = Tally(), [], 0

    def measure(self, models, plan, launches=1):
        if list(models) == list(reference_models().values()):
            self.learned += 1
        else:
            number = len(self.tables)
            self.tables.append(models)
            if number in self.fail:
                raise self.fail[number]
        session = together(models, of=TARGET, plan=plan)
        self.tally.take(session)
        return session

    def acknowledge(self, ids): ...


class SilentObserver:
    def facts(self, profile): ...
    def entry(self, entry): ...
    def no_agent(self, reason): ...
    def may_provide(self, missing):
        return False

    def note(self, text): ...


@pytest.fixture
def studies(monkeypatch, tmp_path):
    """Profiles a toy with the meters that a test appends; the studies that were opened."""
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))

    @contextlib.contextmanager
    def open_meter(transport, deadline, settings, options):
        opened.append(options.study)
        meter = opened.meter
        meter.study = options.study
        try:
            yield meter
        finally:
            options.log.write(FACTS, meter.study, meter.tally)

    class Opened(list):
        meter = None

        def profile(self, meter, layers=LAYERS, noise_s=0.0, **wish):
            self.meter = meter
            request = ProfileRequest(layers, SETTINGS, "toy", noise_s=noise_s, **wish)
            return profile_device(None, request, SilentObserver())

    opened = Opened()
    monkeypatch.setattr(profiling, "open_meter", open_meter)
    monkeypatch.setattr(profiling, "gather_facts", lambda *_: (FACTS, ()))
    return opened


def gone(number):
    return PlayedMeter(fail={number: TransientDeviceError("gone")})


def test_an_unfinished_profile_keeps_its_study_from_before_the_first_measurement(studies):
    with pytest.raises(TransientDeviceError):
        studies.profile(gone(0))
    assert files.load("toy-unfinished").provenance.study == studies[0]
    with pytest.raises(TransientDeviceError):
        studies.profile(gone(1))
    assert len(files.load("toy-unfinished").entries) == 7
    meter = PlayedMeter()
    finished = studies.profile(meter)
    assert studies[0] == studies[1] == studies[2]
    assert (len(meter.tables), len(finished.entries)) == (1, 10)
    assert files.load("toy").provenance.study is None
    studies.profile(PlayedMeter())
    assert studies[3] != studies[0]


def test_a_fresh_profile_is_a_new_study(studies):
    with pytest.raises(TransientDeviceError):
        studies.profile(gone(1))
    meter = PlayedMeter()
    studies.profile(meter, fresh=True)
    assert len(meter.tables) == 2
    assert studies[1] != studies[0]


def models(name="toy"):
    return [session.models for session in files.load(name).sessions]


def test_each_profiling_that_measured_something_is_a_session_of_the_profile(studies):
    with pytest.raises(KeyboardInterrupt):
        studies.profile(PlayedMeter(fail={1: KeyboardInterrupt()}))
    assert models("toy-unfinished") == [8]  # with the network of ours
    studies.profile(PlayedMeter())
    assert models() == [8, 4]
    studies.profile(PlayedMeter())
    assert models() == [8, 4, 12]
    assert {session.command for session in files.load("toy").sessions} == {"profile"}
    assert [session.study for session in files.load("toy").sessions][1:] == studies[1:]


def test_a_profile_keeps_what_another_command_wrote_meanwhile(studies):
    """Of two that profile one device at once the second one ends while the first one measures."""

    class Interrupted(PlayedMeter):
        def measure(self, models, plan, launches=1):
            if len(self.tables) == 1:
                studies.profile(PlayedMeter(), layers=LAYERS[8:])
                studies.meter = self
                assert {entry.key for entry in files.load("toy").entries} == {
                    single.key for single in (*LAYERS[:7], *LAYERS[8:])
                }
            return super().measure(models, plan)

    finished = studies.profile(Interrupted(), layers=LAYERS[:8])
    assert {entry.key for entry in finished.entries} == {single.key for single in LAYERS}
    assert files.load("toy").entries == finished.entries
    assert models() == [3, 10]
    assert not files.is_users("toy-unfinished")


def test_a_profile_that_grows_is_not_taken_by_another_device_of_its_name(studies, monkeypatch):
    with pytest.raises(TransientDeviceError):
        studies.profile(gone(1))
    other = DeviceFacts("serial-2", "adb", model="Toy")
    monkeypatch.setattr(profiling, "gather_facts", lambda *_: (other, ()))
    with pytest.raises(ConfigError, match="of another device"):
        studies.profile(PlayedMeter(), fresh=True)
    assert len(files.load("toy-unfinished").entries) == 7


def test_a_runtime_that_does_not_survive_our_network_is_the_devices_fault(studies):
    ours = model_name(reference_model(SHARP))
    dead = AgentError("dead", "runtime_crashed", ours)
    with pytest.raises(StableDeviceError, match="even our own small model"):
        studies.profile(PlayedMeter(fail={0: dead}))


# ---- how much the device strays


def test_a_profile_learns_how_much_its_device_strays_before_and_after_the_table(studies):
    meter = PlayedMeter()
    profile = studies.profile(meter, noise_s=18.0)
    assert meter.learned == 3
    assert profile.noise is not None
    assert not profile.noise.is_prior
    assert files.load("toy").noise == profile.noise
    assert profile.noise.words()


def test_without_time_for_it_nothing_is_learned_but_what_the_table_tells(studies):
    noise = studies.profile(PlayedMeter()).noise
    ours = hashlib.sha256(reference_model(SHARP)).hexdigest()
    assert [one.model_sha256 for one in noise.references if one.model_sha256] == [ours]


def test_what_was_learned_stays_when_the_table_is_measured_anew(studies):
    learned = studies.profile(PlayedMeter(), noise_s=18.0).noise
    again = studies.profile(PlayedMeter(), fresh=True)
    assert {one.model_sha256 for one in again.noise.references} == {
        one.model_sha256 for one in learned.references
    }


def test_what_an_interrupted_profiling_learned_is_kept(studies):
    meter = gone(1)
    with pytest.raises(TransientDeviceError):
        studies.profile(meter, noise_s=18.0)
    assert meter.learned == 1
    assert files.load("toy-unfinished").noise is not None
    assert studies.profile(PlayedMeter()).noise is not None


def test_a_device_that_can_not_run_the_references_gets_its_table_all_the_same(studies):
    class Small(PlayedMeter):
        def measure(self, models, plan, launches=1):
            if models[0] in reference_models().values():
                raise AgentError("no room", "out_of_memory")
            return super().measure(models, plan)

    profile = studies.profile(Small(), noise_s=18.0)
    assert len(profile.entries) == 10
    assert len([one for one in profile.noise.references if one.model_sha256]) == 1


@pytest.mark.parametrize("study", ["x", "5717D1E5", "../../..", "5717d1e5\n"])
def test_a_study_that_is_no_name_is_refused(studies, study):
    with pytest.raises(ValueError, match="8 hex digits"):
        replace(profiling._provenance(None, ""), study=study)
