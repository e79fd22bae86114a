# SPDX-License-Identifier: BSD-2-Clause
"""`user =`: a process that was started as root and gave it up, and what it can
still do and cannot."""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from applications import exchange
from lab import BINARY, PATIENCE, ini, wait_until

USER = 54321

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
                                reason="only root can give root up")
needs_landlock = pytest.mark.skipif(
    ctypes.CDLL(None).syscall(444, None, 0, 1) <= 0,
    reason="this kernel has no Landlock")


@pytest.fixture
def home(lab):
    """Where the user may read its files: keys and krb5.conf."""
    lab.path.chmod(0o711)
    for name in ("keys", "log", "outside"):
        (lab.path / name).mkdir(mode=0o700)
        os.chown(lab.path / name, USER, USER)
    (lab.path / "conf").mkdir(mode=0o755)
    conf = lab.krb5_conf().rename(lab.path / "conf" / "krb5.conf")
    conf.chmod(0o644)
    lab.user_env = {"KRB5_CONFIG": str(conf)}
    return lab.path


def give_keytab(lab, name, to="keys"):
    path = lab.path / to / f"{name}.keytab"
    new = path.with_suffix(".new")
    shutil.copy(lab.realm.keytab(name), new)
    os.chown(new, USER, USER)
    new.chmod(0o400)
    new.rename(path)
    return path


def settings(lab, **changes):
    return {"user": USER, "group": USER, "state_dir": lab.path / "state",
            "runtime_dir": lab.path / "run", **changes}


def server(lab, application, **changes):
    keys = lab.server_keys(application, keytab=give_keytab(lab, "web1"),
                           **changes)
    return lab.kerbwrap({"kerbwrap": settings(lab), "server db": keys},
                        env=lab.user_env, name="server")


def client(lab, target, process=None, **changes):
    keys = lab.client_keys(target, **{"keytab": give_keytab(lab, "alice"),
                                      **changes})
    return lab.kerbwrap({"kerbwrap": settings(lab, **process or {}),
                         "client db": keys}, env=lab.user_env, name="client")


def privileged_port():
    for port in range(1023, 511, -1):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.skip("no port below 1024 is free")


def assert_confined(process):
    tasks = list(pathlib.Path(f"/proc/{process.pid}/task").iterdir())
    assert len(tasks) > 3
    for task in tasks:
        lines = (task / "status").read_text().splitlines()
        status = {k: v.split() for k, _, v in
                  (line.partition(":") for line in lines)}
        assert status["Uid"] == status["Gid"] == [str(USER)] * 4
        assert status["Groups"] == [str(USER)]
        for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
            assert int(status[f"Cap{kind}"][0], 16) == 0, kind
        assert status["NoNewPrivs"] == ["1"]
    # What may not be dumped is root's in /proc.
    assert os.stat(f"/proc/{process.pid}/environ").st_uid == 0


def test_who_gave_up_root_still_does_all_its_work(lab, home):
    port = privileged_port()
    acceptor = server(lab, lab.echo(), accept=f"127.0.0.1:{port}")
    initiator = client(lab, ("127.0.0.1", port),
                       accept=f"unix:{home}/run/db.sock")
    for sidecar in (acceptor, initiator):
        assert_confined(sidecar.process)
        assert re.match(
            r"running as user 54321 \(54321\) and group 54321, without "
            r"capabilities; files: ",
            sidecar.wait_for("notice")["reason"])
    for made in ("run", "state", "run/db.sock"):
        assert (home / made).stat().st_uid == USER
    with initiator.connect("db") as sock:
        assert exchange(sock, b"hello") == b"hello"
        for number in range(2):
            for sidecar in (acceptor, initiator):
                sidecar.reload()
                sidecar.wait_for("reloaded", count=number + 1)
            with initiator.connect("db") as another:
                assert exchange(another, b"again") == b"again"
        assert exchange(sock, b"still") == b"still"
    assert initiator.status()["services"][0]["opened"] == 3
    initiator.close()
    assert not (home / "run/db.sock").exists()


def test_a_port_of_roots_cannot_be_had_at_a_reload(lab, home):
    port = privileged_port()
    sidecar = server(lab, lab.echo())
    sections = {**sidecar.sections}
    sections["server more"] = {**sections["server db"],
                               "accept": f"127.0.0.1:{port}"}
    sidecar.reload(sections)
    assert sidecar.wait_for("reload_failed")["reason"] == (
        f"[server more]: cannot listen on 127.0.0.1:{port}: Permission denied; "
        "ports below 1024 are bound as root, when kerbwrap starts, or handed "
        "over as fd:NAME")


