# SPDX-License-Identifier: BSD-2-Clause
"""What a sidecar says of itself over its status socket, to whom, and what it
does not let callers do."""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

import applications
from applications import exchange, is_reset, receive_all
from lab import PATIENCE, ROOT, free_port, wait_until


# --- the document ------------------------------------------------------------


def test_status_tells_of_services_connections_and_totals(lab):
    tunnel = lab.tunnel(lab.echo())
    with tunnel.connect() as sock:
        exchange(sock, b"12345")
        status = tunnel.server.status()
        (service,) = status["services"]
        (connection,) = status["connections"]
    assert (service["name"], service["role"]) == ("db", "server")
    assert service["connections"] == 1
    assert connection["principal"] == "alice@CORP.EXAMPLE.TEST"
    assert connection["engine"] in ("openssl", "multibuffer")
    assert connection["received"] == connection["sent"] == 5
    assert connection["age"] >= 0
    assert status["totals"]["connections"] == 1


def test_the_status_may_be_at_a_port_of_this_host(lab):
    where = f"localhost:{free_port()}"
    sidecar = lab.kerbwrap({
        "kerbwrap": {"status": where},
        "client db": lab.client_keys(("127.0.0.1", 1)),
    })
    result = lab.command("status", "--json", "-c", sidecar.file)
    assert json.loads(result.stdout)["pid"] == sidecar.process.pid


def test_callers_of_the_status_socket_never_make_it_spin(lab):
    sidecar = lab.kerbwrap(
        {"client db": lab.client_keys(("127.0.0.1", 1))},
        env={"WRAPPER": "prlimit --nofile=300:300"},
    )
    callers = []
    for _ in range(310):
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        sock.connect(str(sidecar.path / "status.sock"))
        callers.append(sock)
    before = sidecar.events("warning")
    assert len(os.listdir(f"/proc/{sidecar.process.pid}/fd")) < 100
    for sock in callers:
        sock.close()
    assert sidecar.status()["totals"]["log_dropped"] == 0
    assert sidecar.events("warning") == before


def test_the_status_of_nobody_is_a_sentence(lab):
    tunnel = lab.tunnel(lab.echo())
    tunnel.client.signal(signal.SIGTERM)
    tunnel.client.wait()
    result = lab.command("status", "-c", tunnel.client.file)
    assert result.returncode == 1
    assert result.stderr.startswith("kerbwrap: cannot ")


def test_a_connection_tells_its_principal_its_rate_and_its_ticket_s_end(lab):
    tunnel = lab.tunnel(lab.echo())
    with tunnel.connect() as sock:
        exchange(sock, b"x" * 100000)
        time.sleep(1.1)  # rates are of a second at least
        (connection,) = tunnel.server.status()["connections"]
        (service,) = tunnel.server.status()["services"]
    assert 10000 < connection["received_rate"] < 100000 / 1.1
    assert 35000 < connection["ticket_seconds"] < 37000
    assert service["received"] == service["sent"] == 100000
    assert service["keytab"]["readable"] and service["keytab"]["kvno"] >= 1


def test_candidates_tell_where_they_rest(lab):
    tunnel = lab.tunnel(lab.echo())
    sidecar = lab.kerbwrap({"client two": lab.client_keys(
        f"127.0.0.1:{free_port()}\n    "
        + applications.format_address(tunnel.server.address("db")),
        select="listed")})
    with sidecar.connect("two") as sock:
        exchange(sock, b"over")
    (service,) = sidecar.status()["services"]
    dead, alive = service["candidates"]
    assert 0 < dead["resting"] <= 30 and alive["resting"] == 0
    assert alive["verdict"] == "configured"
    assert alive["spn"] == f"orders/web1.{lab.realm.domain}"
    samples = sidecar.metrics()
    assert samples['kerbwrap_failovers_total{service="two",role="client"}'] == 1
    assert samples['kerbwrap_handshake_errors_total{service="two",'
                   'role="client",error="unreachable"}'] == 1


