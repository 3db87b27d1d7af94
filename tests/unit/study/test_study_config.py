import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import ConfigError
from adadeep.core.measurement import Agent, MeasureSettings
from adadeep.core.task import Task
from adadeep.study.builder import default_folder
from adadeep.study.config import StudyConfig
from adadeep.training.registry import DATA_SETS, METRICS
from adadeep.training.registry import TASKS as TASK_REGISTRY
from fakes.metrics import ERROR

TASKS = ("digits", "mnist")


AGENT = Agent("linux-python", "0", "ai_edge_litert", "2.3.0")


def test_a_good_configuration_passes(tmp_path):
    StudyConfig(task="digits", folder=tmp_path / "new").check(TASKS)


def test_everything_wrong_is_named_at_once(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    config = StudyConfig(
        task="mnits", episodes=0, sampler="dqm", preset="fast", seed=-1,
        settings=MeasureSettings(threads=0), folder=file,
    )  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        config.check(TASKS)
    message = str(caught.value)
    assert "unknown task 'mnits'. Did you mean 'mnist'?" in message
    assert "unknown sampler 'dqm'. Did you mean 'dqn'?" in message
    for part in ("unknown preset", "0 episodes", "seed -1", "0 threads", "is a file"):
        assert part in message


def test_the_header_holds_what_must_be_the_same_and_not_the_number_of_episodes():
    one = StudyConfig(task="digits", episodes=5).header("Box", "f" * 16, AGENT)
    more = StudyConfig(task="digits", episodes=50).header("Box", "f" * 16, AGENT)
    other = StudyConfig(task="digits", demand=UserDemand(max_latency_ms=1.0)).header(
        "Box", "f", AGENT
    )
    assert one == more
    assert one != other


def test_a_task_of_a_part_that_is_not_installed_is_refused_before_anything_begins(monkeypatch):
    task = Task("digits", "Digits", "lenet", "digits", "digitz", "theirs")
    monkeypatch.setattr(TASK_REGISTRY, "get", lambda name: task)
    with pytest.raises(ConfigError) as caught:
        StudyConfig(task="digits").check(TASKS)
    assert "unknown recipe 'digitz'. Did you mean 'digits'?" in str(caught.value)
    assert "unknown metric 'theirs'" in str(caught.value)
    assert "unknown network" not in str(caught.value)


def test_the_header_names_a_metric_that_is_no_accuracy_and_the_version_of_the_split(monkeypatch):
    header = StudyConfig(task="digits").header("Box", "f" * 16, AGENT)
    assert header["split"] == DATA_SETS.get("digits").split
    assert "metric" not in header  # as in all journals before there was another
    monkeypatch.setattr(METRICS, "get", lambda name: ERROR)
    other = StudyConfig(task="digits").header("Box", "f" * 16, AGENT)
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
    assert str(default_folder("mnist", facts)) == folder
