# SPDX-License-Identifier: BSD-2-Clause
"""`kerbwrap connect`: one connection on standard input and output."""

import os
import socket
import subprocess

import applications
import pytest
from lab import BINARY, PATIENCE, ini, wait_until
from test_applications import find, run

TIMEOUT = 60 * PATIENCE


@pytest.fixture
def server(lab):
    """A function that makes a server sidecar before an application."""
    def make(application, **keys):
        return lab.kerbwrap(
            {"server db": lab.server_keys(application, **keys)}, name="server")
    return make


@pytest.fixture
def connect(lab):
    """A function that begins `kerbwrap connect -c FILE db`."""
    def make(sidecar, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **keys):
        path = lab.path / "connect.ini"
        path.write_text(ini({"client db": lab.client_keys(
            sidecar.address("db"), **keys)}))
        process = subprocess.Popen(
            [BINARY, "connect", "-c", path, "db"], env=lab.environment(),
            stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
        lab.callback(lambda: process.poll() is None and process.kill())
        return process
    return make


def finish(process, data=None):
    """(output, standard error, exit status)"""
    out, err = process.communicate(data, TIMEOUT)
    return out, err.decode(), process.returncode


def test_bytes_go_both_ways_up_to_both_ends(server, connect, lab):
    data = os.urandom(3 << 20)
    process = connect(server(lab.echo()))
    assert finish(process, data) == (data, "", 0)


def test_the_end_of_input_is_an_end_and_the_answer_still_comes(
        server, connect, lab):
    def count(sock):
        sock.sendall(b"%d" % len(applications.receive_all(sock)))

    process = connect(server(lab.application(count)))
    assert finish(process, b"12345") == (b"5", "", 0)


def test_the_servers_end_is_the_end_of_output_while_input_goes_on(
        server, connect, lab):
    got = []

    def half(sock):
        sock.sendall(b"all there is")
        sock.shutdown(1)
        got.append(applications.receive_all(sock))

    process = connect(server(lab.application(half)))
    assert process.stdout.read() == b"all there is"
    assert process.poll() is None
    process.stdin.write(b"and more")
    process.stdin.close()
    assert process.wait(TIMEOUT) == 0
    wait_until(lambda: got == [b"and more"])


def test_regular_files_are_read_and_written(server, connect, lab):
    data = os.urandom(1 << 20)
    (lab.path / "in").write_bytes(data)
    with open(lab.path / "in", "rb") as source, \
            open(lab.path / "out", "wb") as sink:
        process = connect(server(lab.echo()), source, sink)
        assert finish(process) == (None, "", 0)
    assert (lab.path / "out").read_bytes() == data


def test_one_socket_may_be_both(server, connect, lab):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = connect(server(lab.echo()), theirs, theirs)
        theirs.close()
        ours.settimeout(TIMEOUT)
        ours.sendall(b"to and fro")
        ours.shutdown(socket.SHUT_WR)
        assert applications.receive_all(ours) == b"to and fro"
        assert process.wait(TIMEOUT) == 0


def test_a_reset_is_a_failure_with_a_sentence(server, connect, lab):
    def rude(sock):
        sock.sendall(b"half of")
        sock.recv(1)
        applications.reset(sock)

    process = connect(server(lab.application(rude)))
    assert process.stdout.read(7) == b"half of"
    process.stdin.write(b"x")
    process.stdin.flush()
    out, err, status = finish(process)
    assert (out, status) == (b"", 1)
    assert err == ("kerbwrap: the peer ended it (application): the application "
                   "reset the connection: Connection reset by peer\n")


def test_a_cut_tunnel_is_a_failure(server, lab, connect):
    sidecar = server(lab.echo())
    tee = lab.tee(sidecar.address("db"))

    class Between:
        @staticmethod
        def address(_):
            return tee.address

    process = connect(Between)
    process.stdin.write(b"x")
    process.stdin.flush()
    assert process.stdout.read(1) == b"x"
    tee.cut()
    out, err, status = finish(process)
    assert (out, status) == (b"", 1)
    assert err.startswith("kerbwrap: truncated: ")


def test_a_reader_that_goes_away_is_a_reset_for_the_server(
        server, connect, lab):
    sidecar = server(lab.application(applications.source(bytes(4 << 20))))
    process = connect(sidecar)
    process.stdout.read(1)
    process.stdout.close()
    assert process.wait(TIMEOUT) == 1
    assert process.stderr.read() == (
        b"kerbwrap: cannot write to standard output: Broken pipe\n")
    sidecar.wait_for("down", reason="the peer ended it (application): cannot "
                     "write to standard output: Broken pipe")


def test_who_is_refused_is_told(server, connect, lab):
    process = connect(server(lab.echo(), allow="bob@ELSEWHERE.TEST"))
    out, err, status = finish(process)
    assert (out, status) == (b"", 1)
    assert err == ("kerbwrap: the peer ended it (forbidden): not allowed: no "
                   "rule of `allow` names this principal\n")


def test_a_server_that_is_not_there_is_told(connect, lab):
    class Nobody:
        @staticmethod
        def address(_):
            return "127.0.0.1:1"

    out, err, status = finish(connect(Nobody))
    assert (out, status) == (b"", 1)
    assert err == ("kerbwrap: cannot connect to 127.0.0.1:1: Connection "
                   "refused\n")


def find_and_connect(lab, directory, **section):
    path = lab.path / "found.ini"
    path.write_text(ini({"directory": directory.section(**section),
                         "client db": directory.client()}))
    return subprocess.run(
        [BINARY, "connect", "-c", path, "db"], input=b"hello",
        env=lab.environment(), capture_output=True, timeout=TIMEOUT)


def test_the_directory_is_asked_for_the_server(server, lab, directory):
    sidecar = server(lab.echo())
    directory.scp(directory.computer(), address=sidecar.address("db"))
    result = find_and_connect(lab, directory)
    assert (result.stdout, result.stderr, result.returncode) == (
        b"hello", b"", 0)


def test_a_directory_that_has_no_server_is_told(lab, directory):
    result = find_and_connect(lab, directory)
    assert (result.stdout, result.returncode) == (b"", 1)
    assert result.stderr.startswith(
        b"kerbwrap: no server is known: the directory has no service "
        b"connection point"), result.stderr


def test_a_directory_that_does_not_answer_is_told(lab, directory):
    hole = lab.black_hole()
    result = find_and_connect(lab, directory, timeout="200ms",
                              uri=f"ldap://localhost:{hole.port}")
    assert (result.stdout, result.returncode) == (b"", 1)
    assert result.stderr.startswith(b"kerbwrap: "), result.stderr


# --- without a file ---------------------------------------------------------


def direct(lab, sidecar, *options, env=None, name="orders/127.0.0.1"):
    port = sidecar.address("db")[1]
    return subprocess.run(
        [BINARY, "connect", *options, f"{name}:{port}"], input=b"hello",
        env=lab.environment(**env or {}), capture_output=True, timeout=TIMEOUT)


@pytest.fixture
def spn(lab):
    return ("--spn", f"orders/web1.{lab.realm.domain}")


def test_a_keytab_may_be_named(server, lab, spn):
    result = direct(lab, server(lab.echo()), *spn, "--keytab",
                    lab.realm.keytab("alice"), "--principal", "alice")
    assert (result.stdout, result.stderr, result.returncode) == (
        b"hello", b"", 0)


def test_the_name_is_made_of_class_and_host(server, lab):
    """localhost has a key too."""
    result = direct(lab, server(lab.echo()), "--keytab",
                    lab.realm.keytab("alice"), "--principal", "alice",
                    name="orders/localhost")
    assert (result.stdout, result.returncode) == (b"hello", 0), result.stderr


def test_the_ambient_cache_is_used_only_when_it_is_named(server, lab, spn):
    ccache = lab.realm.ccache("alice", lab.path / "ambient")
    sidecar = server(lab.echo())
    env = {"KRB5CCNAME": f"FILE:{ccache}"}
    result = direct(lab, sidecar, *spn, env=env)
    assert (result.stdout, result.returncode) == (b"", 2)
    assert result.stderr == (
        b"kerbwrap: no credential is named: give --ccache default for the "
        b"tickets of kinit, or --keytab and --principal\n")
    result = direct(lab, sidecar, *spn, "--ccache", "default", env=env)
    assert (result.stdout, result.stderr, result.returncode) == (
        b"hello", b"", 0)


@pytest.mark.parametrize("arguments, sentence", [
    (["db", "--ccache", "default"],
     "--ccache, --keytab, --principal and --spn go with CLASS/HOST:PORT: "
     "[client NAME] has its own"),
    (["orders/db", "--ccache", "default"],
     'arguments:3: `connect`: cannot read "db" as an address: write HOST:PORT, '
     "unix:PATH or fd:NAME"),
    (["orders/db:1", "--ccache", "x\nkeytab = y"],
     'cannot use "x\\x0akeytab = y" as ccache: it is too long, or holds a '
     "blank, a control character, or a comment"),
    (["orders/db:1", "--keytab", "/k"],
     "arguments:5: `keytab` needs `principal`: whose keys to use"),
    ([], "no NAME given: see kerbwrap connect --help"),
])
def test_what_cannot_be_meant_is_usage(lab, arguments, sentence):
    result = lab.command("connect", *arguments)
    assert (result.stdout, result.stderr, result.returncode) == (
        "", f"kerbwrap: {sentence}\n", 2)


# --- others that use it -----------------------------------------------------


def test_ssh_reaches_an_sshd_that_is_started_for_it(lab, server):
    sshd = find("sshd")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    for name in ("host_key", "user_key"):
        run(find("ssh-keygen"), "-q", "-t", "ed25519", "-N", "",
            "-f", str(lab.path / name))
    config = lab.path / "sshd_config"
    config.write_text(
        f"HostKey {lab.path}/host_key\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {lab.path}/user_key.pub\nStrictModes no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n")
    sidecar = server("", connect=None,
                     exec=f"{sshd} -i -e -f {config}")
    path = lab.path / "connect.ini"
    path.write_text(ini({"client db": lab.client_keys(sidecar.address("db"))}))
    env = lab.environment(HOME=lab.path)
    said = run(
        find("ssh"), "-F", "none", "-i", str(lab.path / "user_key"),
        "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
        "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
        "-o", f"ProxyCommand={BINARY} connect -c {path} db", "anywhere",
        "echo $((6 * 7)); head -c 2000000 /dev/zero | wc -c", env=env)
    assert said == "42\n2000000\n"
    assert sidecar.wait_for("up")["to"] == f"exec:{sshd}"
