# SPDX-License-Identifier: BSD-2-Clause
"""A sidecar from its start to its end: limits, timeouts, failover, reload,
status, logs, and leaving."""

import json
import os
import re
import signal
import socket
import threading
import time

import pytest

import applications
from applications import exchange, is_reset, receive_all, reset
from lab import PATIENCE, free_port, wait_until


# How a client's log calls a server's refusal.


# --- limits -----------------------------------------------------------------


@pytest.mark.threads
def test_accepting_pauses_at_the_limit_and_resumes(lab):
    tunnel = lab.tunnel(lab.echo(), settings={"max_connections": 3})
    socks = [tunnel.connect() for _ in range(3)]
    for sock in socks:
        exchange(sock, b"in")
    with tunnel.connect() as waiting:
        waiting.sendall(b"later")
        tunnel.client.wait_for("accept_paused", service="db")
        waiting.settimeout(0.5)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        socks.pop().close()
        waiting.settimeout(20 * PATIENCE)
        assert applications.receive_exactly(waiting, 5) == b"later"
        tunnel.client.wait_for("accept_resumed", service="db")
    for sock in socks:
        exchange(sock, b"still here")
        sock.close()


def test_a_service_may_have_a_limit_of_its_own(lab):
    tunnel = lab.tunnel(lab.echo(), client={"max_connections": 1})
    with tunnel.connect() as first, tunnel.connect() as second:
        exchange(first, b"in")
        second.sendall(b"later")
        tunnel.client.wait_for("accept_paused", service="db")
        first.close()
        assert applications.receive_exactly(second, 5) == b"later"


def silent(address, source, count):
    """Connections that never say anything, from a loopback address of their
    own."""
    return [
        socket.create_connection(address, 10, source_address=(source, 0))
        for _ in range(count)
    ]


def test_silent_connections_of_one_source_do_not_delay_another(lab):
    tunnel = lab.tunnel(
        lab.echo(),
        settings={"max_handshakes": 20, "max_handshakes_per_source": 10},
        server={"handshake_timeout": "60s"},
    )
    idlers = silent(tunnel.server.address("db"), "127.0.0.2", 50)
    began = time.monotonic()
    with tunnel.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"
    assert time.monotonic() - began < 5 * PATIENCE
    for sock in idlers:
        sock.close()


def test_who_says_nothing_is_closed_at_handshake_timeout(lab):
    tunnel = lab.tunnel(lab.echo(), server={"handshake_timeout": "1s"})
    (sock,) = silent(tunnel.server.address("db"), "127.0.0.1", 1)
    sock.settimeout(10 * PATIENCE)
    try:
        assert receive_all(sock) == b""
    except ConnectionResetError:
        pass
    sock.close()


def test_who_connects_and_closes_is_only_a_probe(lab):
    tunnel = lab.tunnel(lab.echo())
    silent(tunnel.server.address("db"), "127.0.0.1", 1)[0].close()
    assert tunnel.server.wait_for("probe")["level"] == "debug"
    assert tunnel.server.events("failed") == []


def test_few_descriptors_lower_the_limit_and_stop_nothing(lab):
    wrapper = {"env": {"WRAPPER": "prlimit --nofile=300:300"}}
    tunnel = lab.tunnel(lab.echo(), client_options=wrapper,
                        server_options=wrapper)
    warning = tunnel.client.wait_for(
        "warning", reason=re.compile("max_connections lowered")
    )
    assert "only 300 descriptors are allowed" in warning["reason"]
    socks = [tunnel.connect() for _ in range(60)]
    tunnel.client.wait_for("accept_paused", service="db")
    # As each ends, one that waited is served.
    for sock in socks:
        assert exchange(sock, b"my turn") == b"my turn"
        sock.close()


def test_who_is_held_back_at_the_end_is_not_let_in_any_more(lab):
    tunnel = lab.tunnel(
        lab.echo(), server={"handshake_timeout": "60s"},
        settings={"max_handshakes": 1, "drain_timeout": "100ms",
                  "threads": 1})
    idlers = silent(tunnel.server.address("db"), "127.0.0.2", 5)
    wait_until(lambda: tunnel.server.status()["totals"]["held"] == 4)
    tunnel.server.signal(signal.SIGTERM)
    assert tunnel.server.wait() == 0
    for sock in idlers:
        sock.close()
    reasons = [e["reason"] for e in tunnel.server.events("failed")]
    assert reasons == 5 * ["kerbwrap is being stopped"]


