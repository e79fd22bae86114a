# SPDX-License-Identifier: BSD-2-Clause
"""The directory of a throwaway realm, as its administrator: computers, service
connection points, changes.  And directories that do not answer as they should.

Every name here resolves to this machine: hosts are called localhost, and what
tells servers apart is the port.
"""

import base64
import contextlib
import itertools
import re
import uuid

import applications

# What has a meaning in a DN, RFC 4514; escaped as \xx everywhere.
SPECIAL = re.compile(r'[,+"\\<>;=#]|^ | $')


def rdn(value):
    """CN=... of any text."""
    return "CN=" + SPECIAL.sub(lambda m: f"\\{ord(m[0]):02X}", value)


def line(name, value):
    """One line of LDIF; base64, so that any bytes pass."""
    raw = value if isinstance(value, bytes) else str(value).encode()
    return f"{name}:: {base64.b64encode(raw).decode()}"


def lines(attributes):
    """{name: value or list of values}; None leaves one out."""
    for name, values in attributes.items():
        if values is None:
            continue
        for value in values if isinstance(values, list) else [values]:
            yield line(name, value)


class Directory:
    """What a test has put there is told apart by names: `keyword`, `name`."""

    _numbers = itertools.count(1)

    def __init__(self, realm):
        self.realm = realm
        self.base = realm.env["BASE_DN"]
        self.uri = realm.env["LDAP_URI"]
        self.port = int(realm.env["LDAP_PORT"])
        self.number = next(self._numbers)
        self.keyword = f"keyword-{self.number}"
        self._made = []

    # --- changes ---

    def ldif(self, text):
        path = self.realm.path / "change.ldif"
        path.write_text(text)
        self.realm.run_as("Administrator", "ldapmodify", "-Q", "-f", str(path))

    def entry(self, dn, object_class, **attributes):
        """The LDIF of a new entry, with an objectGUID."""
        return "\n".join([
            line("dn", dn), "changetype: add", f"objectClass: {object_class}",
            *lines({"objectGUID": uuid.uuid4().bytes_le, **attributes}), "\n",
        ])

    def add(self, dn, object_class, **attributes):
        self.ldif(self.entry(dn, object_class, **attributes))
        self._made.append(dn)
        return dn

    def computer(self, name="local", host="localhost", **attributes):
        """A new computer; its DN."""
        name = f"{name}-{self.number}"
        return self.add(
            f"CN={name},CN=Computers,{self.base}", "computer",
            **{"sAMAccountName": f"{name}$", "dNSHostName": host,
               **attributes})

    def scp_entry(self, parent, name, address=None, **attributes):
        """The LDIF of a service connection point for address (host, port)."""
        host, port = address or ("localhost", 1)
        return self.entry(f"{rdn(name)},{parent}", "serviceConnectionPoint", **{
            "keywords": self.keyword, "serviceClassName": "orders",
            "serviceDNSName": host.replace("127.0.0.1", "localhost"),
            "serviceDNSNameType": "A", "serviceBindingInformation": port,
            **attributes})

    def scp(self, parent, name="orders", address=None, **attributes):
        """A new service connection point; its DN."""
        self.ldif(self.scp_entry(parent, name, address, **attributes))
        self._made.append(f"{rdn(name)},{parent}")
        return self._made[-1]

    def modify(self, dn, **attributes):
        """Replaces attributes; None removes them."""
        parts = [line("dn", dn), "changetype: modify"]
        for name, values in attributes.items():
            parts += [f"replace: {name}", *lines({name: values}), "-"]
        self.ldif("\n".join(parts) + "\n\n")

    def delete(self, dn):
        self.ldif(f"{line('dn', dn)}\nchangetype: delete\n\n")
        self._made.remove(dn)

    def guid(self, dn):
        """The objectGUID of an entry, as text."""
        answer = self.realm.run_as(
            "Administrator", "ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no",
            "-s", "base", "-b", dn, "objectGUID")
        raw = re.search(r"^objectGUID:: (\S+)$", answer, re.M).group(1)
        return str(uuid.UUID(bytes_le=base64.b64decode(raw)))

    def close(self):
        """Takes back what was made; the daemon must run for it."""
        self.realm.start("slapd")
        changes = [f"{line('dn', dn)}\nchangetype: delete\n\n"
                   for dn in reversed(self._made)]
        self.ldif("".join(changes))

    # --- what asks it ---

    def section(self, **changes):
        """The keys of [directory]."""
        return {"uri": self.uri, "timeout": "2s", **changes}

    def client(self, **changes):
        """The keys of a [client NAME] that finds its server by keyword."""
        return {
            "accept": "127.0.0.1:0", "keywords": self.keyword,
            "service_class": "orders", "allow_host": "localhost",
            "keytab": self.realm.keytab("alice"),
            "principal": f"alice@{self.realm.name}", "select": "listed",
            **changes,
        }


class Valve(applications.Tee):
    """Relays to target until hang(); new connections are then taken and never
    answered."""

    def __init__(self, target):
        self.hanging = False
        super().__init__(target)

    def hang(self):
        self.hanging = True

    def serve(self, sock):
        if not self.hanging:
            super().serve(sock)
            return
        with contextlib.suppress(OSError):
            while sock.recv(applications.BLOCK):
                pass
