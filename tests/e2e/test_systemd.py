# SPDX-License-Identifier: BSD-2-Clause
"""What systemd is told, and the units that are installed."""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from applications import exchange
from lab import BINARY, PATIENCE, ROOT

UNITS = ROOT / "contrib" / "systemd"
needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is missing: install systemd")


class Manager:
    """The socket that NOTIFY_SOCKET names."""

    def __init__(self, lab, abstract=False):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        lab.callback(self.sock.close)
        name = f"kerbwrap-test-{os.getpid()}-{id(self)}"
        self.sock.bind(f"\0{name}" if abstract else str(lab.path / "notify"))
        self.name = f"@{name}" if abstract else self.sock.getsockname()

    def next(self, timeout=20):
        """The next message: {VARIABLE: VALUE}."""
        self.sock.settimeout(timeout * PATIENCE)
        lines = self.sock.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def until(self, variable, timeout=20):
        """The next message with that variable; others are passed over."""
        deadline = time.monotonic() + timeout * PATIENCE
        while True:
            message = self.next(timeout)
            if variable in message:
                return message
            assert time.monotonic() < deadline, f"no {variable}"

    def drain(self):
        self.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.sock.recv(4096)

    def hears_within(self, seconds):
        """Does anything come?"""
        self.sock.settimeout(seconds)
        try:
            self.sock.recv(4096)
        except (TimeoutError, BlockingIOError):
            return False
        return True


