"""A clock that tests turn by hand."""


class HandClock:
    """Stands still but for `sleep`, which takes no time."""

    def __init__(self, time=0.0):
        self.time = time

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds
