# SPDX-License-Identifier: BSD-2-Clause
"""One security context of Heimdal's GSSAPI, in a process of its own: its
libraries do not go together with MIT's.  Each line of standard input is a call,
[name, argument...] in JSON with bytes in hexadecimal; each line of standard
output its answer."""

import ctypes
import json
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_uint32, c_void_p

GSS_C_MUTUAL, GSS_C_REPLAY, GSS_C_SEQUENCE, GSS_C_CONF, GSS_C_INTEG = (
    2, 4, 8, 16, 32)
WANTED = (GSS_C_MUTUAL | GSS_C_REPLAY | GSS_C_SEQUENCE | GSS_C_CONF |
          GSS_C_INTEG)
KRB5 = bytes.fromhex("2a864886f712010202")
KRB5_NAME = bytes.fromhex("2a864886f71201020201")


class Buffer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("value", c_void_p)]

    @classmethod
    def of(cls, data):
        buffer = cls(len(data), ctypes.cast(c_char_p(data), c_void_p))
        buffer.data = data  # kept alive
        return buffer

    def take(self, library):
        data = ctypes.string_at(self.value, self.length) if self.value else b""
        library.gss_release_buffer(byref(c_uint32()), byref(self))
        return data


class Oid(ctypes.Structure):
    _fields_ = [("length", c_uint32), ("elements", c_void_p)]

    @classmethod
    def of(cls, data):
        oid = cls(len(data), ctypes.cast(c_char_p(data), c_void_p))
        oid.data = data
        return oid


class Context:
    def __init__(self, library):
        self.library = library
        self.handle = c_void_p()
        self.flags = c_uint32()
        self.mechanism = Oid.of(KRB5)
        self.target = c_void_p()

    def call(self, name, *arguments):
        """Supplementary bits (a replay, a gap) are errors too."""
        minor = c_uint32()
        function = getattr(self.library, name)
        function.restype = c_uint32
        major = function(byref(minor), *arguments)
        if major & ~1:
            raise ArithmeticError(f"{name}: {major:#x}, {minor.value}")
        return major

    def initiate(self, target):
        name = Buffer.of(target.encode())
        self.call("gss_import_name", byref(name), byref(Oid.of(KRB5_NAME)),
                  byref(self.target))
        return []

    def step_initiator(self, token):
        given, made = Buffer.of(bytes.fromhex(token)), Buffer()
        major = self.call(
            "gss_init_sec_context", None, byref(self.handle), self.target,
            byref(self.mechanism), c_uint32(WANTED), c_uint32(0), None,
            byref(given) if token else None, None, byref(made),
            byref(self.flags), None)
        return [made.take(self.library).hex(), major == 0, self.flags.value]

    def step_acceptor(self, token):
        given, made = Buffer.of(bytes.fromhex(token)), Buffer()
        major = self.call(
            "gss_accept_sec_context", byref(self.handle), None, byref(given),
            None, None, None, byref(made), byref(self.flags), None, None)
        return [made.take(self.library).hex(), major == 0, self.flags.value]

    def wrap(self, data, encrypt):
        given, made, state = Buffer.of(bytes.fromhex(data)), Buffer(), c_int()
        self.call("gss_wrap", self.handle, c_int(encrypt), c_uint32(0),
                  byref(given), byref(state), byref(made))
        return [made.take(self.library).hex(), bool(state.value)]

    def unwrap(self, token):
        given, made, state = Buffer.of(bytes.fromhex(token)), Buffer(), c_int()
        self.call("gss_unwrap", self.handle, byref(given), byref(made),
                  byref(state), None)
        return [made.take(self.library).hex(), bool(state.value)]


def main():
    library = ctypes.CDLL("libgssapi.so.3")
    library.gss_release_buffer.argtypes = [POINTER(c_uint32), POINTER(Buffer)]
    context = Context(library)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = getattr(context, name)(*arguments)
        except ArithmeticError as failure:
            answer = {"failed": str(failure)}
        print(json.dumps(answer), flush=True)


main()
