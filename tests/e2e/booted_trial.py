# SPDX-License-Identifier: BSD-2-Clause
"""What is tried inside of the machine that test_booted.py boots, as root, by a
unit of its own; the test itself only reads what this says on the second serial
line: "ok NAME", "said NAME: TEXT" or "failed NAME: WHY".

There is no pytest here: a trial is a function whose name is a sentence, in
TRIALS by its decorator, and they run in this order."""

import contextlib
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

ETC = pathlib.Path("/etc/kerbwrap")
SERVER, CLIENT, PLAIN = "kerbwrap@server", "kerbwrap@client", "kerbwrap"
APPLICATION = ("127.0.0.1", 5432)
# Of the units: the plain sides of the clients, by what they are for.
LOCAL = {"echo": ("127.0.0.1", 5433), "program": ("127.0.0.1", 5434),
         "user": ("127.0.0.1", 5435), "user_unix":
         "/run/kerbwrap-client/user.sock", "added": ("127.0.0.1", 5436),
         "activated": ("127.0.0.1", 543), "dynamic": ("127.0.0.1", 5437)}
TRIALS = {}


def trial(function):
    TRIALS[function.__name__] = function
    return function


# --- tools ------------------------------------------------------------------


def run(*command):
    """Status 0, and what it said."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.returncode == 0, f"{command}: {result.stdout}"
    return result.stdout.strip()


def refused(*command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.returncode != 0, f"{command} worked: {result.stdout}"
    return result.stdout.strip()


def state(unit):
    return subprocess.run(["systemctl", "is-active", unit], text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def show(unit, *names):
    """The values of properties of a service."""
    return [run("systemctl", "show", "--value", "-p", name,
                f"{unit}.service") for name in names]


def pid(unit):
    return int(show(unit, "MainPID")[0])


def until(what, seconds=60):
    """Waits for a manager that tells us nothing by itself."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.1)
    return found


def is_(value, wanted):
    assert value == wanted, f"{value!r} is not {wanted!r}"


def journal(unit, since):
    return run("journalctl", "-q", "-o", "cat", "--no-pager", "-u", unit,
               f"--since=@{since}")


def now():
    # Of the journal's own, which tells moments of a second apart.
    return f"{time.time():.6f}"


def connect(name):
    address = LOCAL[name]
    kind = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    sock = socket.socket(kind, socket.SOCK_STREAM)
    sock.settimeout(60)
    sock.connect(address)
    return sock


def exchange(sock, data):
    sender = threading.Thread(target=sock.sendall, args=(data,))
    sender.start()
    back = bytearray()
    while len(back) < len(data):
        part = sock.recv(65536)
        assert part, f"the stream ended after {len(back)} bytes"
        back += part
    sender.join()
    is_(bytes(back), data)


def must_tunnel(name, data=b"hello"):
    with connect(name) as sock:
        exchange(sock, data)


def echo():
    """The legacy server."""
    def serve(sock):
        with sock, contextlib.suppress(OSError):
            while data := sock.recv(65536):
                sock.sendall(data)

    listener = socket.create_server(APPLICATION)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],),
                         daemon=True).start()


@contextlib.contextmanager
def change(file, old, new):
    path = ETC / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        yield text
    finally:
        path.write_text(text)


# --- from the boot on -------------------------------------------------------


@trial
def what_is_enabled_came_up_with_the_machine():
    is_(run("systemctl", "is-system-running", "--wait"), "running")
    is_(state(f"{SERVER}.service"), "active")
    is_(state("kerbwrap-orders.socket"), "active")
    # Nobody has connected, and nobody has enabled it.
    is_(state(f"{PLAIN}.service"), "inactive")
    is_(state(f"{CLIENT}.service"), "inactive")


@trial
def the_user_and_the_directories_are_there():
    user = pwd.getpwnam("kerbwrap")
    is_((user.pw_dir, user.pw_shell),
        ("/var/lib/kerbwrap", "/usr/sbin/nologin"))
    for path, owner, mode in (
            ("/etc/kerbwrap", "root kerbwrap", "750"),
            ("/run/kerbwrap", "kerbwrap kerbwrap", "755"),
            ("/var/lib/kerbwrap", "kerbwrap kerbwrap", "700"),
            ("/run/kerbwrap-server", "kerbwrap kerbwrap", "755"),
            ("/var/lib/kerbwrap-server", "kerbwrap kerbwrap", "700"),
            ("/var/log/kerbwrap-server", "kerbwrap kerbwrap", "750")):
        is_(run("stat", "-c", "%U %G %a", path), f"{owner} {mode}")


