# SPDX-License-Identifier: BSD-2-Clause
"""Floods and misers: who wants everything, and who gives nothing.  Others are
served meanwhile, memory stays within bounds and comes back, and nothing spins.
"""

import contextlib
import os
import pathlib
import resource
import selectors
import socket
import struct
import subprocess
import threading
import time

import pytest

import applications
import peer
from applications import exchange, receive_exactly, reset
from lab import PATIENCE, wait_until
from test_lifecycle import silent
from test_tunnel import raise_descriptor_limit

MIB = 1 << 20


def cpu_seconds(sidecar):
    fields = pathlib.Path(f"/proc/{sidecar.process.pid}/stat").read_text()
    fields = fields.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def assert_it_does_not_spin(*sidecars):
    """Whatever it waits for now, it waits asleep."""
    before = [cpu_seconds(sidecar) for sidecar in sidecars]
    time.sleep(1)
    for sidecar, then in zip(sidecars, before):
        assert cpu_seconds(sidecar) - then < 0.2


def descriptors(sidecar):
    return len(os.listdir(f"/proc/{sidecar.process.pid}/fd"))


def limit_descriptors(sidecar, count):
    subprocess.run(["prlimit", f"--pid={sidecar.process.pid}",
                    f"--nofile={count}:"], check=True, timeout=10)


def close_all(socks):
    for sock in socks:
        sock.close()


# --- descriptors ------------------------------------------------------------


@pytest.mark.parametrize("end", ["server", "client"])
def test_without_descriptors_accepting_pauses_asleep_and_resumes(lab, end):
    tunnel = lab.tunnel(lab.echo(), settings={"max_handshakes_per_source": 500})
    sidecar = getattr(tunnel, end)
    with tunnel.connect() as before:
        assert exchange(before, b"before") == b"before"
        limit_descriptors(sidecar, descriptors(sidecar) + 8)
        crowd = silent(sidecar.address("db"), "127.0.0.1", 40)
        paused = sidecar.wait_for("accept_paused", service="db")
        assert paused["reason"] == "Too many open files"
        assert_it_does_not_spin(sidecar)
        # Who was there before does not notice.
        assert exchange(before, b"during") == b"during"
    for sock in crowd:
        reset(sock)
    sidecar.wait_for("accept_resumed", service="db")

    def crowd_is_over():
        # Most of it still waited to be accepted when it was reset.
        totals = sidecar.status()["totals"]
        return totals["accepted"] > len(crowd) and totals["connections"] == 0
    wait_until(crowd_is_over)
    with tunnel.connect() as after:
        assert exchange(after, b"after") == b"after"


# --- silence ----------------------------------------------------------------


class Flood:
    """Silent connections from many addresses; each that ends is made anew."""

    def __init__(self, address, sources, each):
        self.made = 0
        self._address = address
        self._open = selectors.DefaultSelector()
        self._stop = threading.Event()
        for number in range(sources):
            for _ in range(each):
                self._connect(f"127.0.1.{number + 1}")
        self._thread = threading.Thread(target=self._keep_up)
        self._thread.start()

    def _connect(self, source):
        with contextlib.suppress(OSError):
            (sock,) = silent(self._address, source, 1)
            self._open.register(sock, selectors.EVENT_READ, source)
            self.made += 1

    def _keep_up(self):
        while not self._stop.is_set():
            for key, _ in self._open.select(0.1):
                self._open.unregister(key.fileobj)
                key.fileobj.close()
                self._connect(key.data)

    def close(self):
        self._stop.set()
        self._thread.join()
        close_all([key.fileobj for key in self._open.get_map().values()])
        self._open.close()


def test_silence_from_many_sources_makes_room_for_who_speaks(lab):
    """Twice as many as may be inside.  Each place is free again after a quarter
    of handshake_timeout, and sources take turns."""
    limits = {"max_handshakes": 20, "max_handshakes_per_source": 5}
    tunnel = lab.tunnel(lab.echo(), settings=limits,
                        server={"handshake_timeout": "8s"},
                        client={"handshake_timeout": "60s"})
    flood = lab.keep(Flood(tunnel.server.address("db"), 20, 5))
    wait_until(lambda: tunnel.server.status()["totals"]["handshakes"] == 20)
    began = time.monotonic()
    with tunnel.connect(60) as sock:
        assert exchange(sock, b"let me in") == b"let me in"
    # Two turns of places, and not a whole handshake_timeout.
    assert time.monotonic() - began < 7
    assert flood.made > 100
    tunnel.server.wait_for("failed", reason="no time left while waiting for "
                           "the client's AP-REQ: others wait for a place among "
                           "the handshakes")


