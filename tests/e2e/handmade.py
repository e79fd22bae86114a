# SPDX-License-Identifier: BSD-2-Clause
"""What no GSSAPI library makes, by libkrb5's own calls: an AP-REQ whose checksum
(RFC 4121 section 4.1.1) claims any flags, and a ticket as large as that of a
user of Active Directory who is in a thousand groups."""

import ctypes
import struct

FLAGS = {"mutual authentication": 2, "replay detection": 4,
         "sequence detection": 8, "confidentiality": 16, "integrity": 32}
ALL_FLAGS = sum(FLAGS.values())
DCE_STYLE = 0x1000  # three legs

CHECKSUM_TYPE = 0x8003
MUTUAL_REQUIRED = 0x20000000  # AP_OPTS_MUTUAL_REQUIRED
DO_SEQUENCE = 0x04  # KRB5_AUTH_CONTEXT_DO_SEQUENCE
MECHANISM = bytes.fromhex("06092a864886f712010202")
AP_REQ = b"\x01\x00"


class Data(ctypes.Structure):
    """krb5_data"""

    _fields_ = [("magic", ctypes.c_int32), ("length", ctypes.c_uint),
                ("data", ctypes.c_void_p)]

    def bytes(self):
        return ctypes.string_at(self.data, self.length)


class Keyblock(ctypes.Structure):
    """krb5_keyblock; and krb5_authdata, which looks the same"""

    _fields_ = [("magic", ctypes.c_int32), ("type", ctypes.c_int32),
                ("length", ctypes.c_uint), ("contents", ctypes.c_void_p)]


class Credentials(ctypes.Structure):
    """krb5_creds"""

    _fields_ = [("magic", ctypes.c_int32), ("client", ctypes.c_void_p),
                ("server", ctypes.c_void_p), ("key", Keyblock),
                ("times", ctypes.c_int32 * 4), ("is_skey", ctypes.c_uint),
                ("flags", ctypes.c_int32), ("addresses", ctypes.c_void_p),
                ("ticket", Data), ("second_ticket", Data),
                ("authdata", ctypes.POINTER(ctypes.POINTER(Keyblock)))]


def data_of(text):
    buffer = ctypes.create_string_buffer(text, len(text))
    return Data(0, len(text), ctypes.cast(buffer, ctypes.c_void_p)), buffer


class Library:
    """libkrb5 with one context and one auth context, which are left to the end
    of the process."""

    def __init__(self):
        self._krb5 = ctypes.CDLL("libkrb5.so.3")
        self.context = ctypes.c_void_p()
        self.auth = ctypes.c_void_p()
        self._check(self._krb5.krb5_init_context(ctypes.byref(self.context)))
        self("auth_con_init", ctypes.byref(self.auth))

    @staticmethod
    def _check(code):
        assert code == 0, f"libkrb5 fails with {code}"

    def __call__(self, name, *arguments):
        self._check(getattr(self._krb5, f"krb5_{name}")(self.context,
                                                        *arguments))

    def resolve(self, what, name):
        handle = ctypes.c_void_p()
        self(what, name.encode(), ctypes.byref(handle))
        return handle


def ap_req(ccache, service, host, flags):
    """For service/host, by who has the ticket cache, claiming these flags."""
    library = Library()
    cache = library.resolve("cc_resolve", f"FILE:{ccache}")
    checksum, _keep = data_of(struct.pack("<I16xI", 16, flags))
    request = Data()
    library("auth_con_set_req_cksumtype", library.auth, CHECKSUM_TYPE)
    library("auth_con_setflags", library.auth, DO_SEQUENCE)
    library("mk_req", ctypes.byref(library.auth), MUTUAL_REQUIRED,
            service.encode(), host.encode(), ctypes.byref(checksum), cache,
            ctypes.byref(request))
    # The framing of RFC 2743 section 3.1.
    inner = MECHANISM + AP_REQ + request.bytes()
    return b"\x60\x82" + struct.pack(">H", len(inner)) + inner


def fetch_large_ticket(ccache, client, server, size):
    """Into the ticket cache: one for server that holds size bytes of
    authorization data, of a type that nobody knows."""
    library = Library()
    filling = ctypes.create_string_buffer(size)
    data = Keyblock(0, 600, size, ctypes.cast(filling, ctypes.c_void_p))
    wanted = Credentials(
        client=library.resolve("parse_name", client),
        server=library.resolve("parse_name", server),
        authdata=(ctypes.POINTER(Keyblock) * 2)(ctypes.pointer(data), None))
    got = ctypes.POINTER(Credentials)()
    cache = library.resolve("cc_resolve", f"FILE:{ccache}")
    scratch = library.resolve("cc_resolve", "MEMORY:handmade")
    library("cc_initialize", scratch, wanted.client)
    library("cc_copy_creds", cache, scratch)
    library("get_credentials", 0, scratch, ctypes.byref(wanted),
            ctypes.byref(got))
    assert got.contents.ticket.length > size
    # Else only who asks for the same data would find it.
    got.contents.authdata = None
    library("cc_store_cred", cache, got)
