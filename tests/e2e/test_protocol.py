# SPDX-License-Identifier: BSD-2-Clause
"""docs/protocol.md, spoken by an independent implementation with the real
binary, in both roles.  Names in comments are the document's claims."""

import re
import signal
import socket
import struct
import threading
import time

import applications
import gssapi
import pytest

import peer
from lab import PATIENCE, ROOT, free_port
from peer import DATA, EOF, HELLO, PING, PONG, READY, RESET
from sides import drain

BLOCK = bytes(range(256)) * 4096  # 1 MiB


# --- the peer alone -----------------------------------------------------------


@pytest.mark.parametrize("protection", [peer.SEAL, peer.SIGN])
def test_two_independent_peers_understand_each_other(kerberos, protection):
    ours, theirs = socket.socketpair()
    acceptor = kerberos.acceptor(theirs, protection=protection)
    thread = threading.Thread(target=acceptor.open)
    thread.start()
    initiator = kerberos.initiator(
        ours, f"orders/web1.{kerberos.realm.domain}", protection=protection
    )
    with initiator, acceptor:
        initiator.open()
        thread.join()
        initiator.send_data(b"question")
        assert acceptor.receive_data(8) == b"question"


def test_the_documents_examples_are_what_it_describes():
    text = (ROOT / "docs" / "protocol.md").read_text()
    examples = [bytes.fromhex("".join(found.group().split()))
                for found in re.finditer(r"0[15] (4b57|09)[0-9a-f\s]+", text)]
    hello = peer.Hello(high=3, capabilities=0x80000005, target=b"o/db1",
                       connection_id=0x0102030405060708,
                       label="é".encode(), agent=b"k/1")
    reset = peer.Reset(peer.UNREACHABLE, "down", retryable=True)
    assert examples == [bytes([HELLO]) + hello.body(),
                        bytes([RESET]) + reset.body()]


# --- opening (section 3) --------------------------------------------------------


def test_a_stranger_gets_through(side):
    other, app = side.open()
    other.send_data(b"from the peer")
    app.sendall(b"from the application")
    assert applications.receive_exactly(app, 13) == b"from the peer"
    assert other.receive_data(20) == b"from the application"


def test_hello_says_what_section_4_2_demands(side):
    other, _ = side.open()
    theirs = other.theirs
    assert (theirs.low, theirs.high) == (1, 1)
    assert theirs.protection == side.protection
    assert theirs.max_plaintext == 65472
    assert theirs.reserved == theirs.capabilities == 0
    assert theirs.label == b"" and theirs.more == b""
    assert theirs.agent.startswith(b"kerbwrap/")
    expected = b"" if side.role == "server" else side.target.encode()
    assert theirs.target.partition(b"@")[0] == expected


def test_both_logs_know_the_other_connection_id(side):
    other, _ = side.open()
    side.kerbwrap.wait_for(
        "up", id=other.theirs.connection_id, peer_id=other.connection_id
    )


def test_later_versions_hello_is_understood(side):
    changes = {"low": 0, "high": 9, "capabilities": 0xFFFFFFFF,
               "reserved": 0xA5, "more": b"what version 9 adds",
               "max_plaintext": 0xFFFFFFFF}
    other = side.peer().open(**changes)
    other.send_data(b"x")
    assert side.app().recv(1) == b"x"


MISMATCHES = {
    "version above": ({"low": 2, "high": 3}, peer.VERSION, "version"),
    "version below": ({"low": 0, "high": 0}, peer.VERSION, "version"),
    "protection": ({"protection": None}, peer.PROTECTION, "protection"),
    "label": ({"label": b"other"}, peer.LABEL, "label"),
}


@pytest.mark.parametrize("what", MISMATCHES)
def test_a_mismatch_gets_a_reset_that_says_so(side, what):
    changes, code, word = MISMATCHES[what]
    if "protection" in changes:
        changes = {"protection": peer.SEAL + peer.SIGN - side.protection}
    other = side.peer()
    other.prepare()
    other.send_hello(**changes)
    reset = other.expect_reset(code)
    assert word in reset.sentence
    side.assert_nothing_reached_the_application()


def test_version_is_judged_before_everything_else(server_side):
    other = server_side.peer()
    other.prepare()
    other.send_hello(low=2, high=2, protection=peer.SIGN, label=b"x",
                     target=b"no/name")
    other.expect_reset(peer.VERSION)


@pytest.mark.parametrize("target", [b"", b"orders", b"http/web1", b"ORDER/x",
                                    b"orders@X/y", b"orders\\/web1"])
