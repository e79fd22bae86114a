# SPDX-License-Identifier: BSD-2-Clause
"""`kerbwrap doctor` in a real Active Directory domain: what only a domain
controller tells, each cause in one line."""

import re

import pytest

from domain import server
from lab import ini

pytestmark = pytest.mark.ad

HOST = "orders/web1.corp.example.test"


class Bench:
    """A server on web1, published and sound, with its client."""

    def __init__(self, site, forest):
        self.site = site
        self.forest = forest
        self.realm = site.realm
        self.running = server(site)
        self.address = self.running.address("db")

    def server(self, **changes):
        return {"directory": self.forest.section(), "server db":
                self.site.server_keys(self.running_application(), **{
                    "accept": f"{self.realm.address('web1')}:"
                              f"{self.address[1]}",
                    "keytab": self.realm.keytab("web1"),
                    "dns_name": self.realm.host("web1"), **changes})}

    def running_application(self):
        return self.running.sections["server db"]["connect"]

    def client(self, **changes):
        return {"directory": self.forest.section(),
                "client db": self.forest.client(**changes)}

    def publish(self, **attributes):
        self.forest.publish("web1", self.address, **attributes)

    def register(self, name="web1", spn=HOST):
        self.forest.register(name, spn)

    def run(self, sections, *options):
        file = self.site.path / "doctor.ini"
        file.write_text(ini({"kerbwrap": {
            "max_connections": 100, "status": "none",
            "state_dir": self.site.path, "runtime_dir": self.site.path,
        }, **sections}))
        return self.site.command("doctor", "-c", file, *options)

    def copied_keytab(self, name):
        path = self.site.path / f"{name}.keytab"
        path.write_bytes(self.realm.keytab(name).read_bytes())
        path.chmod(0o600)
        return path


@pytest.fixture
def bench(site, forest):
    return Bench(site, forest)


def failures(result):
    """The lines that failed; each says what to do."""
    print(result.stdout, result.stderr)
    lines = result.stdout.splitlines()
    bad = [i for i, line in enumerate(lines) if line.startswith("FAIL")]
    assert all(lines[i + 1].startswith("      do: ") for i in bad)
    assert result.returncode == (1 if bad else 0)
    return [lines[i] for i in bad]


def only_failure(result):
    bad = failures(result)
    assert len(bad) == 1, bad
    return bad[0]


def test_a_service_that_is_published_is_sound(bench):
    bench.register()
    bench.publish()
    result = bench.run({**bench.server(), **{
        "client db2": bench.client()["client db"]}})
    assert failures(result) == []
    for line in (
            "[server db] login: web1$@CORP.EXAMPLE.TEST has a ",
            f"[server db] key: opens a ticket for {HOST}, which is sealed with ",
            f"[server db] SPN: {HOST}: registered on web1$, key number ",
            f"[server db] handshake: {HOST}@CORP.EXAMPLE.TEST proved itself ",
            "[client db2] servers: the directory has 1, 1 of them accepted",
            "[client db2] DNS: web1.corp.example.test has the address ",
            f"[client db2] handshake: {HOST}@CORP.EXAMPLE.TEST proved itself "):
        assert f"ok    {line}" in result.stdout


def test_a_name_that_nobody_has_is_told(bench):
    """The KDC does not know it either, which is the one cause."""
    bench.publish()
    assert only_failure(bench.run(bench.client())).startswith(
        f"FAIL  [client db] ticket: cannot get a ticket for {HOST}@"
        "CORP.EXAMPLE.TEST as alice@CORP.EXAMPLE.TEST: the KDC knows no such "
        "service; ")
    result = bench.run(bench.server())
    assert f"warn  [server db] key: cannot get a ticket for {HOST}" in (
        result.stdout)
    assert only_failure(result).startswith(
        f"FAIL  [server db] SPN: {HOST}: the SPN {HOST} is not registered on "
        "any account")


def test_a_name_on_another_account_is_told_on_both_sides(bench):
    bench.register("svc-web")
    bench.publish()
    assert only_failure(bench.run(bench.client())).startswith(
        f"FAIL  [client db] handshake: with {HOST} at web1.corp.example.test:")
    said = "\n".join(failures(bench.run(bench.server(spn=HOST))))
    assert (f"[server db] SPN: {HOST}: the SPN {HOST} is registered on another "
            "account, CN=svc-web,") in said
    assert "[server db] key: " in said


def test_a_name_on_two_accounts_is_told(bench):
    bench.register()
    account = bench.forest.account("svc-web")
    bench.realm.write_raw(account, "servicePrincipalName", HOST)
    result = bench.run(bench.server())
    bench.forest.ldif(f"dn: {account}\nchangetype: modify\n"
                      "delete: servicePrincipalName\n\n")
    said = [line for line in failures(result) if "] SPN: " in line]
    assert len(said) == 1
    assert "CN=svc-web," in said[0]


def test_a_key_that_is_out_of_date_is_told(bench):
    keytab = bench.copied_keytab("svc-web")
    bench.register("svc-web", "old/app.corp.example.test")
    bench.realm.new_password("svc-web", "An0ther-Passw0rd")
    result = bench.run(bench.server(
        service_class="old", spn="old/app.corp.example.test", keytab=keytab,
        account="svc-web"))
    bench.realm.export("svc-web", bench.realm.keytab("svc-web"))
    assert only_failure(result).startswith(
        "FAIL  [server db] login: cannot get a ticket for "
        f"svc-web@CORP.EXAMPLE.TEST with keytab {keytab}: the keytab's key is "
        "not the account's any more; export a new keytab")


def test_a_service_that_only_has_rc4_is_told(bench):
    bench.forest.register("old1", "orders/old1.corp.example.test")
    keys = bench.site.client_keys((bench.realm.address("old1"), 7443),
                                  spn="orders/old1.corp.example.test",
                                  connect=f"{bench.realm.host('web1')}:"
                                          f"{bench.address[1]}")
    assert re.match(
        r"FAIL  \[client db\] ticket: (the KDC seals tickets for orders/old1.* "
        r"with .*, only AES is allowed|cannot get a ticket for orders/old1.*: "
        r"the KDC has no key of an encryption type that both sides allow)",
        only_failure(bench.run({"client db": keys})))


def test_a_forged_service_connection_point_is_told(bench):
    bench.forest.publish("web2", bench.address,
                         serviceDNSName=bench.realm.host("web1"))
    assert "[client db] servers: none of 1 service connection points is " in (
        only_failure(bench.run(bench.client())))


def test_a_domain_controller_that_is_down_is_told(bench):
    bench.realm.stop()
    bad = only_failure(bench.run(bench.client()))
    assert bad.startswith(
        "FAIL  [client db] KDC: cannot ask a KDC about "
        "kerbwrap-doctor@CORP.EXAMPLE.TEST: no KDC of the realm ")
