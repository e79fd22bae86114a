# SPDX-License-Identifier: BSD-2-Clause
"""`kerbwrap status`: tables for people, JSON, and the end of connections."""

import contextlib
import json
import os
import re
import subprocess

import pytest

from applications import exchange, is_reset
from lab import BINARY, PATIENCE


@pytest.fixture
def tunnel(lab):
    return lab.tunnel(lab.echo())


def test_tables_show_services_servers_and_connections(lab, tunnel):
    with tunnel.connect() as sock:
        exchange(sock, b"x" * 2500)
        result = lab.command("status", "-c", tunnel.client.file)
    assert (result.stderr, result.returncode) == ("", 0)
    head, totals, _, *rest = result.stdout.splitlines()
    assert re.fullmatch(r"kerbwrap \S+, process \d+, up \d+ s", head)
    assert totals.startswith("1 connection, 0 handshakes under way, ")
    cells = [re.split(r"  +", line) for line in rest]
    assert cells[0][:4] == ["SERVICE", "ROLE", "STATE", "ADDRESS"]
    assert cells[1][:3] == ["db", "client", "serving"]
    assert ["Servers of db:"] in cells
    connection = cells[-1]
    assert cells[-2][:4] == ["ID", "SERVICE", "PRINCIPAL", "STATE"]
    assert connection[1:4] == [
        "db", f"orders/web1.{lab.realm.domain}@{lab.realm.name}", "up"]
    assert connection[5:7] == ["2.5 kB", "2.5 kB"]


def test_json_is_what_the_daemon_answers(lab, tunnel):
    result = lab.command("status", "--json", "-c", tunnel.client.file)
    assert (result.stderr, result.returncode) == ("", 0)
    assert json.loads(result.stdout)["pid"] == tunnel.client.process.pid


def test_watch_prints_again_and_again(lab, tunnel):
    watcher = subprocess.Popen(
        [BINARY, "status", "--json", "--watch", "-c", tunnel.client.file],
        env=lab.environment(), stdout=subprocess.PIPE, text=True)
    documents = [json.loads(watcher.stdout.readline()) for _ in range(2)]
    watcher.terminate()
    watcher.wait(10 * PATIENCE)
    watcher.stdout.close()
    assert documents[1]["uptime"] - documents[0]["uptime"] >= 1.9


def test_connections_are_closed_by_number_and_by_name(lab, tunnel):
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(tunnel.connect()) for _ in range(3)]
        for sock in socks:
            exchange(sock, b"x")
        close = lambda what: lab.command(  # noqa: E731
            "status", "-c", tunnel.server.file, "--close", what)
        some = str(tunnel.server.status()["connections"][0]["id"])
        assert close(some).stdout == "1 connection closed\n"
        assert close("alice@CORP.EXAMPLE.TEST").stdout == (
            "2 connections closed\n")
        for what, said in (("99", "99"), ("bob@R", "of bob@R")):
            result = close(what)
            assert (result.stdout, result.stderr, result.returncode) == (
                "", f"kerbwrap: no connection {said}\n", 1)
        assert all(is_reset(sock) for sock in socks)
    reasons = {e["reason"] for e in tunnel.server.events("down")}
    assert reasons == {
        f"closed by kerbwrap status --close (user id {os.getuid()})"}


def test_names_from_the_wire_cannot_turn_the_line_around(lab):
    name = "red\u202eder"
    keytab = lab.realm.add(f'"{name}"', keytab="red")
    tunnel = lab.tunnel(
        lab.echo(), server={"allow": f"*@{lab.realm.name}"},
        client={"principal": f"{name}@{lab.realm.name}", "keytab": keytab})
    with tunnel.connect() as sock:
        exchange(sock, b"x")
        result = lab.command("status", "-c", tunnel.server.file)
    assert "\u202e" not in result.stdout
    assert f"red\\xe2\\x80\\xaeder@{lab.realm.name}" in result.stdout
