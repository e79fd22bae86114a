# SPDX-License-Identifier: BSD-2-Clause
"""One KDC that takes requests and never answers delays nobody but those who
must ask it: not another realm, not who holds a ticket, not the end."""

import signal
import subprocess
import threading
import time

import pytest

from applications import Switch, exchange
from lab import PATIENCE

HOLE = "HOLE.EXAMPLE.TEST"
# Far below the half minute for which libkrb5 waits.
PROMPT = 1.5 * PATIENCE


def keytab_of(lab, principal):
    """A keytab for a realm that has no KDC to make one."""
    path = lab.path / "hole.keytab"
    subprocess.run(
        ["ktutil"], check=True, capture_output=True, text=True,
        input=f"addent -password -p {principal} -k 1 -e aes256-cts\n"
              f"secret\nwkt {path}\nq\n",
    )
    return path


def flood(sidecar, service, count):
    """Connections that will hang; they are the caller's to close."""
    socks = []
    for _ in range(count):
        socks.append(sidecar.connect(service))
        socks[-1].sendall(b"is anybody there?")
    return socks


def assert_prompt(sidecar, service, count=20):
    """Connections one after the other, none of which takes long."""
    for _ in range(count):
        began = time.monotonic()
        with sidecar.connect(service) as sock:
            assert exchange(sock, b"hello") == b"hello"
        assert time.monotonic() - began < PROMPT


@pytest.mark.threads
def test_a_hung_kdc_does_not_delay_another_realm(lab):
    hole = lab.black_hole()
    server = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    principal = f"alice@{HOLE}"
    client = lab.kerbwrap(
        {
            "client good": lab.client_keys(server.address("db")),
            "client hung": lab.client_keys(
                server.address("db"), principal=principal,
                keytab=keytab_of(lab, principal),
                spn=f"orders/web1.{lab.realm.domain}@{HOLE}",
            ),
        },
        env={"KRB5_CONFIG": lab.krb5_conf({HOLE: hole.port})},
    )
    socks = flood(client, "hung", 60)
    assert_prompt(client, "good")
    for sock in socks:
        sock.close()


@pytest.mark.threads
def test_a_hung_kdc_does_not_delay_who_has_a_ticket(lab):
    kdc = lab.keep(Switch(("127.0.0.1", int(lab.realm.env["KDC_PORT"]))))
    server = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    client = lab.kerbwrap(
        {
            "client cached": lab.client_keys(server.address("db")),
            "client hung": lab.client_keys(
                server.address("db"), service_class="host",
                spn=f"host/web1.{lab.realm.domain}",
            ),
        },
        env={"KRB5_CONFIG": lab.krb5_conf(kdc_port=kdc.address[1])},
    )
    assert_prompt(client, "cached", 1)
    kdc.hang()
    socks = flood(client, "hung", 60)
    assert_prompt(client, "cached")
    for sock in socks:
        sock.close()


def test_who_waits_for_a_hung_kdc_fails_at_its_deadline(lab):
    hole = lab.black_hole()
    tunnel = lab.tunnel(
        lab.echo(),
        client={"handshake_timeout": "2s", "connect_timeout": "2s"},
        client_options={
            "env": {"KRB5_CONFIG": lab.krb5_conf(kdc_port=hole.port)}
        },
    )
    began = time.monotonic()
    assert tunnel.refuses()
    assert time.monotonic() - began < 6 * PATIENCE
    reason = tunnel.client.wait_for("failed", service="db")["reason"]
    assert "KDC" in reason


def test_the_end_does_not_wait_for_a_hung_kdc(lab):
    hole = lab.black_hole()
    tunnel = lab.tunnel(
        lab.echo(),
        client_options={
            "env": {"KRB5_CONFIG": lab.krb5_conf(kdc_port=hole.port)}
        },
    )
    socks = flood(tunnel.client, "db", 5)
    began = time.monotonic()
    tunnel.client.signal(signal.SIGTERM)
    assert tunnel.client.wait(15) == 0
    assert time.monotonic() - began < 6 * PATIENCE
    for sock in socks:
        sock.close()


def test_many_wait_for_one_ticket_and_all_get_it(lab):
    """Two hundred connections before the first ticket is there."""
    tunnel = lab.tunnel(lab.echo())
    results = []

    def one():
        with tunnel.connect(timeout=60) as sock:
            results.append(exchange(sock, b"hello"))

    threads = [threading.Thread(target=one) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [b"hello"] * 200
