# SPDX-License-Identifier: BSD-2-Clause
"""Local access: who on this machine may use a listener, whose its socket is,
and sockets that systemd hands over."""

import os
import re
import socket
import stat
import subprocess
import sys

import pytest

from applications import exchange, format_address, parse_address
from lab import PATIENCE

STRANGER = 54321
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can be several users")

# Says "ping" to the address, and how it went.
CALLER = """
import socket, sys
host, _, port = sys.argv[1].rpartition(":")
try:
    if host == "unix":
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(30)
        sock.connect(port)
    else:
        sock = socket.create_connection((host.strip("[]"), int(port)), 30)
    sock.sendall(b"ping")
    print(sock.recv(4).decode() or "end")
except ConnectionResetError:
    print("reset")
except BrokenPipeError:
    print("end")
except PermissionError:
    print("forbidden")
"""


def call_as(user, address):
    """What a process of that user gets at the address."""
    return subprocess.run(
        ["setpriv", f"--reuid={user}", "--regid=54321", "--clear-groups",
         sys.executable, "-c", CALLER, format_address(address)],
        capture_output=True, text=True, check=True, timeout=60 * PATIENCE,
    ).stdout.strip()


@pytest.fixture
def unix(lab):
    """A path of a socket that every user may reach."""
    lab.path.chmod(0o711)
    return lab.path / "db.sock"


# --- accept_user ------------------------------------------------------------


@needs_root
@pytest.mark.parametrize("accept", ["127.0.0.1:0", "[::1]:0"])
def test_only_listed_users_may_use_a_loopback_listener(lab, accept):
    tunnel = lab.tunnel(lab.echo(), client={
        "accept": accept, "accept_user": [STRANGER, "daemon"]})
    address = tunnel.client.address("db")
    assert call_as(STRANGER, address) == "ping"
    assert call_as("daemon", address) == "ping"
    assert call_as(STRANGER + 1, address) == "reset"
    assert tunnel.refuses()
    tunnel.client.wait_for("refused", count=2)
    reasons = [e["reason"] for e in tunnel.client.events("refused")]
    assert reasons == [
        f"the local user {user} is not listed in `accept_user`"
        for user in (STRANGER + 1, 0)
    ]
    assert tunnel.client.status()["services"][0]["refused"] == 2
    assert len(tunnel.server.events("up")) == 2


@needs_root
def test_only_listed_users_may_use_a_unix_listener(lab, unix):
    tunnel = lab.tunnel(lab.echo(), client={
        "accept": f"unix:{unix}", "socket_mode": "0666",
        "accept_user": [STRANGER]})
    assert call_as(STRANGER, str(unix)) == "ping"
    assert call_as(STRANGER + 1, str(unix)) in ("end", "reset")
    event = tunnel.client.wait_for("refused", service="db")
    assert event["reason"] == (
        f"the local user {STRANGER + 1} is not listed in `accept_user`")


@needs_root
def test_a_reload_changes_who_may_connect(lab):
    tunnel = lab.tunnel(lab.echo(), client={"accept_user": [STRANGER]})
    address = tunnel.client.address("db")
    assert tunnel.refuses()
    sections = {**tunnel.client.sections}
    sections["client db"] = {**sections["client db"], "accept_user": ["root"]}
    tunnel.client.reload(sections)
    tunnel.client.wait_for("reloaded")
    assert call_as(STRANGER, address) == "reset"
    with tunnel.connect() as sock:
        assert exchange(sock, b"root") == b"root"
    sections["client db"]["accept_user"] = ["no-such-user"]
    tunnel.client.reload(sections)
    failure = tunnel.client.wait_for("reload_failed")
    assert failure["reason"] == (
        '[client db]: `accept_user`: there is no user "no-such-user"')


def test_who_closed_before_it_was_accepted_is_nobody(lab):
    tunnel = lab.tunnel(lab.echo(), client={"accept_user": [os.geteuid()]})
    with tunnel.connect() as sock:
        assert exchange(sock, b"mine") == b"mine"
    process = tunnel.client.process
    os.kill(process.pid, 19)  # SIGSTOP: it accepts only later
    tunnel.connect().close()
    os.kill(process.pid, 18)
    event = tunnel.client.wait_for("refused", service="db")
    assert event["reason"] == ("cannot tell who connects: no process on this "
                               "machine holds the other end")


# --- socket_owner, socket_mode ----------------------------------------------


@needs_root
def test_a_unix_socket_is_its_owners(lab, unix):
    tunnel = lab.tunnel(lab.echo(), client={
        "accept": f"unix:{unix}", "socket_mode": "0600",
        "socket_owner": f"{STRANGER}:54322"})
    found = unix.stat()
    assert (found.st_uid, found.st_gid) == (STRANGER, 54322)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert call_as(STRANGER, str(unix)) == "ping"
    assert call_as(STRANGER + 1, str(unix)) == "forbidden"

    sections = {**tunnel.client.sections}
    sections["client db"] = {**sections["client db"], "socket_mode": "0660",
                             "socket_owner": str(STRANGER + 1)}
    tunnel.client.reload(sections)
    tunnel.client.wait_for("reloaded")
    assert unix.stat().st_uid == STRANGER + 1
    assert stat.S_IMODE(unix.stat().st_mode) == 0o660
    assert call_as(STRANGER + 1, str(unix)) == "ping"


