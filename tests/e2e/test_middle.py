# SPDX-License-Identifier: BSD-2-Clause
"""An attacker between two real sidecars.  Whatever he does to frames: what an
application gets is a beginning of what was sent, it sees a clean end only
behind all of it, the server's application is dialled only for who is there now,
and each sidecar logs one line that says what happened."""

import collections
import concurrent.futures
import itertools
import random
import re
import socket

import applications
import pytest
from lab import PATIENCE, wait_until
from middle import (FIN, RST, Middle, at_frame, cut, drop, end_before,
                    end_behind, exchange, flip, honest, insert, length,
                    reflect, repeat, repeat_later, swap)

# What passes in a conversation: AP-REQ, HELLO, DATA, DATA, EOF one way;
# AP-REP, HELLO, READY, DATA, DATA, EOF the other.
FRAMES = {"out": 5, "back": 6}
CLEAN = "finished"


class Text:
    """What the two applications say in conversation number n."""

    TAG = 9

    def __init__(self, number, size):
        self.tag = b"%08d " % number
        self.question = self.tag + b"who is there? "
        self.answer = b"it is " + self.tag
        self.more = b"and then? " + self.long("x", size)
        self.rest = b"nothing " + self.long("y", size)
        self.asked = self.question + self.more
        self.answered = self.answer + self.rest

    def long(self, mark, size):
        """No part of it is like another's, or elsewhere in it."""
        parts = (b"%s%s%d " % (self.tag, mark.encode(), at)
                 for at in range(0, size, 16))
        return b"".join(parts)


def hear(sock, data, size=None):
    """Adds to data, up to size bytes of it or the end; how it ended."""
    try:
        while size is None or len(data) < size:
            part = sock.recv(1 << 16 if size is None else size - len(data))
            if not part:
                return "end"
            data += part
    except TimeoutError:
        return "hung"
    except OSError:  # ENOTCONN too: it was reset before
        return "reset"
    return None


class Run:
    """One conversation, and what became of it."""

    def __init__(self, text):
        self.text = text
        self.asked, self.answered = bytearray(), bytearray()  # as received
        self.server_saw = None  # None: was not dialled
        self.client_saw = None
        self.client_lines, self.server_lines = [], []

    def is_whole(self):
        return (self.server_saw == self.client_saw == "end"
                and self.asked == self.text.asked
                and self.answered == self.text.answered)

    def assert_sound(self):
        assert self.text.asked.startswith(self.asked)
        assert self.text.answered.startswith(self.answered)
        assert self.server_saw in (None, "end", "reset")
        assert self.client_saw in ("end", "reset")
        assert self.server_saw != "end" or self.asked == self.text.asked
        assert self.client_saw != "end" or self.answered == self.text.answered

    def assert_told(self):
        """Each sidecar says once what happened."""
        for lines in (self.client_lines, self.server_lines):
            assert len(lines) == 1 and lines[0]["reason"], lines

    def reasons(self):
        return [line["reason"]
                for line in self.client_lines + self.server_lines]

    def was_noticed(self):
        """A line that the log withheld was one of a failure."""
        reasons = self.reasons()
        return len(reasons) < 2 or any(reason != CLEAN for reason in reasons)


