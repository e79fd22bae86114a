# SPDX-License-Identifier: BSD-2-Clause
"""What test_srv.py runs where names are ours: web1 and web2.corp.example.test
and evil.example.test are this machine, and 127.0.0.1:53 is our name server."""

import json

import pytest

import test_readme
from applications import exchange
from lab import PATIENCE, free_port
from names import NameServer
from pulse import Pulse, comes_back, prompt

ORDERS = "_orders._tcp.corp.example.test"
WEB1 = "web1.corp.example.test"
WEB2 = "web2.corp.example.test"


@pytest.fixture
def dns(lab, realm):
    dns = lab.keep(NameServer())
    dns.records = {
        f"_ldap._tcp.{realm.domain}":
            [(0, 0, int(realm.env["LDAP_PORT"]), "localhost")],
        f"_gc._tcp.{realm.domain}":
            [(0, 0, int(realm.env["GC_PORT"]), "localhost")],
    }
    return dns


@pytest.fixture
def scp(directory):
    """A service connection point that leads to SRV records."""
    return directory.scp(
        directory.computer(host=WEB1), serviceDNSNameType="SRV",
        serviceDNSName=ORDERS, serviceBindingInformation=None)


def server(lab, name="web1"):
    return lab.kerbwrap({"server db": lab.server_keys(
        lab.echo(), keytab=lab.realm.keytab(name))}, name=name)


def port(sidecar):
    return sidecar.address("db")[1]


def finder(lab, directory, **keys):
    return lab.kerbwrap({
        "directory": {"domain": lab.realm.domain, "timeout": "2s",
                      "refresh": "1s"},
        "client db": directory.client(**{
            "allow_host": "*.corp.example.test", **keys}),
    }, name="client")


def echoes(sidecar, service="db"):
    with sidecar.connect(service) as sock:
        return exchange(sock, b"hello") == b"hello"


# --- where the directory is --------------------------------------------------


def test_the_domain_leads_to_its_directory(lab, directory, dns):
    sidecar = server(lab)
    directory.scp(directory.computer(host=WEB1), address=(WEB1, port(sidecar)))
    client = finder(lab, directory)
    client.wait_for("discovered", servers=1)
    assert echoes(client)
    assert client.wait_for("up")["target"].startswith(f"orders/{WEB1}")
    assert f"_ldap._tcp.{lab.realm.domain}" in dns.asked


def test_the_readme_s_client_finds_its_server_as_it_stands(lab, directory, dns,
                                                           realm):
    sidecar = server(lab)
    directory.scp(directory.computer(host=WEB1), address=(WEB1, port(sidecar)),
                  keywords=test_readme.KEYWORDS)
    test_readme.assert_echo(lab.kerbwrap(test_readme.adapted(realm)))


def test_the_catalog_is_asked_too(lab, directory, dns, realm):
    directory.scp(directory.computer(host=WEB1), address=(WEB1, 7443))
    client = finder(lab, directory)
    client.wait_for("discovered", servers=1)
    told = json.loads(lab.command("discover", "-c", client.file, "db",
                                  "--json").stdout)
    assert any(line.startswith(f"asked catalog {realm.env['GC_URI']}")
               for line in told["journal"])


def test_a_dead_domain_controller_is_passed_over(lab, directory, dns):
    dns.records[f"_ldap._tcp.{lab.realm.domain}"] = [
        (0, 0, free_port(), "localhost"),
        (1, 0, directory.port, "localhost")]
    directory.scp(directory.computer(host=WEB1), address=(WEB1, 7443))
    finder(lab, directory).wait_for("discovered", servers=1)


def test_a_domain_without_a_directory_is_a_sentence(lab, directory, dns):
    dns.records = {}
    client = finder(lab, directory)
    assert client.wait_for("discovery_bad")["reason"] == (
        f"cannot find a directory server of {lab.realm.domain}: DNS has no SRV "
        "record of one")
    assert client.refuses("db")


@pytest.mark.parametrize("mode", ["silent", "garbage"])
def test_name_servers_that_fail_are_no_answer(lab, directory, dns, mode):
    dns.mode = mode
    client = finder(lab, directory)
    client.wait_for("discovery_bad", service="db", servers=0)
    assert client.refuses("db")
    dns.mode = "sound"
    client.wait_for("discovered", outcome="none", timeout=30)


DB = "db.corp.example.test"


def test_name_servers_that_hang_are_felt_by_who_needs_them_only(lab, dns):
    """And what was known serves on; what was not comes when they are back."""
    dns.hosts.add(DB)
    acceptor = server(lab)
    keys = {"spn": f"orders/{WEB1}", "connect_timeout": "2s"}
    client = lab.kerbwrap({
        "client known": lab.client_keys((DB, port(acceptor)), **keys),
        "client new": lab.client_keys((f"x{DB}", port(acceptor)), **keys)})
    prompt(client, "known", 1)
    with Pulse(client.connect("known")):
        dns.mode = "silent"
        assert client.refuses("new")
        failed = client.wait_for("failed", service="new")
        assert failed["reason"].startswith(f"cannot resolve x{DB}: ")
        assert failed["duration"] < 3 * PATIENCE
        assert echoes(client, "known")
        dns.mode = "sound"
        dns.hosts.add(f"x{DB}")
        comes_back(client, "new")


