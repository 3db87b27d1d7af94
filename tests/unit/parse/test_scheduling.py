"""Where a system lets a process run, as kernels of several ages tell it."""

import pytest

from adadeep.devices.parse.scheduling import SCHEDULING_PATHS, scheduling_of
from adadeep_agent.wire import is_readable

GROUPS, STATUS = SCHEDULING_PATHS
ANDROID = (
    "5:schedtune:/foreground\n4:cpuset:/foreground\n3:cpu:/\n2:cpuacct:/uid_2000/pid_71\n0::/\n"
)


def of(groups=None, cores=None):
    status = (
        None if cores is None else f"Name:\tmain\nCpus_allowed:\tff\nCpus_allowed_list:\t{cores}\n"
    )
    return scheduling_of({GROUPS: groups, STATUS: status})


def test_an_agent_may_read_it():
    assert all(map(is_readable, SCHEDULING_PATHS))


def test_it_is_the_group_of_cores_and_the_cores():
    assert of(ANDROID, "0-7") == "cpuset /foreground, cores 0-7"
    assert of("3:cpuset:/\n", "0-3,6") == "cpuset /, cores 0-3,6"
    assert of("7:cpuset,cpu:/top-app\n") == "cpuset /top-app"


def test_other_groups_do_not_count_for_they_have_the_process_in_their_names():
    one, two = ("0::/uid_2000/pid_" + pid for pid in ("71", "4711"))
    assert of(one, "0-7") == of(two, "0-7") == "cores 0-7"


def test_an_app_and_a_shell_differ():
    assert of("4:cpuset:/\n", "0-7") != of("4:cpuset:/top-app\n", "0-7")
    assert of("4:cpuset:/background\n", "0-3") != of("4:cpuset:/background\n", "0-7")


@pytest.mark.parametrize("groups", [None, "", "4:cpuset:\n", "4:cpuset:/x y\n", "cpuset:/a\n"])
@pytest.mark.parametrize("cores", [None, "", "x", "-", "0-"])
def test_what_tells_nothing_is_none(groups, cores):
    assert of(groups, cores) is None


def test_nothing_read_is_none():
    assert scheduling_of({}) is None
