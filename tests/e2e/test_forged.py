# SPDX-License-Identifier: BSD-2-Clause
"""Any member computer may publish a service connection point with anybody's
keywords.  A forged one is rejected with its sentence and never dialled: a
listener stands at its address, and must stay untouched."""

import pytest

from applications import exchange


@pytest.fixture
def trap(lab):
    """The listener that nobody may touch."""
    listener = lab.application(lambda sock: sock.recv(1))
    yield listener
    assert listener.accepted == 0


def finder(lab, directory, **keys):
    return lab.kerbwrap({"directory": directory.section(),
                         "client db": directory.client(**keys)})


def assert_rejected(client, sentence):
    """The only one there is: for this reason, and no connection is made."""
    assert client.wait_for("rejected", service="db")["reason"] == sentence
    client.wait_for("discovered", outcome="none", servers=0, rejected=1)
    assert client.refuses("db")
    failed = client.wait_for("failed", service="db")
    assert sentence in failed["reason"]


# --- one kind after the other ------------------------------------------------


def test_another_class(lab, directory, trap):
    directory.scp(directory.computer(), address=trap.address,
                  serviceClassName="ldap")
    assert_rejected(finder(lab, directory),
                    "its class is 'ldap', not 'orders'")


def test_a_foreign_host(lab, directory, trap):
    directory.scp(directory.computer(), address=trap.address)
    client = finder(lab, directory, allow_host="*.corp.example.test")
    assert_rejected(client, "nothing vouches for it, localhost is not in "
                            "allow_host")


def test_a_host_that_is_not_its_parent_s(lab, directory, trap):
    parent = directory.computer("mallory", "mallory.corp.example.test")
    directory.scp(parent, address=trap.address)
    assert_rejected(finder(lab, directory),
                    "its host is localhost, but its parent computer is "
                    "'mallory.corp.example.test'")


def test_a_parent_without_a_host_name(lab, directory, trap):
    directory.scp(directory.computer("nameless", None), address=trap.address)
    assert_rejected(finder(lab, directory),
                    "its parent computer has no dNSHostName")


def test_a_parent_that_is_no_computer(lab, directory, trap):
    user = directory.add(
        f"CN=user-{directory.number},CN=Users,{directory.base}", "user",
        sAMAccountName=f"user-{directory.number}")
    directory.scp(user, address=trap.address)
    assert_rejected(finder(lab, directory),
                    "its parent is not a computer: only scp or scp_base can "
                    "vouch for it")


def test_a_computer_that_is_not_in_the_group(lab, directory, trap):
    directory.scp(directory.computer(), address=trap.address)
    client = finder(lab, directory, allow_host=None,
                    allow_group="Order Servers")
    assert_rejected(client, "nothing vouches for it, its computer is not in "
                            "allow_group")


def test_one_outside_of_scp_base(lab, directory, trap):
    directory.scp(directory.computer(), address=trap.address)
    client = finder(lab, directory, allow_host=None,
                    scp_base=f"CN=Services,{directory.base}")
    assert_rejected(client, "nothing vouches for it, it is not below scp_base")


def test_one_whose_name_only_ends_like_scp_base(lab, directory, trap):
    """`CN=x\\\\,CN=Services,...` is one RDN: it is not below Services."""
    name = f"x,CN=Services,{directory.base}"
    directory.scp(directory.computer(), name, trap.address)
    client = finder(lab, directory, allow_host=None,
                    scp_base=f"CN=Services,{directory.base}")
    assert_rejected(client, "nothing vouches for it, it is not below scp_base")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost.", "[::1]",
                                  "localhost/evil", "localhost:80", "http://x"])
def test_a_host_that_is_no_dns_name(lab, directory, trap, host):
    directory.scp(directory.computer(host=host),
                  address=trap.address, serviceDNSName=host)
    client = finder(lab, directory, allow_host="*")
    rejected = client.wait_for("rejected", service="db")["reason"]
    assert rejected == f"its serviceDNSName '{host}' is not a DNS name"
    assert client.refuses("db")


# --- values of any kind ------------------------------------------------------


