# SPDX-License-Identifier: BSD-2-Clause
"""The attacker in the middle: stands between two real sidecars, knows where
each frame begins, and changes what passes.

An attack is a function attack(frame, channel) that returns what goes on in
place of one frame: a list of bytes, or of FIN and RST, which end it.  `channel`
is one direction of one connection.
Nothing here has a key.
"""

import contextlib
import queue
import socket
import struct
import threading

from applications import Listener, connect, reset

FIN, RST = object(), object()
HEADER = 4


def honest(frame, channel):
    return [frame]


class Channel:
    """One direction.  way: "out" from the initiator, "back" from the
    acceptor; number: of the frame that passes, from 0; port: where the acceptor
    sees the connection come from."""

    def __init__(self, way, source, sink):
        self.way = way
        self.source = source
        self.sink = sink
        self.number = 0
        self.passed = []  # all frames, as they came

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.source.recv(size - len(data))
            if not part:
                return data
            data += part
        return data

    def frame(self):
        """The next, or what there is of it."""
        header = self.receive(HEADER)
        if len(header) < HEADER:
            return header
        return header + self.receive(struct.unpack(">I", header)[0])

    def carry(self, attack):
        with contextlib.suppress(OSError):
            while frame := self.frame():
                self.passed.append(frame)
                for part in attack(frame, self):
                    if part is RST:
                        reset(self.sink)
                        return
                    if part is FIN:
                        self.sink.shutdown(socket.SHUT_WR)
                        self.drop()
                        return
                    self.sink.sendall(part)
                self.number += 1
        with contextlib.suppress(OSError):
            self.sink.shutdown(socket.SHUT_WR)

    def drop(self):
        """What its sender still says goes nowhere."""
        while self.source.recv(1 << 16):
            pass


class Middle(Listener):
    """Relays to target; connections come one at a time, by expect()."""

    def __init__(self, target):
        self.target = target
        self._attack = honest
        self._begun = queue.Queue()  # pairs of channels
        self._turn = threading.Lock()
        super().__init__()

    @contextlib.contextmanager
    def expect(self, attack):
        """Whoever connects inside is met with this attack.  Gives a list that
        holds both channels afterwards."""
        channels = []
        with self._turn:
            # Whoever came uninvited, say for a port that was another's before.
            while not self._begun.empty():
                self._begun.get_nowait()
            self._attack = attack
            yield channels
            channels += self._begun.get(timeout=60)

    def serve(self, sock):
        attack = self._attack
        with connect(self.target, timeout=None) as onward:
            out = Channel("out", sock, onward)
            back = Channel("back", onward, sock)
            out.port = back.port = onward.getsockname()[1]
            self._begun.put((out, back))
            thread = threading.Thread(target=back.carry, args=(attack,),
                                      daemon=True)
            thread.start()
            out.carry(attack)
            thread.join()


# --- attacks ----------------------------------------------------------------


def at_frame(way, number, change):
    """change(frame, channel) on one frame of one direction."""

    def attack(frame, channel):
        if channel.way == way and channel.number == number:
            return change(frame, channel)
        return [frame]

    return attack


def drop(frame, channel):
    return []


def repeat(frame, channel):
    return [frame, frame]


def repeat_later(way, number):
    """Again, behind the next one."""

    def attack(frame, channel):
        if channel.way != way:
            return [frame]
        if channel.number == number + 1:
            return [frame, channel.passed[number]]
        return [frame]

    return attack


def swap(way, number):
    """This one behind the next."""

    def attack(frame, channel):
        if channel.way != way or channel.number not in (number, number + 1):
            return [frame]
        if channel.number == number:
            return []
        return [frame, channel.passed[number]]

    return attack


def reflect(frame, channel):
    """Back to who sent it, and to nobody else."""
    with contextlib.suppress(OSError):
        channel.source.sendall(frame)
    return []


def end_before(how):
    return lambda frame, channel: [how]


def end_behind(how):
    return lambda frame, channel: [frame, how]


def length(change):
    """Another length before the same token."""

    def forge(frame, channel):
        size = change(len(frame) - HEADER) & 0xFFFFFFFF
        return [struct.pack(">I", size) + frame[HEADER:]]

    return forge


def insert(frame, channel):
    """A record of nobody before it: a wrap token's header, and noise."""
    token = bytes.fromhex("0504 07ff 0000 0000") + bytes(8) + bytes(range(64))
    return [struct.pack(">I", len(token)) + token, frame]


def flip(offset, mask=1):
    """One bit of the frame, its length included."""

    def change(frame, channel):
        changed = bytearray(frame)
        changed[offset % len(frame)] ^= mask
        return [bytes(changed)]

    return change


def cut(offset, how):
    """So many bytes of the frame, and no more."""
    return lambda frame, channel: [frame[:offset], how]


def exchange(channels):
    """The frame of the same place in another connection."""

    def change(frame, channel):
        other = channels[0 if channel.way == "out" else 1]
        return [other.passed[channel.number]]

    return change
