# SPDX-License-Identifier: BSD-2-Clause
"""`proxy_protocol = v2`: the application learns who connects, before anything
else, and only once that is known.  HAProxy and nginx read the header too."""

import contextlib
import os
import socket
import struct

import applications
import pytest
from applications import exchange, receive_exactly
from lab import free_port
from test_applications import Daemon, find

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def read_header(sock):
    """By the specification: (family, addresses, {type: value})."""
    fixed = receive_exactly(sock, 16)
    assert fixed[:12] == SIGNATURE
    assert fixed[12] == 0x21
    rest = receive_exactly(sock, struct.unpack("!H", fixed[14:])[0])
    size = {0x00: 0, 0x11: 12, 0x21: 36, 0x31: 216}[fixed[13]]
    addresses, rest = rest[:size], rest[size:]
    tlvs = {}
    while rest:
        kind, length = struct.unpack("!BH", rest[:3])
        tlvs[kind] = rest[3:3 + length]
        rest = rest[3 + length:]
    return fixed[13], addresses, tlvs


class Reader:
    """An application that reads the header, keeps it, and echoes the rest."""

    def __init__(self):
        self.headers = []

    def __call__(self, sock):
        self.headers.append(read_header(sock))
        applications.echo(sock)


def introduced(lab, application, **server):
    """A tunnel to it; one that accepts on a Unix socket is dialled there."""
    accept = server.get("accept", "")
    client = {"connect": accept} if accept.startswith("unix:") else {}
    return lab.tunnel(application, client=client,
                      server={"proxy_protocol": "v2", **server})


def test_the_application_reads_addresses_and_principal_first(lab):
    reader = Reader()
    tunnel = introduced(lab, lab.application(reader))
    with tunnel.connect() as sock:
        assert exchange(sock, b"and then the data") == b"and then the data"
    family, addresses, tlvs = reader.headers[0]
    up = tunnel.server.wait_for("up")
    source = applications.parse_address(up["from"])
    accepted = tunnel.server.address("db")
    assert family == 0x11
    assert addresses == (
        socket.inet_aton(source[0]) + socket.inet_aton(accepted[0])
        + struct.pack("!HH", source[1], accepted[1])
    )
    assert tlvs == {0xE0: b"alice@CORP.EXAMPLE.TEST"}


def test_ipv6_addresses_are_told_and_ipv4_ones_inside_them(lab):
    reader = Reader()
    tunnel = introduced(lab, lab.application(reader), accept="[::]:0")
    port = tunnel.server.address("db")[1]
    for host in ("[::1]", "127.0.0.1"):
        client = lab.kerbwrap({"client db": lab.client_keys(f"{host}:{port}")})
        with client.connect("db") as sock:
            assert exchange(sock, b"x") == b"x"
    (six, six_addresses, _), (four, four_addresses, _) = reader.headers
    loopback = socket.inet_pton(socket.AF_INET6, "::1")
    assert (six, six_addresses[:32]) == (0x21, 2 * loopback)
    assert (four, four_addresses[:8]) == (0x11, 2 * b"\x7f\x00\x00\x01")
    assert six_addresses[34:] == four_addresses[10:] == struct.pack("!H", port)


def test_a_unix_socket_is_told_by_its_path(lab):
    reader = Reader()
    path = lab.path / "sealed.sock"
    tunnel = introduced(lab, lab.application(reader, path=lab.path / "app.sock"),
                        accept=f"unix:{path}")
    with tunnel.connect() as sock:
        assert exchange(sock, b"x") == b"x"
    family, addresses, tlvs = reader.headers[0]
    assert family == 0x31
    assert addresses == bytes(108) + bytes(str(path), "ascii").ljust(108, b"\0")
    assert tlvs == {0xE0: b"alice@CORP.EXAMPLE.TEST"}


def test_nobody_is_introduced_before_the_initiator_is_known_to_live(make_side):
    """A replayed AP-REQ gets as far as this: AP-REP and HELLO, no answer."""
    side = make_side("server", proxy_protocol="v2", handshake_timeout="1s")
    peer = side.peer()
    peer.prepare()
    side.wait_reason("failed", "no time left while waiting for the client's")
    side.assert_nothing_reached_the_application()


def test_nobody_is_introduced_who_is_refused(make_side):
    side = make_side("server", proxy_protocol="v2", allow="bob@ELSEWHERE.TEST")
    with pytest.raises(Exception, match="not allowed"):
        side.peer().open()
    side.assert_nothing_reached_the_application()


