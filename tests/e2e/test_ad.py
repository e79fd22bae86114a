# SPDX-License-Identifier: BSD-2-Clause
"""Against a real Active Directory domain controller: finding a server by its
service connection point, and reaching it by each form of its name."""

import threading

import pytest

from applications import Application, exchange
from domain import client, configuration, echoes, published, server

pytestmark = pytest.mark.ad

FORMATS = {
    "host": "orders/{host}",
    "port": "orders/{host}:{port}",
    "scp": "orders/{host}/{dn}",
    "guid": "orders/{host}/{guid}",
}


# --- finding it --------------------------------------------------------------


def test_a_domain_is_all_that_a_client_needs_to_know(site, forest):
    published(site, forest)
    sidecar = client(site, forest)
    assert echoes(sidecar)
    up = sidecar.wait_for("up", service="db")
    assert up["target"] == "orders/web1.corp.example.test"
    assert up["ticket_enctype"] == "aes256-cts-hmac-sha1-96"


def test_domain_controllers_and_the_catalog_are_found_by_dns(site, forest):
    published(site, forest)
    path = configuration(
        site, forest.section(), "client db", forest.client())
    said = site.command("discover", "-c", path, "db").stdout
    assert "_ldap._tcp.dc._msdcs.corp.example.test" in said
    assert "_gc._tcp.corp.example.test" in said


@pytest.mark.parametrize("port", [389, 3268])
def test_another_account_discovers_the_server(site, forest, port):
    published(site, forest)
    section = forest.section(uri=site.realm.env["LDAP_URI"])
    if port == 3268:
        section["gc_uri"] = site.realm.env["GC_URI"]
    keys = forest.client(keytab=site.realm.keytab("bob"), principal="bob")
    result = site.command(
        "discover", "-c", configuration(site, section, "client db", keys), "db")
    assert result.returncode == 0, result.stderr
    assert "orders/web1.corp.example.test" in result.stdout
    assert ("asked catalog ldap://dc1.corp.example.test:3268"
            in result.stdout) == (port == 3268)


# --- every form of the name ---------------------------------------------------


@pytest.mark.parametrize("spn_format", FORMATS)
def test_a_tunnel_opens_by_each_form_of_the_name(site, forest, spn_format):
    sidecar = server(site)
    port = sidecar.address("db")[1]
    dn = forest.publish("web1", ("web1", port))
    spn = FORMATS[spn_format].format(
        host="web1.corp.example.test", port=port, dn=dn, guid=forest.guid(dn))
    forest.register("web1", spn)
    initiator = client(site, forest, spn_format=spn_format)
    assert echoes(initiator)
    assert initiator.wait_for("up", service="db")["target"] == spn


def test_a_membership_vouches_for_a_server(site, forest):
    published(site, forest)
    published(site, forest, "web2")
    sidecar = client(site, forest, allow_host=None, allow_group="Order Servers")
    found = sidecar.wait_for("discovered", service="db")
    assert (found["servers"], found["rejected"]) == (1, 1)
    assert echoes(sidecar)
    assert "web1" in sidecar.wait_for("up", service="db")["target"]


# --- what changes under it ----------------------------------------------------


def test_a_computer_may_move_to_another_unit(site, forest):
    sidecar = server(site)
    dn = forest.publish("web1", sidecar.address("db"))
    forest.register("web1", "orders/web1.corp.example.test")
    by_keywords = client(site, forest, {"refresh": "1s"})
    by_guid = client(site, forest, {"refresh": "1s"}, keywords=None,
                     allow_host=None, scp=forest.guid(dn))
    forest.move("web1", "OU=Moved")
    for initiator in (by_keywords, by_guid):
        initiator.wait_for("discovered", count=2, outcome="found")
        assert echoes(initiator)
    said = site.command(
        "discover", "-c", configuration(
            site, forest.section(), "client db", forest.client()), "db").stdout
    assert "OU=Moved" in said
    forest.move_back()


