"""Devices without a cable, by an adb server that a test scripts: heard of, paired, connected."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.cli.main import cli, run
from adadeep.core.clock import Deadline
from adadeep.core.device import AttachedDevice
from adadeep.core.errors import ConfigError, StableDeviceError
from adadeep.devices.adb.wireless import (
    Announced,
    announced,
    not_connected,
    pair,
    parse_services,
    require_address,
)
from adadeep.devices.discovery import connect
from fakes.adb_server import FakeAdbServer

WATCH = "adb-RFAX40B-t9XcQ1\t_adb-tls-connect._tcp\t192.168.1.7:37123\n"
WAITS = "adb-RFAX40B-t9XcQ1\t_adb-tls-pairing._tcp.\t192.168.1.7:41234\n"
BOX = "adb-BOX (2)\t_adb._tcp.\t[fe80::1%wlan0]:5555\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAdbServer]:
    with FakeAdbServer() as made:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(made.server_address[1]))
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        made.answers["host:devices-l"] = ""
        yield made
        made.shutdown()


def soon() -> Deadline:
    return Deadline.after(5)


def test_what_announces_itself_is_read_with_its_address_and_whether_it_waits_to_be_paired() -> (
    None
):
    text = f"List of discovered mdns services\n{WATCH}{WAITS}{BOX}printer\t_ipp._tcp\t10.0.0.9:1\n"
    assert parse_services(text) == [
        Announced("adb-RFAX40B-t9XcQ1", "192.168.1.7:37123", pairs=False),
        Announced("adb-RFAX40B-t9XcQ1", "192.168.1.7:41234", pairs=True),
        Announced("adb-BOX (2)", "[fe80::1%wlan0]:5555", pairs=False),
    ]


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    for one in parse_services(text):
        assert one.address.isprintable()
        assert " " not in one.address


def test_an_adb_server_that_does_not_listen_is_no_error(server: FakeAdbServer) -> None:
    assert announced(soon()) == []
    server.answers["host:mdns:services"] = WATCH
    assert [one.address for one in announced(soon())] == ["192.168.1.7:37123"]


def test_what_is_not_attached_gets_a_row_with_the_step_to_take() -> None:
    found = parse_services(WATCH + WAITS)
    waits, connects = sorted(not_connected(found, []), key=lambda row: row.state, reverse=True)
    assert (waits.state, waits.usable) == ("not paired", False)
    assert waits.remedy
    assert waits.remedy.startswith("adadeep devices --pair 192.168.1.7:41234")
    assert connects.state == "not connected"
    assert connects.remedy
    assert connects.remedy.startswith("adadeep devices --connect 192.168.1.7:37123")


@pytest.mark.parametrize(
    "serial", ["192.168.1.7:37123", "adb-RFAX40B-t9XcQ1._adb-tls-connect._tcp"]
)
def test_what_is_attached_already_has_its_row(serial: str) -> None:
    attached = [AttachedDevice(serial, "device", "tcp")]
    assert not_connected(parse_services(WATCH), attached) == []


@pytest.mark.parametrize(
    ("text", "port", "address"),
    [("10.0.0.7:5", None, "10.0.0.7:5"), ("watch.local", 5555, "watch.local:5555"),
     ("[fe80::1]:37", None, "[fe80::1]:37"), ("10.0.0.7:1", 5555, "10.0.0.7:1")],
)  # fmt: skip
def test_addresses_are_taken(text: str, port: int | None, address: str) -> None:
    assert require_address("--connect", text, port) == address


@pytest.mark.parametrize(
    "text", ["", "10.0.0.7", "a b:5", "x:99999", "x:0", ":5", "x;y:5", "x:y:5"]
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--pair .*write HOST:PORT"):
        require_address("--pair", text)


class TestPairing:
    ADDRESS = "192.168.1.7:41234"
    DONE = f"Successfully paired to {ADDRESS} [guid=adb-RFAX40B-t9XcQ1]"

    def test_the_server_is_asked_with_the_code(self, server: FakeAdbServer) -> None:
        server.answers[f"host:pair:123456:{self.ADDRESS}"] = self.DONE
        assert pair(self.ADDRESS, "123456", soon()) == self.DONE

    def test_a_wrong_code_says_what_to_look_at(self, server: FakeAdbServer) -> None:
        server.answers[f"host:pair:111111:{self.ADDRESS}"] = "Failed: Wrong password."
        with pytest.raises(
            StableDeviceError, match=r"Wrong password\. See whether it still shows"
        ):
            pair(self.ADDRESS, "111111", soon())

    def test_a_server_that_is_too_old_is_named_with_a_newer_adb(
        self, server: FakeAdbServer
    ) -> None:
        with pytest.raises(StableDeviceError, match=r"from version 30 on.*ADBUTILS_ADB_PATH="):
            pair(self.ADDRESS, "123456", soon())

    @pytest.mark.parametrize("code", ["", "12", "12 34", "123456:x", "1" * 65])
    def test_what_is_no_code_is_not_sent(self, server: FakeAdbServer, code: str) -> None:
        with pytest.raises(ConfigError, match="six digits"):
            pair(self.ADDRESS, code, soon())
        assert server.asked == []


class TestTheCommand:
    def test_pairs_says_how_to_connect_and_lists(
        self, server: FakeAdbServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.answers[f"host:pair:123456:{TestPairing.ADDRESS}"] = TestPairing.DONE
        server.answers["host:mdns:services"] = WATCH
        arguments = ["devices", "--pair", TestPairing.ADDRESS, "--code", "123456"]
        assert run(cli, arguments) == 0
        out, err = capsys.readouterr()
        assert "Successfully paired" in err
        assert "another port each time" in err
        assert "adadeep devices --connect 192.168.1.7:37123" in " ".join(out.split())

    def test_connects_by_the_usual_port_where_none_is_named(self, server: FakeAdbServer) -> None:
        server.answers["host:connect:10.0.0.5:5555"] = "connected to 10.0.0.5:5555"
        server.answers["host:devices-l"] = "10.0.0.5:5555 offline\n"
        server.answers["host:disconnect:10.0.0.5:5555"] = ""
        assert run(cli, ["devices", "--connect", "10.0.0.5"]) == 0
        assert "host:connect:10.0.0.5:5555" in server.asked

    def test_without_a_code_and_a_terminal_it_is_asked_for_by_the_option(
        self, server: FakeAdbServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(cli, ["devices", "--pair", TestPairing.ADDRESS]) == 2
        assert "--code CODE" in capsys.readouterr().err
        assert run(cli, ["devices", "--code", "123456"]) == 2
        assert server.asked == []

    def test_json_has_what_announces_itself(
        self, server: FakeAdbServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.answers["host:mdns:services"] = WAITS
        assert run(cli, ["devices", "--json"]) == 0
        waits, here = json.loads(capsys.readouterr().out)["devices"]
        assert (waits["serial"], waits["usable"], waits["notes"]) == (
            TestPairing.ADDRESS,
            False,
            [],
        )
        assert here["serial"] == "local"


def test_a_port_that_has_changed_is_told_with_the_new_one(server: FakeAdbServer) -> None:
    server.answers["host:connect:192.168.1.7:40000"] = "failed to connect to 192.168.1.7:40000"
    server.answers["host:mdns:services"] = WATCH
    with pytest.raises(StableDeviceError, match=r"announces itself at 192\.168\.1\.7:37123 now"):
        connect("192.168.1.7:40000", soon())
    server.answers["host:mdns:services"] = ""
    with pytest.raises(StableDeviceError, match=r"never paired.*adadeep devices --pair"):
        connect("192.168.1.7:40000", soon())
