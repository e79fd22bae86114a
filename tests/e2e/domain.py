# SPDX-License-Identifier: BSD-2-Clause
"""The Active Directory domain of tests/lab/ad.sh, from the inside: tests run in
its namespaces, where the domain controller is on its own ports and DNS names
every host by an address of its own.

Domain stands where Realm does elsewhere; Forest is its directory.
"""

import os
import pathlib
import socket
import subprocess

from applications import exchange
from directory import Directory, line, lines
from lab import PATIENCE, ROOT, ini

AD_SH = ROOT / "tests" / "lab" / "ad.sh"


class Domain:
    """The domain whose namespaces this process is in."""

    def __init__(self):
        self.path = pathlib.Path(os.environ["AD_DIR"])
        self.name = os.environ["REALM"]
        self.domain = os.environ["DOMAIN"]
        self.controller = os.environ["DC"]
        self.env = {
            "KRB5_CONFIG": os.environ["KRB5_CONFIG"],
            "BASE_DN": os.environ["BASE_DN"],
            "LDAP_URI": f"ldap://{self.controller}",
            "LDAP_PORT": "389",
            "GC_URI": f"ldap://{self.controller}:3268",
        }

    def keytab(self, name):
        return self.path / "keytabs" / f"{name}.keytab"

    def host(self, name):
        return f"{name}.{self.domain}"

    def address(self, name):
        return socket.gethostbyname(self.host(name))

    def _run(self, command, status=0, **options):
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60 * PATIENCE, **options)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout

    def cache(self, principal):
        """A cache with a ticket of principal; got once."""
        path = self.path / f"{principal.rstrip('$')}.cc"
        if not path.exists():
            keytab = self.keytab(principal.rstrip("$"))
            self._run(["kinit", "-c", path, "-kt", keytab, principal])
        return path

    def run_as(self, principal, *command, status=0):
        env = {**os.environ, "KRB5CCNAME": f"FILE:{self.cache(principal)}"}
        return self._run(command, status, env=env)

    def tool(self, *arguments):
        """samba-tool, on the domain controller's own files."""
        return self._run(
            ["/usr/bin/python3", "/usr/bin/samba-tool", *arguments,
             "-s", os.environ["SMB_CONF"]])

    def new_password(self, account, password):
        """Other keys under the next version number; no keytab has them yet."""
        self.tool("user", "setpassword", account, f"--newpassword={password}")

    def export(self, principal, keytab):
        """Adds the present keys of an account to a keytab."""
        self.tool("domain", "exportkeytab", keytab, f"--principal={principal}")

    def stop(self, daemon="dc"):
        del daemon  # there is but one
        self._run([AD_SH, "stop"])

    def start(self, daemon="dc"):
        if not self.answers():
            self._run([AD_SH, "start"])

    def write_raw(self, dn, attribute, value):
        """Adds a value past all rules of the domain controller, as one that
        came from another domain controller would."""
        import ldb  # Debian's, and only here

        partition = self.env["BASE_DN"].upper()
        raw = ldb.Ldb(str(self.path / f"private/sam.ldb.d/{partition}.ldb"))
        message = ldb.Message(ldb.Dn(raw, dn))
        message[attribute] = ldb.MessageElement(
            value, ldb.FLAG_MOD_ADD, attribute)
        raw.modify(message)

    def answers(self):
        probe = ["ldapsearch", "-x", "-H", self.env["LDAP_URI"], "-s", "base",
                 "-b", "", "-o", "nettimeout=2", "dnsHostName"]
        return subprocess.run(probe, capture_output=True).returncode == 0


