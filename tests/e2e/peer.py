# SPDX-License-Identifier: BSD-2-Clause
"""The other sidecar, made from docs/protocol.md alone: an initiator and an
acceptor, each step of the opening a method of its own, so that a test can leave
one out, change its bytes or do it twice.

Nothing here is shared with the program's source.  A Peer obeys as long as the
test does not ask otherwise: what it receives it judges by the document, and
raises Breach when kerbwrap breaks a rule.  Claims of the document are named in
comments by their letters.
"""

import dataclasses
import socket
import struct

import gssapi
from gssapi.raw import inquire_sec_context_by_oid

HELLO, READY, DATA, EOF, RESET, PING, PONG = range(1, 8)
SIGN, SEAL = 1, 2

INTERNAL, PROTOCOL, VERSION, PROTECTION, LABEL, TARGET = range(1, 7)
FORBIDDEN, APPLICATION, UNREACHABLE, TIMEOUT, SHUTDOWN, LIMIT = range(7, 13)
RETRYABLE = {INTERNAL, UNREACHABLE, SHUTDOWN, LIMIT}

HANDSHAKE_TOKEN_MAX = 131072
PLAINTEXT_MAX = 65472
TOKEN_MAX = 65600

KRB5 = gssapi.MechType.kerberos
FLAGS = (
    gssapi.RequirementFlag.mutual_authentication,
    gssapi.RequirementFlag.replay_detection,
    gssapi.RequirementFlag.out_of_sequence_detection,
    gssapi.RequirementFlag.confidentiality,
    gssapi.RequirementFlag.integrity,
)
AES = {17, 18, 19, 20}
SESSION_KEY = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.5")
ENCTYPE_ARC = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.4").dotted_form


class Breach(AssertionError):
    """kerbwrap broke a rule of docs/protocol.md."""


def require(fact, rule):
    if not fact:
        raise Breach(rule)


# --- frames (section 2) ------------------------------------------------------


class Stream:
    """A socket that carries frames; also raw bytes, for those who misbehave."""

    def __init__(self, sock, timeout=20):
        self.socket = sock
        self.socket.settimeout(timeout)

    def send_raw(self, data):
        self.socket.sendall(data)

    def send_frame(self, token):
        self.send_raw(frame(token))

    def receive_exactly(self, size, may_end=False):
        """None: the stream ended before the first byte, and may."""
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part and not data and may_end:
                return None
            require(part, f"the stream ended {len(data)} bytes into {size}")
            data += part
        return bytes(data)

    def receive_frame(self, largest=TOKEN_MAX):
        """The token of the next frame; None at the end of the stream."""
        header = self.receive_exactly(4, may_end=True)
        if header is None:
            return None
        (size,) = struct.unpack(">I", header)
        require(0 < size <= largest, f"F2: a frame of {size} bytes")
        return self.receive_exactly(size)

    def close(self):
        self.socket.close()


def frame(token):
    return struct.pack(">I", len(token)) + token


# --- messages (section 4) ----------------------------------------------------


@dataclasses.dataclass
class Hello:
    low: int = 1
    high: int = 1
    protection: int = SEAL
    reserved: int = 0
    capabilities: int = 0
    max_plaintext: int = PLAINTEXT_MAX
    connection_id: int = 0
    target: bytes = b""
    label: bytes = b""
    agent: bytes = b"peer.py"
    magic: bytes = b"KWRP"
    more: bytes = b""

    FIXED = struct.Struct(">4sBBBBIIQ")

    def body(self):
        parts = [
            self.FIXED.pack(
                self.magic, self.low, self.high, self.protection,
                self.reserved, self.capabilities, self.max_plaintext,
                self.connection_id,
            )
        ]
        for text in (self.target, self.label, self.agent):
            parts.append(struct.pack(">H", len(text)) + text)
        return b"".join(parts) + self.more

    @classmethod
    def parse(cls, body):
        fields = cls.FIXED.unpack_from(body)
        at = cls.FIXED.size
        texts = []
        for _ in range(3):
            (size,) = struct.unpack_from(">H", body, at)
            at += 2
            require(at + size <= len(body), "HELLO is cut short")
            texts.append(body[at : at + size])
            at += size
        hello = cls(
            *fields[1:], *texts, magic=fields[0], more=body[at:]
        )
        require(hello.magic == b"KWRP", "H1: the magic")
        require(hello.low <= hello.high, "H1: the version range")
        require(hello.max_plaintext >= 4096, "H1: the largest plaintext")
        return hello


