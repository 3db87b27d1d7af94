"""What a profile's table is made of, with a meter that plays back what a test tells it."""

import contextlib
import hashlib
from dataclasses import replace

import pytest

from adadeep.core.device import DeviceFacts
from adadeep.core.errors import AgentError, ConfigError, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Conditions, Launch, Measurement, Memory
from adadeep.measure import profiling
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.measure.profiling import ProfileRequest, measure_layers, profile_device
from adadeep.measure.session_log import Tally
from adadeep.profiles import files

SETTINGS = MeasureSettings()
LAYERS = tuple(SingleLayer(dense(8, units)) for units in (2, 3, 4))


def measurement(model, settings=SETTINGS):
    state = Conditions(0.0)
    return Measurement(
        hashlib.sha256(model).hexdigest(), len(model), "f" * 16, "Toy", Agent("a", "0", "r", "0"),
        settings, (Launch(1, 1, (), (1000,)),), (), Memory(), state, state,
    )  # fmt: skip


class PlayedMeter:
    target = Agent("a", "0", "r", "0").target("f" * 16, "Toy", SETTINGS)
    study = "5717d1e5"

    def __init__(self, recovered=(), fail=None):
        self.recovered, self.fail = tuple(recovered), fail or {}
        self.measured, self.acknowledged = [], []

    def measure(self, models):
        [model] = models
        number = len(self.measured)
        self.measured.append(model)
        if number in self.fail:
            raise self.fail[number]
        return [measurement(model)]

    def acknowledge(self, keys):
        self.acknowledged += keys


def table(meter, known=None):
    told = []
    entries = measure_layers(meter, LAYERS, known or {}, meter.recovered, told.append)
    return entries, told


def test_every_layer_is_measured_and_told_in_order():
    entries, told = table(PlayedMeter())
    assert [entry.key for entry in entries] == [single.key for single in LAYERS]
    assert list(entries) == told
    assert all(entry.measurement for entry in entries)


def test_known_entries_are_taken_over_and_not_told_again():
    [first, *_], _ = table(PlayedMeter())
    meter = PlayedMeter()
    entries, told = table(meter, {first.key: first})
    assert entries[0] is first
    assert len(told) == len(meter.measured) == 2


def test_what_waits_on_the_device_is_kept_before_the_device_may_forget_it():
    left = measurement(tflite_of(LAYERS[1]))
    meter = PlayedMeter([left])
    order = []
    meter.acknowledge = lambda keys: order.append(("forget", *keys))
    measure_layers(meter, LAYERS, {}, [left], lambda entry: order.append(("keep", entry.key)))
    assert order.index(("keep", LAYERS[1].key)) < order.index(("forget", left.key))
    assert len(meter.measured) == 2


def test_what_waits_on_the_device_by_other_settings_is_left_alone():
    left = measurement(tflite_of(LAYERS[1]), replace(SETTINGS, threads=4))
    meter = PlayedMeter([left])
    table(meter)
    assert (len(meter.measured), meter.acknowledged) == (3, [])


def test_a_layer_that_the_device_can_not_run_is_an_entry_with_the_reason():
    entries, _ = table(PlayedMeter(fail={1: AgentError("lacks it", "unsupported_op")}))
    assert entries[1].error == "lacks it"
    assert entries[1].measurement is None
    assert entries[2].measurement


def test_a_device_that_goes_away_ends_it_and_what_was_told_stays_told():
    told, meter = [], PlayedMeter(fail={2: TransientDeviceError("gone")})
    with pytest.raises(TransientDeviceError):
        measure_layers(meter, LAYERS, {}, (), told.append)
    assert len(told) == 2


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
    facts, opened = DeviceFacts("serial-1", "adb", model="Toy"), []

    @contextlib.contextmanager
    def open_meter(transport, deadline, settings, options):
        opened.append(options.study)
        meter = opened.meter
        meter.study, meter.agent = options.study, Agent("a", "0", "r", "0")
        try:
            yield meter
        finally:
            options.log.write(facts, meter.study, Tally(len(meter.measured)))

    class Opened(list):
        meter = None

        def profile(self, meter, layers=LAYERS, **wish):
            self.meter = meter
            request = ProfileRequest(layers, SETTINGS, "toy", **wish)
            return profile_device(None, request, SilentObserver())

    opened = Opened()
    monkeypatch.setattr(profiling, "open_meter", open_meter)
    monkeypatch.setattr(profiling, "gather_facts", lambda *_: (facts, ()))
    return opened


