"""An adb server whose answers a test writes."""

from __future__ import annotations

import socketserver


class FakeAdbServer(socketserver.ThreadingTCPServer):
    """Answers by `answers` (service -> text, or FAIL text after a !); keeps what it was asked."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, str] = {}
        self.asked: list[str] = []


class _Handler(socketserver.BaseRequestHandler):
    server: FakeAdbServer

    def handle(self) -> None:
        size = int(self.request.recv(4) or b"0", 16)
        service = self.request.recv(size).decode()
        self.server.asked.append(service)
        text = self.server.answers.get(service, "!unknown host service")
        status, text = ("FAIL", text[1:]) if text.startswith("!") else ("OKAY", text)
        self.request.sendall(f"{status}{len(text):04x}{text}".encode())
