# SPDX-License-Identifier: BSD-2-Clause
"""`exec =`: the legacy server is a program, started for each connection on its
standard input and output, and ended with it."""

import os
import re
import resource
import signal
import subprocess

import applications
import pytest
from applications import exchange, receive_all
from lab import wait_until


def program(lab, script, **server):
    """A tunnel to a script of the shell."""
    path = lab.path / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return lab.tunnel("", server={"connect": None, "exec": path, **server})


def ended(tunnel, event="program_ended"):
    return tunnel.server.wait_for(event)


def is_alive(pid):
    """Not for zombies."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_is_the_application(lab):
    tunnel = program(lab, "exec cat")
    with tunnel.connect() as sock:
        assert exchange(sock, b"question") == b"question"
        sock.shutdown(1)
        assert receive_all(sock) == b""
    assert ended(tunnel)["reason"] == "exit status 0"
    assert tunnel.server.wait_for("up")["to"] == f"exec:{lab.path}/program"
    assert tunnel.server.wait_for("down")["reason"] == "finished"
    assert tunnel.client.wait_for("down")["reason"] == "finished"


def test_it_may_answer_after_the_client_has_ended(lab):
    tunnel = program(lab, "sum=$(cat | wc -c); echo got $sum")
    data = os.urandom(1 << 20)
    with tunnel.connect() as sock:
        sock.sendall(data)
        sock.shutdown(1)
        assert receive_all(sock) == b"got 1048576\n"
    ended(tunnel)


def test_all_it_wrote_arrives_before_its_end(lab):
    tunnel = program(lab, "head -c 3000000 /dev/zero")
    with tunnel.connect() as sock:
        assert len(receive_all(sock)) == 3000000


def test_arguments_are_passed_as_they_stand(lab):
    tunnel = lab.tunnel("", server={
        "connect": None, "exec": ["/bin/echo one", "$HOME *", "two;3"]})
    with tunnel.connect() as sock:
        assert receive_all(sock) == b"one $HOME * two;3\n"


def test_its_environment_says_who_connects_and_nothing_else(lab):
    tunnel = lab.tunnel("", server={"connect": None, "exec": "/usr/bin/env"})
    with tunnel.connect() as sock:
        lines = receive_all(sock).decode().splitlines()
    up = tunnel.server.wait_for("up")
    host, port = applications.parse_address(up["from"])
    assert dict(line.split("=", 1) for line in lines) == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "KERBWRAP_PRINCIPAL": "alice@CORP.EXAMPLE.TEST",
        "KERBWRAP_TARGET": "orders/web1.corp.example.test",
        "KERBWRAP_SERVICE": "db",
        "KERBWRAP_CONNECTION": str(up["id"]),
        "REMOTE_HOST": host,
        "REMOTE_PORT": str(port),
    }


def test_it_has_only_standard_descriptors_and_default_signals(lab):
    tunnel = program(
        lab, "ls /proc/self/fd | tr '\\n' ' '; echo; pwd\n"
        "grep -E '^Sig(Blk|Ign):' /proc/self/status\n"
        "ps -o pid=,pgid=,sid= -p $$ | xargs")
    with tunnel.connect() as sock:
        fds, cwd, blocked, ignored, ids = (
            receive_all(sock).decode().splitlines())
    # 3 is the one that ls reads the folder by.
    assert (fds, cwd) == ("0 1 2 3 ", "/")
    # 32 and 33 are the C library's own, which it ignores in who is spawned.
    assert int(blocked.split()[1], 16) == 0
    assert int(ignored.split()[1], 16) & ~(3 << 31) == 0
    assert len(set(ids.split())) == 1


@pytest.mark.parametrize("end, reason", [
    ("exit 3", "exit status 3"),
    ("kill -9 $$", "killed by signal 9 (Killed)"),
])
def test_its_failure_is_an_error_at_the_client_after_its_output(
        lab, end, reason):
    tunnel = program(lab, f"echo partial; {end}")
    with tunnel.connect() as sock:
        with pytest.raises(ConnectionResetError):
            while sock.recv(100):
                pass
    assert ended(tunnel, "program_failed")["reason"] == reason
    sentence = f"the program failed: {reason}"
    assert tunnel.server.wait_for("down")["reason"] == sentence
    assert tunnel.server.wait_for("down")["sent"] == len("partial\n")
    assert tunnel.client.wait_for("down")["reason"] == (
        f"the peer ended it (application): {sentence}")


def test_a_late_failure_is_an_error_although_its_output_has_ended(lab):
    """Python shuts its direction down, which closing would not."""
    script = lab.path / "half"
    script.write_text(
        "#!/usr/bin/python3\nimport socket, sys\n"
        "sock = socket.socket(fileno=1)\nsock.sendall(b'answer')\n"
        "sock.shutdown(socket.SHUT_WR)\nsock.recv(4)\nsys.exit(5)\n")
    script.chmod(0o755)
    tunnel = lab.tunnel("", server={"connect": None, "exec": script})
    with tunnel.connect() as sock:
        assert receive_all(sock) == b"answer"  # the end came through
        sock.sendall(b"more")
        tunnel.server.wait_for(
            "down", reason="the program failed: exit status 5")


def test_a_program_that_cannot_be_started_is_told(lab):
    tunnel = lab.tunnel("", server={"connect": None,
                                    "exec": "/nonexistent/program"})
    assert tunnel.refuses()
    sentence = ("the application cannot be reached: cannot start "
                "/nonexistent/program: No such file or directory")
    assert tunnel.server.wait_for("failed")["reason"] == sentence


def test_who_is_not_allowed_starts_nothing(lab):
    mark = lab.path / "mark"
    tunnel = program(lab, f"touch {mark}", allow="bob@ELSEWHERE.TEST")
    assert tunnel.refuses()
    tunnel.server.wait_for("refused")
    assert not mark.exists()


def test_a_cut_stream_kills_the_program_before_it_sees_an_end(lab):
    """It would take what it has for all there is."""
    mark = lab.path / "mark"
    tunnel = program(lab, f"trap '' TERM; echo $$; cat; touch {mark}",
                     close_timeout="200ms")
    with tunnel.connect() as sock:
        pid = int(sock.recv(100))
        assert exchange(sock, b"some of it") == b"some of it"
        applications.reset(sock)
    tunnel.server.wait_for("down")
    event = ended(tunnel)
    assert event["reason"] == "killed by signal 9 (Killed)"
    assert event["pid"] == pid
    wait_until(lambda: not is_alive(pid))
    assert not mark.exists()


def test_sigterm_is_enough_for_most_and_its_children_go_too(lab):
    tunnel = program(lab, "sleep 600 & echo $$ $!; exec cat")
    with tunnel.connect() as sock:
        pid, child = map(int, sock.recv(100).split())
        applications.reset(sock)
    assert ended(tunnel)["reason"] == "killed by signal 15 (Terminated)"
    wait_until(lambda: not is_alive(pid) and not is_alive(child))


def test_one_that_has_closed_but_stays_is_ended_in_time(lab):
    tunnel = program(lab, "exec >/dev/null </dev/null; sleep 600",
                     close_timeout="200ms")
    with tunnel.connect() as sock:
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    ended(tunnel)
    assert "Terminated" in tunnel.server.wait_for("down")["reason"]


@pytest.mark.parametrize("told", ["once", "twice"])
def test_nobody_outlives_a_sidecar_that_is_told_to_stop(lab, told):
    tunnel = program(lab, "trap '' TERM; echo $$; cat; sleep 600")
    with tunnel.connect() as sock:
        pid = int(sock.recv(100))
        tunnel.server.signal(signal.SIGTERM)
        tunnel.server.wait_for("draining")
        if told == "twice":
            tunnel.server.signal(signal.SIGTERM)
        assert tunnel.server.wait() == 0
    wait_until(lambda: not is_alive(pid))


# It ends its output, waits for the end of its input, and has work left.
LATE_WORKER = """#!/usr/bin/python3
import socket
sock = socket.socket(fileno=1)
sock.shutdown(socket.SHUT_WR)
while sock.recv(100):
    pass
