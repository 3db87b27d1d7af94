"""The host's end of the worker process, with a worker that needs no TensorFlow."""

import os
import signal
import time
from pathlib import Path

import pytest

from adadeep.core.errors import AdaDeepError, ConversionError, TechniqueNotApplicable
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.storage.siblings import OtherInitial
from adadeep.study import trainer
from adadeep.study.trainer import Trainer, WorkerDied
from adadeep.study.worker_messages import Made, Make, OpenTask

OPENING = OpenTask("toy", 0, "nowhere", False)
PLANS = [CompressionPlan((("fc", LayerChoice(f"T{n}")),)) for n in range(4)]


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Starts a trainer whose worker has a habit; returns it, closed at the end."""
    monkeypatch.setattr(trainer, "WORKER", "fakes.toy_worker")
    monkeypatch.setenv("TOY_NOTES", str(tmp_path / "notes"))
    begun = []

    def start(habit="", stage=lambda text: None):
        monkeypatch.setenv("TOY_HABIT", habit)
        begun.append(Trainer(OPENING, stage))
        return begun[-1]

    yield start
    for one in begun:
        one.close()


def finish(one):
    while (answer := one.finished(1.0)) is None:
        pass
    return answer


def make(one, folder, plan=PLANS[0]):
    one.start(Make(plan, str(folder)))
    return finish(one)


def requests(folder):
    return (folder / "notes").read_text().split()


def test_stages_are_told_and_stray_prints_do_not_spoil_the_answers(begin, tmp_path):
    stages = []
    one = begin(stage=stages.append)
    assert stages == ["opening"]
    assert one.opened.basis == "basis"
    answer = make(one, tmp_path)
    assert isinstance(answer.reply, Made)
    assert Path(answer.reply.model).read_bytes() == b"a model"
    assert one.judge(Path(answer.reply.model), "held").count == 5


def test_several_requests_are_answered_in_their_order(begin, tmp_path):
    one = begin()
    for plan in PLANS:
        one.start(Make(plan, str(tmp_path)))
    assert [finish(one).request.plan for _ in PLANS] == PLANS
    assert one.finished(0.0) is None


@pytest.mark.parametrize(
    ("habit", "kind", "text"),
    [
        ("refuses", TechniqueNotApplicable, "W9 can't be applied"),
        (
            "raises",
            ConversionError,
            "the network could not be made: ValueError: a tensor was lost",
        ),
    ],
)
def test_an_error_in_the_worker_is_the_same_error_here_and_it_goes_on(
    begin, tmp_path, habit, kind, text
):
    one = begin(habit)
    answer = make(one, tmp_path)
    assert answer.reply is None
    assert type(answer.error) is kind
    assert text in str(answer.error)
    assert requests(tmp_path).count("OpenTask") == 1


def test_a_worker_that_dies_is_replaced_and_the_request_tried_again(begin, tmp_path):
    one = begin("dies once")
    for plan in PLANS[:2]:
        one.start(Make(plan, str(tmp_path)))
    answers = [finish(one), finish(one)]
    assert [answer.request.plan for answer in answers] == PLANS[:2]
    assert all(answer.error is None for answer in answers)
    assert requests(tmp_path).count("OpenTask") == 2


def test_a_new_worker_takes_up_the_initial_network_that_the_first_one_saved(begin, tmp_path):
    one = begin("dies once")
    opened = one.opened
    assert make(one, tmp_path).error is None
    assert requests(tmp_path) == ["OpenTask", "Make", "OpenTask", "goes_on", "Make"]
    assert one.opened is opened


def test_a_file_of_another_run_that_ends_the_worker_is_left_out(begin, tmp_path, monkeypatch):
    others = (OtherInitial("damaged.keras", "0" * 16),)
    monkeypatch.setitem(globals(), "OPENING", OpenTask("toy", 0, "nowhere", False, others))
    one = begin()
    assert requests(tmp_path) == ["OpenTask", "OpenTask"]
    assert make(one, tmp_path).error is None


def test_a_network_that_ends_every_worker_has_failed_and_others_are_made(
    begin, tmp_path, monkeypatch
):
    one = begin("dies always")
    answer = make(one, tmp_path)
    assert isinstance(answer.error, WorkerDied)
    monkeypatch.setenv("TOY_HABIT", "")
    one.close()
    one._open()
    assert make(one, tmp_path, PLANS[1]).error is None


def test_closing_ends_the_worker_in_whatever_it_does(begin):
    one = begin()
    pid = one._stream.pid
    one.close()
    until = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_a_worker_that_is_killed_while_idle_is_noticed_with_the_next_request(begin, tmp_path):
    one = begin()
    os.kill(one._stream.pid, signal.SIGKILL)
    assert make(one, tmp_path).error is None


def test_a_worker_that_can_not_begin_is_one_sentence(begin, monkeypatch):
    monkeypatch.setattr(trainer, "WORKER", "fakes.no_such_worker")
    with pytest.raises(AdaDeepError, match="ended while it got ready"):
        begin()
