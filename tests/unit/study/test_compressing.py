"""What `adadeep compress` is asked for: what is wrong with it, and how plans are understood."""

import pytest

from adadeep.cli.main import cli, run
from adadeep.core.errors import ConfigError
from adadeep.core.own_task import OwnTask
from adadeep.core.plan_text import PlanText
from adadeep.study.compressing import Wanted, _plan
from adadeep.study.subject import Subject
from fakes.lenet_spec import lenet_spec


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "bars.keras"), "--data"),
        (("search", "nothing.keras", "--data", "bars.npz"), "is not there"),
        (("search", "digits", "--data", "bars.npz"), "is a task"),
        (("search", "bars.keras", "--data", "no.npz"), "--data no.npz is not there"),
        (("search", "bars.keras", "--data", "bars.npz", "--train", "x"), "module:function"),
        (("search", "bars.keras", "--data", "bars.npz", "--metric", "x"), "unknown metric"),
        (("compress", "bars.keras", "--plan", "=", "-o", "a.tflite"), "that is no plan"),
        (("compress", "bars.keras", "--plan", "fc1=W1f", "-o", "a.bin"), ".tflite"),
        (("compress", "bars.keras", "--plan", "fc1=W1f", "-o", "bars.tflite"), "name another"),
        (("compress", "bars.keras", "--plan", "fc1=W1f", "--explain"), "--data"),
    ],
)
def test_what_can_be_told_at_once_is_refused_at_once(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("bars.keras", "bars.npz"):
        (tmp_path / name).write_bytes(b"not looked into")
    assert run(cli, list(words)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("fc9=W1f", "no layer is called 'fc9'"),
        ("fc1=W9", "no technique is called 'W9'"),
        ("fc1=W3:1.5", "sparsity=1.5 must be"),
        ("conv1=W3", "it takes dense layers."),
        ("fc1=W1f:0", "a finite number above 0."),
        ("int8", "takes its ranges from samples"),
    ],
)
def test_a_plan_that_can_not_be_carried_out_is_one_sentence(plan, said):
    wanted = Wanted(Subject("m", OwnTask("m.keras")), plan)
    with pytest.raises(ConfigError) as caught:
        _plan(wanted, PlanText.read(plan, "--plan"), lenet_spec(), print)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("plan", "label"),
    [
        ("fc1=W3:0.95", "fc1:W3(layout=block,sparsity=0.95)"),
        ("fc1=W3(threshold=0.01)", "fc1:W3(layout=unstructured,threshold=0.01)"),
        ("conv2=C2:0.7,float16", "conv2:C2(alpha=0.7) float16"),
        ('"fc1"=W1f', "fc1:W1f(rank_divisor=12)"),
    ],
)
def test_short_forms_are_understood_and_it_is_said_how(plan, label):
    said = []
    wanted = Wanted(Subject("m", OwnTask("m.keras")), plan)
    found = _plan(wanted, PlanText.read(plan, "--plan"), lenet_spec(), said.append)
    assert found.label == label
    assert ("taken for" in said[0]) is ("threshold" not in plan)