@trial
def a_start_ends_when_all_is_ready():
    run("systemctl", "start", CLIENT)
    is_(show(CLIENT, "Type", "ActiveState", "SubState", "StatusText"),
        ["notify", "active", "running", "serving 4 of 4, connections: 0"])
    must_tunnel("echo")


@trial
def a_tunnel_carries_bytes():
    must_tunnel("echo", os.urandom(1 << 20))


@trial
def the_first_connection_starts_who_is_handed_a_socket():
    must_tunnel("activated")
    is_(show(PLAIN, "ActiveState", "StatusText")[0], "active")
    is_(run("systemctl", "show", "--value", "-p", "TriggeredBy",
            "kerbwrap.service"), "kerbwrap-orders.socket")


@trial
def whoever_comes_during_a_restart_is_not_turned_away():
    before = pid(PLAIN)
    run("systemctl", "stop", "kerbwrap.service")
    is_(state("kerbwrap-orders.socket"), "active")
    must_tunnel("activated")
    assert pid(PLAIN) not in (0, before)
    run("systemctl", "restart", "kerbwrap.service")
    must_tunnel("activated")


@trial
def nobody_is_root_or_has_a_capability():
    user = pwd.getpwnam("kerbwrap")
    for unit in (SERVER, CLIENT, PLAIN):
        for task in pathlib.Path(f"/proc/{pid(unit)}/task").iterdir():
            lines = (task / "status").read_text().splitlines()
            said = dict(line.split(":\t", 1) for line in lines)
            is_(set(said["Uid"].split()), {str(user.pw_uid)})
            is_(set(said["Gid"].split()), {str(user.pw_gid)})
            for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                is_(int(said[name], 16), 0)
            is_((said["NoNewPrivs"], said["Seccomp"]), ("1", "2"))


@trial
def who_is_told_to_confines_itself_within_these_walls():
    wanted = re.compile(
        r"running as user kerbwrap .*, without capabilities; files: "
        r"what Landlock \d+ allows in \d+ places")
    client = pathlib.Path("/var/log/kerbwrap-client/log").read_text()
    for said in (client, journal(PLAIN, 0)):
        assert wanted.search(said), said
    return wanted.search(client).group(0)


@trial
def systemd_gives_a_level_of_exposure():
    levels = set()
    for unit in (SERVER, CLIENT, PLAIN):
        text = run("systemd-analyze", "security", "--no-pager",
                   f"{unit}.service")
        levels.add(re.search(r"Overall exposure .*: (\d\.\d)", text).group(1))
    assert len(levels) == 1, levels
    return levels.pop()


@trial
def only_listed_users_get_in():
    must_say = ("import socket, sys; a = sys.argv[1:]; "
                "s = socket.socket(socket.AF_INET if a[1:] else socket.AF_UNIX)"
                "; s.settimeout(60); s.connect((a[0], int(a[1])) if a[1:] else "
                "a[0]); s.sendall(b'hello'); "
                "sys.exit(s.recv(5) != b'hello')")
    for address in (map(str, LOCAL["user"]), [LOCAL["user_unix"]]):
        words = [sys.executable, "-c", must_say, *address]
        run("setpriv", "--reuid", "nobody", "--clear-groups", *words)
        refused("setpriv", "--reuid", "daemon", "--clear-groups", *words)


@trial
def a_program_can_be_started():
    with connect("program") as sock:
        said = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
    assert "KERBWRAP_PRINCIPAL=alice@CORP.EXAMPLE.TEST" in said, said


@trial
def the_log_file_is_written_and_reopened():
    log = pathlib.Path("/var/log/kerbwrap-client/log")
    assert " up " in log.read_text()
    log.rename(f"{log}.1")
    run("systemctl", "kill", "-s", "USR1", "--kill-who=main", CLIENT)
    until(log.exists)
    must_tunnel("echo")
    until(lambda: " up " in log.read_text())


@trial
def who_may_asks_for_the_status():
    for name in ("server", "client", "kerbwrap"):
        assert "orders" in run("kerbwrap", "status", "-c", ETC / f"{name}.ini")


# --- reload -----------------------------------------------------------------