def test_a_foreign_target_is_refused(server_side, target):
    other = server_side.peer()
    other.prepare()
    other.send_hello(target=target)
    reset = other.expect_reset(peer.TARGET)
    assert "asked for" in reset.sentence
    server_side.assert_nothing_reached_the_application()


@pytest.mark.parametrize("target", [b"orders/anything", b"ORDERS/web1@ELSE",
                                    b"orders/web1:7443/CN=x"])
def test_any_target_of_the_class_is_taken(server_side, target):
    other = server_side.peer()
    other.prepare()
    other.send_hello(target=target)
    other.expect(READY)


def test_with_spn_configured_only_those_targets_are_taken(make_side):
    side = make_side("server", spn="orders/one orders/two")
    for target, answer in ((b"Orders/TWO", READY), (b"orders/web1", RESET)):
        other = side.peer()
        other.prepare()
        other.send_hello(target=target)
        assert other.receive().type == answer


def test_the_first_byte_is_that_of_a_frame(client_side):
    other = client_side.peer()
    (size,) = struct.unpack(">I", other.stream.receive_exactly(4))
    assert 0 < size <= peer.HANDSHAKE_TOKEN_MAX
    token = other.stream.receive_exactly(size)
    assert token[0] == 0x60
    assert peer.ticket_enctype(token) in peer.AES


def test_the_initiator_sends_no_hello_to_one_who_differs(client_side):
    other = client_side.peer()
    other.prepare()
    other.send_hello(label=b"different")
    assert other.receive().type == RESET != HELLO


def test_labels_that_agree_open_the_tunnel(make_side):
    side = make_side("client", tunnel="größe")
    other, app = side.open(label="größe".encode())
    app.sendall(b"x")
    assert other.receive_data(1) == b"x"


def test_early_data_is_delivered_after_ready(server_side):
    other = server_side.peer()
    other.prepare()
    other.send_hello()
    other.send(DATA, b"early ")
    other.send(DATA, b"bird")
    other.send(EOF)
    other.expect(READY)
    assert drain(server_side.app()) == (b"early bird", "end")


def test_the_initiator_sends_before_ready_when_nothing_else_is_left(
    client_side,
):
    other = client_side.peer()
    client_side.app().sendall(b"early")
    other.open_without_ready()
    assert other.expect(DATA).body == b"early"
    other.send(READY)


def test_the_initiator_waits_for_ready_while_it_could_go_elsewhere(make_side):
    side = make_side("client", listeners=2, select="listed")
    app = side.keep(side.kerbwrap.connect("db"))
    app.sendall(b"for whoever is ready")
    with side.kerberos.acceptor(side.accept(0), timeout=20) as first:
        first.open_without_ready()
        first.send(RESET, peer.Reset(peer.UNREACHABLE, "no", True).body())
        first.expect_end()
    with side.kerberos.acceptor(side.accept(1), timeout=20) as second:
        second.open()
        assert second.receive_data(20) == b"for whoever is ready"


def test_a_reset_that_is_not_retryable_ends_the_search(make_side):
    side = make_side("client", listeners=2, select="listed")
    app = side.keep(side.kerbwrap.connect("db"))
    with side.kerberos.acceptor(side.accept(0), timeout=20) as first:
        first.open_without_ready()
        first.send(RESET, peer.Reset(peer.FORBIDDEN, "not you").body())
        first.expect_end()
    assert drain(app) == (b"", "reset")
    side.listeners[1].settimeout(0)
    with pytest.raises(BlockingIOError):
        side.listeners[1].accept()


def test_a_principal_that_is_not_allowed_is_told(server_side):
    credentials = server_side.kerberos.credentials("mallory")
    other = server_side.peer(credentials=credentials)
    other.prepare()
    other.send_hello()
    reset = other.expect_reset(peer.FORBIDDEN)
    assert not reset.retryable
    server_side.assert_nothing_reached_the_application()


def test_an_application_that_is_down_is_told(make_side):
    side = make_side("server", connect=f"127.0.0.1:{free_port()}")
    other = side.peer()
    other.prepare()
    other.send_hello()
    assert other.expect_reset(peer.UNREACHABLE).retryable


def test_no_key_for_the_client_is_told_in_an_error_token(server_side):
    domain = server_side.lab.realm.domain
    other = server_side.peer(target=f"orders/web2.{domain}")
    other.send_ap_req()
    token = other.stream.receive_frame(peer.HANDSHAKE_TOKEN_MAX)
    assert other.context.mech == peer.KRB5 and b"\x03\x00" in token[:20]
    with pytest.raises(gssapi.exceptions.GSSError):
        other.context.step(token)
    other.expect_end()
    server_side.assert_nothing_reached_the_application()


