"""`adadeep search --from RUN`: at once, no device, no TensorFlow, nothing passed over."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys

import pytest

from adadeep.cli.main import cli, run
from adadeep.core.device import hashed
from adadeep.core.own_task import OwnTask
from adadeep.core.plan import LayerChoice
from adadeep.core.plan_text import PlanText
from architecture.test_commands import run_and_look
from fakes.documented import undocumented
from fakes.lenet_run import INITIAL, played, truth, write_lenet_run
from fakes.runs import of_now


@pytest.fixture
def ranked(tmp_path, monkeypatch, capsys):
    """Runs `adadeep search --from a run of two devices`: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    of_now(tmp_path / "a run", 2)

    def adadeep(*words):
        code = run(cli, ["search", "--from", "a run", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return adadeep


def test_it_shows_the_plans_their_verdicts_and_the_command_that_tests_more(ranked):
    code, out, err = ranked("--max-latency", "20ms")
    assert code == 0
    for text in ("digits on Fake box, ranked anew", "digits on Other box", "open, untested",
                 "accuracy loss: met", "T: met"):  # fmt: skip
        assert text in out
    assert "now: adadeep search digits -d all -o 'a run' --episodes 8 --max-latency 20ms" in err


def test_a_plan_that_nobody_has_tested_is_no_success(ranked):
    code, out, err = ranked("--max-latency", "2ms", "--max-storage", "1500B")
    assert code == 4
    assert "untested: #" in out
    assert "is known to meet the demand on Fake box and Other box; run the command above" in err
    assert "now: adadeep search digits" in err


def test_a_demand_that_nothing_meets_ends_with_4_and_the_nearest_plan(ranked):
    code, out, err = ranked("--max-latency", "1ns")
    assert code == 4
    assert "T: broken" in out
    assert "looser: T <= " in out
    assert "the nearest one is reported. Relax a limit" in err
    assert "now:" not in err


def test_as_json(ranked):
    code, out, _ = ranked("--max-latency", "Other box=1ns", "--max-latency", "2ms", "--json")
    document = json.loads(out)
    assert (code, document["schema"]) == (4, "adadeep.ranking/1")
    assert [target["acceptable"] for target in document["targets"]] == [True, False]
    assert document["test_with"][:2] == ["search", "digits"]
    assert undocumented(document) == []
    assert json.loads(ranked("--max-latency", "1ns", "--json")[1])["test_with"] is None


def test_the_command_that_tests_names_devices_as_a_device_can_be_named(ranked):
    title = ranked("-d", "Fake box", "--max-latency", "2ms")[2]
    assert "now: adadeep search digits -o" in title
    assert "-d" not in title


def test_limits_of_single_devices_are_written_as_a_search_takes_them(ranked):
    """A run holds no serials, and its titles are not what -d takes."""
    words = ("--max-latency", "2ms", "--max-storage", "Other box=1500B")
    err = ranked(*words)[2]
    named = f"--max-storage {hashed('Other box 1')}=1500B"
    assert f"-d all -o 'a run' --episodes 8 --max-latency 2ms {named}" in err
    err = ranked(*words, "-d", "Other box")[2]
    assert "--episodes 8 --max-latency 2ms --max-storage 1500B" in err


def tried_plans(of):
    """Six that leave conv2 as it is."""
    return [plan for plan in played(of, 20) if plan.choice("conv2") == LayerChoice()][:6]


@pytest.fixture
def lenet(tmp_path, monkeypatch, capsys):
    """Runs `adadeep search --from a run of a LeNet` that kept conv2, for half the time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    of = truth(3)
    plans = tried_plans(of)
    write_lenet_run(tmp_path / "a run", of, plans, ("conv2",))
    half = f"{0.5 * of.latency_ms(INITIAL):.6g}ms"

    def adadeep(*words):
        code = run(cli, ["search", "--from", "a run", "--max-latency", half, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return adadeep, half, len(plans)


def test_it_proposes_a_plan_that_was_not_tried_and_the_command_that_tries_it(lenet):
    adadeep, half, tried = lenet
    code, out, _ = adadeep("--max-accuracy-loss", "3%")
    assert code == 4  # nothing was tested, and a proposal is no success
    said, command = out.splitlines()[-2:]
    assert re.fullmatch(
        r"untried: (\S+ )+may be within the limits: accuracy loss \S+ %, T \S+ ms \(fitted\),"
        r" E \S+ \S+, S_p \S+ kB \(analytic\); not measured",
        said,
    )
    label = said.removeprefix("untried: ").partition(" may be")[0]
    assert command == (
        f"to try it: adadeep search digits -o 'a run' --episodes {tried + 1} --try '{label}'"
        f" --keep conv2 --max-latency {half} --max-accuracy-loss 3%"
    )
    assert label not in "\n".join(out.splitlines()[:-2])  # never in a table


def test_the_proposal_as_json_and_its_command_are_understood(lenet):
    adadeep, _, tried = lenet
    document = json.loads(adadeep("--max-accuracy-loss", "3%", "--json")[1])
    assert undocumented(document) == []
    (target,) = document["targets"]
    proposal = target["proposal"]
    assert proposal["latency_ms"]["provenance"] == "fitted"
    assert proposal["key"] not in {trial["key"] for trial in target["trials"]}
    command = cli.get_command(None, "search")
    given = command.make_context("search", proposal["try_with"][1:]).params
    assert (given["task"], given["episodes"]) == ("digits", tried + 1)
    assert given["keep"] == ("conv2",)


def test_who_follows_every_proposal_gets_none_in_the_end(lenet, tmp_path):
    """Told what each one came to, it believes that nothing better is left."""
    adadeep, _, _ = lenet
    of, words = truth(3), ("--max-storage", "1B")
    plans = tried_plans(of)
    for _ in range(10):
        code, out, _ = adadeep(*words)
        assert code == 4
        (target,) = json.loads(adadeep(*words, "--json")[1])["targets"]
        if target["proposal"] is None:
            break
        plans.append(PlanText.read(target["proposal"]["label"]).plan(of.space))
        shutil.rmtree(tmp_path / "a run")
        write_lenet_run(tmp_path / "a run", of, plans, ("conv2",))
    assert target["proposal"] is None
    assert "untried" not in out


def test_of_an_own_network_the_commands_name_its_file_and_data(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own = OwnTask("/my nets/net.keras", "/d/$x.npz", "my:train", None, False, True, "/elsewhere")
    of = truth(3)
    write_lenet_run(tmp_path / "a run", of, tried_plans(of), own=own)
    half = f"{0.5 * of.latency_ms(INITIAL):.6g}ms"
    run(cli, ["search", "--from", "a run", "--max-latency", half, "--max-accuracy-loss", "3%"])
    out = capsys.readouterr().out
    named = "'/my nets/net.keras' --data '/d/$x.npz' --train my:train --untrained -o 'a run'"
    assert f"to try it: adadeep search {named} --episodes " in out


@pytest.mark.parametrize(
    "words",
    ["digits", "--episodes 9", "--try int8", "-o elsewhere", "--seed 0", "--max-time 1h",
     "--keep conv1", "--threads 1"],
)  # fmt: skip
def test_what_it_would_pass_over_is_refused(ranked, words):
    code, out, err = ranked(*shlex.split(words))
    assert (code, out) == (2, "")
    name = words.split()[0]
    assert f"takes no {'TASK' if name == 'digits' else name}; leave it out" in err


@pytest.mark.parametrize(
    ("made", "limit", "expected"), [("ranked", "9s", 0), ("lenet", "0.545ms", 4)]
)
def test_it_needs_no_heavy_package(request, tmp_path, made, limit, expected):
    request.getfixturevalue(made)
    words, path = ["search", "--from", "a run", "--max-latency", limit], os.pathsep.join(sys.path)
    code, heavy = run_and_look(words, tmp_path, PYTHONPATH=path)
    assert (code, [one for one in heavy if "look" not in one]) == (expected, [])