def test_an_owner_who_does_not_exist_stops_the_start(lab, unix):
    sidecar = lab.kerbwrap({"client db": lab.client_keys(
        "127.0.0.1:1", accept=f"unix:{unix}", socket_owner="no-such-user")},
        wait=False)
    sidecar.expect_status = 1
    event = sidecar.wait_for("error")
    assert event["reason"] == (
        '[client db]: `socket_owner`: there is no user "no-such-user"')
    assert not unix.exists()


# --- fd:NAME ----------------------------------------------------------------


def listening(lab, family=socket.AF_INET, where=("127.0.0.1", 0)):
    sock = socket.socket(family)
    lab.callback(sock.close)
    sock.bind(where)
    sock.listen(8)
    return sock


def test_a_socket_that_is_handed_over_serves_and_outlives_reloads(lab):
    sealed, plain = listening(lab), listening(lab)
    server = lab.kerbwrap(
        {"server db": lab.server_keys(lab.echo(), accept="fd:sealed")},
        sockets={"other": plain, "sealed": sealed}, name="server")
    assert server.address("db") == sealed.getsockname()
    client = lab.kerbwrap(
        {"client db": lab.client_keys(sealed.getsockname(), accept="fd:p.1")},
        sockets={"p.1": plain}, name="client")
    with client.connect("db") as sock:
        exchange(sock, b"before")
        for number in range(3):
            client.reload()
            client.wait_for("reloaded", count=number + 1)
            with client.connect("db") as another:
                exchange(another, b"after")
        exchange(sock, b"still")
    client.close()
    # The socket is not kerbwrap's: who comes meanwhile waits for the next.
    with socket.create_connection(plain.getsockname(), 20 * PATIENCE) as sock:
        sock.sendall(b"early")
        lab.kerbwrap(
            {"client db": lab.client_keys(sealed.getsockname(),
                                          accept="fd:p.1")},
            sockets={"p.1": plain}, name="client")
        assert exchange(sock, b"") == b"" and sock.recv(5) == b"early"


def test_a_unix_socket_that_was_handed_over_is_never_removed(lab, unix):
    plain = listening(lab, socket.AF_UNIX, str(unix))
    os.chmod(unix, 0o604)
    before = unix.stat()
    server = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    client = lab.kerbwrap(
        {"client db": lab.client_keys(server.address("db"),
                                      accept="fd:plain")},
        sockets={"plain": plain}, name="client")
    assert client.address("db") == str(unix)
    with client.connect("db") as sock:
        exchange(sock, b"through")
    sections = {**client.sections, "client other": lab.client_keys(
        server.address("db"))}
    del sections["client db"]
    client.reload(sections)
    client.wait_for("reloaded")
    client.close()
    assert unix.stat().st_ino == before.st_ino
    assert stat.S_IMODE(unix.stat().st_mode) == 0o604


def test_what_was_not_handed_over_stops_the_start(lab):
    sidecar = lab.kerbwrap(
        {"client db": lab.client_keys("127.0.0.1:1", accept="fd:plain")},
        sockets={"other": listening(lab)}, wait=False)
    sidecar.expect_status = 1
    assert sidecar.wait_for("error")["reason"] == (
        "[client db]: cannot listen on fd:plain: no descriptor of that name "
        "was handed over; set FileDescriptorName= in the .socket unit")


def test_a_handed_over_socket_must_not_let_plaintext_out(lab):
    anywhere = listening(lab, where=("0.0.0.0", 0))
    keys = lab.client_keys("127.0.0.1:1", accept="fd:plain")
    sidecar = lab.kerbwrap({"client db": keys}, sockets={"plain": anywhere},
                           wait=False)
    sidecar.expect_status = 1
    assert re.fullmatch(
        r"\[client db\]: `accept = fd:plain` listens on 0\.0\.0\.0:\d+, which "
        r"would let plaintext leave this machine: hand over a loopback address "
        r"or a Unix socket, or set `allow_remote_plaintext = yes`",
        sidecar.wait_for("error")["reason"])
    lab.kerbwrap({"client db": {**keys, "allow_remote_plaintext": "yes"}},
                 sockets={"plain": anywhere})


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(lab, unix):
    stale = listening(lab, socket.AF_UNIX, str(unix))
    keys = lab.client_keys("127.0.0.1:1", accept=f"unix:{unix}")
    sidecar = lab.kerbwrap({"client db": keys}, wait=False)
    sidecar.expect_status = 1
    assert sidecar.wait_for("error")["reason"] == (
        f"[client db]: cannot listen on unix:{unix}: another process listens "
        "there")
    stale.close()
    taken = lab.kerbwrap({"client db": keys})
    assert parse_address(f"unix:{unix}") == taken.address("db")
