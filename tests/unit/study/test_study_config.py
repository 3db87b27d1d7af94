import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import ConfigError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.task import Task
from adadeep.study.bench import default_folder
from adadeep.study.config import StudyConfig
from adadeep.training.registry import DATA_SETS, METRICS
from adadeep.training.registry import TASKS as TASK_REGISTRY
from fakes.metrics import ERROR

TASKS = ("digits", "mnist")


def test_a_good_configuration_passes(tmp_path):
    StudyConfig(task="digits", folder=tmp_path / "new").validate(TASKS)


def test_everything_wrong_is_named_at_once(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    config = StudyConfig(
        task="mnits", episodes=0, sampler="dqm", seed=-1, executor="serail",
        settings=MeasureSettings(threads=0), folder=file,
    )  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        config.validate(TASKS)
    message = str(caught.value)
    assert "unknown task 'mnits'. Did you mean 'mnist'?" in message
    assert "unknown sampler 'dqm'. Did you mean 'dqn'?" in message
    for part in ("Did you mean 'serial'?", "0 episodes", "seed -1", "0 threads", "is a file"):
        assert part in message
    with pytest.raises(ConfigError, match="unknown preset of random 'paper'"):
        StudyConfig(task="mnist", sampler="random", preset="paper").validate(TASKS)


def test_demand_episodes_and_sampler_are_free_and_network_and_data_are_not():
    one = StudyConfig(task="digits", episodes=5).subject.header
    tight = UserDemand(max_latency_ms=1.0)
    more = StudyConfig(task="digits", demand=tight, episodes=50, sampler="random", seed=3)
    assert one == more.subject.header
    assert one != StudyConfig(task="mnist").subject.header


def test_a_device_may_have_a_demand_of_its_own():
    own = UserDemand(max_latency_ms=1.0)
    config = StudyConfig(task="digits", demands=(("watch", own),))
    assert config.demand_of("watch") == own
    assert config.demand_of("phone") == config.demand == UserDemand()


def test_a_task_of_a_part_that_is_not_installed_is_refused_before_anything_begins(monkeypatch):
    task = Task("digits", "Digits", "lenet", "digits", "digitz", "theirs")
    monkeypatch.setattr(TASK_REGISTRY, "get", lambda name: task)
    with pytest.raises(ConfigError) as caught:
        StudyConfig(task="digits").validate(TASKS)
    assert "unknown recipe 'digitz'. Did you mean 'digits'?" in str(caught.value)
    assert "unknown metric 'theirs'" in str(caught.value)
    assert "unknown network" not in str(caught.value)


def test_the_header_names_a_metric_that_is_no_accuracy_and_the_version_of_the_split(monkeypatch):
    header = StudyConfig(task="digits").subject.header
    assert header["split"] == DATA_SETS.get("digits").split
    assert "metric" not in header  # as in all journals before there was another
    monkeypatch.setattr(METRICS, "get", lambda name: ERROR)
    other = StudyConfig(task="digits").subject.header
    assert other["metric"]["title"] == "mean error"


@pytest.mark.parametrize(
    ("transport", "model", "folder"),
    [
        ("adb", "Pixel 6", "runs/mnist-google-pixel-6"),
        ("adb", "µ / weird..", "runs/mnist-google-weird"),
        ("local", "Server", "runs/mnist-local"),
    ],
)
def test_the_run_is_named_after_task_and_device(transport, model, folder):
    facts = DeviceFacts("serial", transport, manufacturer="Google", model=model)
    assert str(default_folder("mnist", [facts])) == folder
    assert str(default_folder("mnist", [facts] * 3)) == f"{folder}-and-2-more"


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"tries": ("fc1=W1g",)}, "--try fc1=W1g: unknown technique 'W1g'. Did you mean 'W1f'?"),
        ({"tries": ("fc1=W3,int9",)}, "unknown precision 'int9'. Did you mean 'int8'?"),
        ({"tries": ("fc1=",)}, "--try fc1=: that is no plan; write"),
        ({"only": ("W1g",)}, "--only: unknown technique or precision 'W1g'. Did you mean 'W1f'?"),
    ],
)
def test_what_can_be_told_of_a_users_choice_is_told_before_anything_begins(wish, message):
    StudyConfig("digits", tries=("fc1=W3:0.9,int8",), only=("W3", "int8", "none")).validate(TASKS)
    with pytest.raises(ConfigError) as caught:
        StudyConfig("digits", **wish).validate(TASKS)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
