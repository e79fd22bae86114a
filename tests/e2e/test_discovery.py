# SPDX-License-Identifier: BSD-2-Clause
"""A client finds its server in the directory, names it itself, and dials it;
several of them, and who asks."""

import json
import re

import pytest

from applications import exchange
from directory import rdn
from lab import free_port

# Characters that mean something in a DN, in a filter, in a principal's name.
AWKWARD = ',+"\\<>;= @#*()'


def server(lab, **changes):
    """A server sidecar before an echo; its address."""
    return lab.kerbwrap({"server db": lab.server_keys(lab.echo(), **changes)},
                        name="server")


def finder(lab, directory, keys=None, **section):
    """A client sidecar that looks in the directory."""
    return lab.kerbwrap(
        {"directory": directory.section(**section),
         "client db": directory.client(**keys or {})}, name="client")


def echoes(sidecar):
    with sidecar.connect("db") as sock:
        return exchange(sock, b"hello") == b"hello"


# --- one server --------------------------------------------------------------


@pytest.mark.threads
def test_keywords_lead_to_an_echoed_byte(lab, directory):
    address = server(lab).address("db")
    directory.scp(directory.computer(), address=address)
    client = finder(lab, directory)
    client.wait_for("discovered", service="db", servers=1, rejected=0)
    assert echoes(client)
    up = client.wait_for("up", service="db")
    assert up["target"].startswith("orders/localhost")
    assert up["to"] == f"127.0.0.1:{address[1]}"


def test_all_keywords_must_match(lab, directory):
    directory.scp(directory.computer(), address=server(lab).address("db"))
    client = finder(lab, directory,
                    {"keywords": [directory.keyword, "another"]})
    client.wait_for("discovered", outcome="none")
    assert client.refuses("db")
    reason = client.wait_for("failed", service="db")["reason"]
    assert "the directory has no service connection point" in reason


def test_an_scp_is_found_by_its_dn(lab, directory):
    dn = directory.scp(directory.computer(), address=server(lab).address("db"))
    client = finder(lab, directory, {"keywords": None, "allow_host": None,
                                     "scp": dn})
    client.wait_for("discovered", servers=1)
    assert echoes(client)


def test_an_scp_is_found_by_its_guid(lab, directory):
    dn = directory.scp(directory.computer(), address=server(lab).address("db"))
    client = finder(lab, directory, {"keywords": None, "allow_host": None,
                                     "scp": directory.guid(dn)})
    client.wait_for("discovered", servers=1)
    assert echoes(client)


def test_a_group_of_computers_vouches(lab, directory, realm):
    computer = directory.computer()
    group = f"CN=Trusted {directory.number},CN=Users,{directory.base}"
    directory.add(group, "group", cn=f"Trusted {directory.number}",
                  sAMAccountName=f"trusted-{directory.number}",
                  member=computer)
    directory.scp(computer, address=server(lab).address("db"))
    client = finder(lab, directory, {
        "allow_host": None, "allow_group": f"trusted-{directory.number}"})
    client.wait_for("discovered", servers=1)
    assert echoes(client)


def test_a_container_of_administrators_vouches(lab, directory):
    base = f"CN=Services,{directory.base}"
    directory.scp(base, f"orders-{directory.number}",
                  server(lab).address("db"))
    client = finder(lab, directory, {"allow_host": None, "scp_base": base})
    client.wait_for("discovered", servers=1)
    assert echoes(client)


# --- how it is called --------------------------------------------------------


@pytest.mark.parametrize("spn_format", ["host", "port", "scp", "guid"])
def test_the_name_is_composed_as_told(lab, directory, realm, spn_format):
    sidecar = server(lab)
    address = sidecar.address("db")
    dn = directory.scp(directory.computer(), address=address)
    spn = {
        "host": "orders/localhost",
        "port": f"orders/localhost:{address[1]}",
        "scp": f"orders/localhost/{dn}",
        "guid": f"orders/localhost/{directory.guid(dn)}",
    }[spn_format]
    if spn_format != "host":
        # As slapd writes a DN: types in lower case.
        spn = re.sub(r"\b(CN|DC)=", lambda m: m[0].lower(), spn)
        realm.kadmin(f"addprinc -randkey {spn}",
                     f"ktadd -q -norandkey -k {realm.keytab('web1')} {spn}")
    client = finder(lab, directory, {"spn_format": spn_format})
    client.wait_for("discovered", servers=1)
    assert echoes(client)
    assert client.wait_for("up")["target"] == spn


