# SPDX-License-Identifier: BSD-2-Clause
"""Bytes through a pair of sidecars: all of them, in order, both ways, however
the applications behave, and none readable on the wire."""

import hashlib
import os
import random
import resource
import socket
import threading
import time

import pytest

import applications
from applications import exchange, receive_all, receive_exactly

# Around the batch of 16 KiB, and around the largest record.
SIZES = (0, 1, 16383, 16384, 16385, 65471, 65472, 65473)
MIB = 1 << 20


# --- shapes of conversations ------------------------------------------------


@pytest.mark.parametrize("protection", ["seal", "sign"])
def test_every_size_around_a_boundary_comes_back(lab, protection):
    keys = {"protection": protection}
    tunnel = lab.tunnel(lab.echo(), server=keys, client=keys)
    with tunnel.connect() as sock:
        for size in SIZES:
            data = os.urandom(size)
            assert exchange(sock, data) == data


def test_a_connection_without_a_byte_ends_cleanly(lab):
    application = lab.application(lambda sock: receive_all(sock))
    tunnel = lab.tunnel(application)
    with tunnel.connect() as sock:
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == b""
    tunnel.client.wait_for("down", service="db")
    down = tunnel.server.wait_for("down", service="db")
    assert (down["received"], down["sent"]) == (0, 0)


@pytest.mark.threads
def test_the_server_may_speak_first(lab):
    tunnel = lab.tunnel(lab.application(applications.source(b"220 ready\r\n")))
    with tunnel.connect() as sock:
        assert receive_all(sock) == b"220 ready\r\n"


@pytest.mark.threads
def test_the_client_may_end_first_and_still_be_answered(lab):
    def reverse(sock):
        sock.sendall(receive_all(sock)[::-1])

    tunnel = lab.tunnel(lab.application(reverse))
    data = os.urandom(300_000)
    with tunnel.connect() as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == data[::-1]


@pytest.mark.threads
def test_the_server_may_end_first_and_still_be_told(lab):
    heard = []
    done = threading.Event()

    def listen(sock):
        sock.shutdown(socket.SHUT_WR)
        heard.append(receive_all(sock))
        done.set()

    tunnel = lab.tunnel(lab.application(listen))
    data = os.urandom(300_000)
    with tunnel.connect() as sock:
        assert receive_all(sock) == b""
        sock.sendall(data)
    assert done.wait(20)
    assert heard == [data]


def test_a_half_closed_connection_outlives_close_timeout(lab):
    keys = {"close_timeout": "1s"}
    answer = threading.Event()

    def late(sock):
        receive_all(sock)
        answer.wait()
        sock.sendall(b"late")

    tunnel = lab.tunnel(lab.application(late), server=keys, client=keys)
    with tunnel.connect() as sock:
        sock.shutdown(socket.SHUT_WR)
        time.sleep(2.5)  # what is tested is that nothing happens
        answer.set()
        assert receive_all(sock) == b"late"


# --- volume -----------------------------------------------------------------


def pump(sock, size):
    """Sends size random bytes and receives to the end, both at once; the two
    digests.  Each MiB is cut from a random pool at a random place."""
    pool = memoryview(os.urandom(8 * MIB))
    sent = hashlib.sha1()

    def send():
        left = size
        while left:
            place = random.randrange(len(pool) - MIB)
            data = pool[place : place + min(left, MIB)]
            sent.update(data)
            sock.sendall(data)
            left -= len(data)
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    received = hashlib.sha1()
    buffer = memoryview(bytearray(MIB))
    while count := sock.recv_into(buffer):
        received.update(buffer[:count])
    sender.join()
    return sent.hexdigest(), received.hexdigest()


def bulk(lab, size, **options):
    there = []
    ended = threading.Event()

    def application(sock):
        there.extend(pump(sock, size))
        ended.set()

    tunnel = lab.tunnel(lab.application(application), **options)
    with tunnel.connect(timeout=120) as sock:
        here = pump(sock, size)
    assert ended.wait(60)
    assert here == tuple(reversed(there))
    down = tunnel.client.wait_for("down", service="db")
    assert (down["received"], down["sent"]) == (size, size)


