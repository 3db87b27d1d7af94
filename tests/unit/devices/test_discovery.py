"""Which device a command means; against an adb server that a test scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.device import DeviceFacts, hashed
from adadeep.core.errors import ConfigError, DeviceError, StableDeviceError, TransientDeviceError
from adadeep.core.transport import ShellResult
from adadeep.devices.adb.transport import AdbTransport
from adadeep.devices.discovery import list_attached, select
from fakes.adb_server import FakeAdbServer

ONE = "AAA device usb:1-1 model:Redmi_3S\n"
TWO = ONE + "BBB device usb:1-2 model:Mi_Box\n"
PROFILES = {
    "mi": DeviceFacts(hashed("BBB"), "adb", "Xiaomi", "Mi Box", hardware_serial=hashed("B-own")),
    "here": DeviceFacts("local", "local", "Some", "Computer"),
    "paper": DeviceFacts("table-3-paper", "none", "Huawei", "P9"),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAdbServer]:
    with FakeAdbServer() as made:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(made.server_address[1]))
        monkeypatch.delenv("ANDROID_SERIAL", raising=False)
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


Choose = Callable[..., list[str]]


@pytest.fixture
def choose(server: FakeAdbServer) -> Choose:
    def chosen(attached: str, *selectors: str) -> list[str]:
        server.answers["host:devices-l"] = attached
        return [t.serial for t in select(selectors, Deadline.after(5), PROFILES.get)]

    return chosen


def test_local_is_the_last_row(server: FakeAdbServer) -> None:
    server.answers["host:devices-l"] = TWO
    rows = list_attached(Deadline.after(5))
    assert [row.serial for row in rows] == ["AAA", "BBB", "local"]
    assert rows[-1].usable


class TestNothingNamed:
    def test_nothing_attached_is_local(self, choose: Choose) -> None:
        assert choose("") == ["local"]

    def test_the_only_usable_one(self, choose: Choose) -> None:
        assert choose(ONE + "CCC unauthorized usb:1-3\n") == ["AAA"]

    def test_two_are_a_question_that_lists_them(self, choose: Choose) -> None:
        with pytest.raises(ConfigError, match=r"AAA \(Redmi_3S\), BBB \(Mi_Box\).*-d"):
            choose(TWO)

    def test_one_that_cannot_be_used_is_not_replaced_by_local(self, choose: Choose) -> None:
        with pytest.raises(StableDeviceError, match=r"CCC is unauthorized.*Unlock"):
            choose("CCC unauthorized usb:1-3\n")

    def test_a_run_names_a_device_by_the_hash_of_its_serial(self, choose: Choose) -> None:
        assert choose(TWO, hashed("BBB")) == ["BBB"]
        with pytest.raises(StableDeviceError, match="no such device is attached"):
            choose(ONE, hashed("BBB"))

    def test_android_serial_decides(self, choose: Choose, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANDROID_SERIAL", "BBB")
        assert choose(TWO) == ["BBB"]

    def test_one_that_is_coming_up_is_waited_for(
        self, choose: Choose, server: FakeAdbServer
    ) -> None:
        after = {"host:devices-l": ONE}
        timer = threading.Timer(0.3, server.answers.update, (after,))
        timer.start()
        assert choose("AAA offline usb:1-1\n") == ["AAA"]
        timer.join()

    def test_one_that_stays_offline_is_transient(self, choose: Choose) -> None:
        with pytest.raises(TransientDeviceError, match=r"AAA is offline.*plug it in again"):
            choose("AAA offline usb:1-1\n")


class TestNamed:
    def test_in_the_order_named_and_each_once(self, choose: Choose) -> None:
        assert choose(TWO, "BBB", "local", "AAA", "BBB") == ["BBB", "local", "AAA"]

    def test_all_is_every_usable_one(self, choose: Choose) -> None:
        assert choose(TWO + "CCC offline\n", "all") == ["AAA", "BBB"]

    def test_all_of_none_says_how_to_attach(self, choose: Choose) -> None:
        with pytest.raises(StableDeviceError, match=r"no device is attached.*USB debugging"):
            choose("", "all")

    def test_a_profile_name_gives_its_device(self, choose: Choose) -> None:
        assert choose(TWO, "mi") == ["BBB"]

    def test_a_profile_of_this_computer_is_local(self, choose: Choose) -> None:
        assert choose(ONE, "here") == ["local"]

    def test_a_profile_finds_its_device_plugged_in_another_way(
        self, choose: Choose, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = {"AAA": "A-own\n", "10.0.0.5:5555": "B-own\n"}

        def run(transport: AdbTransport, command: str, deadline: Deadline) -> ShellResult:
            return ShellResult(command, own[transport.serial].encode(), b"", 0)

        monkeypatch.setattr(AdbTransport, "run", run)
        assert choose(ONE + "10.0.0.5:5555 device\n", "mi") == ["10.0.0.5:5555"]

    def test_a_profile_whose_device_is_elsewhere_is_told_by_name(self, choose: Choose) -> None:
        with pytest.raises(StableDeviceError, match=r"-d mi: .*Xiaomi Mi Box.*AAA") as caught:
            choose(ONE, "mi")
        assert "sha256" not in str(caught.value)

    def test_a_profile_of_no_device_is_told_by_name(self, choose: Choose) -> None:
        with pytest.raises(StableDeviceError, match=r"-d paper: .*no device") as caught:
            choose(ONE, "paper")
        assert "table-3" not in str(caught.value)

    def test_a_missing_one_is_told_with_what_is_there(self, choose: Choose) -> None:
        with pytest.raises(StableDeviceError, match=r"ZZZ.*AAA \(Redmi_3S\)"):
            choose(ONE, "ZZZ")

    def test_one_in_a_bad_state_comes_with_its_remedy(self, choose: Choose) -> None:
        with pytest.raises(StableDeviceError, match=r"CCC is recovery.*adb reboot"):
            choose("CCC recovery\n", "CCC")

    def test_local_needs_no_adb_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ADB_SERVER_SOCKET", "localabstract:none")
        assert [t.serial for t in select(["local"], Deadline.after(5))] == ["local"]


class TestNetworkAddress:
    def test_a_connected_one_is_not_connected_again(
        self, choose: Choose, server: FakeAdbServer
    ) -> None:
        assert choose("10.0.0.5:5555 device\n", "10.0.0.5:5555") == ["10.0.0.5:5555"]
        assert not any("connect" in service for service in server.asked)

    def test_the_words_of_a_failed_connect_are_told(
        self, choose: Choose, server: FakeAdbServer
    ) -> None:
        text = "failed to connect to '10.0.0.5:5555': Connection refused"
        server.answers["host:connect:10.0.0.5:5555"] = text
        with pytest.raises(StableDeviceError, match="Connection refused"):
            choose("", "10.0.0.5:5555")

    def test_an_offline_one_is_disconnected_first(
        self, choose: Choose, server: FakeAdbServer
    ) -> None:
        server.answers["host:disconnect:10.0.0.5:5555"] = "disconnected"
        server.answers["host:connect:10.0.0.5:5555"] = "connected to 10.0.0.5:5555"
        with pytest.raises(DeviceError, match="offline"):  # it stays so here
            choose("10.0.0.5:5555 offline\n", "10.0.0.5:5555")
        assert server.asked.index("host:disconnect:10.0.0.5:5555") < server.asked.index(
            "host:connect:10.0.0.5:5555"
        )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("device 'AAA' not found", StableDeviceError),
        ("device unauthorized.\nCheck for a confirmation dialog", StableDeviceError),
        ("device offline", TransientDeviceError),
        ("device still authorizing", TransientDeviceError),
        ("closed", TransientDeviceError),
    ],
)
def test_refusals_are_stable_or_transient_by_their_words(
    server: FakeAdbServer, text: str, kind: type[DeviceError]
) -> None:
    server.answers["host:transport:AAA"] = "!" + text
    transport = AdbTransport("AAA", features=frozenset({"shell_v2"}))
    with pytest.raises(kind, match="AAA: .*" + text.split("\n", maxsplit=1)[0]):
        transport.run("true", Deadline.after(5))