def test_tickets_are_renewed_and_new_keys_read(lab, home):
    name = "confined"
    lab.realm.add(name, "-randkey -maxlife \"8 seconds\"")
    initiator = client(lab, server(lab, lab.echo()).address("db"),
                       keytab=give_keytab(lab, name),
                       principal=f"{name}@{lab.realm.name}")
    initiator.wait_for("credential")
    # Of new keys the old keytab knows nothing.
    lab.realm.keytab(name).unlink()
    lab.realm.kadmin(f"cpw -randkey {name}",
                     f"ktadd -q -norandkey -k {lab.realm.keytab(name)} {name}")
    give_keytab(lab, name)
    initiator.wait_for("credential", count=2, timeout=30)
    assert initiator.events("credential_bad") == []


@needs_landlock
def test_a_reload_that_leads_elsewhere_says_so(lab, home):
    sidecar = server(lab, lab.echo())
    elsewhere = give_keytab(lab, "web1", "outside")
    sections = {**sidecar.sections}
    sections["server db"] = {**sections["server db"], "keytab": elsewhere}
    sidecar.reload(sections)
    assert sidecar.wait_for("reload_failed")["reason"] == (
        f"[server db]: cannot use `keytab` {elsewhere}: it is outside the "
        "directories to which the process has confined itself at start "
        "(`user`); restart kerbwrap")
    sections["server db"]["keytab"] = give_keytab(lab, "alice")
    target = home / "outside" / "log"
    sections["kerbwrap"] = {**sections["kerbwrap"], "log_target":
                            f"file:{target}"}
    sidecar.reload(sections)
    assert sidecar.wait_for("reload_failed", count=2)["reason"] == (
        f"cannot use `log_target` {target}: it is outside the directories to "
        "which the process has confined itself at start (`user`); restart "
        "kerbwrap")
    assert not target.exists()
    target = home / "run" / "log"
    sections["kerbwrap"]["log_target"] = f"file:{target}"
    sidecar.reload(sections)
    wait_until(lambda: '"event":"reloaded"' in
               (target.read_text() if target.exists() else ""))


@needs_landlock
def test_programs_are_not_confined_and_not_started_by_who_is(lab, home):
    keys = {"exec": "/bin/cat", "connect": None}
    acceptor = server(lab, "unused", **keys)
    assert acceptor.wait_for("notice")["reason"].endswith(
        "files: all of the user's, as programs are started (`exec`)")
    initiator = client(lab, acceptor.address("db"))
    with initiator.connect("db") as sock:
        assert exchange(sock, b"meow") == b"meow"
    confined = server(lab, lab.echo())
    confined.reload({**confined.sections, "server db": {
        **confined.sections["server db"], **keys}})
    assert confined.wait_for("reload_failed")["reason"] == (
        "cannot use `exec`: a process that has confined itself at start "
        "(`user`) starts no programs; restart kerbwrap")


@needs_landlock
def test_a_file_outside_the_list_cannot_be_opened(lab, home):
    log = home / "log" / "kerbwrap.log"
    sidecar = lab.kerbwrap({
        "kerbwrap": settings(lab, log_target=f"file:{log}"),
        "client db": lab.client_keys("127.0.0.1:1",
                                     keytab=give_keytab(lab, "alice"))},
        env=lab.user_env, wait=False)
    wait_until(lambda: log.exists() and "listening" in log.read_text())
    assert log.stat().st_uid == USER

    sidecar.signal(signal.SIGUSR1)
    moved = log.with_suffix(".1")
    log.rename(moved)
    sidecar.signal(signal.SIGUSR1)
    wait_until(log.exists)
    log.rename(moved)
    # The user owns what is outside and could open it, were it not for Landlock.
    outside = home / "outside" / "kerbwrap.log"
    log.symlink_to(outside)
    sidecar.signal(signal.SIGUSR1)
    wait_until(lambda: "Permission denied" in moved.read_text())
    assert f"cannot open the log {log}: Permission denied" in moved.read_text()
    assert not outside.exists()


