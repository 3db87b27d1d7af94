"""Devices behind a real adbd: states, choosing, and faults in the middle of a call."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import ConfigError, DeviceError, StableDeviceError, TransientDeviceError
from adadeep.devices.adb.transport import AdbTransport
from adadeep.devices.discovery import list_attached, select

pytestmark = pytest.mark.lab
Start = Callable[..., Any]


def soon(seconds: float = 20) -> Deadline:
    return Deadline.after(seconds)


def adadeep(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "adadeep", *arguments], capture_output=True, text=True, timeout=120
    )


class TestChoosing:
    def test_the_only_device_needs_no_name(self, fresh_adb: int, lab_phone: Start) -> None:
        phone = lab_phone()
        (transport,) = select([], soon())
        assert transport.serial == phone.serial
        assert transport.run("getprop ro.product.model", soon()).text.strip()

    def test_two_devices_are_a_question_that_ends_with_2(
        self, fresh_adb: int, lab_phone: Start
    ) -> None:
        first, second = lab_phone(), lab_phone()
        with pytest.raises(ConfigError, match=r"2 devices are attached.*-d SERIAL"):
            select([], soon())
        assert {t.serial for t in select(["all"], soon())} == {first.serial, second.serial}
        done = adadeep("doctor")
        assert done.returncode == 2
        assert first.serial in done.stderr
        assert second.serial in done.stderr

    def test_an_address_that_is_not_connected_gets_connected(
        self, fresh_adb: int, lab_phone: Start
    ) -> None:
        phone = lab_phone(connect=False)
        assert [row.serial for row in list_attached(soon())] == ["local"]
        (transport,) = select([phone.serial], soon())
        assert transport.run("echo here", soon()).stdout == b"here\n"

    def test_an_address_where_nothing_listens_is_told(self, fresh_adb: int) -> None:
        with pytest.raises(StableDeviceError, match=r"127\.0\.0\.1:9.*refused"):
            select(["127.0.0.1:9"], soon())

    def test_a_dead_device_that_is_still_listed_is_told(
        self, fresh_adb: int, lab_phone: Start
    ) -> None:
        phone = lab_phone()
        phone.stop()
        with pytest.raises(DeviceError, match=phone.serial):
            select([phone.serial], soon())

    def test_unauthorized_comes_with_its_remedy(self, fresh_adb: int, lab_phone: Start) -> None:
        phone = lab_phone(secure=True)
        (row, _) = list_attached(soon())
        assert row.state == "unauthorized"
        with pytest.raises(StableDeviceError, match=r"unauthorized.*Allow USB debugging"):
            select([phone.serial], soon())
        with pytest.raises(StableDeviceError, match=r"unauthorized.*allow"):
            AdbTransport(phone.serial).run("true", soon())
        done = adadeep("doctor", "-d", phone.serial, "--json")
        assert done.returncode == 3
        (report,) = json.loads(done.stdout)["devices"]
        assert report["checks"][0]["status"] == "fail"
        assert "Allow USB debugging" in report["checks"][0]["evidence"]


class TestDevicesCommand:
    def test_json_has_every_row_and_local_last(self, fresh_adb: int, lab_phone: Start) -> None:
        phone = lab_phone()
        done = adadeep("devices", "--json")
        assert done.returncode == 0
        document = json.loads(done.stdout)
        assert document["schema"] == "adadeep.devices/1"
        rows = document["devices"]
        assert [(row["serial"], row["usable"]) for row in rows] == [
            (phone.serial, True),
            ("local", True),
        ]

    def test_a_bad_state_is_explained_under_its_row(
        self, fresh_adb: int, lab_phone: Start
    ) -> None:
        phone = lab_phone(secure=True)
        lines = adadeep("devices").stdout.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith(phone.serial))
        assert "unauthorized" in lines[at]
        assert "Unlock it" in lines[at + 1]

    def test_nothing_attached_is_no_error_and_says_how(self, fresh_adb: int) -> None:
        done = adadeep("devices")
        assert done.returncode == 0
        assert "local" in done.stdout
        assert "USB debugging" in done.stderr

    def test_starts_an_adb_server_where_none_runs(self, fresh_adb: int) -> None:
        subprocess.run(["adb", "kill-server"], check=True)  # the one that fresh_adb started
        done = adadeep("devices")
        assert done.returncode == 0
        assert "local" in done.stdout
        assert "warning" not in done.stderr

    def test_imports_neither_tensorflow_nor_rich(self, adb_env: dict[str, str]) -> None:
        code = (
            "import sys; from adadeep.cli.main import cli, run; run(cli, ['devices']);"
            "slow = {'tensorflow', 'keras', 'rich', 'numpy', 'adbutils'};"
            "print(sorted(slow & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]"


class TestFaults:
    def test_a_device_killed_in_the_middle_of_a_command_is_transient(
        self, lab_phone: Start
    ) -> None:
        phone = lab_phone()
        killer = threading.Timer(0.5, phone.stop)
        killer.start()
        with pytest.raises(TransientDeviceError, match=phone.serial):
            AdbTransport(phone.serial).run("sleep 60", soon(30))
        killer.join()

    def test_a_device_killed_under_an_open_stream_is_transient(self, lab_phone: Start) -> None:
        phone = lab_phone()
        stream = AdbTransport(phone.serial).open("cat", soon())
        stream.write(b"x\n", soon())
        assert stream.read_line(soon()) == b"x"
        phone.stop()
        with pytest.raises(TransientDeviceError, match=phone.serial):
            stream.read_line(soon())
        stream.close()

    def test_an_adb_server_that_ends_is_transient_and_the_device_can_be_had_again(
        self, fresh_adb: int, lab_phone: Start
    ) -> None:
        phone = lab_phone()
        stream = AdbTransport(phone.serial).open("cat", soon())
        subprocess.run(["adb", "kill-server"], check=True)  # the one that fresh_adb started
        with pytest.raises(TransientDeviceError, match=phone.serial):
            stream.read_line(soon())
        stream.close()
        (transport,) = select([phone.serial], soon())  # starts a server, connects again
        assert transport.run("echo again", soon()).stdout == b"again\n"

    @pytest.mark.parametrize("features", [None, frozenset({"cmd"})])
    def test_a_device_killed_in_the_middle_of_a_push_is_transient(
        self, lab_phone: Start, features: frozenset[str] | None
    ) -> None:
        phone = lab_phone(data_mb=600)
        transport = AdbTransport(phone.serial, features=features)
        remote = f"{transport.workdir}/big"

        def push_on_and_on() -> None:
            for _ in range(1000):
                transport.push(bytes(50_000_000), remote, soon(30))

        killer = threading.Timer(0.1, phone.stop)
        killer.start()
        with pytest.raises(DeviceError, match=phone.serial):
            push_on_and_on()
        killer.join()

    def test_a_full_disk_is_stable_told_and_leaves_nothing_behind(self, lab_phone: Start) -> None:
        phone = lab_phone(data_mb=8)
        transport = AdbTransport(phone.serial)
        remote = f"{transport.workdir}/big"
        with pytest.raises(StableDeviceError, match=r"No space left on device.*Free space"):
            transport.push(bytes(20_000_000), remote, soon())
        assert transport.run(f"ls {transport.workdir}", soon()).stdout == b""

    def test_a_disk_that_is_full_already_is_told_with_the_folders_tried(
        self, lab_phone: Start
    ) -> None:
        phone = lab_phone(data_mb=4)
        transport = AdbTransport(phone.serial)
        transport.run("dd if=/dev/zero of=/data/local/tmp/fill bs=4096; true", soon())
        with pytest.raises(StableDeviceError, match=r"no folder that can be written.*adadeep"):
            _ = transport.workdir

    def test_a_device_that_is_not_there_is_stable(self, adb_env: dict[str, str]) -> None:
        with pytest.raises(StableDeviceError, match=r"NOSUCH.*not found.*adadeep devices"):
            AdbTransport("NOSUCH").run("true", soon())

    def test_a_service_that_ends_its_output_early_is_no_success(self, lab_phone: Start) -> None:
        phone = lab_phone()
        transport = AdbTransport(phone.serial, features=frozenset({"cmd"}))
        with pytest.raises(TransientDeviceError, match=phone.serial):
            transport.run("kill -9 $PPID; sleep 5", soon())

    def test_calls_from_several_threads_do_not_disturb_each_other(self, lab_phone: Start) -> None:
        transport = AdbTransport(lab_phone().serial)
        results: dict[int, str] = {}

        def ask(number: int) -> None:
            results[number] = transport.run(f"echo {number}", soon()).text

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {i: f"{i}\n" for i in range(8)}


def test_an_adb_server_that_was_there_before_is_still_there_afterwards(
    fresh_adb: int, lab_phone: Start
) -> None:
    lab_phone()
    adadeep("devices")
    adadeep("doctor")
    time.sleep(0.1)
    assert len(list_attached(soon())) == 2