def test_srv_records_lead_to_the_next_target(site, forest):
    servers = [server(site, name) for name in ("web1", "web2")]
    name = f"_orders{forest.number}._tcp"
    for host in ("web1", "web2"):
        forest.register(host, f"orders/{site.realm.host(host)}")
    forest.srv(name, *(
        (site.realm.host(host), sidecar.address("db")[1], priority)
        for priority, (host, sidecar) in enumerate(
            zip(("web1", "web2"), servers))))
    forest.scp(f"OU=Servers,{forest.base}",
               serviceDNSName=f"{name}.{site.realm.domain}",
               serviceDNSNameType="SRV", serviceBindingInformation=None)
    initiator = client(site, forest, allow_host="*.corp.example.test",
                       scp_base=f"OU=Servers,{forest.base}")
    initiator.wait_for("discovered", service="db", servers=2)
    assert echoes(initiator)
    servers[0].close()
    assert echoes(initiator)
    targets = [initiator.wait_for("up", count=n)["target"] for n in (1, 2)]
    assert [target[7:11] for target in targets] == ["web1", "web2"]


def test_tunnels_keep_opening_while_the_domain_controller_is_away(site, forest):
    published(site, forest)
    initiator = client(site, forest, {"refresh": "1s", "timeout": "1s"})
    assert echoes(initiator)
    opened, failed = [], []
    done = threading.Event()

    def load():
        while not done.is_set():
            (opened if echoes(initiator) else failed).append(1)

    loader = threading.Thread(target=load)
    loader.start()
    try:
        site.realm.stop()
        initiator.wait_for("discovery_bad", service="db")
        before = len(opened)
        initiator.wait_for("up", count=before + 20)
        site.realm.start()
        seen = len(initiator.events("discovered"))
        initiator.wait_for("discovered", count=seen + 1, outcome="found")
    finally:
        done.set()
        loader.join()
    assert len(opened) > before
    assert not failed
    assert initiator.events("failed") == []


def test_a_new_password_of_the_computer_breaks_no_tunnel(site, forest):
    keytab = site.realm.keytab("web2")
    sidecar = published(site, forest, "web2")
    keys = {"allow_host": site.realm.host("web2")}
    old = client(site, forest, **keys)
    with old.connect("db") as sock:
        assert exchange(sock, b"before") == b"before"
        site.realm.new_password("web2$", f"Passw0rd-{forest.number}-new")
        late = client(site, forest, **keys)
        assert late.refuses("db")
        reason = sidecar.wait_for("failed", service="db")["reason"]
        assert "or the account has a newer key" in reason
        site.realm.export("web2$", keytab)
        assert echoes(late)
        assert exchange(sock, b"after") == b"after"
    assert echoes(old)


# --- what is refused ----------------------------------------------------------


def test_a_ticket_sealed_with_rc4_is_refused_with_advice(site, forest):
    target = site.application(lambda sock: sock.recv(1),
                             host=site.realm.address("old1"))
    forest.publish("old1", target.address, who="Administrator")
    forest.register("old1", "orders/old1.corp.example.test")
    initiator = client(site, forest, allow_host=site.realm.host("old1"))
    assert initiator.refuses("db")
    reason = initiator.wait_for("failed", service="db")["reason"]
    assert "msDS-SupportedEncryptionTypes" in reason


@pytest.fixture
def impostor(site, forest):
    """Any member computer, with our keywords and a name of its own class."""
    listener = site.keep(Application(lambda sock: sock.recv(1),
                                    host=site.realm.address("web2")))
    forest.publish("web2", listener.address)
    forest.register("web2", "orders/web2.corp.example.test", who="web2$")
    return listener


def test_an_impostor_is_not_dialled_by_a_rule_that_names_our_host(
        site, forest, impostor):
    published(site, forest)
    initiator = client(site, forest)
    found = initiator.wait_for("discovered", service="db")
    assert (found["servers"], found["rejected"]) == (1, 1)
    assert echoes(initiator)
    assert impostor.accepted == 0


def test_an_impostor_is_dialled_where_a_wildcard_lets_it_in(
        site, forest, impostor):
    keys = forest.client(allow_host="*.corp.example.test")
    path = configuration(site, forest.section(), "client db", keys)
    said = site.command("check", "-c", path)
    assert said.returncode == 0
    assert "any computer whose name matches `*.corp.example.test`" in (
        said.stdout + said.stderr)
    initiator = client(site, forest, allow_host="*.corp.example.test")
    assert initiator.refuses("db")
    impostor.wait_accepted(1)


def test_an_impostor_cannot_take_the_name_of_another_host(site, forest):
    with pytest.raises(AssertionError):
        forest.register("web2", "orders/web1.corp.example.test", who="web2$")