def test_a_flood_beyond_max_connections_leaves_others_their_place(lab):
    limits = {"max_connections": 60, "max_handshakes": 10,
              "max_handshakes_per_source": 5}
    tunnel = lab.tunnel(lab.echo(), settings=limits)
    flood = silent(tunnel.server.address("db"), "127.0.0.2", 300)
    tunnel.server.wait_for("failed", reason="too many wait for a place among "
                           "the handshakes")
    began = time.monotonic()
    with tunnel.connect() as sock:
        assert exchange(sock, b"and me?") == b"and me?"
    # The flood itself sits there until handshake_timeout, 10 s.
    assert time.monotonic() - began < 2
    close_all(flood)


def test_one_byte_a_second_is_not_a_handshake(lab):
    tunnel = lab.tunnel(lab.echo(), server={"handshake_timeout": "2s"})
    began = time.monotonic()
    misers = silent(tunnel.server.address("db"), "127.0.0.2", 20)
    ended = [False] * len(misers)
    for byte in struct.pack(">I", 1000) + b"\x60" * 60:
        for number, sock in enumerate(misers):
            try:
                sock.send(bytes([byte]))
            except OSError:
                ended[number] = True
        if all(ended):
            break
        time.sleep(1)
    assert all(ended)
    assert time.monotonic() - began < 2 * PATIENCE + 5
    assert tunnel.server.wait_for("failed", count=20)["reason"] == (
        "no time left while waiting for the client's AP-REQ")
    close_all(misers)


# --- memory -----------------------------------------------------------------


def wait_for_memory(sidecar, least_kib):
    wait_until(lambda: sidecar.rss_kib() < least_kib, 30)


@pytest.mark.fast
def test_half_tokens_take_bounded_memory_and_give_it_back(lab):
    """Before authentication: as many as may, each with all it may send."""
    count, size = 300, 131072
    limits = {"max_handshakes": count, "max_handshakes_per_source": count}
    tunnel = lab.tunnel(lab.echo(), settings=limits,
                        server={"handshake_timeout": "30s"})
    with tunnel.connect() as sock:
        exchange(sock, b"warm")
    before = tunnel.server.rss_kib()
    start = struct.pack(">I", size) + b"\x60" + bytes(size - 2)
    crowd = silent(tunnel.server.address("db"), "127.0.0.2", count)
    for sock in crowd:
        sock.sendall(start)
    held = silent(tunnel.server.address("db"), "127.0.0.3", 100)
    for sock in held:
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.send(start)
    wait_until(lambda: tunnel.server.rss_kib() > before + count * 100)
    full = tunnel.server.rss_kib()
    close_all(crowd + held)
    wait_until(lambda: tunnel.server.status()["totals"]["connections"] == 0)
    print("half tokens:", before, full, tunnel.server.rss_kib())
    # Each at most twice what came; nothing for those who wait.
    assert full - before < count * 2 * size / 1024
    wait_for_memory(tunnel.server, before + 4096)


@pytest.mark.fast
@pytest.mark.parametrize("reader", ["server", "client"])
def test_slow_readers_take_what_they_may_and_others_go_on(lab, reader):
    """At the limit of buffer_memory, with all who hold it asleep."""
    count, limit = 100, 1
    wake = threading.Event()
    block = os.urandom(MIB)

    def serve(sock):
        if sock.recv(1) == b"e":
            applications.echo(sock)
        elif reader == "server":
            wake.wait(120)
            applications.receive_all(sock)
        else:
            with contextlib.suppress(OSError):
                sock.sendall(block * 8)

    def push(sock):
        with contextlib.suppress(OSError):
            sock.sendall(block * 8)

    tunnel = lab.tunnel(lab.application(serve), settings={
        "buffer_memory": f"{limit}m", "max_handshakes_per_source": 500})
    sidecars = (tunnel.server, tunnel.client)
    with tunnel.connect() as live:
        live.sendall(b"e")
        exchange(live, b"warm")
        before = [s.rss_kib() for s in sidecars]
        slow = [tunnel.connect() for _ in range(count)]
        for sock in slow:
            sock.sendall(b"s")
        tunnel.client.wait_for("up", count=count + 1)
        pushers = []
        if reader == "server":
            pushers = [threading.Thread(target=push, args=(sock,))
                       for sock in slow]
        for thread in pushers:
            thread.start()
        settled = wait_until_still(tunnel)
        assert_it_does_not_spin(*sidecars)
        # A megabyte goes both ways among them.
        for at in range(0, MIB, 65536):
            part = block[at:at + 65536]
            assert exchange(live, part) == part
        full = [s.rss_kib() for s in sidecars]
        print("slow readers:", before, settled, full)
        for now, then in zip(full, before):
            # The limit, what the C library keeps, and a record each way.
            assert now - then < 1024 * limit + 64 * count + 4096
        wake.set()
        for sock in slow:
            reset(sock)
        for thread in pushers:
            thread.join()
        wait_until(lambda: len(tunnel.server.status()["connections"]) == 1, 60)
        wait_until(lambda: len(tunnel.client.status()["connections"]) == 1, 60)
    for sidecar, then in zip(sidecars, before):
        wait_for_memory(sidecar, then + 4096)