def test_the_acceptors_error_token_reaches_the_log(client_side):
    other = client_side.peer(keytab="web2")
    with pytest.raises(gssapi.exceptions.GSSError) as caught:
        other.take_ap_req()
    assert caught.value.token
    other.stream.send_frame(caught.value.token)
    client_side.wait_reason("failed", "(?i)nothing proves")
    other.expect_end()
    client_side.assert_nothing_reached_the_application()


# --- relaying (sections 4 and 5) ---------------------------------------------------


def test_much_data_goes_both_ways_at_once(side):
    other, app = side.open()
    sender = threading.Thread(target=app.sendall, args=(BLOCK,))
    sender.start()
    echo = []
    reader = threading.Thread(
        target=lambda: echo.append(
            applications.receive_exactly(app, len(BLOCK))
        )
    )
    reader.start()
    other.send_data(BLOCK)
    assert other.receive_data(len(BLOCK)) == BLOCK
    sender.join()
    reader.join()
    assert echo == [BLOCK]


@pytest.mark.parametrize("size", [1, 4095, 16383, 16384, 65470, 65471])
def test_records_of_every_size_are_taken(side, size):
    other, app = side.open()
    other.send(DATA, BLOCK[:size])
    assert applications.receive_exactly(app, size) == BLOCK[:size]


def test_an_empty_record_is_nothing(side):
    other, app = side.open()
    other.send(DATA)
    other.send(DATA, b"x")
    assert app.recv(10) == b"x"


def test_many_small_records_in_one_write(side):
    other, app = side.open()
    other.stream.send_raw(
        b"".join(peer.frame(other.seal(DATA, b"%04d" % i)) for i in range(500))
    )
    expected = b"".join(b"%04d" % i for i in range(500))
    assert applications.receive_exactly(app, 2000) == expected


def test_a_small_receiver_gets_small_records(side):
    other = side.peer().open(max_plaintext=4096)
    side.app().sendall(BLOCK[:50000])
    left = 50000
    while left:
        body = other.expect(DATA).body
        assert 0 < len(body) <= 4095
        left -= len(body)


def test_a_conversation_may_come_byte_by_byte(server_side):
    other = server_side.peer()
    other.stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    whole = other.stream.send_raw
    other.stream.send_raw = lambda data: [whole(data[i:i + 1])
                                          for i in range(len(data))]
    other.open()
    other.send(DATA, b"a little")
    other.send(DATA, b" at a time")
    other.send(EOF)
    assert drain(server_side.app()) == (b"a little at a time", "end")


def test_the_application_may_speak_first(side):
    other, app = side.open()
    app.sendall(b"220 ready")
    assert other.receive_data(9) == b"220 ready"
    other.send_data(b"QUIT")
    assert applications.receive_exactly(app, 4) == b"QUIT"


# --- ends (section 6) ---------------------------------------------------------------


def test_the_peer_may_end_first(side):
    other, app = side.open()
    other.send_data(b"last words")
    other.send(EOF)
    assert drain(app) == (b"last words", "end")
    app.sendall(BLOCK)
    app.close()
    assert other.receive_data() == BLOCK
    other.finish()


def test_the_application_may_end_first(side):
    other, app = side.open()
    app.sendall(b"last words")
    app.shutdown(socket.SHUT_WR)
    assert other.receive_data() == b"last words"
    other.send_data(BLOCK)
    other.send(EOF)
    assert drain(app) == (BLOCK, "end")
    other.finish()


def test_an_application_that_resets_becomes_reset_8(side):
    other, app = side.open()
    applications.reset(app)
    reset = other.expect_reset(peer.APPLICATION)
    assert not reset.retryable


def test_an_application_that_resets_after_its_end_becomes_reset_8(side):
    other, app = side.open()
    app.shutdown(socket.SHUT_WR)
    other.expect(EOF)
    applications.reset(app)
    other.send_data(b"into the void")
    other.expect_reset(peer.APPLICATION)


@pytest.mark.parametrize("code", [peer.APPLICATION, peer.SHUTDOWN, 200])
def test_a_reset_resets_the_application(side, code):
    other, app = side.open()
    other.send(RESET, peer.Reset(code, "because").body())
    assert drain(app) == (b"", "reset")
    other.expect_end()


def test_the_sentence_of_a_reset_is_made_safe(side):
    other, _ = side.open()
    mark = f"number {other.connection_id} \x1b[2J\r\n\u202e"
    other.send(RESET, peer.Reset(peer.APPLICATION, mark).body())
    down = side.wait_reason("down", f"number {other.connection_id}")
    assert not re.search("[\x00-\x1f\u202e]", down["reason"])