class Meeting:
    """A client, its sidecar, the attacker, the server's sidecar, the server."""

    QUICK = {"handshake_timeout": "2s", "connect_timeout": "1s",
             "heartbeat": "700ms", "close_timeout": "2s",
             # Where a longer length is forged, heartbeats go on filling it.
             "idle_timeout": "4s"}

    def __init__(self, lab, size=16, **server):
        self.size = size
        self._numbers = itertools.count(1)
        self.runs = {}
        self.strangers = []
        self._names = set()
        self.application = lab.application(self._serve)
        self.tunnel = lab.tunnel(
            self.application, server={**self.QUICK, **server},
            client=self.QUICK, settings={"max_handshakes_per_source": 500},
            between=lambda target: self._place(lab, target))

    def _place(self, lab, target):
        self.middle = lab.keep(Middle(target))
        return self.middle.address

    def _serve(self, sock):
        sock.settimeout(20 * PATIENCE)
        data = bytearray()
        saw = hear(sock, data, Text.TAG)
        run = self.runs.get(bytes(data))
        if run is None:
            self.strangers.append((bytes(data), saw))
            return
        run.asked = data
        saw = saw or hear(sock, data, len(run.text.question))
        try:
            if saw is None:
                sock.sendall(run.text.answer)
                saw = hear(sock, data)
            if saw == "end":
                sock.sendall(run.text.rest)
        except ConnectionError:
            saw = saw or "reset"
        run.server_saw = saw

    def _socket(self):
        """One of an address that no other of ours had: lines of the log are
        told apart by it."""
        while True:
            sock = socket.socket()
            sock.settimeout(20 * PATIENCE)
            sock.bind(("127.0.0.1", 0))
            name = "%s:%d" % sock.getsockname()
            if name not in self._names:
                self._names.add(name)
                return sock, name
            sock.close()

    def run(self, attack=honest):
        run = Run(Text(next(self._numbers), self.size))
        self.runs[run.text.tag] = run
        with self.middle.expect(attack) as channels:
            sock, run.client = self._socket()
            # It may be all over before these return.
            saw = None
            try:
                sock.connect(self.tunnel.client.address("db"))
                sock.sendall(run.text.question)
            except ConnectionError:
                saw = "reset"
        run.channels = channels
        run.server = "127.0.0.1:%d" % channels[0].port
        with sock:
            saw = saw or hear(sock, run.answered, len(run.text.answer))
            try:
                if saw is None:
                    sock.sendall(run.text.more)
                    sock.shutdown(socket.SHUT_WR)
                    saw = hear(sock, run.answered)
            except TimeoutError:
                saw = "hung"
            except OSError:  # ENOTCONN too: it was reset before the shutdown
                saw = "reset"
            run.client_saw = saw
        return run

    def run_all(self, attacks, may_withhold=False):
        """Side by side.  may_withhold: lines over the log's limit."""
        with concurrent.futures.ThreadPoolExecutor(80) as pool:
            runs = list(pool.map(self.run, attacks))
        self.application.wait_idle(60)
        ends = (("client_lines", self.tunnel.client, "client"),
                ("server_lines", self.tunnel.server, "server"))
        for name, sidecar, place in ends:
            def look():
                lines = end_lines(sidecar)
                for run in runs:
                    setattr(run, name, lines[getattr(run, place)])
                return all(getattr(run, name) for run in runs)
            if may_withhold:
                look()
            else:
                wait_until(look)
        for run in runs:
            run.assert_sound()
            if not may_withhold:
                run.assert_told()
        # Who was dialled for and said nothing of its own saw no clean end.
        for data, saw in self.strangers:
            assert saw == "reset" and len(data) < Text.TAG
        return runs


def end_lines(sidecar):
    """The last lines of connections, by the address they came from."""
    lines, origin = collections.defaultdict(list), {}
    for event in sidecar.events_of("failed", "refused", "probe", "up", "down"):
        if event["event"] == "up":
            origin[event["id"]] = event["from"]
        elif event["event"] == "down":
            lines[origin[event["id"]]].append(event)
        else:
            lines[event["from"]].append(event)
    return lines


@pytest.fixture
def meeting(lab):
    return Meeting(lab)


@pytest.fixture
def both_ways(lab):
    """Runs check(meeting, way) for each way, side by side."""

    def run(check, **options):
        meetings = [Meeting(lab, **options) for _ in FRAMES]
        with concurrent.futures.ThreadPoolExecutor(len(FRAMES)) as pool:
            list(pool.map(check, meetings, FRAMES))

    return run


def test_nothing_is_wrong_with_an_honest_relay(meeting):
    (run,) = meeting.run_all([honest])
    assert run.is_whole() and run.reasons() == [CLEAN, CLEAN]
    out, back = run.channels
    assert (len(out.passed), len(back.passed)) == (5, 6)


# --- whole frames -----------------------------------------------------------

