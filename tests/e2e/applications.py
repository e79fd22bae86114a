# SPDX-License-Identifier: BSD-2-Clause
"""Legacy applications for tests, and what a test puts on the wire: echo, sink
and source servers, a relay that keeps what passed, a host that never answers.

All listen on a free loopback port (or a Unix socket) and serve each connection
in a thread of its own; close() ends them and raises what a handler raised.
"""

import contextlib
import os
import socket
import struct
import threading

BLOCK = 1 << 18


def parse_address(text):
    """"127.0.0.1:80", "[::1]:80" or "unix:PATH" to (host, port) or PATH."""
    if text.startswith("unix:"):
        return text[len("unix:"):]
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def format_address(address):
    """The other way."""
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def connect(address, timeout=20):
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        sock.connect(address)
        return sock
    return socket.create_connection(address, timeout)


def receive_all(sock):
    """Everything up to the end of the stream."""
    parts = []
    while part := sock.recv(BLOCK):
        parts.append(part)
    return b"".join(parts)


def receive_exactly(sock, size):
    data = bytearray()
    while len(data) < size:
        part = sock.recv(min(BLOCK, size - len(data)))
        assert part, f"the stream ended after {len(data)} of {size} bytes"
        data += part
    return bytes(data)


def exchange(sock, data):
    """Sends data, gets as much back."""
    sock.sendall(data)
    return receive_exactly(sock, len(data))


def is_reset(sock):
    """Does the connection end by a reset, without another byte?"""
    try:
        sock.recv(1)
    except ConnectionResetError:
        return True
    return False


def reset(sock):
    """Closes so that the peer sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


# --- handlers ---------------------------------------------------------------


def echo(sock):
    while data := sock.recv(BLOCK):
        sock.sendall(data)


def source(data):
    """A handler that speaks first, and ends."""

    def handler(sock):
        sock.sendall(data)

    return handler


def hold(event):
    """A handler that reads nothing until the event is set."""

    def handler(sock):
        event.wait()
        sock.close()

    return handler


# --- servers ----------------------------------------------------------------


class Listener:
    """Accepts until closed; serve(sock) runs in a thread for each."""

    def __init__(self, path=None, host="127.0.0.1", backlog=4096):
        if path:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.bind(str(path))
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.socket = socket.socket(family, socket.SOCK_STREAM)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((host, 0))
        self.socket.listen(backlog)
        self.address = str(path) if path else self.socket.getsockname()[:2]
        self.endpoint = format_address(self.address)
        self.errors = []
        self.accepted = 0
        self._open = set()
        self._news = threading.Condition()
        self._closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            with self._news:
                if self._closing:
                    sock.close()
                    return
                self._open.add(sock)
                self.accepted += 1
                self._news.notify_all()
            threading.Thread(
                target=self._serve, args=(sock,), daemon=True
            ).start()

    def _serve(self, sock):
        try:
            self.serve(sock)
        except OSError as error:
            self.errors.append(error)
        finally:
            sock.close()
            with self._news:
                self._open.discard(sock)
                self._news.notify_all()

    def serve(self, sock):
        raise NotImplementedError

    def wait_accepted(self, count, timeout=30):
        """Until count connections came in."""
        with self._news:
            assert self._news.wait_for(
                lambda: self.accepted >= count, timeout
            ), f"{self.accepted} of {count} connections came"

    def wait_idle(self, timeout=30):
        """Until every connection has ended."""
        with self._news:
            assert self._news.wait_for(
                lambda: not self._open, timeout
            ), f"{len(self._open)} connections are still open"

    def close(self):
        with self._news:
            self._closing = True
            still_open = list(self._open)
        # shutdown wakes threads that wait in accept or recv; close does not.
        for sock in [self.socket, *still_open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        if isinstance(self.address, str):
            with contextlib.suppress(OSError):
                os.unlink(self.address)


class Application(Listener):
    """A server whose connections run handler(sock)."""

    def __init__(self, handler, **options):
        self.serve = handler
        super().__init__(**options)


class Tee(Listener):
    """Relays each connection to target and keeps what passed: `sent` by who
    connected here, `received` from the target."""

    def __init__(self, target, **options):
        self.target = target
        self.sent = bytearray()
        self.received = bytearray()
        self._pairs = []
        super().__init__(**options)

    def _copy(self, source_end, sink_end, record):
        with contextlib.suppress(OSError):
            while data := source_end.recv(BLOCK):
                record += data
                sink_end.sendall(data)
            sink_end.shutdown(socket.SHUT_WR)

    def serve(self, sock):
        with connect(self.target, timeout=None) as onward:
            self._pairs.append((sock, onward))
            back = threading.Thread(
                target=self._copy, args=(onward, sock, self.received),
                daemon=True,
            )
            back.start()
            self._copy(sock, onward, self.sent)
            back.join()

    def cut(self):
        """Ends every connection on both sides without a word."""
        for pair in self._pairs:
            for sock in pair:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


class Switch(Listener):
    """Relays to target, a KDC for one, until hang(); from then on connections
    are taken and nothing is answered."""

    def __init__(self, target):
        self.target = target
        self._hanging = threading.Event()
        self._end = threading.Event()
        super().__init__()

    def hang(self):
        self._hanging.set()

    def serve(self, sock):
        if self._hanging.is_set():
            self._end.wait()
            return
        with connect(self.target) as onward:
            while data := sock.recv(BLOCK):
                onward.sendall(data)
                sock.sendall(onward.recv(BLOCK))

    def close(self):
        self._end.set()
        super().close()


class BlackHole:
    """One port, TCP and UDP, where connections are taken and nothing is ever
    answered: a KDC, a directory or a server that hangs."""

    def __init__(self):
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.bind(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(self.tcp.getsockname())
        self.tcp.listen(4096)
        self.address = self.tcp.getsockname()
        self.port = self.address[1]

    def close(self):
        self.tcp.close()
        self.udp.close()
