"""Limits as they are typed: for every device, or for one of several."""

import types
from dataclasses import asdict

import click
import pytest
from click.testing import CliRunner

from adadeep.cli.commands import search
from adadeep.cli.demand_options import demand_options, demands_of, words_of
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError


@pytest.fixture
def demands():
    """What limits come to: the demand of all, and those of devices by name."""

    def parse(*words):
        found = []

        @click.command
        @demand_options
        def command(**options):
            found.append(demands_of(options))

        CliRunner().invoke(command, words, catch_exceptions=False)
        return found[0]

    return parse


def test_without_a_limit_the_demand_is_the_usual_one(demands):
    assert demands() == (UserDemand(), {})


def test_limits_are_those_of_all_devices(demands):
    words = ("--max-latency", "4ms", "--max-storage", "2kB", "--max-energy", "1mJ")
    demand = UserDemand(max_latency_ms=4.0, max_storage_bytes=2000.0, max_energy_mj=1.0)
    assert demands(*words) == (demand, {})


def test_a_device_has_its_own_limits_and_of_the_rest_those_of_all(demands):
    demand, named = demands(
        "--max-latency", "watch=10ms", "--max-latency", "4ms", "--max-accuracy-loss", "1%",
        "--max-storage", "192.168.1.7:5555=2kB",
    )  # fmt: skip
    assert demand == UserDemand(max_latency_ms=4.0, max_accuracy_loss=0.01)
    assert named == {
        "watch": UserDemand(max_latency_ms=10.0, max_accuracy_loss=0.01),
        "192.168.1.7:5555": UserDemand(
            max_latency_ms=4.0, max_accuracy_loss=0.01, max_storage_bytes=2000.0
        ),
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--max-latency", "4ms", "--max-latency", "5ms"), "given twice for all; leave one out"),
        (("--max-energy", "a=4mJ", "--max-energy", "a=5mJ"), "given twice for a; leave one out"),
        (("--max-latency", "=4ms"), "--max-latency =4ms: write LIMIT or DEVICE=LIMIT"),
        (("--max-latency", "watch=fast"), "write for example 4ms"),
        (("--max-latency", "watch="), "write for example 4ms"),
        (("--max-storage", "watch=0kB"), "greater than 0"),
        (("--fps", "many"), "--fps 'many': write a number of frames a second, such as 30"),
        (("--fps", "0"), "write a number of frames a second"),
        (("--fps", "30", "--max-latency", "p95=4ms"), "both given for all; leave one out"),
        (("--fps", "a=30", "--max-latency", "a=4ms"), "both given for a; leave one out"),
        (("--max-latency", "=p95=4ms"), "write LIMIT or DEVICE=LIMIT"),
        (("--max-latency", "p95=4ms", "--max-latency", "5ms"), "given twice for all"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_what_to_write(demands, words, said):
    with pytest.raises(ConfigError, match=said):
        demands(*words)


@pytest.mark.parametrize("statistic", ["p95", "p99", "cold"])
def test_a_limit_of_time_may_name_which_latency_it_is_of(demands, statistic):
    wanted = UserDemand(max_latency_ms=4.0, latency_statistic=statistic)
    assert demands("--max-latency", f"{statistic}=4ms") == (wanted, {})
    own = demands("--max-latency", f"watch={statistic}=4ms", "--max-latency", "5ms")
    assert own == (UserDemand(max_latency_ms=5.0), {"watch": wanted})
    assert demands("--max-latency", "p96=4ms")[1]["p96"].latency_statistic == "median"


def test_a_rate_of_frames_is_a_limit_that_19_of_20_keep(demands):
    every, own = demands("--fps", "25", "--fps", "tv=50", "--max-latency", "watch=1ms")
    assert (every.max_latency_ms, every.latency_statistic) == (40.0, "p95")
    assert (own["tv"].max_latency_ms, own["tv"].latency_statistic) == (20.0, "p95")
    assert (own["watch"].max_latency_ms, own["watch"].latency_statistic) == (1.0, "median")


def transports(*serials):
    return [types.SimpleNamespace(serial=serial) for serial in serials]


def test_a_limit_names_devices_as_the_option_does(monkeypatch):
    known = {"my watch": transports("W1"), "all": transports("W1", "P2")}
    monkeypatch.setattr(search, "chosen_devices", lambda names: known[names[0]])
    own = UserDemand(max_latency_ms=1.0)
    assert search._own_demands({"my watch": own}, known["all"]) == (("W1", own),)
    assert search._own_demands({"all": own}, known["all"]) == (("W1", own), ("P2", own))


def test_a_limit_for_a_device_that_is_not_searched_for_is_refused(monkeypatch):
    monkeypatch.setattr(search, "chosen_devices", lambda names: transports("P2"))
    with pytest.raises(ConfigError, match="for P2; name it with -d, too"):
        search._own_demands({"phone": UserDemand()}, transports("W1"))


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--max-latency", "4ms", "--max-storage", "2kB", "--max-energy", "1.3uJ"),
        ("--max-accuracy-loss", "1.7%"),
        ("--max-accuracy-loss", "0", "--max-latency", "33333.3333ns"),
        ("--max-latency", "watch=10ms", "--max-latency", "4ms", "--max-storage", "a=b=2kB"),
        ("--max-latency", "p99=4ms", "--max-latency", "watch=cold=4ms"),
        ("--max-latency", "p99=4ms", "--max-latency", "watch=4ms", "--fps", "tv=30"),
    ],
)
def test_the_words_of_demands_give_these_demands(demands, words):
    demand, named = demands(*words)
    again, named_again = demands(*words_of(demand, named))
    assert list(named_again) == list(named)
    for before, after in (
        (demand, again),
        *zip(named.values(), named_again.values(), strict=True),
    ):
        assert before.latency_statistic == after.latency_statistic
        wanted, found = (
            {n: v for n, v in asdict(one).items() if isinstance(v, float)}
            for one in (before, after)
        )
        assert found == pytest.approx(wanted, rel=1e-11)
