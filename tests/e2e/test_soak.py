# SPDX-License-Identifier: BSD-2-Clause
"""Minutes of everything at once: nothing leaks, nothing slows down, nothing is
lost.  Run by tests/run --soak."""

import os
import pathlib
import random
import threading
import time

import pytest

from applications import exchange, reset

pytestmark = pytest.mark.soak

MINUTES = float(os.environ.get("KERBWRAP_SOAK_MINUTES", "5"))


def descriptors(sidecar):
    return len(os.listdir(pathlib.Path(f"/proc/{sidecar.process.pid}/fd")))


class Traffic:
    """Threads that talk, reset and hang up at random until told to stop."""

    def __init__(self, tunnel, count=8):
        self.tunnel = tunnel
        self.failures = []
        self.rounds = 0
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(seed,))
            for seed in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, seed):
        choice = random.Random(seed)
        while not self._stop.is_set():
            try:
                sock = self.tunnel.connect(timeout=60)
                for _ in range(choice.randrange(1, 20)):
                    exchange(sock, os.urandom(choice.randrange(1, 200_000)))
                if choice.random() < 0.2:
                    reset(sock)
                sock.close()
                self.rounds += 1
            except (OSError, AssertionError) as error:
                self.failures.append(error)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_memory_and_descriptors_stay_flat_under_mixed_traffic(lab):
    keytab = lab.realm.add("runner", '-randkey -maxlife "60 seconds"')
    tunnel = lab.tunnel(
        lab.echo(),
        server={"allow": "runner@CORP.EXAMPLE.TEST"},
        client={"keytab": keytab, "principal": "runner"},
    )
    sidecars = (tunnel.server, tunnel.client)
    traffic = Traffic(tunnel)
    try:
        time.sleep(60 * MINUTES / 5)
        before = [(s.rss_kib(), descriptors(s)) for s in sidecars]
        end = time.monotonic() + 60 * MINUTES * 4 / 5
        while time.monotonic() < end:
            time.sleep(5)
            for sidecar in sidecars:
                sidecar.reload()
    finally:
        traffic.stop()
    after = [(s.rss_kib(), descriptors(s)) for s in sidecars]
    assert traffic.failures == []
    assert traffic.rounds > 100 * MINUTES
    for (rss_then, open_then), (rss_now, open_now) in zip(before, after):
        assert rss_now < rss_then + 8192
        assert open_now <= open_then + 8