open({go!r}).read()
open({mark!r}, "w").close()
"""


def test_one_that_works_on_has_its_time_while_the_sidecar_stops(lab):
    go, mark, script = (lab.path / name for name in ("go", "mark", "late"))
    os.mkfifo(go)
    script.write_text(LATE_WORKER.format(go=str(go), mark=str(mark)))
    script.chmod(0o755)
    tunnel = lab.tunnel("", server={"connect": None, "exec": script})
    with tunnel.connect() as sock:
        assert receive_all(sock) == b""
        sock.shutdown(1)
        tunnel.server.wait_for("down")
    tunnel.server.signal(signal.SIGTERM)
    assert tunnel.server.wait_for("draining")["connections"] == 1
    assert not tunnel.server.events("program_ended")
    go.write_text("")
    assert ended(tunnel)["reason"] == "exit status 0"
    assert tunnel.server.wait() == 0
    assert mark.exists()


def test_those_that_stay_take_up_the_place_of_their_connections(lab):
    tunnel = program(lab, "trap '' TERM; echo; sleep 600; sleep 600",
                     close_timeout="1s", max_connections="2")
    for _ in range(2):
        with tunnel.connect() as sock:
            assert sock.recv(1) == b"\n"
            applications.reset(sock)
    tunnel.server.wait_for("down", count=2)
    assert tunnel.server.status()["totals"]["connections"] == 2
    tunnel.server.wait_for("program_ended", count=2)
    wait_until(lambda:
               tunnel.server.status()["totals"]["connections"] == 0)


def test_its_limit_of_descriptors_is_that_of_before_kerbwrap_raised_it(lab):
    """What is above 1024 breaks select(2)."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = 512
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        tunnel = program(lab, "read line; ulimit -Sn")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    raised, _ = resource.prlimit(tunnel.server.process.pid,
                                 resource.RLIMIT_NOFILE)
    assert raised > soft
    with tunnel.connect() as sock:
        sock.sendall(b"\n")
        assert receive_all(sock) == b"%d\n" % soft


