#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two legacy applications as processes that may be killed at any moment:

    transfers.py serve PORT PROGRESS    transfers.py send PROGRESS

A transfer is one connection: a header, `up` bytes to the server and `down`
bytes back, both at once, each direction ended by a half-close.  `send` reads
{"id", "port", "up", "down"} from standard input, a line each.  Both print how
each of their connections ended: {"id", "end": "clean" or "error", "got": bytes,
"right": were they the right ones so far?}.  `serve` answers any line on its
standard input once it has no connection left.

PROGRESS is a file of 64-bit numbers, one for each id: how many bytes of that
transfer the kernel has taken from this process.
"""

import json
import mmap
import os
import random
import select
import socket
import struct
import sys
import threading

BLOCK = 1 << 16
HEADER = struct.Struct("<QQQ")
SLOT = struct.Struct("<Q")


def content(number, direction, size):
    """What a transfer carries in one direction."""
    return random.Random(f"{number} {direction}").randbytes(size)


def say(**report):
    # One write, so that whoever is killed leaves whole lines.
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


class Progress:
    def __init__(self, path):
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    def read(self, number):
        return SLOT.unpack_from(self._map, number * SLOT.size)[0]

    def send(self, sock, number, data, done=0):
        """All of data, then the end of this direction.  Did it all go?"""
        view = memoryview(data)
        try:
            while view:
                taken = sock.send(view[:BLOCK])
                done += taken
                SLOT.pack_into(self._map, number * SLOT.size, done)
                view = view[taken:]
            sock.shutdown(socket.SHUT_WR)
            return True
        except OSError:
            return False


def receive(sock, expected):
    """How it ended, how much came, was it right as far as it went?"""
    got = bytearray()
    end = "clean"
    try:
        while part := sock.recv(BLOCK):
            got += part
    except OSError:
        end = "error"
    return {"end": end, "got": len(got),
            "right": expected[:len(got)] == got and len(got) <= len(expected)}


def transfer(sock, progress, number, directions):
    """directions: (name, size) of what is sent, of what is received."""
    (out, out_size), (back, back_size) = directions
    went = []
    sender = threading.Thread(target=lambda: went.append(
        progress.send(sock, number, content(number, out, out_size))))
    sender.start()
    report = receive(sock, content(number, back, back_size))
    sender.join()
    # Of a reset only one call is told: who sends, or who receives.
    if not went[0]:
        report["end"] = "error"
    say(id=number, **report)


def serve_one(sock, progress):
    head = b""
    try:
        while len(head) < HEADER.size:
            part = sock.recv(HEADER.size - len(head))
            if not part:
                say(id=None, end="clean", got=len(head), right=True)
                return
            head += part
    except OSError:
        say(id=None, end="error", got=len(head), right=True)
        return
    number, up, down = HEADER.unpack(head)
    transfer(sock, progress, number, (("down", down), ("up", up)))


def serve(port, path):
    progress = Progress(path)
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    active = set()
    idle = threading.Condition()

    def one(sock):
        with sock:
            serve_one(sock, progress)
        with idle:
            active.discard(sock)
            idle.notify_all()

    say(ready=True)
    while True:
        # Who has come goes before who asks whether anybody is there.
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if listener in ready:
            sock, _ = listener.accept()
            with idle:
                active.add(sock)
            threading.Thread(target=one, args=(sock,), daemon=True).start()
        elif not os.read(sys.stdin.fileno(), BLOCK):
            return
        else:
            with idle:
                idle.wait_for(lambda: not active)
            say(idle=True)


def send_one(order, progress):
    number, up, down = order["id"], order["up"], order["down"]
    try:
        sock = socket.create_connection(("127.0.0.1", order["port"]))
    except OSError:
        say(id=number, end="error", got=0, right=True)
        return
    with sock:
        try:
            sock.sendall(HEADER.pack(number, up, down))
        except OSError:
            say(id=number, end="error", got=0, right=True)
            return
        transfer(sock, progress, number, (("up", up), ("down", down)))


def send(path):
    progress = Progress(path)
    say(ready=True)
    for line in sys.stdin:
        threading.Thread(target=send_one, daemon=True,
                         args=(json.loads(line), progress)).start()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), sys.argv[3])
    else:
        send(sys.argv[2])