CHANGES = {
    "dropped": drop,
    "repeated": repeat,
    "reflected": reflect,
    "behind noise": insert,
    "FIN before": end_before(FIN),
    "FIN behind": end_behind(FIN),
    "RST before": end_before(RST),
    "RST behind": end_behind(RST),
    "length 0": length(lambda size: 0),
    "one more": length(lambda size: size + 1),
    "one less": length(lambda size: size - 1),
    "length 131073": length(lambda size: 131073),
    "length 0xffffffff": length(lambda size: 0xFFFFFFFF),
}
# What touches nothing that anybody still waits for.
HARMLESS = {("back", 5, "repeated"), ("back", 5, "FIN behind"),
            ("back", 5, "RST behind")}


def tamper(meeting, way):
    cases = [(number, name) for number in range(FRAMES[way])
             for name in CHANGES]
    attacks = [at_frame(way, number, CHANGES[name]) for number, name in cases]
    attacks += [swap(way, number) for number in range(FRAMES[way])]
    cases += [(number, "swapped") for number in range(FRAMES[way])]
    attacks += [repeat_later(way, number) for number in range(FRAMES[way] - 2)]
    cases += [(number, "again") for number in range(FRAMES[way] - 2)]
    for case, run in zip(cases, meeting.run_all(attacks)):
        print(case, run.server_saw, run.client_saw, run.reasons())
        assert run.was_noticed() or (way, *case) in HARMLESS, case
        if way == "out" and case[0] < 2 and not case[1].endswith("behind") \
                and case[1] not in ("repeated", "again"):
            assert run.server_saw is None, case


def test_frames_that_are_tampered_with_are_noticed(both_ways):
    both_ways(tamper)


def mix_up(meeting, way):
    (other,) = meeting.run_all([honest])
    numbers = range(FRAMES[way])
    runs = meeting.run_all(
        [at_frame(way, n, exchange(other.channels)) for n in numbers])
    for n, run in zip(numbers, runs):
        assert run.was_noticed(), n
        assert run.server_saw is None or n >= 2 or way == "back"


def test_frames_of_another_connection_are_refused(both_ways):
    both_ways(mix_up)


# --- bits and bytes ---------------------------------------------------------


