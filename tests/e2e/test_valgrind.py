# SPDX-License-Identifier: BSD-2-Clause
"""One life of both sidecars under valgrind, which sees what ASan cannot: values
that were never set.  An error of any kind makes the sidecar's status 99."""

import shutil

import pytest
from applications import exchange, reset

pytestmark = [
    pytest.mark.fast,  # the build without a sanitizer
    pytest.mark.skipif(not shutil.which("valgrind"),
                       reason="valgrind is not installed"),
]

VALGRIND = ("valgrind -q --error-exitcode=99 --leak-check=full "
            "--errors-for-leak-kinds=definite --num-callers=20")


def test_valgrind_finds_nothing_in_a_life_of_both_sidecars(lab, directory):
    env = {"WRAPPER": VALGRIND}
    keys = {"connect_timeout": "60s", "handshake_timeout": "60s"}
    server = lab.kerbwrap(
        {"server db": lab.server_keys(lab.echo(), **keys)},
        name="server", env=env)
    directory.scp(directory.computer(), address=server.address("db"))
    client = lab.kerbwrap(
        {"directory": directory.section(timeout="30s"),
         "client db": directory.client(**keys)},
        name="client", env=env)
    client.wait_for("discovered", outcome="found", timeout=60)
    for size in (1, 100_000):
        with client.connect("db", timeout=120) as sock:
            exchange(sock, bytes(size))
    reset(client.connect("db", timeout=120))
    for sidecar in (server, client):
        sidecar.reload()
        sidecar.wait_for("reloaded", timeout=60)
        assert sidecar.status()["pid"] == sidecar.process.pid
    with client.connect("db", timeout=120) as sock:
        exchange(sock, b"after the reload")