# --- where the service is ----------------------------------------------------


def test_srv_records_lead_to_the_service(lab, directory, dns, scp):
    dns.records[ORDERS] = [(0, 0, port(server(lab)), WEB1)]
    client = finder(lab, directory)
    client.wait_for("discovered", servers=1)
    assert echoes(client)
    assert client.wait_for("up")["target"].startswith(f"orders/{WEB1}")


def test_each_target_has_a_name_of_its_own(lab, directory, dns, scp):
    dns.records[ORDERS] = [(0, 0, port(server(lab)), WEB1),
                           (0, 0, port(server(lab, "web2")), WEB2)]
    client = finder(lab, directory, select="random")
    client.wait_for("discovered", servers=2)
    for _ in range(40):
        assert echoes(client)
    assert {e["target"].split("@")[0] for e in client.events("up")} == {
        f"orders/{WEB1}", f"orders/{WEB2}"}


def test_the_lower_priority_goes_first(lab, directory, dns, scp):
    near, far = server(lab), server(lab, "web2")
    dns.records[ORDERS] = [(20, 0, port(far), WEB2), (10, 0, port(near), WEB1)]
    client = finder(lab, directory, select="random")
    client.wait_for("discovered", servers=2)
    for _ in range(10):
        assert echoes(client)
    assert {e["to"] for e in client.events("up")} == {f"127.0.0.1:{port(near)}"}


def test_the_next_priority_serves_when_the_first_is_dead(lab, directory, dns,
                                                         scp):
    dns.records[ORDERS] = [(10, 0, free_port(), WEB1),
                           (20, 0, port(server(lab, "web2")), WEB2)]
    client = finder(lab, directory, select="random")
    client.wait_for("discovered", servers=2)
    for _ in range(5):
        assert echoes(client)
    assert len(client.events("candidate")) == 1


def test_a_target_that_is_not_allowed_is_never_dialled(lab, directory, dns,
                                                       scp):
    trap = lab.application(lambda sock: sock.recv(1))
    dns.records[ORDERS] = [
        (0, 0, trap.address[1], "evil.example.test"),
        (1, 0, port(server(lab)), WEB1)]
    client = finder(lab, directory)
    rejected = client.wait_for("rejected")
    assert rejected["reason"] == (
        "the target evil.example.test of its SRV record is not in allow_host")
    client.wait_for("discovered", servers=1, rejected=1)
    for _ in range(10):
        assert echoes(client)
    assert trap.accepted == 0


def test_a_target_needs_allow_host_even_below_scp_base(lab, directory, dns):
    trap = lab.application(lambda sock: sock.recv(1))
    dns.records[ORDERS] = [(0, 0, trap.address[1], "evil.example.test")]
    base = f"CN=Services,{directory.base}"
    directory.scp(base, f"srv-{directory.number}", serviceDNSNameType="SRV",
                  serviceDNSName=ORDERS)
    client = finder(lab, directory, allow_host=None, scp_base=base)
    assert client.wait_for("rejected")["reason"] == (
        "evil.example.test is the target of an SRV record: name it in "
        "allow_host to admit it")
    assert client.refuses("db")
    assert trap.accepted == 0


def test_a_name_without_records_is_a_definite_answer(lab, directory, dns, scp):
    client = finder(lab, directory)
    assert client.wait_for("rejected")["reason"] == (
        f"DNS has no usable SRV record of {ORDERS}")
    client.wait_for("discovered", outcome="none", rejected=1)
    assert client.refuses("db")


def test_the_kept_answer_serves_while_name_servers_fail(lab, directory, dns,
                                                        scp):
    dns.records[ORDERS] = [(0, 0, port(server(lab)), WEB1)]
    client = finder(lab, directory)
    client.wait_for("discovered", servers=1)
    dns.mode = "garbage"
    client.wait_for("discovery_bad", servers=1)
    assert echoes(client)


def test_the_client_follows_records_that_change(lab, directory, dns, scp):
    dns.records[ORDERS] = [(0, 0, port(server(lab)), WEB1)]
    client = finder(lab, directory)
    client.wait_for("discovered", servers=1)
    assert echoes(client)
    moved = server(lab)
    dns.records[ORDERS] = [(0, 0, port(moved), WEB1)]
    client.wait_for("discovered", count=2, timeout=30)
    assert echoes(client)
    assert client.wait_for("up", count=2)["to"] == f"127.0.0.1:{port(moved)}"