def sampled(frame):
    """The frame's length, each field of the token's header, the beginning, the
    middle and the end of what is sealed."""
    size = len(frame)
    return [0, 1, 2, 3, 4, 6, 7, 9, 11, 19, 20, size // 2, size - 13, size - 1]


def all_of(frame):
    return range(len(frame))


def frames_of(meeting, way):
    (model,) = meeting.run_all([honest])
    return enumerate(model.channels[way == "back"].passed)


def assert_flips_are_noticed(meeting, way, offsets_in=sampled, **options):
    cases = [(number, offset, 1 << random.randrange(8))
             for number, frame in frames_of(meeting, way)
             for offset in offsets_in(frame)]
    attacks = [at_frame(way, number, flip(offset, mask))
               for number, offset, mask in cases]
    for case, run in zip(cases, meeting.run_all(attacks, **options)):
        # What an AP-REQ and an AP-REP say in clear is a hint at most.
        assert run.was_noticed() or case[0] == 0 and run.is_whole(), case


def test_flipped_bits_are_noticed(both_ways):
    both_ways(assert_flips_are_noticed)


@pytest.mark.soak
@pytest.mark.parametrize("way", FRAMES)
def test_a_flipped_bit_in_any_byte_is_noticed(meeting, way):
    assert_flips_are_noticed(meeting, way, all_of, may_withhold=True)


def around(frame):
    return [1, 4, 5, len(frame) - 1]


def assert_cuts_are_noticed(meeting, way, offsets_in=around, **options):
    cases = [(number, offset, how)
             for number, frame in frames_of(meeting, way)
             for offset in offsets_in(frame) for how in (FIN, RST)]
    attacks = [at_frame(way, number, cut(offset, how))
               for number, offset, how in cases]
    for case, run in zip(cases, meeting.run_all(attacks, **options)):
        assert run.was_noticed() and not run.is_whole(), case


def test_cuts_inside_of_frames_are_noticed(both_ways):
    both_ways(assert_cuts_are_noticed)


@pytest.mark.soak
@pytest.mark.parametrize("way", FRAMES)
def test_a_cut_at_any_byte_is_noticed(meeting, way):
    assert_cuts_are_noticed(meeting, way, all_of, may_withhold=True)


# --- much data --------------------------------------------------------------


def damage_much(meeting, way):
    names = [*CHANGES, "flipped", "swapped"]
    attacks = [at_frame(way, 12, CHANGES[name]) for name in CHANGES]
    attacks += [at_frame(way, 12, flip(500)), swap(way, 12)]
    for name, run in zip(names, meeting.run_all(attacks)):
        assert run.was_noticed() and not run.is_whole(), name
        assert len(run.channels[way == "back"].passed) > 12


def test_much_data_is_never_delivered_beyond_the_damage(both_ways):
    both_ways(damage_much, size=400_000)


# --- whoever is not there now -----------------------------------------------

# A cache refuses it at once; without, or on another host, it gets no further
# than the HELLO that only the owner of the session key can seal.
REPLAYED = {True: "replay", False: "HELLO was due|its checksum is wrong"}


def replay(sidecar, stream):
    """Sends what was recorded, and ends; where it came from."""
    with sidecar.connect("db") as sock:
        name = "%s:%d" % sock.getsockname()
        sock.sendall(stream)
        try:
            sock.shutdown(socket.SHUT_WR)
            applications.receive_all(sock)
        except OSError:
            pass
    return name


@pytest.mark.parametrize("replay_cache", ["yes", "no"])
def test_a_recorded_connection_dials_nobody(lab, replay_cache):
    meeting = Meeting(lab, replay_cache=replay_cache)
    (run,) = meeting.run_all([honest])
    other_application = lab.echo()
    other = lab.kerbwrap({"server db": lab.server_keys(
        other_application, replay_cache=replay_cache)}, name="other")
    passed = run.channels[0].passed

    for sidecar in (meeting.tunnel.server, other):
        for frames in (passed, passed[:1], passed[:2]):
            name = replay(sidecar, b"".join(frames))
            wait_until(lambda: end_lines(sidecar)[name])
            (line,) = end_lines(sidecar)[name]
            assert line["event"] == "failed"
            seen = sidecar is meeting.tunnel.server or frames is not passed
            known = replay_cache == "yes" and seen
            assert re.search(REPLAYED[known], line["reason"])
    assert meeting.application.accepted == 1
    assert other_application.accepted == 0
    assert other.events("up") == []


# --- elsewhere --------------------------------------------------------------

STEERED = {  # what the right service has, and the wrong one
    "another label": ({"tunnel": "one"}, {"tunnel": "two"}),
    "a label where none is set": ({}, {"tunnel": "two"}),
    "no label": ({"tunnel": "one"}, {}),
    "another name": ({}, {"spn": "orders/other.corp.example.test"}),
    "another class": ({}, {"service_class": "HTTP"}),
}


@pytest.mark.parametrize("what", STEERED)
def test_a_client_cannot_be_steered_to_another_service(lab, what):
    """Of the same key: the attacker lets it dial the wrong one."""
    ours, theirs = STEERED[what]
    right, wrong = lab.echo(), lab.echo()
    server = lab.kerbwrap({
        "server right": lab.server_keys(right, **ours),
        "server wrong": lab.server_keys(wrong, **theirs)}, name="server")
    middle = lab.keep(Middle(server.address("wrong")))
    label = {"tunnel": ours["tunnel"]} if "tunnel" in ours else {}
    client = lab.kerbwrap({"client db": lab.client_keys(
        middle.address, **label)}, name="client")
    with middle.expect(honest):
        sock = client.connect("db")
    with sock:
        assert applications.is_reset(sock)
    wait_until(lambda: end_lines(client) and end_lines(server))
    ((ours,),), ((theirs,),) = (end_lines(sidecar).values()
                                for sidecar in (client, server))
    word = "which is not a name" if "name" in what or "class" in what \
        else "tunnel labels differ"
    assert word in ours["reason"] and word in theirs["reason"]
    assert ours["event"] == "refused"
    assert wrong.accepted == right.accepted == 0
