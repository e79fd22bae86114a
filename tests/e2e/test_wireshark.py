# SPDX-License-Identifier: BSD-2-Clause
"""contrib/wireshark/kerbwrap.lua, tried by tshark on what two sidecars say: a
relay between them keeps each piece, and a capture file is made of the pieces."""

import os
import re
import shutil
import socket
import struct
import subprocess
import threading

import pytest

import applications
from lab import PATIENCE, ROOT, Lab

SCRIPT = ROOT / "contrib" / "wireshark" / "kerbwrap.lua"
CLIENT, SERVER = 50000, 50001

pytestmark = pytest.mark.skipif(not shutil.which("tshark"),
                                reason="tshark is not installed")


class Recorder(applications.Listener):
    """Relays to target and keeps the pieces of all connections in the order in
    which they came: (stream, from the target?, bytes)."""

    def __init__(self, target):
        self.target = target
        self.pieces = []
        super().__init__()

    def _copy(self, source, sink, stream, back):
        while data := source.recv(applications.BLOCK):
            self.pieces.append((stream, back, data))
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def serve(self, sock):
        with applications.connect(self.target, timeout=None) as onward:
            stream = self.accepted
            back = threading.Thread(
                target=self._copy, args=(onward, sock, stream, True))
            back.start()
            self._copy(sock, onward, stream, False)
            back.join()


def packet(stream, back, sequence, acknowledged, data, flags=0x18):
    ports = [CLIENT + 2 * stream, SERVER]
    if back:
        ports.reverse()
    hosts = socket.inet_aton("127.0.0.1") * 2
    tcp = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledged, 0x50,
                      flags, 65535, 0, 0) + data
    frame = b"\0" * 12 + b"\x08\0" + struct.pack(
        "!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + hosts + tcp
    return struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame


def write_capture(path, pieces, segment=1448):
    """The pieces as TCP segments of at most that size."""
    next_byte = {}
    parts = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 1 << 18, 1)]
    for stream, back, data in pieces:
        if (stream, back) not in next_byte:
            next_byte[stream, False] = next_byte[stream, True] = 1
            parts.append(packet(stream, False, 0, 0, b"", flags=0x02))
            parts.append(packet(stream, True, 0, 1, b"", flags=0x12))
        for start in range(0, len(data), segment):
            part = data[start:start + segment]
            parts.append(packet(stream, back, next_byte[stream, back],
                                next_byte[stream, not back], part))
            next_byte[stream, back] += len(part)
    path.write_bytes(b"".join(parts))
    return path