# --- timeouts ---------------------------------------------------------------


@pytest.mark.parametrize("end", ["server", "client"])
def test_an_idle_connection_ends(lab, end):
    tunnel = lab.tunnel(lab.echo(), **{end: {"idle_timeout": "1s"}})
    with tunnel.connect() as sock:
        exchange(sock, b"hello")
        assert is_reset(sock)
    sidecar = getattr(tunnel, end)
    assert "idle" in sidecar.wait_for("down", service="db")["reason"]


def test_a_connection_that_is_used_is_not_idle(lab):
    keys = {"idle_timeout": "2s", "heartbeat": "300ms"}
    tunnel = lab.tunnel(lab.echo(), server=keys, client=keys)
    with tunnel.connect() as sock:
        until = time.monotonic() + 2.6
        while time.monotonic() < until:
            exchange(sock, b"tick")
            time.sleep(0.2)
        exchange(sock, b"still up")


@pytest.mark.parametrize("end", ["server", "client"])
def test_a_connection_ends_at_max_lifetime_however_busy(lab, end):
    tunnel = lab.tunnel(lab.echo(), **{end: {"max_lifetime": "2s"}})
    with tunnel.connect() as sock, pytest.raises(OSError):
        until = time.monotonic() + 30 * PATIENCE
        while time.monotonic() < until:
            exchange(sock, b"tick")
            time.sleep(0.1)
        pytest.fail("it lives on")
    sidecar = getattr(tunnel, end)
    assert "max_lifetime" in sidecar.wait_for("down", service="db")["reason"]