def test_only_root_can_become_somebody_else(lab, home):
    sidecar = lab.kerbwrap(
        {"kerbwrap": settings(lab), "client db": lab.client_keys(
            "127.0.0.1:1", keytab=give_keytab(lab, "alice"))},
        env={**lab.user_env, "WRAPPER": "setpriv --reuid=54322 --regid=54322 "
             "--clear-groups"}, wait=False)
    sidecar.expect_status = 1
    assert sidecar.wait_for("error")["reason"] == (
        "cannot become the user 54321: kerbwrap was started as user 54322, and "
        "only root can")


def test_a_user_who_does_not_exist_stops_the_start(lab, home):
    sidecar = lab.kerbwrap(
        {"kerbwrap": settings(lab, user="no-such-user"),
         "client db": lab.client_keys("127.0.0.1:1")}, wait=False)
    sidecar.expect_status = 1
    assert sidecar.wait_for("error")["reason"] == (
        '`user`: there is no user "no-such-user"')


# --- check ------------------------------------------------------------------


def check(lab, sections, **env):
    path = lab.path / "checked.ini"
    path.write_text(ini(sections))
    result = lab.command("check", "-c", path, env={**lab.user_env, **env})
    return result.returncode, result.stdout.replace(f"{path}:", "F:")


def test_check_tries_what_the_user_can_open(lab, home):
    keytab = give_keytab(lab, "alice")
    sections = {"kerbwrap": settings(lab, status="none"),
                "client db": lab.client_keys("127.0.0.1:1", keytab=keytab)}
    assert check(lab, sections)[0] == 0

    keytab.chmod(0o400)
    os.chown(keytab, 0, 0)
    (home / "state").mkdir()
    status, output = check(lab, sections)
    assert (status, output) == (2, (
        f"F:2: the user 54321 cannot write in the directory of `state_dir` "
        f"{home}/state: Permission denied\n"
        f"F:7: the user 54321 cannot read `keytab` {keytab}: Permission "
        "denied\n"))


def test_check_tries_whom_the_user_can_connect_to_and_run(lab, home):
    door = home / "outside" / "app.sock"
    log = home / "log" / "kerbwrap.log"
    program = home / "outside" / "program"
    sections = {
        "kerbwrap": settings(lab, status="none", log_target=f"file:{log}"),
        "server a": lab.server_keys(f"unix:{door}",
                                    keytab=give_keytab(lab, "web1")),
        "server b": lab.server_keys(lab.echo(), connect=None, exec=program,
                                    keytab=give_keytab(lab, "web1"))}
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    os.chown(program, USER, USER)
    # An application that has not been started yet is nobody's fault.
    assert check(lab, sections)[0] == 0

    with socket.socket(socket.AF_UNIX) as application:
        application.bind(str(door))
        door.chmod(0o600)
        log.touch(0o600)
        program.chmod(0o600)
        status, output = check(lab, sections)
        refused = [line.split(": ", 1)[1] for line in output.splitlines()
                   if "warning" not in line]
        assert (status, refused) == (2, [
            f"the user 54321 cannot write `log_target` {log}: Permission "
            "denied",
            f"the user 54321 cannot connect to `connect` {door}: Permission "
            "denied",
            f"the user 54321 cannot run `exec` {program}: Permission denied"])

        os.chown(door, USER, USER)
        os.chown(log, USER, USER)
        program.chmod(0o700)
        assert check(lab, sections)[0] == 0
        # The way to it counts as the socket does.
        (home / "outside").chmod(0o000)
        assert (f"the user 54321 cannot connect to `connect` {door}: "
                "Permission denied\n") in check(lab, sections)[1]


def test_check_owns_up_to_what_it_cannot_try(lab, home):
    path = home / "checked.ini"
    path.write_text(ini({
        "kerbwrap": settings(lab, status="none"),
        "client db": lab.client_keys("127.0.0.1:1")}))
    result = subprocess.run(
        ["setpriv", "--reuid=54322", "--clear-groups", BINARY, "check", "-c",
         path], capture_output=True, text=True, timeout=30 * PATIENCE,
        env=lab.environment())
    assert result.stdout.splitlines()[0] == (
        f"{path}:2: warning: cannot try what the user 54321 can open: only "
        "root can, or that user")
    assert result.returncode == 0


def test_a_group_needs_a_user(lab, home):
    status, output = check(lab, {
        "kerbwrap": {"group": "root"},
        "client db": lab.client_keys("127.0.0.1:1")})
    assert (status, output) == (2, "F:2: `group` needs `user`: who to become\n")