@dataclasses.dataclass
class Reset:
    code: int
    sentence: str = ""
    retryable: bool = False

    def body(self):
        text = self.sentence.encode()
        return struct.pack(">BBH", self.code, self.retryable, len(text)) + text

    @classmethod
    def parse(cls, body):
        code, flags, size = struct.unpack_from(">BBH", body)
        require(len(body) == 4 + size <= 516, "RESET has another length")
        require(flags in (0, 1), "RESET has an unknown flag")
        require(
            (code in RETRYABLE) == bool(flags),
            f"section 4.3: code {code} with retryable flag {flags}",
        )
        return cls(code, body[4:].decode(), bool(flags))


@dataclasses.dataclass
class Message:
    type: int
    body: bytes
    encrypted: bool

    @property
    def reset(self):
        require(self.type == RESET, f"{self} in place of a RESET")
        return Reset.parse(self.body)


# --- what GSSAPI does not tell (C2, C3) --------------------------------------


def session_enctype(context):
    """The encryption type of the context's key."""
    _, name = inquire_sec_context_by_oid(context, SESSION_KEY)
    arc = gssapi.OID(elements=name).dotted_form
    require(arc.startswith(ENCTYPE_ARC), "C2: the encryption type is unknown")
    return int(arc.rpartition(".")[2])


def der(data, at=0):
    """Tag, contents and end of the element at `at`."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    return tag, data[at : at + size], at + size


def der_member(sequence, number):
    """The contents of [number] in a SEQUENCE's contents."""
    at = 0
    while at < len(sequence):
        tag, contents, at = der(sequence, at)
        if tag == 0xA0 | number:
            return contents
    raise Breach(f"the AP-REQ has no member [{number}]")


def ticket_enctype(ap_req_token):
    """What the ticket inside an AP-REQ token is encrypted with: its etype
    stands in clear (RFC 4120 sections 5.2.9, 5.3 and 5.5.1)."""
    _, mechanism, _ = der(ap_req_token)
    _, _, at = der(mechanism)
    require(mechanism[at : at + 2] == b"\x01\x00", "no AP-REQ")
    ap_req = der(der(mechanism[at + 2 :])[1])[1]
    ticket = der(der(der_member(ap_req, 3))[1])[1]
    encrypted = der(der_member(ticket, 3))[1]
    return int.from_bytes(der(der_member(encrypted, 0))[1], "big")


# --- both sides ---------------------------------------------------------------


class Peer:
    """One end of one tunnel."""

    def __init__(self, sock, protection=SEAL, label=b"", timeout=20):
        self.stream = Stream(sock, timeout)
        self.protection = protection
        self.label = label
        self.context = None
        self.theirs = None  # their HELLO
        self.ap_req = None  # the token, as sent or received
        self.connection_id = 0  # ours

    def close(self):
        self.stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # sealing

    def seal(self, type, body=b"", encrypt=None):
        """The token of one message.  encrypt: not as the rules say."""
        if encrypt is None:
            always = type in (HELLO, RESET)
            encrypt = always or self.protection == SEAL
        result = self.context.wrap(bytes([type]) + body, encrypt)
        require(result.encrypted == encrypt, "GSSAPI did not do as told")
        return result.message

    def send(self, type, body=b"", encrypt=None):
        self.stream.send_frame(self.seal(type, body, encrypt))

    def receive(self):
        """The next message; None at the end of the stream."""
        token = self.stream.receive_frame()
        if token is None:
            return None
        require(token[:2] == b"\x05\x04", "section 4: no wrap token")
        require(token[2] & 0x04, "T1: without AcceptorSubkey")
        result = self.context.unwrap(token)
        require(result.message, "M1: an empty plaintext")
        require(len(result.message) <= PLAINTEXT_MAX, "M2: too large")
        message = Message(
            result.message[0], result.message[1:], result.encrypted
        )
        secret = message.type in (HELLO, RESET) or self.protection == SEAL
        require(message.encrypted == secret, f"conf_state of {message}")
        if message.type in (READY, EOF, PING, PONG):
            require(not message.body, f"M1: {message} has a body")
        return message

    def expect(self, type):
        message = self.receive()
        require(message is not None, f"an end in place of message {type}")
        if message.type == RESET and type != RESET:
            raise Breach(f"{Reset.parse(message.body)} in place of {type}")
        require(message.type == type, f"{message} in place of {type}")
        return message

    def expect_reset(self, code):
        """The last message of all, and then the end."""
        reset = self.expect(RESET).reset
        require(reset.code == code, f"{reset} in place of code {code}")
        self.expect_end()
        return reset

    def expect_end(self):
        """Nothing comes any more: an end, or a reset of TCP's."""
        try:
            data = self.stream.socket.recv(1 << 16)
        except ConnectionResetError:
            return
        require(not data, f"{len(data)} bytes where an end was due")

    # the context

    def check_context(self):
        for flag in FLAGS:
            require(self.context.actual_flags & flag, f"C1: {flag} is missing")
        require(session_enctype(self.context) in AES, "C2: no AES key")
        require(ticket_enctype(self.ap_req) in AES, "C3: no AES ticket")

    # HELLO

    def hello(self, **changes):
        fields = {
            "protection": self.protection,
            "label": self.label,
            "connection_id": self.connection_id,
        }
        return Hello(**{**fields, **changes})

    def send_hello(self, **changes):
        self.send(HELLO, self.hello(**changes).body())

    def take_hello(self):
        self.theirs = Hello.parse(self.expect(HELLO).body)
        return self.theirs

    def open(self, **hello):
        """The whole opening; hello: changes to ours."""
        self.prepare()
        self.send_hello(**hello)
        self.conclude()
        return self

    # relaying

    def send_data(self, data):
        most = min(self.theirs.max_plaintext, PLAINTEXT_MAX) - 1
        for at in range(0, len(data), most):
            self.send(DATA, data[at : at + most])

    def receive_data(self, size=None):
        """size bytes of DATA, or all up to EOF; answers PING on the way."""
        data = bytearray()
        while size is None or len(data) < size:
            message = self.receive()
            require(message is not None, "E2: an end without EOF")
            if message.type == DATA:
                data += message.body
            elif message.type == PING:
                self.send(PONG)
            elif message.type == EOF and size is None:
                break
            else:
                require(message.type == PONG, f"{message} while relaying")
        require(size is None or len(data) == size, "more came than was due")
        return bytes(data)

    def finish(self):
        """E3, after both EOFs."""
        self.stream.socket.shutdown(socket.SHUT_WR)
        self.expect_end()