def test_an_unfinished_profile_keeps_its_study_from_before_the_first_measurement(studies):
    with pytest.raises(TransientDeviceError):
        studies.profile(PlayedMeter(fail={0: TransientDeviceError("gone")}))
    assert files.load("toy-unfinished").provenance.study == studies[0]
    with pytest.raises(TransientDeviceError):
        studies.profile(PlayedMeter(fail={1: TransientDeviceError("gone")}))
    assert len(files.load("toy-unfinished").entries) == 1
    meter = PlayedMeter()
    finished = studies.profile(meter)
    assert studies[0] == studies[1] == studies[2]
    assert (len(meter.measured), len(finished.entries)) == (2, 3)
    assert files.load("toy").provenance.study is None
    studies.profile(PlayedMeter())
    assert studies[3] != studies[0]


def test_a_fresh_profile_is_a_new_study(studies):
    with pytest.raises(TransientDeviceError):
        studies.profile(PlayedMeter(fail={1: TransientDeviceError("gone")}))
    meter = PlayedMeter()
    studies.profile(meter, fresh=True)
    assert len(meter.measured) == 3
    assert studies[1] != studies[0]


def models(name="toy"):
    return [session.models for session in files.load(name).sessions]


def test_each_profiling_that_measured_something_is_a_session_of_the_profile(studies):
    with pytest.raises(KeyboardInterrupt):
        studies.profile(PlayedMeter(fail={2: KeyboardInterrupt()}))
    assert models("toy-unfinished") == [3]  # the last was begun
    studies.profile(PlayedMeter())
    assert models() == [3, 1]
    studies.profile(PlayedMeter())
    assert models() == [3, 1, 3]
    assert {session.command for session in files.load("toy").sessions} == {"profile"}
    assert [session.study for session in files.load("toy").sessions][1:] == studies[1:]


def test_a_profile_keeps_what_another_command_wrote_meanwhile(studies):
    """Of two that profile one device at once the second one ends while the first one measures."""

    class Interrupted(PlayedMeter):
        def measure(self, models):
            if len(self.measured) == 1:
                studies.profile(PlayedMeter(), layers=LAYERS[2:])
                studies.meter = self
                assert [entry.key for entry in files.load("toy").entries] == [
                    LAYERS[2].key, LAYERS[0].key,
                ]  # fmt: skip
            return super().measure(models)

    finished = studies.profile(Interrupted(), layers=LAYERS[:2])
    assert {entry.key for entry in finished.entries} == {single.key for single in LAYERS}
    assert files.load("toy").entries == finished.entries
    assert models() == [1, 2]
    assert not files.is_users("toy-unfinished")


def test_a_profile_that_grows_is_not_taken_by_another_device_of_its_name(studies, monkeypatch):
    with pytest.raises(TransientDeviceError):
        studies.profile(PlayedMeter(fail={1: TransientDeviceError("gone")}))
    other = DeviceFacts("serial-2", "adb", model="Toy")
    monkeypatch.setattr(profiling, "gather_facts", lambda *_: (other, ()))
    with pytest.raises(ConfigError, match="of another device"):
        studies.profile(PlayedMeter(), fresh=True)
    assert len(files.load("toy-unfinished").entries) == 1


@pytest.mark.parametrize("study", ["x", "5717D1E5", "../../..", "5717d1e5\n"])
def test_a_study_that_is_no_name_is_refused(studies, study):
    with pytest.raises(ValueError, match="8 hex digits"):
        replace(profiling._provenance(None, ""), study=study)
