# SPDX-License-Identifier: BSD-2-Clause
"""SIGKILL of either sidecar, either application, the KDC or the directory at
random points of transfers: each arrives whole or its application sees an error.

One that an application's death cut short is no exception: what ends cleanly is
then all that the kernel had taken from it, as without a tunnel.
KERBWRAP_TRANSFERS says how many there are, KERBWRAP_SEED repeats a run.
"""

import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from lab import PATIENCE, ROOT, Kerbwrap, free_port, wait_until
from transfers import SLOT, Progress

AT_ONCE = 3
SEED = int(os.environ.get("KERBWRAP_SEED", random.randrange(1 << 30)))
SCRIPT = ROOT / "tests" / "e2e" / "transfers.py"


class Process:
    """One of the two applications; what it reports."""

    def __init__(self, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, SCRIPT, *map(str, arguments)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._reports = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert "ready" in self.report()

    def _read(self):
        for line in self._process.stdout:
            if line.endswith("\n"):
                self._reports.put(json.loads(line))

    def tell(self, **order):
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def report(self):
        """The next one; hangs are failures."""
        return self._reports.get(timeout=60 * PATIENCE)

    def last_words(self):
        """All that came of one who was killed."""
        self._reader.join()
        while not self._reports.empty():
            yield self._reports.get()

    def kill(self):
        self._process.kill()
        self._process.wait()

    close = kill


class Stage:
    """All that can be killed.  Ports and state stay when a part is replaced."""

    VICTIMS = ("client", "server", "client sidecar", "server sidecar", "kdc",
               "slapd")

    def __init__(self, lab, directory, count):
        self.lab = lab
        self._count = 0
        self._ports = {part: free_port() for part in self.VICTIMS[1:4]}
        self._progress = {}
        for part in ("client", "server"):
            path = lab.path / f"{part}.progress"
            path.write_bytes(bytes(SLOT.size * count))
            self._progress[part] = (path, Progress(path))
        directory.scp(directory.computer(),
                      address=("localhost", self._ports["server sidecar"]))
        self._sections = {
            "server sidecar": {"server db": lab.server_keys(
                f"127.0.0.1:{self._ports['server']}",
                accept=f"127.0.0.1:{self._ports['server sidecar']}")},
            "client sidecar": {
                "directory": directory.section(refresh="1s"),
                "client db": directory.client(
                    accept=f"127.0.0.1:{self._ports['client sidecar']}")},
        }
        for part in self._sections:
            (lab.path / f"state of {part}").mkdir()
        self.parts = {part: self._make(part) for part in self.VICTIMS[:4]}
        self.parts["client sidecar"].wait_for("discovered", outcome="found")
        lab.callback(self._close)

    def _make(self, part):
        self._count += 1
        if part == "client":
            return Process("send", self._progress[part][0])
        if part == "server":
            return Process("serve", self._ports[part],
                           self._progress[part][0])
        settings = {"state_dir": self.lab.path / f"state of {part}",
                    "log_level": "info"}
        sidecar = Kerbwrap(
            self.lab.path / f"{self._count} {part}",
            {"kerbwrap": settings, **self._sections[part]},
            self.lab.environment())
        sidecar.wait_listening()
        return sidecar

    def _close(self):
        for part in self.parts.values():
            part.close()

    def taken(self, part, number):
        """How much of a transfer the kernel had taken from an application."""
        return self._progress[part][1].read(number)

    def kill(self, victim):
        if victim in ("kdc", "slapd"):
            self.lab.realm.kill(victim)
        elif isinstance(self.parts[victim], Process):
            self.parts[victim].kill()
        else:
            self.parts[victim].expect_status = -signal.SIGKILL
            self.parts[victim].signal(signal.SIGKILL)

    def replace(self, victim):
        if victim in ("kdc", "slapd"):
            self.lab.realm.start(victim)
            return
        if isinstance(self.parts[victim], Kerbwrap):
            self.parts[victim].close()
        self.parts[victim] = self._make(victim)

    def wait_quiet(self, victim):
        """Until no sidecar has a connection left."""
        for part in ("client sidecar", "server sidecar"):
            sidecar = self.parts[part]
            if part != victim:
                wait_until(
                    lambda: not sidecar.status()["totals"]["connections"])

    def order(self, number, up, down):
        self.parts["client"].tell(id=number, up=up, down=down,
                                  port=self._ports["client sidecar"])


class Round:
    """A few transfers at once, during which one victim is killed."""

    def __init__(self, stage, numbers, victim, choice):
        self.stage = stage
        self.victim = victim
        self.choice = choice
        self.sizes = {
            number: {way: int(2 ** choice.uniform(6, 23))
                     for way in ("up", "down")}
            for number in numbers
        }
        self.ends = []

    def run(self, point):
        """point: which share of all bytes has been sent by the time of the
        blow; at the very beginning when it is negative."""
        for number, size in self.sizes.items():
            self.stage.order(number, **size)
        if point < 0:
            time.sleep(-point / 20)
        else:
            self._await(point)
        self.stage.kill(self.victim)
        self._collect()
        self.stage.replace(self.victim)
        return self.ends

    def _await(self, point):
        total = sum(sum(size.values()) for size in self.sizes.values())
        end = time.monotonic() + 2
        while time.monotonic() < end and point * total > sum(
                self.stage.taken(part, number)
                for part in ("client", "server") for number in self.sizes):
            time.sleep(0.0002)

    def _collect(self):
        """All reports, of who was killed as well."""
        client, server = (self.stage.parts[p] for p in ("client", "server"))
        if self.victim == "client":
            reports = list(client.last_words())
        else:
            reports = [client.report() for _ in self.sizes]
        for report in reports:
            self._check("client", "server", "down", report)
        self.stage.wait_quiet(self.victim)
        if self.victim == "server":
            reports = list(server.last_words())
        else:
            server.tell()
            reports = list(iter(server.report, {"idle": True}))
        for report in reports:
            self._check("server", "client", "up", report)

    def _check(self, receiver, sender, way, report):
        told = f"the {receiver} of {report} as the {self.victim} was killed"
        assert report["right"], told
        self.ends.append((receiver, report["end"]))
        if report["end"] == "error":
            return
        if self.victim == sender:
            least = (self.stage.taken(sender, report["id"])
                     if report["id"] is not None else 0)
            assert report["got"] >= least, told
        else:
            assert report["id"] is not None, told
            assert report["got"] == self.sizes[report["id"]][way], told


def play(lab, directory, count):
    print(f"KERBWRAP_SEED={SEED}")
    choice = random.Random(SEED)
    stage = Stage(lab, directory, count)
    figures = {victim: {"clean": 0, "error": 0} for victim in stage.VICTIMS}
    victims = []
    for first in range(0, count, AT_ONCE):
        victims = victims or choice.sample(stage.VICTIMS, len(stage.VICTIMS))
        victim = victims.pop()
        numbers = range(first, min(first + AT_ONCE, count))
        ends = Round(stage, numbers, victim, choice).run(
            choice.uniform(-0.2, 1))
        for _, end in ends:
            figures[victim][end] += 1
    for victim, figure in figures.items():
        print(f"{victim} killed: directions {figure}")
    # Not all were over before the blow, nor did all fall to it.
    for victim in ("client sidecar", "server sidecar"):
        assert figures[victim]["error"] > 0
    assert sum(figure["clean"] for figure in figures.values()) > count / 4


def test_who_is_killed_in_a_transfer_leaves_it_whole_or_an_error(
        lab, directory):
    play(lab, directory, int(os.environ.get("KERBWRAP_TRANSFERS", "42")))


@pytest.mark.soak
def test_who_is_killed_in_2000_transfers_leaves_each_whole_or_an_error(
        lab, directory):
    play(lab, directory, int(os.environ.get("KERBWRAP_TRANSFERS", "2000")))