# What slapd takes as a directory string; the unit tests have the rest.
PORTS = ["0", "65536", "http://x", "-1", "+7", " 7", "7 7", "07x", "1e3",
         "7\x00", "\x1b[2J7", "7" * 300, "٧"]


@pytest.mark.parametrize("port", PORTS, ids=repr)
def test_a_port_that_is_none(lab, directory, port):
    directory.scp(directory.computer(), serviceBindingInformation=port)
    client = finder(lab, directory)
    rejected = client.wait_for("rejected", service="db")["reason"]
    assert rejected.startswith("its serviceBindingInformation ")
    assert not any(ord(c) < 32 for c in rejected)
    assert client.refuses("db")


@pytest.mark.parametrize("attribute, value", [
    ("serviceClassName", "orders\x00"),
    ("serviceClassName", "orders\x1b[31m"),
    ("serviceClassName", "o" * 300),
    ("serviceDNSName", "localhost\x00.evil"),
    ("serviceDNSName", "local\nhost"),
    ("serviceDNSName", "l" * 300),
    ("serviceDNSNameType", "A\x00"),
    ("serviceDNSNameType", "CNAME"),
    ("serviceClassName", None),
    ("serviceDNSName", None),
    ("serviceBindingInformation", None),
], ids=repr)
def test_a_value_that_cannot_be_meant(lab, directory, trap, attribute, value):
    directory.scp(directory.computer(), address=trap.address,
                  **{attribute: value})
    client = finder(lab, directory, allow_host="*")
    rejected = client.wait_for("rejected", service="db")["reason"]
    assert attribute in rejected or "its class is " in rejected
    assert not any(ord(c) < 32 for c in rejected)
    assert client.refuses("db")


def test_a_name_with_escape_sequences_is_shown_safely(lab, directory, trap):
    directory.scp(directory.computer(), "\x1b[2J\u202eevil", trap.address,
                  serviceClassName="other")
    client = finder(lab, directory)
    assert r"cn=\x1b[2J" in client.wait_for("rejected")["scp"]
    shown = lab.command("discover", "-c", client.file, "db")
    assert "\x1b" not in shown.stdout and "\u202e" not in shown.stdout


def test_ten_thousand_keywords_do_no_harm(lab, directory):
    good = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    directory.scp(
        directory.computer(), address=good.address("db"),
        keywords=[directory.keyword, *(f"k{i}" for i in range(10000))])
    client = finder(lab, directory)
    client.wait_for("discovered", servers=1, rejected=0)
    with client.connect("db") as sock:
        assert exchange(sock, b"hello") == b"hello"


def test_ten_thousand_ports_are_too_many(lab, directory):
    directory.scp(directory.computer(),
                  serviceBindingInformation=[str(i) for i in range(1, 10001)])
    assert_rejected(finder(lab, directory),
                    "its serviceBindingInformation has more than 16 values, or "
                    "a very long one")


# --- among good ones ---------------------------------------------------------


@pytest.mark.threads
def test_a_forged_one_beside_a_good_one_is_never_dialled(lab, directory, trap):
    good = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    directory.scp(directory.computer(), address=good.address("db"))
    mallory = directory.computer("mallory", "mallory.corp.example.test")
    for i in range(10):
        directory.scp(mallory, f"forged {i}", trap.address)
    client = finder(lab, directory, select="random")
    client.wait_for("discovered", servers=1, rejected=10)
    for _ in range(20):
        with client.connect("db") as sock:
            assert exchange(sock, b"hello") == b"hello"


def test_who_cannot_prove_the_name_gets_nothing(lab, directory, realm):
    """A believed SCP that leads to somebody else's port: a real sidecar with
    keys of another computer."""
    application = lab.echo()
    other = lab.kerbwrap({"server db": lab.server_keys(
        application, keytab=realm.keytab("web2"))})
    directory.scp(directory.computer(), address=other.address("db"))
    client = finder(lab, directory)
    client.wait_for("discovered", servers=1)
    assert client.refuses("db")
    assert client.wait_for("failed", service="db")
    assert application.accepted == 0
