# SPDX-License-Identifier: BSD-2-Clause
"""Everything at once: connections of all kinds, reloads, keytabs replaced, the
KDC and the directory restarted, tickets that last a minute.  Nothing is cut
short, and in the end descriptors, threads and memory are back where they began.

KERBWRAP_MIXED_SECONDS says how long.
"""

import os
import pathlib
import random
import re
import shutil
import socket
import threading
import time

import pytest
from applications import receive_all, reset
from lab import BINARY, wait_until

# Memory that the sanitizer holds back after it was freed would grow for long.
FRUGAL = {"ASAN_OPTIONS": "quarantine_size_mb=1:detect_stack_use_after_return=0"}


def used(sidecar):
    """Descriptors, threads, KiB."""
    process = pathlib.Path(f"/proc/{sidecar.process.pid}")
    threads = re.search(r"Threads:\s+(\d+)",
                        (process / "status").read_text()).group(1)
    return (len(os.listdir(process / "fd")), int(threads),
            sidecar.rss_kib())


class Load:
    """Threads that talk, hang up and reset at random until told to stop."""

    def __init__(self, client, count):
        self.client = client
        self.whole = self.errors = 0
        self.wrong = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(seed),))
            for seed in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, choice):
        while not self._stop.is_set():
            try:
                self._one(choice)
            except OSError:
                # The KDC was away, say.  Whether it goes on, play() asks.
                self.errors += 1
                time.sleep(0.05)

    def _one(self, choice):
        data = choice.randbytes(int(2 ** choice.uniform(0, 19)))
        with self.client.connect("db", timeout=60) as sock:
            if choice.random() < 0.1:
                sock.sendall(data)
                reset(sock)
                return
            sender = threading.Thread(target=self._send, args=(sock, data))
            sender.start()
            back = receive_all(sock)
            sender.join()
        if back == data:
            self.whole += 1
        else:
            self.wrong.append((len(back), len(data)))

    @staticmethod
    def _send(sock, data):
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


class World:
    def __init__(self, lab, directory):
        self.lab = lab
        self.keytab = lab.path / "service.keytab"
        shutil.copy(lab.realm.keytab("web1"), self.keytab)
        self.server = lab.kerbwrap(
            {"kerbwrap": {"log_level": "info"},
             "server db": lab.server_keys(
                 lab.echo(), keytab=self.keytab,
                 allow=f"runner@{lab.realm.name}")},
            name="server", env=FRUGAL)
        directory.scp(directory.computer(), address=self.server.address("db"))
        # Tickets end and are renewed all the while.
        keytab = lab.realm.add("runner", '-randkey -maxlife "60 seconds"')
        self.client = lab.kerbwrap(
            {"kerbwrap": {"log_level": "info"},
             "directory": directory.section(refresh="1s"),
             "client db": directory.client(keytab=keytab,
                                           principal="runner")}, name="client", env=FRUGAL)
        self.client.wait_for("discovered", outcome="found")

    def reload(self, choice):
        sidecar = choice.choice((self.server, self.client))
        sections = {k: dict(v) for k, v in sidecar.sections.items()}
        if choice.random() < 0.5:
            sections["client more"] = self.lab.client_keys(("127.0.0.1", 1))
        sidecar.reload(sections)

    def rotate(self, choice):
        """The file is replaced, as ktutil and its like do."""
        new = self.keytab.with_suffix(".new")
        shutil.copy(self.lab.realm.keytab("web1"), new)
        new.rename(self.keytab)

    def restart(self, choice):
        daemon = choice.choice(("kdc", "slapd"))
        if choice.random() < 0.5:
            self.lab.realm.kill(daemon)
        else:
            self.lab.realm.stop(daemon)
        time.sleep(choice.uniform(0, 0.3))
        self.lab.realm.start(daemon)

    def is_idle(self):
        return not any(s.status()["totals"]["connections"]
                       for s in (self.server, self.client))


def disturb(world, until, choice):
    while time.monotonic() < until:
        choice.choice((world.reload, world.rotate, world.restart))(choice)
        time.sleep(choice.uniform(0.05, 0.5))


def settle(world):
    """What it uses once nothing goes on."""
    wait_until(world.is_idle)
    wait_until(lambda: not any(
        lane["running"] or lane["queued"]
        for s in (world.server, world.client) for lane in s.status()["lanes"]),
        timeout=40)
    return [used(s) for s in (world.server, world.client)]


def play(lab, directory, seconds):
    choice = random.Random(6)
    world = World(lab, directory)
    # What a sidecar keeps for good, it has after a share of the load.
    load = Load(world.client, 6)
    disturb(world, time.monotonic() + seconds / 5, choice)
    load.stop()
    before = settle(world)
    load = Load(world.client, 6)
    disturb(world, time.monotonic() + seconds * 4 / 5, choice)
    seen = load.whole
    wait_until(lambda: load.whole > seen + 20)  # it still works
    load.stop()
    after = settle(world)
    print(f"{load.whole} whole, {load.errors} errors; "
          f"(descriptors, threads, KiB) {before} then {after}")
    assert load.wrong == []
    assert load.whole > load.errors
    # A sanitizer keeps much for itself.
    leeway = 4 if b"__asan_init" in BINARY.read_bytes() else 1
    for (files, threads, kib), (files_now, threads_now, kib_now) in zip(
            before, after):
        assert files_now <= files + 2
        assert threads_now <= threads
        assert kib_now < kib + leeway * (4096 + kib / 10)


def test_nothing_adds_up_in_seconds_of_everything(lab, directory):
    play(lab, directory, float(os.environ.get("KERBWRAP_MIXED_SECONDS", "6")))


@pytest.mark.soak
def test_nothing_adds_up_in_minutes_of_everything(lab, directory):
    play(lab, directory,
         float(os.environ.get("KERBWRAP_MIXED_SECONDS", "600")))