# --- real readers -----------------------------------------------------------


@contextlib.contextmanager
def http(lab, daemon_endpoint, accept="127.0.0.1:0"):
    """What a GET through the tunnel yields, and the tunnel."""
    tunnel = introduced(lab, daemon_endpoint, accept=accept)
    with tunnel.connect() as sock:
        sock.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        yield applications.receive_all(sock).decode(), tunnel


def haproxy(lab, bind, front="", shown=""):
    ready = free_port()
    config = lab.path / "haproxy.cfg"
    config.write_text(
        "defaults\n  mode http\n  timeout connect 9s\n  timeout client 30s\n"
        "  timeout server 30s\n"
        f"frontend ready\n  bind 127.0.0.1:{ready}\n"
        f"frontend app\n  bind {bind} accept-proxy\n"
        "  http-request return status 200 content-type text/plain lf-string "
        f'"{shown}%[src]:%[src_port] %[dst]:%[dst_port]"\n' + front
    )
    lab.keep(Daemon(lab.path / "haproxy.log", ready, find("haproxy"),
                    "-db", "-f", str(config)))


def assert_both_addresses_were_read(answer, tunnel):
    up = tunnel.server.wait_for("up")
    accepted = applications.format_address(tunnel.server.address("db"))
    assert answer.startswith("HTTP/1.1 200") or answer.startswith(
        "HTTP/1.0 200"), answer
    assert answer.splitlines()[-1] == f"{up['from']} {accepted}"


def test_haproxy_takes_addresses_and_principal_from_the_header(lab):
    """HAProxy 2.6 has no word for the TLV's value, but reads it as bytes and
    passes the header on to who takes the addresses."""
    port, inner = free_port(), free_port()
    haproxy(lab, f"127.0.0.1:{inner}",
            f"frontend door\n  mode tcp\n  bind 127.0.0.1:{port}\n"
            "  tcp-request inspect-delay 9s\n"
            "  tcp-request content reject unless "
            "{ req.payload(13,1),hex 11 } { req.payload(28,1),hex E0 }\n"
            "  tcp-request content set-var(proc.who) req.payload_lv(29,2)\n"
            "  use_backend inner if { req.payload_lv(29,2) -m str "
            f"alice@{lab.realm.name} }}\n"
            f"backend inner\n  mode tcp\n  server inner 127.0.0.1:{inner}\n",
            shown="%[var(proc.who)]\\n")
    with http(lab, f"127.0.0.1:{port}") as (answer, tunnel):
        assert_both_addresses_were_read(answer, tunnel)
        assert answer.splitlines()[-2] == tunnel.server.wait_for("up")["peer"]


def test_haproxy_reads_it_on_a_unix_socket(lab):
    lab.path.chmod(0o755)
    haproxy(lab, f"{lab.path}/app.sock mode 666")
    with http(lab, f"unix:{lab.path}/app.sock") as (answer, tunnel):
        assert_both_addresses_were_read(answer, tunnel)


def nginx(lab):
    port, ready = free_port(), free_port()
    config = lab.path / "nginx.conf"
    config.write_text(
        ("user root;\n" if os.getuid() == 0 else "")
        + f"daemon off;\npid {lab.path}/nginx.pid;\n"
        f"error_log {lab.path}/nginx-error.log;\n"
        "events { worker_connections 64; }\nhttp {\n"
        + "".join(
            f"  {kind}_temp_path {lab.path}/{kind}_temp;\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "  access_log off;\n"
        f"  server {{ listen 127.0.0.1:{ready}; return 204; }}\n"
        f"  server {{ listen 127.0.0.1:{port} proxy_protocol;\n"
        '    return 200 "$proxy_protocol_addr:$proxy_protocol_port '
        '$proxy_protocol_server_addr:$proxy_protocol_server_port";\n'
        "  }\n}\n"
    )
    lab.keep(Daemon(lab.path / "nginx.log", ready, find("nginx"),
                    "-p", str(lab.path), "-e", "stderr", "-c", str(config)))
    return port


def test_nginx_takes_the_addresses_from_the_header(lab):
    with http(lab, f"127.0.0.1:{nginx(lab)}") as (answer, tunnel):
        assert_both_addresses_were_read(answer, tunnel)


def test_nginx_takes_a_header_with_paths(lab):
    with http(lab, f"127.0.0.1:{nginx(lab)}",
              accept=f"unix:{lab.path}/sealed.sock") as (answer, _):
        assert " 200 " in answer.splitlines()[0]
