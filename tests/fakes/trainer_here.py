"""The worker in this process: what commands say of networks and data, without starting one each.

Everything else is the real thing: requests and replies are encoded, errors cross as they do.
"""

from __future__ import annotations

import io
from collections import deque

import msgspec

from adadeep.study import trainer
from adadeep.study.worker import Worker
from adadeep.study.worker_messages import Opened, Reply, Stage


class TrainerHere(trainer.Trainer):
    """A `Trainer` whose requests are carried out when their answer is asked for."""

    def _open(self):
        self._sink = io.BytesIO()
        self._worker = Worker(self._sink)
        self._waiting = deque()
        reply = self._carried_out(self._opening)
        if not isinstance(reply, Opened):
            raise trainer._error_of(reply)
        return reply

    def start(self, request):
        self._waiting.append(request)

    def finished(self, wait_s):
        if not self._waiting:
            return None
        request = self._waiting.popleft()
        return trainer._answer(request, self._carried_out(request))

    def close(self):
        pass

    def _carried_out(self, request):
        self._sink.seek(0)
        self._sink.truncate()
        self._worker.answer(msgspec.json.encode(request))
        for line in self._sink.getvalue().splitlines():
            reply = msgspec.json.decode(line, type=Reply)
            if isinstance(reply, Stage):
                self._stage(reply.text)
        return reply


def work_here(patch):
    """Commands that train and convert do it in this process."""
    for name in ("builder", "compressing", "look"):
        patch.setattr(f"adadeep.study.{name}.Trainer", TrainerHere)
    return patch
