# SPDX-License-Identifier: BSD-2-Clause
"""Names of our own: a network namespace with only loopback in it, /etc/hosts
and /etc/resolv.conf as a test wants them, and a name server.

As a script, `names.py COMMAND...` runs inside of `unshare`, prepares all that
but the name server, and becomes COMMAND.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

FILES = {
    "/etc/hosts": "127.0.0.1 localhost web1.corp.example.test "
                  "web2.corp.example.test evil.example.test\n",
    "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "/etc/nsswitch.conf": "hosts: files dns\n",
}
# What the script ends with when the kernel does not let it.
UNABLE = 77


def unshare():
    """The command that gives a process namespaces of its own."""
    return ["unshare", "-mn"] if os.getuid() == 0 else ["unshare", "-rmn"]


def raise_loopback():
    request = bytearray(struct.pack("16sH22x", b"lo", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8913, request)  # SIOCGIFFLAGS
        flags = struct.unpack_from("H", request, 16)[0] | 1  # IFF_UP
        struct.pack_into("H", request, 16, flags)
        fcntl.ioctl(sock, 0x8914, request)  # SIOCSIFFLAGS


def replace(path, text):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        # The mount outlives the name.
        subprocess.run(["mount", "--bind", file.name, path], check=True)


def main():
    try:
        raise_loopback()
        for path, text in FILES.items():
            replace(path, text)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"cannot have names of our own: {error}")
        sys.exit(UNABLE)
    os.execvp(sys.argv[1], sys.argv[1:])


class NameServer:
    """Answers SRV questions from `records`, {name: [(priority, weight, port,
    target), ...]}, and says that the names in `hosts` are this machine; any
    other name does not exist.  What `mode` says else: "silent" or
    "garbage"."""

    def __init__(self):
        self.records = {}
        self.hosts = set()
        self.mode = "sound"
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @staticmethod
    def _encode(name):
        return b"".join(bytes([len(label)]) + label.encode()
                        for label in name.split(".") if label) + b"\0"

    @staticmethod
    def _question(packet):
        """The name that is asked for, and where the question ends."""
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        return ".".join(labels), at + 5

    def _answer(self, packet):
        name, end = self._question(packet)
        self.asked.append(name)
        if self.mode == "garbage":
            return packet[:2] + b"\x81\x80\xff\xff\xff\xff" + packet[4:]
        if name.lower() in self.hosts:
            return self._address(packet, end)
        records = self.records.get(name.lower(), [])
        answer = packet[:2] + struct.pack(
            ">HHHHH", 0x8180 if records else 0x8183, 1, len(records), 0, 0)
        answer += packet[12:end]
        for priority, weight, port, target in records:
            data = struct.pack(">HHH", priority, weight, port)
            data += self._encode(target)
            answer += b"\xc0\x0c" + struct.pack(">HHIH", 33, 1, 60, len(data))
            answer += data
        return answer

    @staticmethod
    def _address(packet, end):
        """127.0.0.1 for who asks for an A record, nothing else."""
        found = packet[end - 4:end - 2] == b"\0\x01"
        answer = packet[:2] + struct.pack(">HHHHH", 0x8180, 1, found, 0, 0)
        answer += packet[12:end]
        if found:
            answer += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4)
            answer += b"\x7f\0\0\x01"
        return answer

    def _serve(self):
        while not self._closing:
            packet, peer = self.socket.recvfrom(4096)
            if packet and self.mode != "silent":
                self.socket.sendto(self._answer(packet), peer)

    def close(self):
        self._closing = True
        # Wakes the thread, which close does not.
        self.socket.sendto(b"", self.socket.getsockname())
        self._thread.join()
        self.socket.close()


if __name__ == "__main__":
    main()