@pytest.mark.threads
@pytest.mark.parametrize("protection", ["seal", "sign"])
def test_much_data_both_ways_at_once_is_the_same(lab, protection):
    keys = {"protection": protection}
    bulk(lab, 24 * MIB, server=keys, client=keys)


@pytest.mark.fast
def test_a_gigabyte_both_ways_at_once_is_the_same(lab):
    bulk(lab, 1024 * MIB)


def test_a_small_buffer_memory_still_carries_everything(lab):
    bulk(lab, 8 * MIB, settings={"buffer_memory": "1m"})


def raise_descriptor_limit(needed):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        hard = max(hard, needed)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    except (ValueError, PermissionError):
        pytest.skip(f"{needed} descriptors are needed, and are not allowed")


def many(lab, count):
    raise_descriptor_limit(2 * count + 200)
    tunnel = lab.tunnel(
        lab.echo(), settings={"max_handshakes_per_source": 500}
    )
    socks = []
    try:
        for number in range(count):
            socks.append(tunnel.connect(timeout=60))
            socks[-1].sendall(b"connection %6d" % number)
        for number, sock in enumerate(socks):
            assert receive_exactly(sock, 17) == b"connection %6d" % number
        # All of them are open at once, and every one still works.
        for sock in socks:
            sock.sendall(b"again")
        for sock in socks:
            assert receive_exactly(sock, 5) == b"again"
        up = [c for c in tunnel.server.status()["connections"]
              if c["state"] == "up"]
        assert len(up) == count
    finally:
        for sock in socks:
            sock.close()
    tunnel.server.wait_for("down", count=count, timeout=60)
    tunnel.client.wait_for("down", count=count, timeout=60)


@pytest.mark.threads
def test_200_connections_are_open_at_once(lab):
    many(lab, 200)


@pytest.mark.fast
def test_2000_connections_are_open_at_once(lab):
    many(lab, 2000)


@pytest.mark.fast
def test_a_slow_reader_holds_memory_flat(lab):
    sent = 0
    total = 256 * MIB

    def flood(sock):
        nonlocal sent
        block = os.urandom(MIB)
        while sent < total:
            sock.sendall(block)
            sent += MIB

    tunnel = lab.tunnel(lab.application(flood))
    with tunnel.connect() as sock:
        assert len(receive_exactly(sock, MIB)) == MIB
        before = [s.rss_kib() for s in (tunnel.server, tunnel.client)]
        last = -1
        while last != sent:  # until everything is full
            last = sent
            time.sleep(0.5)
        assert sent < total, "it was all buffered somewhere"
        after = [s.rss_kib() for s in (tunnel.server, tunnel.client)]
        for full, empty in zip(after, before):
            assert full - empty < 4096
        assert len(receive_all(sock)) == total - MIB


# --- ends that are not clean ------------------------------------------------


@pytest.mark.threads
def test_a_reset_of_the_server_reaches_the_client(lab):
    def rude(sock):
        receive_exactly(sock, 5)
        applications.reset(sock)

    tunnel = lab.tunnel(lab.application(rude))
    with tunnel.connect() as sock:
        sock.sendall(b"hello")
        with pytest.raises(ConnectionResetError):
            receive_all(sock)
    reason = tunnel.server.wait_for("down", service="db")["reason"]
    assert "application reset the connection" in reason
    reason = tunnel.client.wait_for("down", service="db")["reason"]
    assert "application reset the connection" in reason


@pytest.mark.threads
def test_a_reset_of_the_client_reaches_the_server(lab):
    seen = []
    done = threading.Event()

    def polite(sock):
        try:
            sock.sendall(receive_exactly(sock, 5))
            receive_all(sock)
        except ConnectionResetError as error:
            seen.append(error)
        done.set()

    tunnel = lab.tunnel(lab.application(polite))
    sock = tunnel.connect()
    assert exchange(sock, b"hello") == b"hello"
    applications.reset(sock)
    assert done.wait(20)
    assert len(seen) == 1


