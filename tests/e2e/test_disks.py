# SPDX-License-Identifier: BSD-2-Clause
"""Disks that are full or read-only, and a log that nobody takes: told at once,
felt by nobody else, over when there is room again."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from lab import wait_until
from pulse import Pulse, comes_back, prompt


class Disk:
    """A small disk at a directory that only the sidecar started with `env`, in
    a mount namespace of its own, sees."""

    def __init__(self, lab, size="64k", name="disk", options=""):
        self.path = lab.path / name
        self.path.mkdir()
        script = lab.path / f"{name}.sh"
        script.write_text(
            "#!/bin/sh\n"
            f"mount -t tmpfs -o size={size} tmpfs {self.path} || exit 77\n"
            f"{options}\nexec \"$@\"\n")
        script.chmod(0o755)
        self.enter = ["unshare", "-m"] if os.getuid() == 0 else ["unshare",
                                                                 "-rm"]
        possible = subprocess.run([*self.enter, script, "true"],
                                  capture_output=True, text=True)
        if possible.returncode != 0:
            pytest.skip(f"a disk of our own: {possible.stderr.strip()}")
        self.env = {"WRAPPER": " ".join([*self.enter, str(script)])}

    def inside(self, sidecar, name=""):
        """The path by which others reach a file of the sidecar's disk."""
        root = pathlib.Path(f"/proc/{sidecar.process.pid}/root")
        return root / self.path.relative_to("/") / name

    def fill(self, sidecar):
        with open(self.inside(sidecar, "filler"), "wb", 0) as file:
            for size in (4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def empty(self, sidecar):
        self.inside(sidecar, "filler").unlink()

    def remount(self, sidecar, option):
        subprocess.run(["nsenter", "-t", str(sidecar.process.pid), "-m",
                        *(["-U", "--preserve-credentials"]
                          if os.getuid() else []),
                        "mount", "-o", f"remount,{option}", self.path],
                       check=True)


def server(lab, disk, **options):
    """`db` writes to the disk, `live` does not."""
    return lab.kerbwrap(
        {"kerbwrap": {"runtime_dir": disk.path},
         "server db": lab.server_keys(lab.echo()),
         "server live": lab.server_keys(lab.echo(), replay_cache="no")},
        name="server", env=disk.env, **options)


def client(lab, server):
    return lab.kerbwrap(
        {f"client {name}": lab.client_keys(server.address(name))
         for name in ("db", "live")}, name="client")


def does_not_start(sidecar):
    sidecar.expect_status = 1
    assert sidecar.wait() == 1
    return [json.loads(line)["reason"] for line in sidecar.text().splitlines()
            if '"event":"error"' in line]


# --- runtime_dir -------------------------------------------------------------


@pytest.mark.parametrize("how, said", [
    ("fill", "No space left on device"), ("ro", "Read-only file system")],
    ids=["full", "read-only"])
def test_a_runtime_dir_that_fails_is_named_and_heals(lab, how, said):
    disk = Disk(lab)
    acceptor = server(lab, disk)
    initiator = client(lab, acceptor)
    path = disk.path / "db.rcache"
    with Pulse(initiator.connect("live")):
        if how == "fill":
            disk.fill(acceptor)
        else:
            disk.remount(acceptor, "ro")
        assert initiator.refuses("db")
        assert acceptor.wait_for("failed")["reason"] == (
            f"cannot accept the client: cannot write the replay cache {path} "
            f"(it must be possible for the user kerbwrap runs as): {said}")
        if how == "fill":
            disk.empty(acceptor)
        else:
            disk.remount(acceptor, "rw")
        prompt(initiator, "db", 3)


def test_a_runtime_dir_that_is_read_only_stops_the_start(lab):
    disk = Disk(lab, options=f"mount -o remount,ro {lab.path}/disk")
    said = does_not_start(server(lab, disk, wait=False))
    assert said == [
        f"[server db]: cannot write the replay cache {disk.path}/db.rcache (it "
        "must be possible for the user kerbwrap runs as): Read-only file "
        "system"]


def test_a_runtime_dir_that_is_full_is_told_at_start_and_heals(lab):
    disk = Disk(lab, options=f"cat /dev/zero >{lab.path}/disk/filler 2>&-")
    acceptor = server(lab, disk)
    assert acceptor.wait_for("warning", reason=re.compile("full"))[
        "reason"] == (f"the disk of the directory {disk.path} is full; make "
                      "room there or set `runtime_dir`")
    initiator = client(lab, acceptor)
    assert initiator.refuses("db")
    disk.empty(acceptor)
    comes_back(initiator, "db")


# --- state_dir ---------------------------------------------------------------


@pytest.mark.parametrize("how, said", [
    ("fill", "No space left on device"), ("ro", "Read-only file system")],
    ids=["full", "read-only"])
def test_a_state_dir_that_fails_costs_only_what_is_kept(lab, directory, how,
                                                        said):
    disk = Disk(lab)
    acceptor = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    scp = directory.scp(directory.computer(), address=acceptor.address("db"))
    finder = lab.kerbwrap(
        {"kerbwrap": {"state_dir": disk.path},
         "directory": directory.section(refresh="1s"),
         "client db": directory.client()}, name="client", env=disk.env)
    kept = disk.inside(finder, "db.discovery")
    wait_until(kept.exists)
    before = kept.read_bytes()
    with Pulse(finder.connect("db")):
        if how == "fill":
            disk.fill(finder)
        else:
            disk.remount(finder, "ro")
        assert finder.wait_for("warning", service=None, reason=re.compile(
            f"^cannot write {disk.path}/db.discovery: "))["reason"] == (
                f"cannot write {disk.path}/db.discovery: {said}")
        prompt(finder, "db", 3)
        assert kept.read_bytes() == before
        # It is whole, and nothing half-written lies beside it.
        assert {p.name for p in kept.parent.iterdir()} <= {"db.discovery",
                                                            "filler"}
        if how == "fill":
            disk.empty(finder)
        else:
            disk.remount(finder, "rw")
        kept.unlink()
        wait_until(kept.exists)
    directory.delete(scp)


def test_a_state_dir_that_is_read_only_is_told_at_start(lab, directory):
    disk = Disk(lab, options=f"mount -o remount,ro {lab.path}/disk")
    finder = lab.kerbwrap(
        {"kerbwrap": {"state_dir": disk.path},
         "directory": directory.section(),
         "client db": directory.client()}, env=disk.env)
    assert finder.wait_for("warning", reason=re.compile("state_dir"))[
        "reason"] == (
            f"cannot write in the directory {disk.path}; what is kept over a "
            "restart will be missing (`state_dir`): Read-only file system")


# --- the log -----------------------------------------------------------------


def events(text):
    """The lines, each of which must be a whole one."""
    return [json.loads(line) for line in text.splitlines() if line]


def test_a_log_that_nobody_reads_blocks_nobody(lab):
    fifo = lab.path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    acceptor = lab.kerbwrap(
        {"kerbwrap": {"log_target": f"file:{fifo}"},
         "server db": lab.server_keys(lab.echo(), accept=(
             f"unix:{lab.path}/sock"))}, name="server", wait=False)
    wait_until((lab.path / "sock").exists)
    initiator = client(lab, Listening(f"unix:{lab.path}/sock"))
    with Pulse(initiator.connect("db")):
        # Each line of it is one of the log.
        acceptor.write("[kerbwrap]\n" + "".join(
            f"no_such_key_{i}_{'x' * 150} = 1\n" for i in range(999)))
        while acceptor.status()["totals"]["log_dropped"] == 0:
            acceptor.reload()
        prompt(initiator, "db", 5)
        os.set_blocking(reader, True)
        text = bytearray()
        while b'"event":"dropped"' not in text:
            text += os.read(reader, 1 << 16)
        told = sum(e["lines"] for e in events(text.decode())
                   if e["event"] == "dropped")
        assert told == acceptor.status()["totals"]["log_dropped"]
    os.close(reader)


def test_a_log_on_a_full_disk_blocks_nobody_and_says_what_is_missing(lab):
    disk = Disk(lab)
    log = disk.path / "log"
    acceptor = lab.kerbwrap(
        {"kerbwrap": {"log_target": f"file:{log}"},
         "server db": lab.server_keys(lab.echo(), accept=(
             f"unix:{lab.path}/sock"))}, name="server", wait=False,
        env=disk.env)
    wait_until((lab.path / "sock").exists)
    initiator = client(lab, Listening(f"unix:{lab.path}/sock"))
    with Pulse(initiator.connect("db")):
        disk.fill(acceptor)
        while acceptor.status()["totals"]["log_dropped"] < 3:
            prompt(initiator, "db", 20)
        disk.empty(acceptor)
        seen = disk.inside(acceptor, "log")
        wait_until(lambda: '"event":"dropped"' in seen.read_text())
        lines = seen.read_text().splitlines()
        told = [json.loads(line)["lines"] for line in lines
                if '"event":"dropped"' in line]
        assert sum(told) == acceptor.status()["totals"]["log_dropped"]


class Listening:
    """What client() asks of a server whose log cannot be read."""

    def __init__(self, address):
        self._address = address

    def address(self, service):
        return self._address
