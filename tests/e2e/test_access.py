# SPDX-License-Identifier: BSD-2-Clause
"""Who may connect: rules over the principal that proved itself, decided before
the application hears of it."""

import peer
import pytest
from applications import exchange
from lab import wait_until


def refusal(lab, *, principal="alice", **server):
    """One attempt that must be refused; the server's event."""
    application = lab.echo()
    tunnel = lab.tunnel(
        application,
        server=server,
        client={
            "keytab": lab.realm.keytab(principal),
            "principal": f"{principal}@{lab.realm.name}",
        },
    )
    assert tunnel.refuses()
    event = tunnel.server.wait_for("refused", service="db")
    failed = tunnel.client.wait_for("refused", service="db")
    assert application.accepted == 0
    assert tunnel.server.events("up") == []
    assert "not allowed" in failed["reason"]
    return event


def admission(lab, *, principal="alice", **server):
    """One attempt that must succeed; the server's event."""
    tunnel = lab.tunnel(
        lab.echo(),
        server=server,
        client={
            "keytab": lab.realm.keytab(principal),
            "principal": f"{principal}@{lab.realm.name}",
        },
    )
    with tunnel.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"
    return tunnel.server.wait_for("up", service="db")


@pytest.mark.parametrize(
    "rule", ["alice@CORP.EXAMPLE.TEST", "al*@CORP.EXAMPLE.TEST",
             "*@CORP.EXAMPLE.TEST"]
)
def test_an_allowed_principal_is_let_in_and_the_rule_is_logged(lab, rule):
    event = admission(lab, allow=["nobody@ELSEWHERE.TEST", rule])
    assert event["peer"] == "alice@CORP.EXAMPLE.TEST"
    assert event["rule"] == rule


@pytest.mark.parametrize(
    "rule", ["bob@CORP.EXAMPLE.TEST", "ALICE@CORP.EXAMPLE.TEST",
             "alice@corp.example.test", "*/*@CORP.EXAMPLE.TEST",
             "alice@OTHER.EXAMPLE.TEST"]
)
def test_who_no_rule_names_is_refused(lab, rule):
    event = refusal(lab, allow=rule)
    assert event["peer"] == "alice@CORP.EXAMPLE.TEST"


@pytest.mark.parametrize(
    "rule", ["alice@CORP.EXAMPLE.TEST", "ALICE@CORP.EXAMPLE.TEST",
             "a*@CORP.EXAMPLE.TEST"]
)
def test_deny_wins_and_ignores_case(lab, rule):
    event = refusal(lab, allow="*@CORP.EXAMPLE.TEST", deny=rule)
    assert event["rule"] == rule


def test_a_computer_is_one_component_and_a_service_two(lab):
    web1 = lab.realm.keytab("web1")
    tunnel = lab.tunnel(
        lab.echo(),
        server={"allow": "host/*@CORP.EXAMPLE.TEST"},
        client={"keytab": web1,
                "principal": f"host/web1.{lab.realm.domain}"},
    )
    with tunnel.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"


def test_well_known_principals_are_refused_whatever_the_rules_say(lab):
    name = "WELLKNOWN/MONITOR"
    keytab = lab.realm.add(name, keytab="wellknown")
    application = lab.echo()
    tunnel = lab.tunnel(
        application,
        server={"allow": ["*@CORP.EXAMPLE.TEST", "*/*@CORP.EXAMPLE.TEST"]},
        client={"keytab": keytab, "principal": name},
    )
    assert tunnel.refuses()
    reason = tunnel.server.wait_for("refused", service="db")["reason"]
    assert "WELLKNOWN" in reason
    assert application.accepted == 0


def test_a_component_that_holds_an_at_sign_is_refused(lab):
    keytab = lab.realm.add(r"alice\@corp.example.test", keytab="at-sign")
    application = lab.echo()
    tunnel = lab.tunnel(
        application,
        server={"allow": "*@CORP.EXAMPLE.TEST"},
        client={"keytab": keytab,
                "principal": r"alice\@corp.example.test@CORP.EXAMPLE.TEST"},
    )
    assert tunnel.refuses()
    tunnel.server.wait_for("refused", service="db")
    assert application.accepted == 0


def test_a_service_of_another_class_is_not_served(lab):
    """The ticket is good and the key is in the keytab, yet this service is not
    the one that the client asked for."""
    application = lab.echo()
    tunnel = lab.tunnel(
        application,
        client={"spn": f"HTTP/web1.{lab.realm.domain}",
                "service_class": "HTTP"},
    )
    assert tunnel.refuses()
    reason = tunnel.client.wait_for("refused", service="db")["reason"]
    assert "is not a name of this service" in reason
    assert application.accepted == 0


@pytest.mark.parametrize("held", [False, True])
def test_who_shakes_hands_during_a_reload_is_judged_by_the_new_rules(
        make_side, held):
    """It came, and maybe waits for a place, under the old ones."""
    settings = {"max_handshakes": "1"} if held else {}
    side = make_side("server", settings=settings, handshake_timeout="60s")
    first = side.peer() if held else None
    late = side.peer()
    wait_until(lambda: side.kerbwrap.status()["totals"]["connections"]
               == (2 if held else 1))
    side.kerbwrap.reload({**side.kerbwrap.sections, "server db": {
        **side.kerbwrap.sections["server db"], "deny": "alice@*"}})
    side.kerbwrap.wait_for("reloaded")
    if held:
        first.close()
    late.prepare()
    late.send_hello()
    assert late.expect_reset(peer.FORBIDDEN).sentence == (
        "not allowed: denied by rule alice@*")
    side.assert_nothing_reached_the_application()
