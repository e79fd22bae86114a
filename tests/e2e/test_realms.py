# SPDX-License-Identifier: BSD-2-Clause
"""Two realms that trust each other: a client of one, a server of the other."""

import pathlib

import pytest

from applications import exchange
from lab import Realm

PARTNER = "PARTNER.EXAMPLE.ORG"


MAPPING = f"    .{PARTNER.lower()} = {PARTNER}\n"


def mapped(text):
    return text.replace("[domain_realm]\n", "[domain_realm]\n" + MAPPING)


@pytest.fixture(scope="module")
def partner(realm):
    """The other realm.  Our KDC knows which hosts are there."""
    partner = Realm(PARTNER)
    realm.trust(partner)
    path = pathlib.Path(realm.env["KRB5_CONFIG"])
    text = path.read_text()
    path.write_text(mapped(text))
    realm.stop()
    realm.start()
    yield partner
    path.write_text(text)
    partner.close()


@pytest.fixture
def conf(lab, partner):
    """A krb5.conf that knows the KDCs of both realms, and no hosts."""
    path = lab.krb5_conf(realms={PARTNER: partner.env["KDC_PORT"]})
    path.write_text(path.read_text().replace(MAPPING, ""))
    return path


def tunnel(lab, conf, partner, spn, allow="alice@CORP.EXAMPLE.TEST"):
    env = {"env": {"KRB5_CONFIG": conf}}
    return lab.tunnel(
        lab.echo(),
        server={"keytab": partner.keytab("web1"), "allow": allow},
        client={"spn": spn}, server_options=env, client_options=env)


def peer_of(made):
    with made.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"
    return made.server.wait_for("up", service="db")["peer"]


def test_a_name_with_its_realm_leads_there(lab, conf, partner):
    made = tunnel(lab, conf, partner, f"orders/web1.{partner.domain}@{PARTNER}")
    assert peer_of(made) == "alice@CORP.EXAMPLE.TEST"


def test_domain_realm_tells_the_realm_of_a_host(lab, conf, partner):
    conf.write_text(mapped(conf.read_text()))
    made = tunnel(lab, conf, partner, f"orders/web1.{partner.domain}")
    assert peer_of(made) == "alice@CORP.EXAMPLE.TEST"


def test_rules_tell_equal_names_of_two_realms_apart(lab, conf, partner):
    made = tunnel(lab, conf, partner,
                  f"orders/web1.{partner.domain}@{PARTNER}",
                  allow=f"alice@{PARTNER}")
    assert made.refuses()
    refused = made.server.wait_for("refused", service="db")
    assert refused["peer"] == "alice@CORP.EXAMPLE.TEST"


def test_an_empty_realm_leaves_it_to_the_kdc(lab, conf, partner):
    made = tunnel(lab, conf, partner, f"orders/web1.{partner.domain}@")
    assert peer_of(made) == "alice@CORP.EXAMPLE.TEST"


def test_without_trust_the_missing_realm_is_named(lab, conf, partner):
    made = tunnel(lab, conf, partner, "orders/web1.other.example@OTHER.EXAMPLE")
    assert made.refuses()
    reason = made.client.wait_for("failed", service="db")["reason"]
    assert "OTHER.EXAMPLE" in reason