@trial
def a_good_file_is_checked_and_taken():
    before = pid(CLIENT)
    added = "\n".join(("[client added]", *ORDERS, "accept = 127.0.0.1:5436",
                       "[client orders]"))
    with connect("echo") as sock:
        exchange(sock, b"before")
        with change("client.ini", "[client orders]", added):
            run("systemctl", "reload", CLIENT)
            until(lambda: "5 of 5" in show(CLIENT, "StatusText")[0])
        must_tunnel("added")
        exchange(sock, b"after")
    is_((pid(CLIENT), state(CLIENT)), (before, "active"))
    run("systemctl", "reload", CLIENT)
    until(lambda: "4 of 4" in show(CLIENT, "StatusText")[0])


@trial
def a_bad_file_is_told_and_changes_nothing():
    before, since = pid(CLIENT), now()
    log = pathlib.Path("/var/log/kerbwrap-client/log")
    good = "accept = 127.0.0.1:5433"
    with connect("echo") as sock:
        exchange(sock, b"before")
        length = log.stat().st_size
        with change("client.ini", good, "acept = 127.0.0.1:5499") as text:
            assert "failed" in refused("systemctl", "reload", CLIENT)
        line = text[:text.index(good)].count("\n") + 1
        said = until(lambda: journal(CLIENT, since))
        assert f"/etc/kerbwrap/client.ini:{line}: unknown key `acept`" in said
        exchange(sock, b"after")
        must_tunnel("echo")
    is_((pid(CLIENT), state(CLIENT)), (before, "active"))
    assert "reload" not in log.read_text()[length:]
    return re.search(r"^.*unknown key.*$", said, re.M).group(0)


@trial
def who_is_handed_a_socket_is_reloaded_too():
    before = pid(PLAIN)
    run("systemctl", "reload", "kerbwrap.service")
    must_tunnel("activated")
    is_(pid(PLAIN), before)


# --- death, and its end -----------------------------------------------------


@trial
def the_watchdog_restarts_who_hangs():
    before, since = pid(SERVER), now()
    began = time.monotonic()
    os.kill(before, signal.SIGSTOP)
    until(lambda: show(SERVER, "NRestarts") == ["1"] and
          state(SERVER) == "active", 150)
    took = time.monotonic() - began
    assert "Watchdog timeout" in journal(SERVER, since)
    assert pid(SERVER) != before
    must_tunnel("echo")
    return f"after {took:.0f} s"


def replay_caches():
    """The files that a restart is to keep."""
    return {path: path.stat().st_ino
            for path in pathlib.Path("/run/kerbwrap-server").rglob("*rcache*")}


@trial
def who_was_killed_comes_back():
    caches = replay_caches()
    assert caches
    for unit, name in ((SERVER, "echo"), (CLIENT, "user_unix"),
                       (PLAIN, "activated")):
        before = pid(unit)
        os.kill(before, signal.SIGKILL)
        until(lambda: pid(unit) not in (0, before) and
              state(unit) == "active")
        if name == "user_unix":
            only_listed_users_get_in()
        else:
            must_tunnel(name)
    is_(replay_caches(), caches)


@trial
def who_has_a_bad_file_does_not_start_again_and_again():
    since = now()
    (ETC / "bad.ini").write_text("[server nonsense]\nport = http\n")
    refused("systemctl", "start", "kerbwrap@bad")
    is_(show("kerbwrap@bad", "Result", "ExecMainStatus", "NRestarts"),
        ["exit-code", "2", "0"])
    assert "/etc/kerbwrap/bad.ini:2: " in journal("kerbwrap@bad", since)
    time.sleep(5)  # longer than RestartSec=
    is_(show("kerbwrap@bad", "ActiveState", "NRestarts"), ["failed", "0"])


@trial
def a_stop_drains():
    with connect("echo") as sock:
        exchange(sock, b"before")
        run("systemctl", "stop", "--no-block", CLIENT)
        until(lambda: show(CLIENT, "ActiveState", "StatusText") ==
              ["deactivating", "draining, connections: 1"])
        exchange(sock, b"still there")
        with contextlib.suppress(ConnectionRefusedError):
            connect("echo")
            raise AssertionError("a new connection was let in")
    until(lambda: state(CLIENT) == "inactive")
    is_(show(CLIENT, "Result", "ExecMainStatus"), ["success", "0"])
    assert not pathlib.Path("/run/kerbwrap-client").exists()


