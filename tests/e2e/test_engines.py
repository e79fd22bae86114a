# SPDX-License-Identifier: BSD-2-Clause
"""What seals is each sidecar's own business: every engine talks to every
other, and both ends say which one is theirs."""

import os

import pytest

from applications import exchange
from lab import Tunnel

ENGINES = ("gssapi", "openssl", "multibuffer")
SIZES = (0, 1, 100, 4096, 65_473, 1_000_000)


def why_not(lab, engine):
    """The sentence by which `check` refuses an engine, or None."""
    path = lab.path / f"{engine}.ini"
    path.write_text(f"[kerbwrap]\nengine = {engine}\n")
    lines = lab.command("check", "-c", str(path)).stdout.splitlines()
    return next((line for line in lines if "`engine`" in line), None)


def tunnel_of(lab, server, client, protection):
    acceptor = lab.kerbwrap(
        {"kerbwrap": {"engine": server},
         "server db": lab.server_keys(lab.echo(), protection=protection)},
        name="server",
    )
    initiator = lab.kerbwrap(
        {"kerbwrap": {"engine": client},
         "client db": lab.client_keys(acceptor.address("db"),
                                      protection=protection)},
        name="client",
    )
    return Tunnel(acceptor, initiator, "db")


@pytest.mark.parametrize("protection", ["seal", "sign"])
@pytest.mark.parametrize("client", ENGINES)
@pytest.mark.parametrize("server", ENGINES)
def test_every_engine_talks_to_every_other(lab, server, client, protection):
    for engine in (server, client):
        if reason := why_not(lab, engine):
            pytest.skip(reason)
    tunnel = tunnel_of(lab, server, client, protection)
    with tunnel.connect() as sock:
        for size in SIZES:
            data = os.urandom(size)
            assert exchange(sock, data) == data
        assert tunnel.server.wait_for("up")["engine"] == server
        assert tunnel.client.wait_for("up")["engine"] == client


def test_the_best_engine_is_taken_when_none_is_named(lab):
    best = "openssl" if why_not(lab, "multibuffer") else "multibuffer"
    tunnel = lab.tunnel(lab.echo())
    with tunnel.connect() as sock:
        assert exchange(sock, b"12345") == b"12345"
        (connection,) = tunnel.server.status()["connections"]
    assert connection["engine"] == best


def test_a_reload_changes_the_engine_of_new_connections(lab):
    tunnel = lab.tunnel(lab.echo(), settings={"engine": "gssapi"})
    with tunnel.connect() as old:
        assert exchange(old, b"old") == b"old"
        sections = dict(tunnel.server.sections)
        sections["kerbwrap"] = {**sections["kerbwrap"], "engine": "openssl"}
        tunnel.server.reload(sections)
        tunnel.server.wait_for("reloaded")
        with tunnel.connect() as new:
            assert exchange(new, b"new") == b"new"
            assert exchange(old, b"still") == b"still"
    tunnel.server.wait_for("up", count=2)
    engines = [up["engine"] for up in tunnel.server.events("up")]
    assert engines == ["gssapi", "openssl"]