def wait_until_still(tunnel):
    """Until no more bytes move; how many had."""
    last, now = -1, 0
    while now != last:
        time.sleep(0.5)
        last, now = now, sum(
            c["received"] + c["sent"]
            for c in tunnel.server.status()["connections"])
    return now


@pytest.mark.parametrize("role", ["server", "client"])
def test_records_that_have_all_begun_all_end(make_side, role):
    """No room is left for any, and each waits for its other half."""
    side = make_side(role, settings={"buffer_memory": "64k"})
    data = os.urandom(peer.PLAINTEXT_MAX - 1)
    tunnels = [side.open() for _ in range(8)]
    frames = [peer.frame(other.seal(peer.DATA, data)) for other, _ in tunnels]
    for (other, _), frame in zip(tunnels, frames):
        other.stream.send_raw(frame[:40_000])
    for (other, _), frame in zip(tunnels, frames):
        other.stream.send_raw(frame[40_000:])
    for _, app in tunnels:
        assert receive_exactly(app, len(data)) == data


# --- many -------------------------------------------------------------------


class Crowd:
    """Echoes on many connections in one thread."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.socket.setblocking(False)
        self.endpoint = applications.format_address(self.socket.getsockname())
        self._ready = selectors.DefaultSelector()
        self._ready.register(self.socket, selectors.EVENT_READ)
        self._open = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while self._open:
            for key, _ in self._ready.select(0.2):
                if key.fileobj is self.socket:
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            sock, _ = self.socket.accept()
                            self._ready.register(sock, selectors.EVENT_READ)
                    continue
                if not self.serve(key.fileobj):
                    self._ready.unregister(key.fileobj)
                    key.fileobj.close()

    def serve(self, sock):
        """Some bytes of one; False: it has ended."""
        data = sock.recv(1 << 16)
        sock.sendall(data)
        return bool(data)

    def close(self):
        self._open = False
        self._thread.join()
        close_all([key.fileobj for key in self._ready.get_map().values()])
        self._ready.close()


def idle_and_busy(lab, idle, busy, rounds):
    raise_descriptor_limit(2 * (idle + busy) + 500)
    crowd = lab.keep(Crowd())
    tunnel = lab.tunnel(crowd, settings={
        "max_connections": idle + busy + 10, "max_handshakes_per_source": 500,
        "log_level": "info"})
    sidecars = (tunnel.server, tunnel.client)
    with tunnel.connect() as sock:
        exchange(sock, b"warm")
    before = [(s.rss_kib(), descriptors(s)) for s in sidecars]
    idlers = []
    for number in range(idle):
        idlers.append(tunnel.connect(60))
        if number % 200 == 199:
            assert exchange(idlers[-1], b"up") == b"up"
    tunnel.server.wait_for("up", count=idle + 1, timeout=120)
    quiet = [s.rss_kib() for s in sidecars]
    failures = []

    def work(seed):
        try:
            block = bytes([seed % 256]) * 20_000
            with tunnel.connect(60) as sock:
                for _ in range(rounds):
                    assert exchange(sock, block) == block
        except (OSError, AssertionError) as error:
            failures.append(error)

    began = time.monotonic()
    workers = [threading.Thread(target=work, args=(n,)) for n in range(busy)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = time.monotonic() - began
    assert failures == []
    for number, sock in enumerate(idlers):
        if number % 50 == 0:
            assert exchange(sock, b"still here") == b"still here"
    each = [(now - then[0]) / idle for now, then in zip(quiet, before)]
    print(f"{idle} idle: {each[0]:.1f} and {each[1]:.1f} KiB each; {busy} busy:"
          f" {busy * rounds * 20_000 / MIB / took:.0f} MiB/s each way")
    assert max(each) < 64
    close_all(idlers)
    for sidecar, (rss, opened), most in zip(sidecars, before, quiet):
        wait_until(lambda: descriptors(sidecar) <= opened, 60)
        # All but what lies in pages with something that is still in use.
        left = max(6144 + idle // 2, (most - rss) * 3 // 10)
        wait_for_memory(sidecar, rss + left)
        print("memory:", rss, most, sidecar.rss_kib())


@pytest.mark.fast
def test_1000_idle_and_20_busy_connections(lab):
    idle_and_busy(lab, 1000, 20, 50)


@pytest.mark.soak
def test_10000_idle_and_200_busy_connections_or_what_the_limit_allows(lab):
    """Each takes two descriptors of each process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = 10_000 if hard == resource.RLIM_INFINITY else hard // 2 - 600
    idle_and_busy(lab, min(10_000, allowed), 200, 100)