def test_an_application_that_never_answers_a_dial_fails_in_time(lab):
    """Its listen queue is full: connecting to it hangs."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        tunnel = lab.tunnel(f"127.0.0.1:{port}",
                            server={"connect_timeout": "1s"})
        assert tunnel.refuses()
        reason = tunnel.server.wait_for("failed", service="db")["reason"]
        assert "the application cannot be reached" in reason
        for filler in fillers:
            filler.close()


# --- several servers --------------------------------------------------------


def named(lab, name):
    """A server sidecar whose application says its name; its address."""
    application = lab.application(applications.source(name.encode()))
    sidecar = lab.kerbwrap({f"server {name}": lab.server_keys(application)},
                           name=name)
    return applications.format_address(sidecar.address(name))


def client_of(lab, *servers, **keys):
    return lab.kerbwrap(
        {"client db": lab.client_keys("127.0.0.1:1",
                                      **{"connect": list(servers), **keys})},
        name="client",
    )


def ask(client):
    with client.connect("db") as sock:
        return receive_all(sock)


@pytest.mark.threads
def test_a_dead_first_server_is_passed_over(lab):
    dead = f"127.0.0.1:{free_port()}"
    client = client_of(lab, dead, named(lab, "alive"), select="listed")
    assert ask(client) == b"alive"
    event = client.wait_for("candidate", service="db")
    assert event["to"] == dead
    assert "Connection refused" in event["reason"]


def test_a_silent_first_server_leaves_time_for_the_next(lab):
    hole = lab.black_hole()
    client = client_of(
        lab, f"127.0.0.1:{hole.port}", named(lab, "alive"),
        select="listed", connect_timeout="6s", handshake_timeout="6s",
    )
    began = time.monotonic()
    assert ask(client) == b"alive"
    assert time.monotonic() - began < 6 * PATIENCE
    # From then on the silent one goes last.
    began = time.monotonic()
    assert ask(client) == b"alive"
    assert time.monotonic() - began < 2 * PATIENCE


def test_a_server_whose_application_is_down_is_passed_over(lab):
    broken = lab.kerbwrap(
        {"server broken": lab.server_keys(f"127.0.0.1:{free_port()}")}
    )
    client = client_of(
        lab, applications.format_address(broken.address("broken")),
        named(lab, "alive"), select="listed",
    )
    with client.connect("db") as sock:
        assert receive_all(sock) == b"alive"


def test_data_sent_early_is_not_lost_by_failing_over(lab):
    broken = lab.kerbwrap(
        {"server broken": lab.server_keys(f"127.0.0.1:{free_port()}")}
    )
    whole = lab.kerbwrap({"server whole": lab.server_keys(lab.echo())})
    client = client_of(
        lab, applications.format_address(broken.address("broken")),
        applications.format_address(whole.address("whole")), select="listed",
    )
    data = os.urandom(100_000)
    with client.connect("db") as sock:
        assert exchange(sock, data) == data


def test_a_refusal_is_not_taken_to_the_next_server(lab):
    strict = lab.kerbwrap({"server strict": lab.server_keys(
        lab.echo(), allow="bob@CORP.EXAMPLE.TEST")})
    client = client_of(
        lab, applications.format_address(strict.address("strict")),
        named(lab, "alive"), select="listed",
    )
    assert client.refuses("db")
    assert "not allowed" in client.wait_for("refused")["reason"]


def test_all_servers_dead_is_said(lab):
    client = client_of(lab, f"127.0.0.1:{free_port()}",
                       f"127.0.0.1:{free_port()}")
    assert client.refuses("db")
    assert "Connection refused" in client.wait_for("failed")["reason"]


def test_random_spreads_and_listed_does_not(lab):
    servers = [named(lab, "one"), named(lab, "two")]
    spread = client_of(lab, *servers, select="random")
    assert {ask(spread) for _ in range(40)} == {b"one", b"two"}
    listed = client_of(lab, *servers, select="listed")
    assert {ask(listed) for _ in range(5)} == {b"one"}


# --- reload -----------------------------------------------------------------


def test_a_good_file_takes_effect_and_connections_stay(lab):
    tunnel = lab.tunnel(lab.echo())
    port = tunnel.server.address("db")[1]
    sections = dict(tunnel.server.sections)
    sections["server more"] = lab.server_keys(lab.echo())
    with tunnel.connect() as sock:
        exchange(sock, b"before")
        tunnel.server.reload(sections)
        assert tunnel.server.wait_for("reloaded")["services"] == 2
        exchange(sock, b"after")
        assert tunnel.server.address("more")[1] != 0
    with tunnel.connect() as sock:  # on the same port as before
        exchange(sock, b"new")
    with socket.create_connection(("127.0.0.1", port), 5):
        pass


def test_a_bad_file_changes_nothing(lab):
    tunnel = lab.tunnel(lab.echo())
    tunnel.server.reload("[server db]\naccept = nowhere\nallouw = x\n")
    event = tunnel.server.wait_for("reload_failed")
    assert event["file"] == str(tunnel.server.file)
    errors = [e["reason"] for e in tunnel.server.events("error")]
    assert any("kerbwrap.ini:3:" in e and "allow" in e for e in errors)
    with tunnel.connect() as sock:
        exchange(sock, b"as before")


def reload_rules(lab, enforces):
    tunnel = lab.tunnel(lab.echo(),
                        settings={"reload_enforces": enforces})
    sock = tunnel.connect()
    exchange(sock, b"before")
    sections = {k: dict(v) for k, v in tunnel.server.sections.items()}
    sections["server db"]["allow"] = "bob@CORP.EXAMPLE.TEST"
    tunnel.server.reload(sections)
    tunnel.server.wait_for("reloaded")
    return tunnel, sock


def test_a_reload_ends_connections_that_the_new_rules_forbid(lab):
    tunnel, sock = reload_rules(lab, "yes")
    with sock:
        assert is_reset(sock)
    reason = tunnel.server.wait_for("down", service="db")["reason"]
    assert "not allowed" in reason


def test_a_reload_may_leave_connections_alone(lab):
    tunnel, sock = reload_rules(lab, "no")
    with sock:
        exchange(sock, b"still here")
    assert tunnel.refuses()
    tunnel.server.wait_for("refused", service="db")


def sidecar_of_two(lab):
    return lab.kerbwrap({
        f"client {name}": lab.client_keys(
            ("127.0.0.1", 1), accept=f"unix:{lab.path}/{name}.sock")
        for name in ("one", "two")
    })


def rename_a_service(lab, sections):
    sections["client three"] = sections.pop("client one")


def exchange_addresses(lab, sections):
    one, two = sections["client one"], sections["client two"]
    one["accept"], two["accept"] = two["accept"], one["accept"]


def change_a_mode(lab, sections):
    sections["client one"]["socket_mode"] = "0666"


@pytest.mark.threads
@pytest.mark.parametrize(
    "change", [rename_a_service, exchange_addresses, change_a_mode])
def test_a_reload_goes_on_with_every_socket_it_has(lab, change):
    sidecar = sidecar_of_two(lab)
    sections = {k: dict(v) for k, v in sidecar.sections.items()}
    change(lab, sections)
    sidecar.reload(sections)
    sidecar.wait_for("reloaded")
    for section, keys in sections.items():
        if section.startswith("client"):
            path = keys["accept"].removeprefix("unix:")
            mode = int(keys.get("socket_mode", "0600"), 8)
            assert os.stat(path).st_mode & 0o777 == mode
            applications.connect(path).close()
            sidecar.wait_for("failed", service=section.split()[1])


def test_a_reload_makes_the_directories_of_new_services(lab):
    sidecar = lab.kerbwrap({
        "kerbwrap": {"runtime_dir": lab.path / "later"},
        "client db": lab.client_keys(("127.0.0.1", 1)),
    })
    assert not (lab.path / "later").exists()
    sections = dict(sidecar.sections)
    sections["server more"] = lab.server_keys(lab.echo())
    sidecar.reload(sections)
    sidecar.wait_for("reloaded")
    assert (lab.path / "later").is_dir()


@pytest.mark.threads
def test_a_reload_may_be_the_last_word_before_the_end(lab):
    for _ in range(5):
        sidecar = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
        sidecar.reload()
        sidecar.signal(signal.SIGTERM)
        assert sidecar.wait() == 0


@pytest.mark.threads
def test_connections_survive_many_reloads(lab):
    tunnel = lab.tunnel(lab.echo())
    stop = threading.Event()
    failures = []

    def work():
        while not stop.is_set():
            try:
                with tunnel.connect() as sock:
                    for _ in range(5):
                        exchange(sock, os.urandom(20_000))
            except (OSError, AssertionError) as error:
                failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for count in range(1, 11):
        for sidecar in (tunnel.server, tunnel.client):
            sidecar.reload()
            sidecar.wait_for("reloaded", count=count)
    stop.set()
    for worker in workers:
        worker.join()
    assert failures == []


# --- leaving ----------------------------------------------------------------


@pytest.mark.threads
def test_sigterm_lets_connections_finish(lab):
    tunnel = lab.tunnel(lab.echo(), settings={"drain_timeout": "60s"})
    address = tunnel.client.address("db")
    with tunnel.connect() as sock:
        exchange(sock, b"before")
        for sidecar in (tunnel.client, tunnel.server):
            sidecar.signal(signal.SIGTERM)
            assert sidecar.wait_for("draining")["connections"] == 1
        with pytest.raises(ConnectionRefusedError):
            applications.connect(address)
        for _ in range(50):
            exchange(sock, b"unhurried")
    for sidecar in (tunnel.client, tunnel.server):
        assert sidecar.wait(20) == 0


def test_what_does_not_finish_is_reset(lab):
    tunnel = lab.tunnel(lab.echo(), settings={"drain_timeout": "1s"})
    with tunnel.connect() as sock:
        exchange(sock, b"before")
        tunnel.server.signal(signal.SIGTERM)
        assert is_reset(sock)
    assert tunnel.server.wait(10) == 0
    reason = tunnel.client.wait_for("down", service="db")["reason"]
    assert "being stopped" in reason


def test_a_second_sigterm_ends_at_once(lab):
    tunnel = lab.tunnel(lab.echo(), settings={"drain_timeout": "60s"})
    with tunnel.connect() as sock:
        exchange(sock, b"before")
        tunnel.server.signal(signal.SIGTERM)
        tunnel.server.wait_for("draining")
        tunnel.server.signal(signal.SIGTERM)
        assert tunnel.server.wait(5) == 0


def twice_terminated(sidecar):
    sidecar.signal(signal.SIGTERM)
    sidecar.wait_for("draining")
    sidecar.signal(signal.SIGTERM)


def killed(sidecar):
    sidecar.expect_status = -signal.SIGKILL
    sidecar.signal(signal.SIGKILL)


@pytest.mark.parametrize("end", [twice_terminated, killed])
def test_a_sidecar_that_dies_is_no_clean_end_to_its_application(lab, end):
    tunnel = lab.tunnel(lab.echo(), settings={"drain_timeout": "60s"})
    with tunnel.connect() as sock:
        exchange(sock, b"before")
        end(tunnel.client)
        tunnel.client.wait()
        assert is_reset(sock)


def test_a_taken_port_stops_the_start(lab):
    tunnel = lab.tunnel(lab.echo())
    host, port = tunnel.server.address("db")
    second = lab.kerbwrap(
        {"server db": lab.server_keys("127.0.0.1:1",
                                      accept=f"{host}:{port}")},
        wait=False,
    )
    second.expect_status = 1
    assert second.wait() == 1
    assert f"cannot listen on {host}:{port}" in second.text()
    assert "Address already in use" in second.text()


def test_nothing_starts_half(lab):
    """The second service is impossible: the first must not be left behind."""
    port = free_port()
    broken = lab.kerbwrap({
        "server good": lab.server_keys("127.0.0.1:1",
                                       accept=f"127.0.0.1:{port}"),
        "server bad": lab.server_keys("127.0.0.1:1", keytab="/nonexistent"),
    }, wait=False)
    broken.expect_status = 1
    assert broken.wait() == 1
    with pytest.raises(ConnectionRefusedError):
        applications.connect(("127.0.0.1", port))


# --- what it says of itself -------------------------------------------------


def test_text_and_json_tell_the_same(lab):
    lines = {}
    for style in ("text", "json"):
        path = lab.path / f"{style}.log"
        sidecar = lab.kerbwrap({
            "kerbwrap": {"log_format": style, "log_target": f"file:{path}",
                         "log_level": "info"},
            "server db": lab.server_keys(lab.echo()),
        }, wait=False)
        wait_for_line(path, "listening")
        sidecar.signal(signal.SIGTERM)
        sidecar.wait()
        lines[style] = path.read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines["json"]]
    assert [line.split()[2] for line in lines["text"]] == events
    assert events[-1] == "stopped"


def wait_for_line(path, word):
    deadline = time.monotonic() + 15 * PATIENCE
    while time.monotonic() < deadline:
        if path.exists() and word in path.read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"{path} never held {word}")


def test_a_log_file_is_reopened_on_request(lab):
    path = lab.path / "kerbwrap.log"
    sidecar = lab.kerbwrap({
        "kerbwrap": {"log_target": f"file:{path}"},
        "server db": lab.server_keys(lab.echo()),
    }, wait=False)
    wait_for_line(path, "listening")
    path.rename(lab.path / "kerbwrap.log.1")
    sidecar.signal(signal.SIGUSR1)
    wait_for_line(path, "")
    sidecar.signal(signal.SIGHUP)
    wait_for_line(path, "reloaded")


def test_floods_of_garbage_are_summed_up(lab):
    tunnel = lab.tunnel(lab.echo())
    address = tunnel.server.address("db")
    for _ in range(300):
        with socket.create_connection(address, 5) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            try:
                receive_all(sock)
            except ConnectionResetError:
                pass
    tunnel.server.wait_for("suppressed", timeout=30)
    assert len(tunnel.server.events("failed")) < 200
    with tunnel.connect() as sock:
        exchange(sock, b"unharmed")


def test_a_reset_before_the_answer_leaves_nothing_behind(lab):
    tunnel = lab.tunnel(lab.echo())
    for _ in range(50):
        reset(tunnel.connect())
    with tunnel.connect() as sock:
        exchange(sock, b"fine")
    deadline = time.monotonic() + 15 * PATIENCE
    while tunnel.server.status()["totals"]["connections"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