class Initiator(Peer):
    """I1 to I5.  credentials: see initiator_credentials."""

    def __init__(self, sock, credentials, target, flags=FLAGS, **options):
        super().__init__(sock, **options)
        self.target = target
        self.context = gssapi.SecurityContext(
            name=gssapi.Name(target, gssapi.NameType.kerberos_principal),
            creds=credentials,
            usage="initiate",
            flags=flags,
            mech=KRB5,
        )

    def make_ap_req(self):
        self.ap_req = self.context.step()
        return self.ap_req

    def send_ap_req(self):
        self.stream.send_frame(self.make_ap_req())

    def take_ap_rep(self):
        token = self.stream.receive_frame(HANDSHAKE_TOKEN_MAX)
        require(token is not None, "an end in place of the AP-REP")
        require(self.context.step(token) is None, "a third token")
        require(self.context.complete, "the context is not complete")
        self.check_context()

    def take_hello(self):
        hello = super().take_hello()
        require(hello.target == b"", "the acceptor names a target")
        return hello

    def hello(self, **changes):
        return super().hello(**{"target": self.target.encode(), **changes})

    def prepare(self):
        """I1 to I3: our HELLO is due."""
        self.send_ap_req()
        self.take_ap_rep()
        self.take_hello()

    def conclude(self):
        """I5."""
        self.expect(READY)


class Acceptor(Peer):
    """A1 to A5."""

    def __init__(self, sock, credentials, **options):
        super().__init__(sock, **options)
        self.context = gssapi.SecurityContext(creds=credentials, usage="accept")

    def take_ap_req(self):
        self.ap_req = self.stream.receive_frame(HANDSHAKE_TOKEN_MAX)
        require(self.ap_req is not None, "an end in place of the AP-REQ")
        self.ap_rep = self.context.step(self.ap_req)
        require(self.context.complete, "the context is not complete")
        require(self.context.delegated_creds is None, "C4: delegation")
        self.check_context()

    def send_ap_rep(self):
        self.stream.send_frame(self.ap_rep)

    def prepare(self):
        """A1: our HELLO is due."""
        self.take_ap_req()
        self.send_ap_rep()

    def conclude(self):
        """A2 to A5."""
        self.take_hello()
        self.send(READY)

    def open_without_ready(self):
        self.prepare()
        self.send_hello()
        self.take_hello()


# --- credentials ---------------------------------------------------------------


def initiator_credentials(principal, keytab, ccache):
    """Tickets of principal, got with keytab and kept in ccache, a new file."""
    return gssapi.Credentials(
        name=gssapi.Name(principal, gssapi.NameType.kerberos_principal),
        usage="initiate",
        mechs=[KRB5],
        store={"client_keytab": str(keytab), "ccache": f"FILE:{ccache}"},
    )


def acceptor_credentials(keytab):
    return gssapi.Credentials(
        usage="accept",
        mechs=[KRB5],
        store={"keytab": str(keytab), "rcache": "none:"},
    )