@pytest.mark.threads
def test_a_cut_wire_is_a_reset_at_both_ends(lab):
    seen = []
    done = threading.Event()
    tees = []

    def watch(sock):
        try:
            sock.sendall(receive_exactly(sock, 5))
            receive_all(sock)
        except ConnectionResetError as error:
            seen.append(error)
        done.set()

    def between(target):
        tees.append(lab.tee(target))
        return tees[0].address

    tunnel = lab.tunnel(lab.application(watch), between=between)
    with tunnel.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"
        tees[0].cut()
        with pytest.raises(ConnectionResetError):
            receive_all(sock)
    assert done.wait(20)
    assert len(seen) == 1
    for sidecar in (tunnel.server, tunnel.client):
        assert "truncated" in sidecar.wait_for("down", service="db")["reason"]


@pytest.mark.threads
def test_an_application_that_is_down_is_named_at_both_ends(lab):
    application = lab.echo()
    application.close()
    tunnel = lab.tunnel(application.endpoint)
    assert tunnel.refuses()
    for sidecar in (tunnel.server, tunnel.client):
        reason = sidecar.wait_for("failed", service="db")["reason"]
        assert "the application cannot be reached" in reason
        assert "Connection refused" in reason


# --- the wire ---------------------------------------------------------------


def talk_through_tee(lab, **keys):
    tees = []

    def between(target):
        tees.append(lab.tee(target))
        return tees[0].address

    tunnel = lab.tunnel(lab.echo(), between=between, server=keys, client=keys)
    with tunnel.connect() as sock:
        exchange(sock, b"a very particular sentence" * 40)
        sock.shutdown(socket.SHUT_WR)
        receive_all(sock)
    tees[0].wait_idle()
    return tees[0]


def test_no_plaintext_is_on_the_wire(lab):
    tee = talk_through_tee(lab)
    for wire in (tee.sent, tee.received):
        assert len(wire) > 26 * 40
        assert b"particular" not in wire


def test_a_signed_tunnel_is_readable_but_its_hello_is_not(lab):
    tee = talk_through_tee(lab, protection="sign")
    for wire in (tee.sent, tee.received):
        assert b"a very particular sentence" in wire
        assert b"KWRP" not in wire


# --- listeners --------------------------------------------------------------


def test_the_tunnel_may_run_over_ipv6(lab):
    tunnel = lab.tunnel(
        lab.echo(host="::1"),
        server={"accept": "[::1]:0"},
        client={"accept": "[::1]:0"},
    )
    assert ":" in tunnel.server.address("db")[0]
    with tunnel.connect() as sock:
        assert exchange(sock, b"six") == b"six"


def test_unix_sockets_may_be_at_both_plain_ends(lab):
    tunnel = lab.tunnel(
        lab.echo(path=lab.path / "app.sock"),
        client={"accept": f"unix:{lab.path}/db.sock"},
    )
    with tunnel.connect() as sock:
        assert exchange(sock, b"unix") == b"unix"
    assert (lab.path / "db.sock").stat().st_mode & 0o777 == 0o600


def test_the_socket_of_a_stopped_sidecar_is_replaced(lab):
    path = lab.path / "db.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    tunnel = lab.tunnel(lab.echo(), client={"accept": f"unix:{path}"})
    with tunnel.connect() as sock:
        assert exchange(sock, b"mine now") == b"mine now"


@pytest.mark.threads
def test_one_process_carries_several_services_of_both_kinds(lab):
    from lab import free_port

    sections = {}
    names = ("a", "b", "c")
    for name in names:
        def handler(sock, name=name):
            sock.sendall(name.encode())

        port = free_port()
        application = lab.application(handler)
        sections[f"server s{name}"] = lab.server_keys(
            application, accept=f"127.0.0.1:{port}"
        )
        sections[f"client c{name}"] = lab.client_keys(("127.0.0.1", port))
    sidecar = lab.kerbwrap(sections)
    for name in names:
        with sidecar.connect(f"c{name}") as sock:
            assert receive_all(sock) == name.encode()


def test_the_connection_ids_join_both_logs(lab):
    tunnel = lab.tunnel(lab.echo())
    with tunnel.connect() as sock:
        exchange(sock, b"x")
        here = tunnel.client.wait_for("up", service="db")
        there = tunnel.server.wait_for("up", service="db")
    assert (here["id"], here["peer_id"]) == (there["peer_id"], there["id"])
