# SPDX-License-Identifier: BSD-2-Clause
"""One kerbwrap sidecar with a test on both sides of it: the legacy application
is a plain socket, the other sidecar is peer.py.

Fixtures: `side`, each role and protection, for what must hold in all of them;
`seal_side`, both roles under seal; `make_side`, for sidecars with settings of
their own.  The first two share one sidecar for a whole module: a test that
harms it fails with all that follow.
"""

import contextlib
import itertools
import os
import re
import socket

import applications
import peer
import pytest
from lab import PATIENCE, Lab

PROTECTIONS = {"seal": peer.SEAL, "sign": peer.SIGN}


def drain(sock):
    """What the application still gets, and how it ends: "end" or "reset"."""
    data = bytearray()
    try:
        while part := sock.recv(1 << 18):
            data += part
    except ConnectionResetError:
        return bytes(data), "reset"
    return bytes(data), "end"


class Side:
    """role: what kerbwrap is here, "server" or "client"."""

    def __init__(self, lab, kerberos, role, protection="seal", settings=None,
                 listeners=1, env=None, **keys):
        self.lab = lab
        self.kerberos = kerberos
        self.role = role
        self.protection = PROTECTIONS[protection]
        self.listeners = [self._listener() for _ in range(listeners)]
        self.endpoints = [
            applications.format_address(sock.getsockname())
            for sock in self.listeners
        ]
        self.target = f"orders/web1.{lab.realm.domain}"
        maker = lab.server_keys if role == "server" else lab.client_keys
        service = maker(
            self.endpoints[0],
            **{"connect": self.endpoints, "protection": protection, **keys},
        )
        self.kerbwrap = lab.kerbwrap(
            {"kerbwrap": settings or {}, f"{role} db": service}, name=role,
            env=env,
        )
        self._ids = itertools.count(1000)
        self._parts = contextlib.ExitStack()
        lab.callback(self.clear)

    def _listener(self):
        sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        sock.settimeout(10 * PATIENCE)
        self.lab.callback(sock.close)
        return sock

    def clear(self):
        """Closes what a test opened."""
        self._parts.close()
        for sock in self.listeners:
            sock.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                while True:
                    sock.accept()[0].close()
            sock.settimeout(10 * PATIENCE)

    def keep(self, part):
        self._parts.callback(part.close)
        return part

    def accept(self, number=0):
        sock, _ = self.listeners[number].accept()
        sock.settimeout(20 * PATIENCE)
        return self.keep(sock)

    def raw(self):
        """A connection to the sealed side of a server."""
        assert self.role == "server"
        return self.keep(self.kerbwrap.connect("db"))

    def peer(self, **options):
        """The other sidecar, connected, nothing said."""
        if self.role == "server":
            made = self.kerberos.initiator(self.raw(), **{
                "target": self.target, **self._common(), **options})
        else:
            self._app = self.keep(self.kerbwrap.connect("db"))
            made = self.kerberos.acceptor(self.accept(),
                                          **{**self._common(), **options})
        made.connection_id = next(self._ids)
        return made

    def _common(self):
        return {"protection": self.protection, "timeout": 20 * PATIENCE}

    def app(self):
        """The application's end of the tunnel just opened."""
        return self.accept() if self.role == "server" else self._app

    def open(self, **options):
        other = self.peer(**options).open()
        return other, self.app()

    def assert_nothing_reached_the_application(self):
        """kerbwrap is done with the peer, and the application has seen no
        connection, or (the legacy client, who has one) a reset."""
        if self.role == "client":
            assert drain(self._app) == (b"", "reset")
            return
        self.listeners[0].settimeout(0)
        with pytest.raises(BlockingIOError):
            self.listeners[0].accept()
        self.listeners[0].settimeout(10 * PATIENCE)

    def wait_reason(self, event, pattern, **options):
        """The log names a reason; the event."""
        return self.kerbwrap.wait_for(event, reason=re.compile(pattern),
                                      **options)


class Kerberos:
    """Our own side's credentials, in the realm of the tests."""

    def __init__(self, realm):
        self.realm = realm
        self._count = itertools.count()
        self.alice = self.credentials("alice")

    def credentials(self, name):
        return peer.initiator_credentials(
            f"{name}@{self.realm.name}",
            self.realm.keytab(name),
            self.realm.path / f"peer-{os.getpid()}-{next(self._count)}.cc",
        )

    def initiator(self, sock, target, credentials=None, **options):
        return peer.Initiator(sock, credentials or self.alice, target,
                              **options)

    def acceptor(self, sock, keytab="web1", **options):
        credentials = peer.acceptor_credentials(self.realm.keytab(keytab))
        return peer.Acceptor(sock, credentials, **options)


@pytest.fixture(scope="session")
def kerberos(realm):
    # GSSAPI works inside this process, so that its environment counts.
    patch = pytest.MonkeyPatch()
    patch.setenv("KRB5_CONFIG", realm.env["KRB5_CONFIG"])
    yield Kerberos(realm)
    patch.undo()


@pytest.fixture
def make_side(lab, kerberos):
    def make(role, protection="seal", **keys):
        return Side(lab, kerberos, role, protection, **keys)

    return make


@pytest.fixture(scope="module")
def shared_sides(realm, kerberos):
    """Sides made on demand: (role, protection) to Side."""
    with Lab(realm) as lab:
        sides = {}

        def get(role, protection):
            if (role, protection) not in sides:
                sides[role, protection] = Side(
                    lab, kerberos, role, protection, close_timeout="5s")
            return sides[role, protection]

        yield get


@pytest.fixture(params=["server-seal", "server-sign",
                        "client-seal", "client-sign"])
def side(request, shared_sides):
    made = shared_sides(*request.param.split("-"))
    yield made
    made.clear()


@pytest.fixture(params=["server", "client"])
def seal_side(request, shared_sides):
    made = shared_sides(request.param, "seal")
    yield made
    made.clear()


@pytest.fixture
def server_side(shared_sides):
    made = shared_sides("server", "seal")
    yield made
    made.clear()


@pytest.fixture
def client_side(shared_sides):
    made = shared_sides("client", "seal")
    yield made
    made.clear()
