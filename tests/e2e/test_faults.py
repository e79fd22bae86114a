# SPDX-License-Identifier: BSD-2-Clause
"""Each allocation and each system call of kerbwrap's own code fails in turn:
over one connection's life, over a reload, and over the start.

tests/fault/fault.c, preloaded, counts the calls and has the Nth fail.  After
each failure the next connection must work, and at its end the sidecar must have
leaked nothing (ASan watches).  Of a reload and a start a sample of the calls is
tried by default, with the seed in KERBWRAP_SEED or printed; all with
KERBWRAP_THOROUGH set.
"""

import contextlib
import mmap
import os
import random
import re
import socket
import struct
import subprocess

import applications
import pytest
from applications import receive_all
from lab import REPORT, ROOT, free_port, wait_until

THOROUGH = bool(os.environ.get("KERBWRAP_THOROUGH"))
SEED = int(os.environ.get("KERBWRAP_SEED", random.randrange(1 << 30)))
SAMPLE = 1 << 30 if THOROUGH else 12

KINDS = {"memory": 1, "system": 2}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("fault") / "fault.so"
    subprocess.run(
        ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC",
         "-o", path, ROOT / "tests" / "fault" / "fault.c", "-ldl"],
        check=True)
    return path


class Faults:
    """What fault.c and we both see: struct control."""

    SHAPE = struct.Struct("<4I32s")

    def __init__(self, path, library):
        path.write_bytes(bytes(self.SHAPE.size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), self.SHAPE.size)
        self.env = {
            "FAULT_CONTROL": path,
            "LD_PRELOAD": library,
            "ASAN_OPTIONS": "verify_asan_link_order=0",
        }

    def arm(self, kind, nth):
        """From now on count calls of that kind; the nth fails, 0 none."""
        self._map[:] = self.SHAPE.pack(KINDS[kind], nth, 0, 0, b"")

    def disarm(self):
        """How many were counted, and the name of what failed or ""."""
        _, _, count, _, what = self.SHAPE.unpack(self._map[:])
        self._map[0:4] = bytes(4)
        return count, what.rstrip(b"\0").decode()



@pytest.fixture
def faults(lab, library):
    return Faults(lab.path / "faults", library)


def chosen(count):
    """Which of 1..count are to fail."""
    print(f"seed {SEED}, {count} calls")
    numbers = range(1, count + 1)
    if count <= SAMPLE:
        return numbers
    return sorted(random.Random(SEED).sample(numbers, SAMPLE))


class Records:
    """An echo server that knows how each of its connections ended: None while
    it lasts, then "end" or "error", with what was received."""

    def __init__(self, lab):
        self.ends = []
        self.application = lab.application(self._serve)

    def _serve(self, sock):
        record = [None, bytearray()]
        self.ends.append(record)
        try:
            while data := sock.recv(1 << 18):
                record[1] += data
                sock.sendall(data)
            record[0] = "end"
        except OSError:
            record[0] = "error"


def live(tunnel, data):
    """One connection's life, as the client sees it: "end", "error" or "hung",
    and what came back."""
    back = b""
    try:
        with tunnel.connect(timeout=30) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            back = receive_all(sock)
    except TimeoutError:
        return "hung", back
    except OSError:
        return "error", back
    return "end", back


def check_life(tunnel, records, data, faults):
    """A life while something fails: whole, or an error, at both ends.  How it
    ended for the client, and what failed."""
    before = len(records.ends)
    end, back = live(tunnel, data)
    _, what = faults.disarm()
    assert end != "hung", f"it hangs as {what} failed"
    records.application.wait_idle()
    assert end == "error" or back == data, f"cut short as {what} failed"
    for close, got in records.ends[before:]:
        assert close == "error" or got == data, f"cut short as {what} failed"
    return end, what


def prove_well(tunnel, what):
    data = b"unharmed" * 1000
    end, back = live(tunnel, data)
    assert (end, back) == ("end", data), f"harmed for good as {what} failed"


SECONDS = {"connect_timeout": "2s", "handshake_timeout": "2s",
           "close_timeout": "2s", "heartbeat": "1s"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["server", "client"])