class Forest(Directory):
    """What a test has put into the domain is taken back after it."""

    def __init__(self, domain):
        super().__init__(domain)
        self._spns = []
        self._moved = []

    def ldif(self, text, who="Administrator", status=0):
        path = self.realm.path / "change.ldif"
        path.write_text(text)
        self.realm.run_as(who, "ldapmodify", "-Q", "-f", str(path),
                          status=status)

    def entry(self, dn, object_class, **attributes):
        """The domain controller chooses objectGUIDs itself."""
        return "\n".join([
            line("dn", dn), "changetype: add", f"objectClass: {object_class}",
            *lines(attributes), "\n"])

    def account(self, name):
        place = "Computers" if name[-1].isdigit() else "Users"
        return f"CN={name},CN={place},{self.base}"

    def publish(self, name, address, who=None, **attributes):
        """The computer itself publishes a server at address; the SCP's DN."""
        dn = f"CN=orders-{self.number},{self.account(name)}"
        self.ldif(self.entry(dn, "serviceConnectionPoint", **{
            "keywords": self.keyword, "serviceClassName": "orders",
            "serviceDNSName": self.realm.host(name),
            "serviceDNSNameType": "A",
            "serviceBindingInformation": address[1],
            **attributes}), who or f"{name}$")
        self._made.append(dn)
        return dn

    def _spn(self, verb, name, spn, who):
        self.ldif("\n".join([
            line("dn", self.account(name)), "changetype: modify",
            f"{verb}: servicePrincipalName", line("servicePrincipalName", spn),
            "\n"]), who)

    def register(self, name, *spns, who="Administrator"):
        for spn in spns:
            self._spn("add", name, spn, who)
            self._spns.append((name, spn))

    def move(self, name, place):
        """The object of a computer to another place."""
        self.ldif("\n".join([
            line("dn", self.account(name)), "changetype: modrdn",
            f"newrdn: CN={name}", "deleteoldrdn: 1",
            f"newsuperior: {place},{self.base}", "\n"]))
        self._moved.append((name, place))

    def move_back(self):
        while self._moved:
            name, place = self._moved.pop()
            self.ldif("\n".join([
                line("dn", f"CN={name},{place},{self.base}"),
                "changetype: modrdn", f"newrdn: CN={name}", "deleteoldrdn: 1",
                f"newsuperior: CN=Computers,{self.base}", "\n"]))

    def srv(self, name, *targets):
        """SRV records of name: targets are (host, port, priority)."""
        for host, port, priority in targets:
            self.realm.run_as(
                "Administrator", "/usr/bin/python3", "/usr/bin/samba-tool",
                "dns", "add", self.realm.controller, self.realm.domain, name,
                "SRV", f"{host} {port} {priority} 1", "-s",
                os.environ["SMB_CONF"], "--use-kerberos=required")

    def close(self):
        self.realm.start()
        self.move_back()
        for name, spn in self._spns:
            self._spn("delete", name, spn, "Administrator")
        super().close()

    # --- what asks it ---

    def section(self, **changes):
        return {"domain": self.realm.domain, "timeout": "5s", **changes}

    def client(self, **changes):
        return super().client(**{"allow_host": self.realm.host("web1"),
                                 **changes})


# --- parts of a test: site is a Lab in the domain ----------------------------


def server(site, name="web1", application=None, **changes):
    """A sidecar on a host, with the keys of its computer account."""
    return site.kerbwrap({"server db": site.server_keys(
        application or site.echo(), accept=f"{site.realm.address(name)}:0",
        keytab=site.realm.keytab(name), **changes)}, name=name)


def client(site, forest, section=None, **changes):
    """A client sidecar that has looked its servers up."""
    sidecar = site.kerbwrap(
        {"directory": forest.section(**section or {}),
         "client db": forest.client(**changes)}, name="client")
    sidecar.wait_for("discovered", service="db", outcome="found")
    return sidecar


def echoes(sidecar):
    with sidecar.connect("db") as sock:
        return exchange(sock, b"hello") == b"hello"


def published(site, forest, name="web1", **changes):
    """A server with its SCP and the name that every computer may register."""
    sidecar = server(site, name, **changes)
    forest.publish(name, sidecar.address("db"))
    forest.register(name, f"orders/{site.realm.host(name)}", who=f"{name}$")
    return sidecar


def configuration(site, directory, name, keys):
    """The path of a file for a command: [directory], and [NAME] with keys."""
    path = site.path / "asked.ini"
    settings = {"state_dir": site.path, "runtime_dir": site.path}
    path.write_text(ini({"kerbwrap": settings, "directory": directory,
                         name: keys}))
    return path