@pytest.mark.parametrize("name", [AWKWARD, "Aufträge-注文-🔒"])
def test_awkward_names_of_an_scp_are_harmless(lab, directory, name):
    """Found by keyword, and by its DN as its administrator writes it."""
    computer = directory.computer(name="local")
    directory.scp(computer, name, server(lab).address("db"))
    by_keyword = finder(lab, directory, {"spn_format": "host"})
    by_keyword.wait_for("discovered", servers=1)
    assert echoes(by_keyword)
    by_dn = finder(lab, directory, {
        "keywords": None, "allow_host": None,
        "scp": f"{rdn(name)},{computer}"})
    by_dn.wait_for("discovered", servers=1)
    assert echoes(by_dn)


@pytest.mark.parametrize("name", [AWKWARD, "Aufträge-注文-🔒"])
def test_an_awkward_name_is_part_of_a_principal(lab, directory, realm, name):
    """What kerbwrap composes is what kadmin and the KDC understand."""
    directory.scp(directory.computer(), name, server(lab).address("db"))
    client = finder(lab, directory, {"spn_format": "scp"})
    client.wait_for("discovered", servers=1)
    spn = json.loads(lab.command(
        "discover", "-c", client.file, "db", "--json").stdout
    )["candidates"][0]["spn"]
    quoted = '"' + spn.replace('"', '""') + '"'
    realm.kadmin(f"addprinc -randkey {quoted}",
                 f"ktadd -q -norandkey -k {realm.keytab('web1')} {quoted}")
    assert echoes(client)


def test_a_dn_with_a_slash_is_no_part_of_a_name(lab, directory):
    directory.scp(directory.computer(), "a/b", server(lab).address("db"))
    client = finder(lab, directory, {"spn_format": "scp"})
    rejected = client.wait_for("rejected", service="db")
    assert rejected["reason"] == (
        "cannot compose an SPN: the name of its SCP contains a slash; use "
        "spn_format = guid")


# --- several servers ---------------------------------------------------------


def test_a_dead_first_server_is_passed_over_once(lab, directory):
    computer = directory.computer()
    directory.scp(computer, "1", ("localhost", free_port()))
    directory.scp(computer, "2", server(lab).address("db"))
    client = finder(lab, directory)
    client.wait_for("discovered", servers=2)
    for _ in range(5):
        assert echoes(client)
    # Under its penalty the dead one is not even tried.
    assert len(client.events("candidate", service="db")) == 1


def test_a_black_holed_first_server_is_passed_over_once(lab, directory):
    computer = directory.computer()
    directory.scp(computer, "1", lab.black_hole().address)
    directory.scp(computer, "2", server(lab).address("db"))
    client = finder(lab, directory, {"handshake_timeout": "4s",
                                     "connect_timeout": "4s"})
    client.wait_for("discovered", servers=2)
    for _ in range(5):
        assert echoes(client)
    assert len(client.events("candidate", service="db")) == 1


def test_several_ports_of_one_scp_are_candidates(lab, directory):
    address = server(lab).address("db")
    directory.scp(directory.computer(), address=address,
                  serviceBindingInformation=[free_port(), address[1], "x"])
    client = finder(lab, directory)
    client.wait_for("discovered", servers=2, rejected=1)
    assert echoes(client)