# --- metrics -----------------------------------------------------------------


def of(samples, name, **labels):
    """The sum of the samples of that name with these labels."""
    return sum(value for series, value in samples.items()
               if series.startswith(name + "{")
               and all(f'{key}="{wanted}"' in series
                       for key, wanted in labels.items()))


def test_bytes_of_a_live_connection_are_counted_once(lab):
    tunnel = lab.tunnel(lab.echo())
    with tunnel.connect() as sock:
        exchange(sock, b"x" * 1000)
        samples = tunnel.server.metrics()
        assert of(samples, "kerbwrap_received_bytes_total") == 1000
        assert of(samples, "kerbwrap_connections") == 1
        assert of(samples, "kerbwrap_connection_seconds_count") == 0
        exchange(sock, b"x" * 500)
    tunnel.server.wait_for("down")
    samples = tunnel.server.metrics()
    assert of(samples, "kerbwrap_received_bytes_total") == 1500
    assert of(samples, "kerbwrap_sent_bytes_total", role="server") == 1500
    assert of(samples, "kerbwrap_connection_seconds_count") == 1
    assert of(samples, "kerbwrap_handshake_seconds_count") == 1
    assert of(samples, "kerbwrap_handshakes_total", outcome="opened") == 1


def test_failed_handshakes_are_counted_by_what_went_wrong(lab):
    tunnel = lab.tunnel(lab.echo(), server={"handshake_timeout": "300ms"})
    server = tunnel.server
    with server.connect("db"):
        pass
    server.wait_for("probe")
    with server.connect("db") as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        server.wait_for("failed")
    with server.connect("db") as sock:
        sock.sendall(b"\0")
        server.wait_for("failed", count=2)
    samples = server.metrics()
    assert of(samples, "kerbwrap_handshakes_total", outcome="probe") == 1
    assert of(samples, "kerbwrap_handshakes_total", outcome="failed") == 2
    assert of(samples, "kerbwrap_handshake_errors_total") == 2
    assert of(samples, "kerbwrap_handshake_errors_total", error="timeout") == 1


def test_a_refused_principal_is_counted_as_refused(lab):
    tunnel = lab.tunnel(lab.echo(), server={"allow": "bob@CORP.EXAMPLE.TEST"})
    assert tunnel.refuses()
    for sidecar in (tunnel.server, tunnel.client):
        sidecar.wait_for("refused")
        assert of(sidecar.metrics(), "kerbwrap_handshakes_total",
                  outcome="refused") == 1


def test_an_unknown_service_is_counted_by_the_kdc_s_error(lab):
    spn = "orders/nobody.corp.example.test"
    tunnel = lab.tunnel(lab.echo(), client={"spn": spn})
    assert tunnel.refuses()
    samples = tunnel.client.metrics()
    assert of(samples, "kerbwrap_handshake_errors_total",
              error="KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN") == 1
    assert of(samples, "kerbwrap_kdc_seconds_count",
              realm="CORP.EXAMPLE.TEST") >= 1


def test_promtool_finds_nothing_to_say_about_the_metrics(lab):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: it is in the package prometheus")
    tunnel = lab.tunnel(lab.echo())
    with tunnel.connect() as sock:
        exchange(sock, b"x")
        for sidecar in (tunnel.server, tunnel.client):
            _, headers, text = sidecar.ask("/metrics")
            said = subprocess.run([promtool, "check", "metrics"], input=text,
                                  capture_output=True, text=True, timeout=60)
            assert (said.stdout + said.stderr, said.returncode) == ("", 0)
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")


# --- probes ------------------------------------------------------------------


