# SPDX-License-Identifier: BSD-2-Clause
"""A live connection, and what it feels of what happens beside it."""

import threading
import time

from applications import exchange
from lab import PATIENCE

# Far below the half minute for which libkrb5, and the ten seconds for which a
# handshake, may wait.
PROMPT = 0.6 * PATIENCE
BEATS = 10


class Pulse:
    """Ping-pong over a connected socket until the `with` block ends, where all
    of it must have been answered, each within PROMPT seconds."""

    def __init__(self, sock):
        self.sock = sock
        self.beats = 0
        self.longest = 0.0
        self._error = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self):
        try:
            while not self._end.wait(0.01):
                began = time.monotonic()
                data = b"%d" % self.beats
                assert exchange(self.sock, data) == data
                self.longest = max(self.longest, time.monotonic() - began)
                self.beats += 1
        except (OSError, AssertionError) as error:
            self._error = error

    def __enter__(self):
        exchange(self.sock, b"are you there?")
        self._thread.start()
        return self

    def __exit__(self, kind, *details):
        until = time.monotonic() + 10 * PATIENCE
        while (kind is None and self.beats < BEATS and self._error is None
               and time.monotonic() < until):
            time.sleep(0.01)
        self._end.set()
        self._thread.join()
        self.sock.close()
        if kind is not None:
            return
        print(f"{self.beats} answers, the longest took {self.longest:.3f} s")
        assert self._error is None, self._error
        assert self.beats >= BEATS
        assert self.longest < PROMPT


def prompt(sidecar, service, count=5):
    """New connections one after the other, none of which takes long."""
    for _ in range(count):
        began = time.monotonic()
        with sidecar.connect(service) as sock:
            assert exchange(sock, b"hello") == b"hello"
        assert time.monotonic() - began < PROMPT


def comes_back(sidecar, service, timeout=15):
    """Connections are tried until one works, without a restart."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        try:
            with sidecar.connect(service) as sock:
                assert exchange(sock, b"hello") == b"hello"
                return
        except OSError:
            assert time.monotonic() < deadline, "it did not come back"
            time.sleep(0.1)