def start(lab, manager, **env):
    return lab.kerbwrap(
        {"client db": lab.client_keys("127.0.0.1:1"),
         "client other": lab.client_keys("127.0.0.1:1")},
        env={"NOTIFY_SOCKET": manager.name, **env})


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told_from_start_to_end(lab, abstract):
    manager = Manager(lab, abstract)
    sidecar = start(lab, manager)
    assert manager.next() == {
        "READY": "1", "STATUS": "serving 2 of 2, connections: 0"}

    before = time.monotonic_ns() // 1000
    sidecar.reload()
    reloading = manager.next()
    assert reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) <= (
        time.monotonic_ns() // 1000)
    assert manager.next()["READY"] == "1"

    sidecar.reload("[nonsense]\n")
    assert manager.next()["RELOADING"] == "1"
    assert manager.next() == {
        "READY": "1", "STATUS": "serving 2 of 2, connections: 0"}
    sidecar.wait_for("reload_failed")

    sidecar.signal(signal.SIGTERM)
    assert manager.next() == {
        "STOPPING": "1", "STATUS": "draining, connections: 0"}


def test_the_manager_is_told_ready_when_the_last_of_two_reloads_is_over(lab):
    hung = lab.path / "hung.keytab"
    os.mkfifo(hung)
    manager = Manager(lab)
    sidecar = start(lab, manager)
    assert manager.next()["READY"] == "1"
    other = {**sidecar.sections["client other"], "keytab": hung}
    sidecar.reload({**sidecar.sections, "client other": other})
    assert manager.next()["RELOADING"] == "1"
    end = os.open(hung, os.O_WRONLY)  # until it is being read
    sidecar.reload(sidecar.sections)
    assert manager.next()["RELOADING"] == "1"
    os.close(end)
    assert manager.next()["READY"] == "1"
    sidecar.wait_for("reload_failed")
    sidecar.wait_for("reloaded")


def test_ready_means_that_connections_are_accepted(lab):
    manager = Manager(lab)
    server = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    sidecar = lab.kerbwrap(
        {"client db": lab.client_keys(server.address("db"))},
        env={"NOTIFY_SOCKET": manager.name}, wait=False)
    assert manager.next()["READY"] == "1"
    with sidecar.connect("db") as sock:
        assert exchange(sock, b"now") == b"now"


def test_who_cannot_start_is_never_ready(lab):
    manager = Manager(lab)
    sidecar = lab.kerbwrap(
        {"client db": lab.client_keys("127.0.0.1:1", accept="fd:none")},
        env={"NOTIFY_SOCKET": manager.name}, wait=False)
    sidecar.expect_status = 1
    sidecar.wait()
    assert not manager.hears_within(0)


def test_a_manager_that_is_gone_hinders_nothing(lab):
    manager = Manager(lab)
    sidecar = start(lab, manager, WATCHDOG_USEC="300000")
    manager.until("WATCHDOG")
    manager.sock.close()
    sidecar.reload()
    sidecar.wait_for("reloaded")


# --- the watchdog -----------------------------------------------------------


def test_the_watchdog_hears_of_us_as_often_as_it_wants(lab):
    manager = Manager(lab)
    start(lab, manager, WATCHDOG_USEC="1500000")
    manager.until("READY")
    manager.until("WATCHDOG")
    for _ in range(3):
        began = time.monotonic()
        manager.until("WATCHDOG")
        assert time.monotonic() - began < 1.5 * PATIENCE


def test_a_watchdog_of_another_process_is_not_ours(lab):
    manager = Manager(lab)
    start(lab, manager, WATCHDOG_USEC="100000", WATCHDOG_PID="1")
    manager.until("READY")
    assert not manager.hears_within(1)


class Hold:
    """Stops one thread of another process, and lets it go on."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, tid):
        self.tid = tid
        self.call = ctypes.CDLL(None, use_errno=True).ptrace
        self.call.argtypes = [ctypes.c_long] * 4
        for request in (self.SEIZE, self.INTERRUPT):
            if self.call(request, tid, 0, 0) != 0:
                pytest.skip("threads of others cannot be stopped here: "
                            + os.strerror(ctypes.get_errno()))
        os.waitpid(tid, 0x40000000)  # __WALL

    def release(self):
        self.call(self.DETACH, self.tid, 0, 0)


def threads(process):
    """{name: thread id}"""
    tasks = pathlib.Path(f"/proc/{process.pid}/task")
    return {(task / "comm").read_text().strip(): int(task.name)
            for task in tasks.iterdir()}


def test_the_watchdog_hears_nothing_while_one_loop_hangs(lab):
    manager = Manager(lab)
    sidecar = start(lab, manager, WATCHDOG_USEC="600000")
    manager.until("WATCHDOG")
    hold = Hold(threads(sidecar.process)["loop 2"])
    try:
        event = sidecar.wait_for("error")
        assert event["reason"] == (
            "loop 2 does not answer: the watchdog is not told that all is "
            "well")
        manager.drain()
        assert not manager.hears_within(1.5)
    finally:
        hold.release()
    manager.until("WATCHDOG")


# --- units ------------------------------------------------------------------


@pytest.fixture
def units(tmp_path):
    """The units as they are installed, with the program of this test."""
    text = (UNITS / "hardening.conf").read_text()
    for unit in ("kerbwrap.service", "kerbwrap@.service"):
        made = (UNITS / f"{unit}.in").read_text().replace("@HARDENING@", text)
        made = re.sub(r"@CMAKE_\w+@/kerbwrap", str(BINARY), made)
        assert "@CMAKE" not in made
        (tmp_path / unit).write_text(made)
    for unit in UNITS.glob("*.socket"):
        shutil.copy(unit, tmp_path)
    return tmp_path


def analyze(*arguments):
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True,
        timeout=60 * PATIENCE, env={**os.environ, "SYSTEMD_LOG_LEVEL": "info"})


@needs_analyze
@pytest.mark.parametrize("unit", [
    "kerbwrap.service", "kerbwrap@orders.service", "kerbwrap-orders.socket"])
def test_systemd_finds_nothing_wrong_with_a_unit(units, unit):
    if unit.startswith("kerbwrap@"):
        (units / unit).symlink_to(units / "kerbwrap@.service")
    result = analyze("verify", "--man=no", units / unit)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@needs_analyze
def test_the_documented_exposure_is_what_systemd_says(units):
    text = (ROOT / "docs" / "security.md").read_text()
    documented = re.search(r"exposure level (\d\.\d)", text).group(1)
    result = analyze("security", "--offline=yes", "--no-pager",
                     units / "kerbwrap.service")
    level = re.search(r"Overall exposure level .*: (\d\.\d)",
                      result.stdout).group(1)
    # Other versions of systemd weigh a little differently.
    assert abs(float(level) - float(documented)) <= 0.3


def test_the_units_hold_the_same_but_for_the_instance(units):
    def settings(unit):
        lines = (units / unit).read_text().splitlines()
        return [line.replace("-%i", "").replace("%i", "kerbwrap")
                .replace(", kerbwrap", "") for line in lines
                if line and not line.startswith("#")]

    assert settings("kerbwrap.service") == settings("kerbwrap@.service")