@contextlib.contextmanager
def stopped_thread(sidecar, name):
    """One thread of the sidecar stands still."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                            ctypes.c_void_p]
    attach, detach, all_threads = 16, 17, 0x40000000
    for task in pathlib.Path(f"/proc/{sidecar.process.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            thread = int(task.name)
    if libc.ptrace(attach, thread, None, None) != 0:
        pytest.skip("this machine does not let a thread be stopped: "
                    + os.strerror(ctypes.get_errno()))
    os.waitpid(thread, all_threads)
    try:
        yield
    finally:
        libc.ptrace(detach, thread, None, None)


def test_health_is_that_every_loop_answers(lab):
    sidecar = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    assert sidecar.ask("/healthz")[::2] == (200, "healthy\n")
    with stopped_thread(sidecar, "loop 2"):
        began = time.monotonic()
        assert sidecar.ask("/healthz")[::2] == (
            503, "an event loop does not answer within 5 seconds\n")
        assert 4 < time.monotonic() - began < 5 + 4 * PATIENCE
        assert sidecar.ask("/readyz")[0] == 200
    assert sidecar.ask("/healthz")[::2] == (200, "healthy\n")


def test_a_client_is_ready_once_the_directory_has_answered(lab):
    sidecar = lab.kerbwrap({
        "directory": {"domain": lab.realm.domain,
                      "uri": f"ldap://localhost:{free_port()}"},
        "client db": lab.client_keys(("127.0.0.1", 1), connect=None, spn=None,
                                     keywords="orders",
                                     allow_host="*.corp.example.test"),
    })
    sidecar.wait_for("discovery_bad", service="db")
    status, _, why = sidecar.ask("/readyz")
    assert status == 503
    assert why.startswith("[client db] "), why
    service = sidecar.status()["services"][0]
    assert not service["ready"] and service["why_not_ready"] in why
    assert of(sidecar.metrics(), "kerbwrap_ready") == 0


def test_who_is_told_to_stop_is_not_ready(lab):
    tunnel = lab.tunnel(lab.echo(), settings={"drain_timeout": "20s"})
    server = tunnel.server
    assert server.ask("/readyz")[::2] == (200, "ready\n")
    with tunnel.connect() as sock:
        exchange(sock, b"x")
        server.signal(signal.SIGTERM)
        server.wait_for("draining")
        status, _, why = server.ask("/readyz")
        assert (status, why.splitlines()[0]) == (
            503, "kerbwrap is being stopped")
        assert server.ask("/healthz")[0] == 200


# --- callers -----------------------------------------------------------------


def test_silent_callers_make_room_for_those_who_ask(lab):
    sidecar = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    address = str(sidecar.path / "status.sock")
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(applications.connect(address, 20))
                  for _ in range(50)]
        for sock in silent:
            # The first of them may have made room by now.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(b"GET /healthz HTTP/1.1\r\n")
        began = time.monotonic()
        assert sidecar.ask("/healthz")[0] == 200
        assert time.monotonic() - began < 2 * PATIENCE
        # The first of them had to go, the last are waited for, but not long.
        silent[0].settimeout(10 * PATIENCE)
        with contextlib.suppress(ConnectionResetError):
            assert silent[0].recv(1) == b""
        silent[-1].settimeout(20 * PATIENCE)
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert silent[-1].recv(1) == b""
        assert time.monotonic() - began > 3


@pytest.mark.parametrize("path, method, status", [
    ("/nowhere", "GET", 404), ("/close", "GET", 405), ("/metrics", "POST", 405),
    ("/", "DELETE", 405), ("/" + "x" * 200, "GET", 414)])
def test_what_is_not_served_is_refused(server_side, path, method, status):
    answer = server_side.kerbwrap.ask(path, method)
    assert answer[0] == status
    assert answer[1]["X-Content-Type-Options"] == "nosniff"


def test_over_tcp_only_loopback_names_are_served(lab):
    port = free_port()
    sidecar = lab.kerbwrap({
        "kerbwrap": {"status": f"127.0.0.1:{port}"},
        "server db": lab.server_keys(lab.echo())})
    address = ("127.0.0.1", port)
    for host in ("localhost", f"127.0.0.1:{port}", f"localhost:{port}"):
        assert sidecar.ask("/readyz", headers=[f"Host: {host}"],
                           address=address)[0] == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil"):
        for path in ("/", "/status.json", "/metrics"):
            answer = sidecar.ask(path, headers=[f"Host: {host}"],
                                 address=address)
            assert answer[::2] == (
                403, "Host names another machine: use localhost\n")


def test_connections_are_closed_by_id_and_by_principal(lab):
    tunnel = lab.tunnel(lab.echo())
    marked = ["Kerbwrap-Action: close"]
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(tunnel.connect()) for _ in range(3)]
        for sock in socks:
            exchange(sock, b"x")
        first, *others = sorted(
            c["id"] for c in tunnel.server.status()["connections"])
        answer = tunnel.server.ask("/close", "POST", f"id={first}".encode(),
                                   marked)
        assert json.loads(answer[2]) == {"closed": [first]}
        down = tunnel.server.wait_for("down", id=first)
        assert down["reason"] == (
            f"closed by kerbwrap status --close (user id {os.getuid()})")
        tunnel.client.wait_for("down", reason=re.compile("closed by kerbwrap"))
        answer = tunnel.server.ask("/close", "POST", b"principal=alice", marked)
        assert json.loads(answer[2]) == {"closed": []}
        answer = tunnel.server.ask(
            "/close", "POST", b"principal=alice@CORP.EXAMPLE.TEST", marked)
        assert sorted(json.loads(answer[2])["closed"]) == others
        assert all(is_reset(sock) for sock in socks)


def test_nobody_is_closed_without_the_header_or_over_tcp(lab):
    port = free_port()
    tunnel = lab.tunnel(lab.echo())
    over_tcp = lab.kerbwrap({
        "kerbwrap": {"status": f"127.0.0.1:{port}"},
        "client db": lab.client_keys(tunnel.server.address("db"))})
    marked = ["Kerbwrap-Action: close"]
    with over_tcp.connect("db") as sock:
        exchange(sock, b"x")
        for sidecar, headers, address in (
                (tunnel.server, [], None),
                (over_tcp, marked, ("127.0.0.1", port))):
            status, _, said = sidecar.ask("/close", "POST", b"id=1", headers,
                                          address)
            assert status == 403
            assert said.startswith("connections are closed over a Unix socket")
        for body in (b"id=0", b"id=x", b"principal=", b"all", b"id=1\0"):
            assert tunnel.server.ask("/close", "POST", body, marked)[0] == 400
        exchange(sock, b"still here")


# --- what goes with it -------------------------------------------------------

PROMETHEUS = ROOT / "contrib" / "prometheus"


@pytest.mark.parametrize("arguments", [
    ["check", "rules", "kerbwrap.rules.yml"],
    ["test", "rules", "kerbwrap.rules.test.yml"]])
def test_promtool_accepts_the_alert_rules(arguments):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: it is in the package prometheus")
    said = subprocess.run([promtool, *arguments], cwd=PROMETHEUS,
                          capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stdout + said.stderr


def test_rules_and_dashboard_name_only_metrics_that_there_are(lab):
    table = (ROOT / "src" / "proxy" / "metrics_table.h").read_text()
    there = set(re.findall(r'"((?:kerbwrap|process)_[a-z_]+)"', table))
    there |= {name + "_bucket" for name in there}
    dashboard = (ROOT / "contrib" / "grafana" / "kerbwrap.json").read_text()
    expressions = [target["expr"] for panel in json.loads(dashboard)["panels"]
                   for target in panel.get("targets", [])]
    rules = (PROMETHEUS / "kerbwrap.rules.yml").read_text()
    expressions += re.findall(r"expr: (?:\|\n)?((?:.+\n)+?) +(?:for|labels):",
                              rules)
    used = {name for text in expressions
            for name in re.findall(r"\b(?:kerbwrap|process)_[a-z_]+", text)}
    assert len(used) > 20
    assert used <= there
    labels = set(re.findall(r"KRB5\w+", rules))
    known = (ROOT / "src" / "gss" / "reason_label.c").read_text()
    assert labels and all(label in known for label in labels)