class Sink(Crowd):
    """Swallows what comes, without a look at it."""

    def __init__(self):
        self.received = 0
        super().__init__()

    def serve(self, sock):
        try:
            size = len(sock.recv(MIB, socket.MSG_TRUNC))
        except ConnectionResetError:
            return False
        self.received += size
        return size > 0


@pytest.mark.fast
def test_who_comes_new_does_not_stand_behind_all_who_carry_much(lab):
    """By what the others carried meanwhile, which does not depend on how fast
    the machine is."""
    sink = lab.keep(Sink())
    tunnel = lab.tunnel(sink, settings={"threads": 1})
    host, port = tunnel.client.address("db")
    pouring = [
        subprocess.Popen(["bash", "-c",
                          f"exec cat /dev/zero > /dev/tcp/{host}/{port}"],
                         stderr=subprocess.DEVNULL) for _ in range(24)]
    carried = []
    try:
        wait_until(lambda: sink.received > 200 * MIB)
        for _ in range(7):
            before = sink.received
            with tunnel.connect(60) as sock:
                sock.shutdown(socket.SHUT_WR)
                assert applications.receive_all(sock) == b""
            carried.append((sink.received - before) // MIB)
    finally:
        for process in pouring:
            process.terminate()
            process.wait(10)
    print("MiB carried during each opening:", carried)
    assert sorted(carried)[3] < 150


# --- ends -------------------------------------------------------------------


def test_a_slow_reader_gets_the_last_byte_after_close_timeout(lab):
    """Both ends were said long ago; close_timeout bounds no delivery."""
    whole = os.urandom(4 * MIB)
    tunnel = lab.tunnel(lab.application(applications.source(whole)),
                        server={"close_timeout": "1s"},
                        client={"close_timeout": "1s"})
    with tunnel.connect() as sock:
        sock.shutdown(socket.SHUT_WR)
        data = receive_exactly(sock, MIB)
        time.sleep(2)
        data += applications.receive_all(sock)
    assert data == whole


def test_a_slow_writer_is_heard_byte_by_byte(lab):
    tunnel = lab.tunnel(lab.echo())
    with tunnel.connect() as sock:
        for byte in b"one at a time":
            assert exchange(sock, bytes([byte])) == bytes([byte])
        # Who never writes again is no trouble.
        assert_it_does_not_spin(tunnel.server, tunnel.client)


def test_ends_and_resets_that_cross_leave_nothing_behind(lab):
    """A FIN from one side, a reset from the other, at once, in any order."""
    ready = threading.Semaphore(0)

    def serve(sock):
        receive_exactly(sock, 1)
        sock.sendall(b"y")
        ready.release()
        sock.recv(1)

    tunnel = lab.tunnel(lab.application(serve))
    for number in range(40):
        sock = tunnel.connect()
        exchange(sock, b"x")
        if number % 2:
            sock.shutdown(socket.SHUT_WR)
        reset(sock)
    for sidecar in (tunnel.server, tunnel.client):
        sidecar.wait_for("down", count=40)
        wait_until(lambda: sidecar.status()["totals"]["connections"] == 0)
    assert len(tunnel.server.events("up")) == 40
    assert len(tunnel.server.events("down")) == 40


def test_what_was_said_before_a_close_is_delivered(lab):
    """The end is seen with all of it still unread."""
    whole = os.urandom(300_000)
    tunnel = lab.tunnel(lab.application(applications.source(whole)))
    for _ in range(20):
        with tunnel.connect() as sock:
            assert applications.receive_all(sock) == whole
