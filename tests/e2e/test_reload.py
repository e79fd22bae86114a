# SPDX-License-Identifier: BSD-2-Clause
"""SIGHUP under load: what a reload changes it changes at once, a bad file
changes nothing, and no connection is lost, however often.

KERBWRAP_RELOADS says how often.
"""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
import socket
import threading

import applications
import pytest
from applications import exchange, receive_all
from lab import ini, wait_until

COLOURS = ("red", "blue")
# ENOTCONN is how shutdown tells of a reset.
RESET = (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)


class Callers:
    """Threads that each come and go as one person while the `with` block lasts.
    report(name, answer) says what each connection brought: bytes, or an
    OSError."""

    def __init__(self, tunnel, names, report):
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(tunnel, name, report))
            for name in names
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, client, name, report):
        while not self._stop.is_set():
            try:
                with client.connect(name, timeout=60) as sock:
                    sock.sendall(name.encode())
                    sock.shutdown(socket.SHUT_WR)
                    answer = receive_all(sock)
            except TimeoutError:
                raise
            except OSError as error:
                answer = error
            report(name, answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


class TwoColours:
    """A server sidecar that is red, when only alice may come, and to the red
    application, or blue: bob, and the blue one.  Limits, keytab and log level
    change along."""

    people = {"alice": "red", "bob": "blue"}

    def __init__(self, lab):
        self.met = []  # (colour of the application, who came)
        keytab = lab.path / "copy.keytab"
        shutil.copy(lab.realm.keytab("web1"), keytab)
        self.files = {}
        for person, colour in self.people.items():
            application = lab.application(self._meet(colour))
            self.files[colour] = {
                "kerbwrap": {
                    "max_connections": 400 if colour == "red" else 300,
                    "log_level": "debug" if colour == "red" else "info",
                    "reload_enforces": "no"},
                "server db": lab.server_keys(
                    application, allow=f"{person}@{lab.realm.name}",
                    keytab=(lab.realm.keytab("web1") if colour == "red"
                            else keytab)),
            }
        self.sidecar = lab.kerbwrap(self.files["red"], name="server")
        for colour in COLOURS:
            self.files[colour]["kerbwrap"] = {
                **self.sidecar.sections["kerbwrap"],
                **self.files[colour]["kerbwrap"]}
        target = self.sidecar.address("db")
        self.clients = lab.kerbwrap({
            f"client {person}": lab.client_keys(
                target, keytab=lab.realm.keytab(person),
                principal=f"{person}@{lab.realm.name}")
            for person in self.people
        }, name="clients")

    def _meet(self, colour):
        def handler(sock):
            who = receive_all(sock).decode()
            self.met.append((colour, who))
            sock.sendall(colour.encode())

        return handler

    def turn(self, colour, count):
        self.sidecar.reload(self.files[colour])
        self.sidecar.wait_for("reloaded", count=count)

    def welcomes(self, person):
        """The colour that a new connection of this person meets, or None."""
        try:
            with self.clients.connect(person) as sock:
                sock.sendall(person.encode())
                sock.shutdown(socket.SHUT_WR)
                return receive_all(sock).decode()
        except OSError as error:
            assert error.errno in RESET
            return None


    def assert_all_is(self, colour):
        for person, theirs in self.people.items():
            assert self.welcomes(person) == (
                theirs if theirs == colour else None)
        settings = self.files[colour]["kerbwrap"]
        assert (self.sidecar.metrics()["kerbwrap_connections_limit"]
                == settings["max_connections"])
        probes = len(self.sidecar.events("probe"))
        applications.connect(self.sidecar.address("db")).close()
        if settings["log_level"] == "debug":
            self.sidecar.wait_for("probe", count=probes + 1)
            return
        # What is logged at info too comes later, and alone.
        failures = len(self.sidecar.events("failed"))
        for _ in range(2):  # one for each loop
            with applications.connect(self.sidecar.address("db")) as sock:
                sock.sendall(b"GET ")
                assert sock.recv(1) == b""
        self.sidecar.wait_for("failed", count=failures + 2)
        assert len(self.sidecar.events("probe")) == probes


def test_a_reload_changes_all_at_once(lab):
    """Nobody is let in by one file's rules to the other file's application, and
    who comes after the reload is met by the new file alone."""
    world = TwoColours(lab)
    answers = []
    with Callers(world.clients, [*world.people, *world.people],
                 lambda name, answer: answers.append((name, answer))):
        for count in range(1, 21):
            colour = COLOURS[count % 2]
            world.turn(colour, count)
            seen = len(answers)
            world.assert_all_is(colour)
            wait_until(lambda: len(answers) > seen + 4)
    assert set(world.met) == {("red", "alice"), ("blue", "bob")}
    for name, answer in answers:
        if isinstance(answer, bytes):
            assert answer.decode() == world.people[name]
        else:
            assert answer.errno in RESET


BAD = {
    "an unknown key": ("[server db]", "[server db]\nallouw = x"),
    "a bad value": ("log_level = info", "log_level = loud"),
    "a keytab that is not there": ("copy.keytab", "no.keytab"),
    "an address of another": ("accept = 127.0.0.1:0", "accept = 192.0.2.1:1"),
}


@pytest.mark.parametrize("why", BAD)
def test_a_bad_file_changes_nothing_of_anything(lab, why):
    """It is good but for one mistake, in whatever place."""
    world = TwoColours(lab)
    good = ini(world.files["blue"])
    bad = good.replace(*BAD[why])
    assert bad != good
    before = world.sidecar.status()
    world.sidecar.reload(bad)
    assert world.sidecar.wait_for("reload_failed")["reason"]
    with world.clients.connect("alice") as sock:
        sock.sendall(b"alice")
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == b"red"
    assert world.clients.refuses("bob")
    after = world.sidecar.status()
    assert after["services"][0]["name"] == before["services"][0]["name"]
    assert applications.parse_address(
        after["services"][0]["address"]) == world.sidecar.address("db")
    # Of red, log_level is debug.
    applications.connect(world.sidecar.address("db")).close()
    world.sidecar.wait_for("probe")
    world.turn("blue", 1)
    with world.clients.connect("bob") as sock:
        sock.sendall(b"bob")
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == b"blue"


def reload_often(lab, count):
    """No connection is lost, new or old, while services come and go."""
    tunnel = lab.tunnel(lab.echo(), settings={"log_level": "info"})
    failures, done = [], []

    def report(name, answer):
        (done if answer == name.encode() else failures).append(answer)

    variants = {}
    for sidecar in (tunnel.server, tunnel.client):
        more = dict(sidecar.sections)
        more["client more"] = lab.client_keys(("127.0.0.1", 1))
        variants[sidecar] = (sidecar.sections, more)
    with (Callers(tunnel.client, ["db"] * 4, report),
          tunnel.connect() as old):
        for number in range(1, count + 1):
            for sidecar in (tunnel.server, tunnel.client):
                sidecar.reload(variants[sidecar][number % 2])
                sidecar.wait_for("reloaded", count=number)
            exchange(old, os.urandom(1000))
    print(f"{count} reloads of each sidecar, {len(done)} connections")
    assert failures == []
    assert len(done) > count


def test_kept_listeners_lose_no_connection_in_many_reloads(lab):
    reload_often(lab, 50)


@pytest.mark.soak
def test_kept_listeners_lose_no_connection_in_1000_reloads(lab):
    reload_often(lab, int(os.environ.get("KERBWRAP_RELOADS", "1000")))


# --- signals at awkward moments ------------------------------------------------


@pytest.mark.threads
def test_a_reload_during_draining_is_not_taken(lab):
    """And does not end what is still drained."""
    tunnel = lab.tunnel(lab.echo(), settings={"drain_timeout": "60s"})
    with tunnel.connect() as sock:
        exchange(sock, b"before")
        tunnel.server.signal(signal.SIGTERM)
        tunnel.server.wait_for("draining")
        sections = {k: dict(v) for k, v in tunnel.server.sections.items()}
        sections["server db"]["allow"] = f"bob@{lab.realm.name}"
        tunnel.server.reload(sections)
        exchange(sock, b"still drained")
    assert tunnel.server.wait() == 0
    assert tunnel.server.events("reloaded") == []


@pytest.mark.threads
def test_signals_in_any_number_end_nothing_but_when_they_should(lab):
    path = lab.path / "log"
    tunnel = lab.tunnel(lab.echo(), server_options={"wait": True})
    before = len(os.listdir(f"/proc/{tunnel.server.process.pid}/fd"))
    with tunnel.connect() as sock:
        for _ in range(200):
            tunnel.server.signal(signal.SIGUSR1)
            tunnel.server.signal(signal.SIGHUP)
        exchange(sock, b"unharmed")
        tunnel.server.wait_for("reloaded")
    wait_until(lambda: len(os.listdir(
        f"/proc/{tunnel.server.process.pid}/fd")) <= before)
    assert not path.exists()


def test_a_rotated_log_loses_no_line(lab):
    """SIGUSR1 while it is written to: every connection stands in one file."""
    path = lab.path / "kerbwrap.log"
    tunnel = lab.tunnel(lab.echo())
    sidecar = lab.kerbwrap({
        "kerbwrap": {"log_target": f"file:{path}", "log_level": "info",
                     "log_format": "text"},
        "client db": lab.client_keys(tunnel.server.address("db"),
                                     accept=f"unix:{lab.path}/db.sock"),
    }, name="logged", wait=False)
    wait_until(lambda: path.exists() and "listening" in path.read_text())
    for number in range(30):
        with applications.connect(str(lab.path / "db.sock")) as sock:
            exchange(sock, b"x")
        if number % 3 == 0:
            path.rename(lab.path / f"kerbwrap.log.{number}")
            sidecar.signal(signal.SIGUSR1)
            wait_until(path.exists)
    sidecar.signal(signal.SIGTERM)
    assert sidecar.wait() == 0
    lines = [line for file in lab.path.glob("kerbwrap.log*")
             for line in file.read_text().splitlines()]
    assert sum(" up " in line for line in lines) == 30
    assert sum(" down " in line for line in lines) == 30


def test_the_log_goes_elsewhere_with_all_the_rest_or_not_at_all(lab):
    old, new, other = (lab.path / f"{name}.log" for name in
                       ("old", "new", "other"))
    good = {
        "kerbwrap": {"log_target": f"file:{old}", "log_format": "text"},
        "client db": lab.client_keys(
            "127.0.0.1:1", accept=f"unix:{lab.path}/db.sock")}
    sidecar = lab.kerbwrap(good, wait=False)

    def turn(settings, log, said, **client):
        sidecar.reload({
            "kerbwrap": {**good["kerbwrap"], **settings},
            "client db": {**good["client db"], **client}})
        wait_until(lambda: log.exists() and said in log.read_text())

    wait_until(lambda: old.exists() and "listening" in old.read_text())
    turn({"log_target": f"file:{lab.path}/none/log"}, old,
         f'cannot open the log {lab.path}/none/log: No such file or directory')
    turn({"log_target": f"file:{other}"}, old, "none/sock: ",
         accept=f"unix:{lab.path}/none/sock")
    assert other.exists()
    turn({"log_target": f"file:{new}", "log_format": "json"}, new,
         '"event":"reloaded"')
    assert " reloaded " not in old.read_text()
    # It is the new one that is opened anew.
    new.rename(lab.path / "new.log.1")
    sidecar.signal(signal.SIGUSR1)
    wait_until(new.exists)
    before = old.stat().st_size
    turn({}, old, " reloaded ")
    assert old.stat().st_size > before
    open_now = {os.readlink(fd) for fd in
                pathlib.Path(f"/proc/{sidecar.process.pid}/fd").iterdir()}
    assert str(old) in open_now
    assert not {str(new), str(other)} & open_now


# --- what does not answer ----------------------------------------------------


@pytest.fixture
def hung(lab):
    """A keytab on a file server that hangs; here a FIFO."""
    path = lab.path / "hung.keytab"
    os.mkfifo(path)
    return path


def somebody_reads(path):
    """Waits for it; closing what is returned lets them read the end."""
    ends = []

    def attempt():
        with contextlib.suppress(OSError):
            ends.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        return ends

    wait_until(attempt)
    return ends[0]


def with_keytab(server, keytab):
    return {**server.sections,
            "server db": {**server.sections["server db"], "keytab": keytab}}


@pytest.mark.threads
def test_a_keytab_that_hangs_holds_nothing_up(lab, hung):
    """Neither connections, old and new, nor the status; and who asks for more
    reloads meanwhile gets one, when that one is over."""
    tunnel = lab.tunnel(lab.echo())
    server = tunnel.server
    with tunnel.connect() as sock:
        server.reload(with_keytab(server, hung))
        end = somebody_reads(hung)
        assert exchange(sock, b"old") == b"old"
        with tunnel.connect() as another:
            assert exchange(another, b"new") == b"new"
        for _ in range(3):
            server.reload(server.sections)
            assert len(server.status()["services"]) == 1
        assert server.events_of("reloaded", "reload_failed") == []
        os.close(end)
        server.wait_for("reloaded")
        assert exchange(sock, b"still old") == b"still old"
    (failed,) = server.events("reload_failed")
    assert failed["reason"].startswith(
        f"[server db]: cannot use keytab {hung}: the file is empty or not a ")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert len(server.events("reloaded")) == 1


@pytest.mark.threads
@pytest.mark.parametrize("when", ["start", "reload"])
def test_who_is_told_to_stop_waits_for_no_keytab(lab, hung, when):
    keys = lab.server_keys(lab.echo())
    if when == "start":
        server = lab.kerbwrap({"server db": {**keys, "keytab": hung}},
                              wait=False)
    else:
        server = lab.kerbwrap({"server db": keys})
        server.reload(with_keytab(server, hung))
    end = somebody_reads(hung)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    os.close(end)
    assert len(server.events("started")) == (0 if when == "start" else 1)
    assert server.events_of("reloaded", "reload_failed", "error") == []
    assert server.events("stopped")[-1]["reason"] == "told to stop"