def test_whatever_fails_in_a_connections_life_harms_only_that_one(
        lab, faults, end, kind):
    records = Records(lab)
    tunnel = lab.tunnel(
        records.application,
        settings={"threads": 1, "pool_threads": 4, "log_level": "info"},
        server=SECONDS, client=SECONDS,
        **{f"{end}_options": {"env": faults.env}},
    )
    data = os.urandom(200_000)
    prove_well(tunnel, "nothing")
    faults.arm(kind, 0)
    prove_well(tunnel, "nothing")
    count, _ = faults.disarm()
    assert count > 20
    failed = {}
    for nth in range(1, count + 1):
        faults.arm(kind, nth)
        result, what = check_life(tunnel, records, data, faults)
        failed.setdefault((what, result), []).append(nth)
        prove_well(tunnel, f"{what}, call {nth},")
    for (what, result), numbers in sorted(failed.items()):
        print(f"{what or 'nothing'}: {result}: {numbers}")
    wait_until(lambda: not tunnel.server.status()["totals"]["connections"])
    wait_until(lambda: not tunnel.client.status()["totals"]["connections"])


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_fails_in_a_reload_leaves_the_old_or_the_new_rules(
        lab, faults, kind):
    """Each reload with a fault, were it whole, lets alice in; what was not
    reloaded goes on to forbid it."""
    records = Records(lab)
    tunnel = lab.tunnel(
        records.application, settings={"threads": 1, "pool_threads": 4},
        server_options={"env": faults.env})
    sections = {k: dict(v) for k, v in tunnel.server.sections.items()}
    tellings = ("reloaded", "reload_failed", "dropped")

    def reload(allowed):
        """Was it done?  None: the log could not say."""
        sections["server db"]["allow"] = f"{allowed}@{lab.realm.name}"
        told = [len(tunnel.server.events(name)) for name in tellings]
        tunnel.server.reload(sections)
        wait_until(lambda: told != [len(tunnel.server.events(name))
                                    for name in tellings])
        now = [len(tunnel.server.events(name)) for name in tellings]
        return None if now[2] > told[2] else now[0] > told[0]

    def is_allowed():
        end, back = live(tunnel, b"me")
        assert (end, back) in (("end", b"me"), ("error", b""))
        return end == "end"

    assert reload("bob")
    assert not is_allowed()
    faults.arm(kind, 0)
    assert reload("alice")
    count, _ = faults.disarm()
    for nth in chosen(count):
        assert reload("bob")
        faults.arm(kind, nth)
        done = reload("alice")
        _, what = faults.disarm()
        if done is not None:
            assert is_allowed() == done, f"{what}, call {nth}, failed"
    assert reload("alice")
    prove_well(tunnel, "nothing any more")


def started(sidecar, port):
    """Does it listen?  Otherwise it has ended."""
    def listens():
        if not sidecar.events("dropped"):
            return sidecar.events("listening")
        # What would have told may have been what failed.
        with contextlib.suppress(ConnectionRefusedError):
            applications.connect(("127.0.0.1", port)).close()
            return True
        return False

    wait_until(lambda: sidecar.process.poll() is not None or listens())
    return sidecar.process.poll() is None


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_fails_at_the_start_is_a_sentence_or_makes_no_difference(
        lab, faults, kind):
    port = free_port()
    sections = {
        "kerbwrap": {"threads": 1, "pool_threads": 4},
        "server db": lab.server_keys(lab.echo(),
                                     accept=f"127.0.0.1:{port}"),
    }

    def start(nth):
        faults.arm(kind, nth)
        sidecar = lab.kerbwrap(sections, env=faults.env, wait=False)
        well = started(sidecar, port)
        count, what = faults.disarm()
        if well:
            sidecar.close()
            return count
        sidecar.expect_status = sidecar.wait()
        assert sidecar.expect_status in (1, 2), f"as {what} failed"
        assert re.search(r"cannot |out of memory|is not ", sidecar.text()), (
            f"no reason was given as {what}, call {nth}, failed: "
            + sidecar.text())
        assert not REPORT.search(sidecar.text())
        return count

    for nth in chosen(start(0)):
        start(nth)