def test_listed_takes_the_first(lab, directory):
    servers = [server(lab) for _ in range(2)]
    computer = directory.computer()
    for number, sidecar in enumerate(servers):
        directory.scp(computer, str(number), sidecar.address("db"))
    client = finder(lab, directory, {"select": "listed"})
    client.wait_for("discovered", servers=2)
    for _ in range(10):
        assert echoes(client)
    assert {e["to"] for e in client.events("up")} == {
        f"127.0.0.1:{servers[0].address('db')[1]}"}


def test_random_takes_each(lab, directory):
    servers = [server(lab) for _ in range(2)]
    computer = directory.computer()
    for number, sidecar in enumerate(servers):
        directory.scp(computer, str(number), sidecar.address("db"))
    client = finder(lab, directory, {"select": "random"})
    client.wait_for("discovered", servers=2)
    # Both come within 40, but for once in 10^12.
    for _ in range(40):
        assert echoes(client)
    assert len({e["to"] for e in client.events("up")}) == 2


def test_a_needle_is_found_among_three_thousand(lab, directory):
    """More than slapd gives in one page, and than it gives at all without."""
    foreign = directory.computer("other", "other.example.test")
    entries = [directory.scp_entry(foreign, f"n{i}") for i in range(2999)]
    directory.ldif("".join(entries))
    directory._made += [f"CN=n{i},{foreign}" for i in range(2999)]
    directory.scp(directory.computer(), address=server(lab).address("db"))
    client = finder(lab, directory, timeout="20s")
    client.wait_for("discovered", servers=1, rejected=2999, timeout=60)
    assert echoes(client)


# --- who asks ----------------------------------------------------------------


@pytest.mark.threads
def test_two_hundred_identities_look_at_once(lab, directory, realm):
    keytab = realm.keytab("crowd")
    people = [f"visitor{i}" for i in range(200)]
    realm.kadmin(*(f"addprinc -randkey {name}" for name in people),
                 *(f"ktadd -q -norandkey -k {keytab} {name}"
                   for name in people))
    address = server(lab, allow="*@" + realm.name).address("db")
    directory.scp(directory.computer(), address=address)
    client = lab.kerbwrap({
        "directory": directory.section(timeout="20s"),
        **{f"client {name}": directory.client(principal=name, keytab=keytab)
           for name in people}}, name="client")
    for name in people:
        client.wait_for("discovered", service=name, servers=1, timeout=60)
    for name in people[::20]:
        with client.connect(name) as sock:
            assert exchange(sock, b"hello") == b"hello"
    assert {e["peer"] for e in client.events("up")} == {
        f"orders/localhost@{realm.name}"}


def tickets_asked(realm):
    """Who got a ticket for the directory, so far."""
    log = (realm.path / "kdc.log").read_text()
    return re.findall(r"TGS_REQ.*ISSUE.* (\S+) for ldap/", log)


def test_the_service_asks_as_itself(lab, directory, realm):
    before = len(tickets_asked(realm))
    client = finder(lab, directory)
    client.wait_for("discovered", outcome="none")
    assert set(tickets_asked(realm)[before:]) == {f"alice@{realm.name}"}


def test_the_directory_section_s_identity_asks(lab, directory, realm):
    before = len(tickets_asked(realm))
    client = finder(lab, directory, keytab=realm.keytab("bob"),
                    principal=f"bob@{realm.name}")
    client.wait_for("discovered", outcome="none")
    assert set(tickets_asked(realm)[before:]) == {f"bob@{realm.name}"}


def test_no_ambient_credential_ever_asks(lab, directory, realm):
    """Not even when one's own is refused by the KDC."""
    gone = realm.add("gone")
    realm.kadmin("delprinc -force gone")
    ambient = realm.ccache("mallory", lab.path / "ambient")
    before = len(tickets_asked(realm))
    client = lab.kerbwrap(
        {"directory": directory.section(),
         "client db": directory.client(principal="gone", keytab=gone)},
        env={"KRB5CCNAME": f"FILE:{ambient}",
             "KRB5_CLIENT_KTNAME": realm.keytab("mallory")})
    bad = client.wait_for("discovery_bad", count=2)
    assert f"gone@{realm.name}" in bad["reason"]
    assert tickets_asked(realm)[before:] == []