def test_the_descriptor_that_watches_it_is_counted(lab):
    sidecar = lab.kerbwrap({
        "kerbwrap": {"max_connections": 1000000},
        "server db": lab.server_keys("", connect=None, exec="/bin/cat")})
    reason = sidecar.wait_for("warning")["reason"]
    lowered, got = map(int, re.fullmatch(
        r"max_connections lowered from 1000000 to (\d+): only (\d+) descriptors"
        r" are allowed; raise LimitNOFILE or ulimit -n", reason).groups())
    assert lowered == (got - 256) // 3


def test_many_at_once_leave_nothing_behind(lab):
    tunnel = program(lab, "cat")
    socks = [tunnel.connect() for _ in range(20)]
    for number, sock in enumerate(socks):
        assert exchange(sock, b"%d" % number) == b"%d" % number
    for sock in socks:
        sock.shutdown(1)
        assert receive_all(sock) == b""
        sock.close()
    tunnel.server.wait_for("program_ended", count=20)
    tunnel.server.wait_for("down", count=20)
    ps = ["ps", "-o", "pid=", "--ppid", str(tunnel.server.process.pid)]
    wait_until(lambda: not subprocess.run(
        ps, stdout=subprocess.PIPE, check=False).stdout)


def test_standard_error_is_the_sidecars(lab):
    tunnel = program(lab, "echo a complaint >&2")
    with tunnel.connect() as sock:
        assert receive_all(sock) == b""
    ended(tunnel)
    wait_until(lambda: re.search(r"^a complaint$", tunnel.server.text(), re.M))
