"""The program as a process: signals, closed and full outputs, senseless arguments."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fakes.interrupts import take_interrupts

# Stands in for a slow import (rich, TensorFlow) in which a signal arrives.
SLOW = """
import sys, time
{before}
try:
    print("importing", flush=True)
    time.sleep(30)
except KeyboardInterrupt:
    {swallow}
"""
PROGRAM = """
import sys
import click
from adadeep.cli import entry, main
from adadeep.cli.ui import Ui

@click.command()
def slow():
    import slow_module
    ui = Ui()
    with ui.progress("work", 3) as bar:
        bar.advance()
    print("went on")

main.cli.add_command(slow)
main.COMMANDS["slow"] = ("command_of_the_test", "")
import types
module = types.ModuleType("command_of_the_test")
module.command = slow
sys.modules["command_of_the_test"] = module
sys.argv = ["adadeep", "slow"]
entry.main()
"""
SWALLOWED = ("raise ImportError('partially initialized module')", "pass", "raise")


def environment(*folders):
    path = os.pathsep.join([*map(str, folders), *(p for p in sys.path if p)])
    return {**os.environ, "PYTHONPATH": path}


def shell(line, **variables):
    return subprocess.run(
        ["sh", "-c", line.replace("adadeep", f'"{sys.executable}" -m adadeep', 1)],
        capture_output=True, text=True, timeout=120, env={**environment(), **variables},
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("swallow", SWALLOWED)
def test_a_signal_in_an_import_counts_whatever_the_library_makes_of_it(tmp_path, swallow, number):
    (tmp_path / "slow_module.py").write_text(SLOW.format(swallow=swallow, before=""))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment(tmp_path), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=take_interrupts,
    )  # fmt: skip
    assert process.stdout.readline() == "importing\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "interrupted.")


def test_a_second_signal_while_tidying_up_gives_no_traceback(tmp_path):
    tidying = (
        "print('tidying', flush=True)\n    try:\n        time.sleep(30)\n"
        "    except KeyboardInterrupt:\n        raise RuntimeError('half tidy')"
    )
    (tmp_path / "slow_module.py").write_text(SLOW.format(swallow=tidying, before=""))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment(tmp_path), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=take_interrupts,
    )  # fmt: skip
    for said in ("importing\n", "tidying\n"):
        assert process.stdout.readline() == said
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "interrupted.")


def test_a_signal_at_any_moment_of_the_start_gives_no_traceback():
    for step in range(12):
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "adadeep", "profiles", "list"],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=take_interrupts,
        )  # fmt: skip
        lines = iter(process.stderr.readline, "")
        for line in lines:  # the handlers are there from here on
            if "adadeep.core.interrupts" in line:
                break
        time.sleep(0.01 + 0.02 * step)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 130, -signal.SIGINT), err
        assert "Traceback" not in err


def test_an_interrupt_that_the_parent_ignores_stays_ignored(tmp_path):
    (tmp_path / "slow_module.py").write_text(
        "import signal\nprint(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment(tmp_path), capture_output=True, text=True,
        timeout=60, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    assert done.stdout == "True\nwent on\n"


@pytest.mark.parametrize(
    "arguments",
    ["profiles list", "profiles list --json", "profiles show huawei-p9", "--help", "--version"],
)
@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
def test_results_that_can_not_be_written_are_an_error_in_a_sentence(arguments, where):
    done = shell(f"adadeep {arguments} {where}")
    assert done.returncode == 2, done.stderr
    assert "can't be written to stdout" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full", "<&-"])
def test_messages_that_can_not_be_written_cost_nothing(where):
    done = shell(f"adadeep devices --json {where}")
    assert done.returncode == 0
    assert done.stdout.startswith("{")
    assert shell(f"adadeep profiles show nothing {where}").returncode == 2


def test_a_reader_that_goes_away_is_no_error():
    done = shell("(adadeep profiles list; echo $? >&2) | true")
    assert done.stderr == "0\n"


def test_characters_that_the_output_can_not_hold_are_written_out():
    done = shell("adadeep profiles list", PYTHONIOENCODING="ascii", COLUMNS="120")
    assert done.returncode == 0, done.stderr
    assert "huawei-p9" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("profils", "Did you mean 'profiles'?"),
        ("profiles lst", "Did you mean 'list'?"),
        ("profiles list --jsn", "Did you mean '--json'?"),
        ("search digits --seed 100000000000000000000000000", "--seed"),
        ("search digits --episodes 1000000000000000000000000000000", "--episodes"),
        ("search digits --episodes 1e3", "--episodes"),
        ("measure x.tflite --max-seconds nan", "--max-seconds"),
        ("measure x.tflite --max-seconds inf", "--max-seconds"),
        ("measure x.tflite --max-seconds -1", "--max-seconds"),
        ("measure " + 300 * "x", "255 bytes"),
        ("deploy " + 300 * "x", "255 bytes"),
        ("search digits -o " + 300 * "x", "255 bytes"),
        ("profiles show " + 300 * "x", "255 bytes"),
        ("profiles show " + 300 * "x" + ".toml", "255 bytes"),
        ("profiles validate " + 200 * "/x", "x"),
        *(
            (words + 3000 * "/x", "longer than 3900 bytes")
            for words in (
                "measure ",
                "measure m --inputs ",
                "deploy ",
                "search digits -o ",
                "profiles show ",
                "profiles validate ",
            )
        ),
        ("search digits -d local -o " + 16 * ("/" + 250 * "x"), "longer than 3900 bytes"),
        ("devices \x1b[31mred", "\\x1b[31mred"),
    ],
)
def test_bad_input_is_code_2_and_no_traceback(arguments, words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "adadeep", *arguments.split(" ")], cwd=tmp_path,
        capture_output=True, text=True, timeout=60, env=environment(),
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