@trial
def a_user_may_be_made_for_the_time_of_a_run():
    drop_in = pathlib.Path("/etc/systemd/system/kerbwrap@dynamic.service.d")
    drop_in.mkdir()
    (drop_in / "user.conf").write_text(
        "[Service]\nDynamicUser=yes\nUser=kerbwrap-dynamic\nGroup=\n"
        "SupplementaryGroups=kerbwrap\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "kerbwrap@dynamic")
    must_tunnel("dynamic")
    status = pathlib.Path(f"/proc/{pid('kerbwrap@dynamic')}/status")
    uid = int(re.search(r"Uid:\s+(\d+)", status.read_text()).group(1))
    assert 61184 <= uid <= 65519, uid
    assert pathlib.Path("/var/lib/private/kerbwrap-dynamic").is_dir()
    run("systemctl", "reload", "kerbwrap@dynamic")
    must_tunnel("dynamic")
    # Its log goes to syslog, which the journal is here.
    assert re.search("^up ", journal("kerbwrap@dynamic", 0), re.M)
    run("systemctl", "stop", "kerbwrap@dynamic")
    is_(show("kerbwrap@dynamic", "Result"), ["success"])


# --- the package ------------------------------------------------------------


def files():
    """What an operator has written."""
    paths = [*ETC.iterdir(),
             *pathlib.Path("/etc/systemd/system").rglob("*.conf")]
    return {str(path): (path.read_bytes(), path.stat().st_mode)
            for path in paths}


@trial
def an_upgrade_restarts_what_runs_and_keeps_what_was_written():
    drop_in = pathlib.Path("/etc/systemd/system/kerbwrap@.service.d")
    drop_in.mkdir()
    (drop_in / "local.conf").write_text("[Service]\nLimitNOFILE=4096\n")
    before, written = {unit: pid(unit) for unit in (SERVER, PLAIN)}, files()
    run("systemctl", "daemon-reload")
    with connect("activated") as sock:
        exchange(sock, b"before")
        upgrade = subprocess.Popen(
            ["dpkg", "-i", "/root/kerbwrap_newer.deb"], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        until(lambda: "draining" in show(PLAIN, "StatusText")[0], 120)
        exchange(sock, b"still there")
    said = upgrade.communicate(timeout=120)[0]
    is_((upgrade.returncode, said and ""), (0, ""))
    assert run("dpkg-query", "-W", "-f", "${Version}",
               "kerbwrap").endswith("+newer")
    is_(files(), written)
    for unit, old in before.items():
        is_(state(unit), "active")
        assert pid(unit) != old
    is_(show(SERVER, "LimitNOFILE"), ["4096"])
    # What did not run stays so, and what was enabled stays so.
    is_(state(CLIENT), "inactive")
    is_(run("systemctl", "is-enabled", f"{SERVER}.service"), "enabled")
    assert "disabled" in refused("systemctl", "is-enabled",
                                 "kerbwrap.service")
    run("systemctl", "start", CLIENT)
    must_tunnel("echo")
    must_tunnel("activated")


@trial
def removing_it_ends_what_runs():
    run("dpkg", "-r", "kerbwrap")
    for unit in (SERVER, CLIENT, PLAIN):
        assert state(f"{unit}.service") in ("inactive", "failed")
        is_(show(unit, "MainPID"), ["0"])
    assert (ETC / "server.ini").exists()


@trial
def purging_it_leaves_nothing():
    said = run("dpkg", "-P", "kerbwrap")
    for place in ("/etc", "/var/lib", "/var/log", "/run"):
        for path in pathlib.Path(place).glob("kerbwrap*"):
            raise AssertionError(f"{path} is left: {said}")
    assert "kerbwrap" not in pathlib.Path("/etc/passwd").read_text()


# --- the run ----------------------------------------------------------------

# The keys of a client of the service.
ORDERS = ("connect = 127.0.0.1:7443", "service_class = orders",
          "spn = orders/web1.corp.example.test", "principal = alice",
          "keytab = /etc/kerbwrap/alice.keytab")


def main(line):
    threading.Thread(target=echo, daemon=True).start()
    for name, function in TRIALS.items():
        began = time.monotonic()
        try:
            said = function()
            if said:
                print(f"said {name}: {said}", file=line)
            print(f"ok {name}", file=line)
        except Exception as error:
            print(f"failed {name}: {error!r}", file=line)
            traceback.print_exc(file=line)
        print(f"   {time.monotonic() - began:.1f} s", file=line, flush=True)


if __name__ == "__main__":
    with open(sys.argv[1], "w") as serial:
        main(serial)
        print(run("journalctl", "-b", "-n", "500", "--no-pager",
                  "-o", "short-monotonic"), file=serial)
        print("the end", file=serial, flush=True)