def test_a_reset_during_the_opening_resets_the_legacy_client(client_side):
    other = client_side.peer()
    other.open_without_ready()
    other.send(RESET, peer.Reset(peer.FORBIDDEN, "not you").body())
    other.expect_end()
    client_side.assert_nothing_reached_the_application()


def keeps_talking_until_it_is_closed(other):
    """The peer reads the end, does not end itself, and sends on."""
    other.expect_end()
    began = time.monotonic()
    with pytest.raises(ConnectionError):
        while time.monotonic() - began < 10 * PATIENCE:
            other.stream.send_raw(bytes(1000))
            time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.parametrize("role", ["server", "client"])
def test_after_both_ends_the_peer_has_close_timeout_to_go(make_side, role):
    side = make_side(role, close_timeout="500ms")
    other, app = side.open()
    other.send(EOF)
    app.shutdown(socket.SHUT_WR)
    other.expect(EOF)
    assert drain(app) == (b"", "end")
    assert keeps_talking_until_it_is_closed(other) > 0.3


@pytest.mark.parametrize("role", ["server", "client"])
def test_after_a_reset_the_peer_has_close_timeout_to_go(make_side, role):
    side = make_side(role, close_timeout="500ms")
    other, app = side.open()
    applications.reset(app)
    other.expect(RESET)
    assert keeps_talking_until_it_is_closed(other) > 0.3


def test_idle_timeout_is_told(make_side):
    side = make_side("server", idle_timeout="300ms")
    other, app = side.open()
    assert not other.expect_reset(peer.TIMEOUT).retryable
    assert drain(app) == (b"", "reset")


def test_pings_are_no_activity(make_side):
    side = make_side("server", idle_timeout="1s", heartbeat="200ms")
    other, _ = side.open()
    pings = 0
    while (message := other.receive()).type == PING:
        other.send(PONG)
        pings += 1
    assert message.reset.code == peer.TIMEOUT
    assert pings > 0


@pytest.mark.parametrize("role", ["server", "client"])
def test_being_stopped_is_told(make_side, role):
    side = make_side(role, settings={"drain_timeout": "200ms"})
    other, app = side.open()
    side.kerbwrap.signal(signal.SIGTERM)
    assert other.expect_reset(peer.SHUTDOWN).retryable
    assert drain(app) == (b"", "reset")


# --- heartbeat (section 7) -------------------------------------------------------------


def test_a_ping_is_answered(side):
    other, _ = side.open()
    other.send(PING)
    other.expect(PONG)


def test_a_ping_is_answered_after_either_end(side):
    other, app = side.open()
    other.send(EOF)
    other.send(PING)
    other.expect(PONG)
    assert drain(app) == (b"", "end")
    app.sendall(b"still there")
    assert other.receive_data(11) == b"still there"


def test_an_unasked_pong_is_harmless(side):
    other, app = side.open()
    other.send(PONG)
    other.send_data(b"x")
    assert app.recv(1) == b"x"


def test_many_pings_at_once_get_at_least_one_pong(side):
    other, app = side.open()
    other.stream.send_raw(
        b"".join(peer.frame(other.seal(PING)) for _ in range(300))
    )
    other.send_data(b"x")
    assert app.recv(1) == b"x"
    app.sendall(b"y")
    pongs = 0
    while (message := other.receive()).type == PONG:
        pongs += 1
    assert message.type == DATA and 1 <= pongs <= 300


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_peer_that_answers_pings_stays(make_side, role):
    side = make_side(role, heartbeat="200ms")
    other, app = side.open()
    for _ in range(3):
        other.expect(PING)
        other.send(PONG)
    other.send_data(b"x")
    assert app.recv(1) == b"x"


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_peer_that_answers_no_ping_is_dead(make_side, role):
    side = make_side(role, heartbeat="200ms")
    other, app = side.open()
    other.expect(PING)
    assert drain(app) == (b"", "reset")
    other.expect_end()
    side.wait_reason("down", "(?i)silent|PING")


def test_no_ping_while_the_application_does_not_read(make_side):
    side = make_side("server", heartbeat="200ms")
    other, app = side.open()
    # More than all buffers on the way take; nobody can answer anything.
    data = BLOCK * 24
    sender = threading.Thread(target=other.send_data, args=(data,))
    sender.start()
    sender.join(1.5 * PATIENCE)
    assert sender.is_alive(), "the buffers took it all"
    assert applications.receive_exactly(app, len(data)) == data
    sender.join()
    assert not side.kerbwrap.events("down")