def tshark(path, *arguments):
    result = subprocess.run(
        ["tshark", "-n", "-X", f"lua_script:{SCRIPT}", "-r", path, *arguments],
        env={**os.environ, "HOME": str(path.parent), "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=60 * PATIENCE)
    # As root tshark warns about scripts in its init.lua, which this is not.
    said = [line for line in result.stderr.splitlines()
            if not line.startswith("Running as user")]
    assert (result.returncode, said) == (0, []), result.stderr
    return result.stdout


FIELDS = ("length", "token", "direction", "flags", "filler", "ec", "rrc",
          "sequence", "message")
MECHANISM = bytes.fromhex("06092a864886f712010202")
SEALED = 0x02


def shown(path):
    """{field: all its values, in order}, of each direction."""
    found = {back: {field: [] for field in FIELDS} for back in (False, True)}
    text = tshark(path, "-Y", "kerbwrap", "-T", "fields", "-E",
                  "aggregator=;", "-e", "tcp.srcport",
                  *(word for field in FIELDS
                    for word in ("-e", f"kerbwrap.{field}")))
    for line in text.splitlines():
        port, *columns = line.split("\t")
        for field, column in zip(FIELDS, columns, strict=True):
            found[int(port) == SERVER][field] += [
                int(value, 0) for value in column.split(";") if value]
    return found


def tokens(pieces, back):
    """What one direction carries, cut by docs/protocol.md."""
    data = b"".join(part for _, other, part in pieces if other == back)
    while data:
        stop = 4 + int.from_bytes(data[:4], "big")
        yield data[4:stop]
        data = data[stop:]


def told(pieces):
    """What must be shown, read from the bytes themselves."""
    found = {}
    for back in (False, True):
        found[back] = expect = {field: [] for field in FIELDS}
        for token in tokens(pieces, back):
            expect["length"].append(len(token))
            expect["direction"].append(int(back))
            if token[0] == 0x60:
                kind = token.partition(MECHANISM)[2][:2]
                expect["token"].append(int.from_bytes(kind, "big"))
                continue
            values = struct.unpack_from("!HBBHHQ", token)
            for field, value in zip(("token", "flags", "filler", "ec", "rrc",
                                     "sequence"), values):
                expect[field].append(value)
            if not values[1] & SEALED:
                expect["message"].append(token[16])
    return found


def complaints(path):
    return tshark(path, "-Y", "_ws.malformed || _ws.lua.error || "
                  "_ws.expert.group == Malformed || kerbwrap.bad_order",
                  "-T", "fields", "-e", "_ws.expert.message").splitlines()


def record(realm, data, **changes):
    """What passes when data goes through a tunnel, there and back, and ends."""
    recorders = []

    def between(target):
        recorders.append(lab.keep(Recorder(target)))
        return recorders[0].address

    with Lab(realm) as lab:
        tunnel = lab.tunnel(lab.echo(), server=changes, client=changes,
                            between=between)
        with tunnel.connect() as sock:
            assert applications.exchange(sock, data) == data
            sock.shutdown(socket.SHUT_WR)
            assert applications.receive_all(sock) == b""
        tunnel.client.wait_for("down")
        tunnel.server.wait_for("down")
    return recorders[0].pieces


@pytest.fixture(scope="module")
def sealed(realm):
    return record(realm, bytes(50_000))


@pytest.fixture(scope="module")
def signed(realm):
    return record(realm, b"in the clear" * 10, protection="sign")


@pytest.mark.parametrize("segment", [16384, 1448, 97])
def test_every_frame_is_shown_as_it_is(sealed, tmp_path, segment):
    path = write_capture(tmp_path / "sealed.pcap", sealed, segment)
    assert shown(path) == told(sealed)
    assert complaints(path) == []


def test_a_signed_tunnel_is_read_up_to_its_data(signed, tmp_path):
    path = write_capture(tmp_path / "signed.pcap", signed)
    assert shown(path) == told(signed)
    assert complaints(path) == []
    text = tshark(path, "-O", "kerbwrap", "-Y", "kerbwrap.message == 3")
    assert "Message: DATA (3)" in text
    assert b"in the clear".hex() in text


def test_the_tokens_that_open_a_tunnel_are_shown_whole(sealed, realm, tmp_path):
    path = write_capture(tmp_path / "sealed.pcap", sealed)
    text = tshark(path, "-V", "-Y", "kerberos")
    for line in ("Token: AP-REQ (0x0100)", "[Direction: initiator to acceptor",
                 "msg-type: krb-ap-req (14)", f"realm: {realm.name}",
                 "SNameString: orders", "Token: AP-REP (0x0200)",
                 "[Direction: acceptor to initiator", "msg-type: krb-ap-rep"):
        assert line in text, line


def test_the_list_of_packets_names_what_is_in_them(sealed, tmp_path):
    path = write_capture(tmp_path / "sealed.pcap", sealed)
    text = tshark(path, "-Y", "kerbwrap")
    assert re.search(r"kerbwrap \d+ AP-REQ$", text, re.M)
    assert re.search(r"kerbwrap \d+ AP-REP \| sealed \d+$", text, re.M)
    assert not re.search(r"\dsealed", text)


def test_an_acceptors_error_is_shown(realm, tmp_path):
    with Lab(realm) as lab:
        server = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
        recorder = lab.keep(Recorder(server.address("db")))
        client = lab.kerbwrap({"client db": lab.client_keys(
            recorder.address, spn=f"orders/web2.{realm.domain}")})
        assert client.refuses("db")
    path = write_capture(tmp_path / "refused.pcap", recorder.pieces)
    assert shown(path)[True]["token"] == [0x0300]
    text = tshark(path, "-V", "-Y", "kerbwrap.token == 0x0300")
    assert "msg-type: krb-error (30)" in text
    assert complaints(path) == []


def test_the_statistics_count_frames_and_bytes(sealed, tmp_path):
    path = write_capture(tmp_path / "sealed.pcap", sealed)
    text = tshark(path, "-q", "-X", "lua_script1:stats")
    expected = ["0"]
    for back in (False, True):
        lengths = told(sealed)[back]["length"]
        expected += [str(len(lengths)), str(sum(lengths))]
    assert text.split("\n")[2].split() == expected


HEADER = b"\x05\x04\x06\xff"
# What stands instead of a header, with its length when that differs.
FORGED = {
    b"\x05\x04\x0e\xff": "Not a header that kerbwrap sends",  # a flag
    b"\x05\x04\x02\xff": "Not a header that kerbwrap sends",  # no subkey
    b"\x05\x04\x06\xfe": "Not a header that kerbwrap sends",  # the filler
    b"\x04\x04\x06\xff": "Not a token of Kerberos",
    b"\0\1\0\x41" + HEADER: "No frame has this length",
}


def test_what_is_wrong_is_marked(sealed, tmp_path):
    opening, hello, *_ = tokens(sealed, False)
    assert hello.startswith(HEADER)
    pieces = []
    for stream, new in enumerate(FORGED, 1):
        length = len(hello).to_bytes(4, "big") if len(new) == 4 else b""
        pieces.append((stream, False, len(opening).to_bytes(4, "big") + opening
                       + length + new + hello[4:]))
    path = write_capture(tmp_path / "forged.pcap", pieces)
    assert complaints(path) == list(FORGED.values())


def test_a_record_that_is_missing_is_marked(sealed, tmp_path):
    records = [len(token).to_bytes(4, "big") + token
               for token in tokens(sealed, False)]
    dropped = records.pop(3)
    due = int.from_bytes(dropped[12:20], "big")
    path = write_capture(tmp_path / "missing.pcap",
                         [(1, False, record) for record in records])
    assert complaints(path) == [f"Out of sequence: {due} was due"]


def test_other_protocols_are_left_alone(tmp_path):
    pieces = [(1, False, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              (1, True, b"\0\0\0\x20" + bytes(32))]
    path = write_capture(tmp_path / "other.pcap", pieces)
    assert tshark(path, "-Y", "kerbwrap") == ""

