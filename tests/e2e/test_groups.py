# SPDX-License-Identifier: BSD-2-Clause
"""Rules over the groups of the local user that a principal is mapped to, with
this machine's users and groups: alice is mapped to who runs the tests, bob to a
user that is not there, and mallory to nobody."""

import grp
import os
import pwd

import pytest
from applications import exchange
from lab import wait_until

ME = pwd.getpwuid(os.getuid()).pw_name
MINE = grp.getgrgid(pwd.getpwuid(os.getuid()).pw_gid).gr_name
OURS = set(os.getgrouplist(ME, os.getgid()))
OTHER = next(g.gr_name for g in grp.getgrall() if g.gr_gid not in OURS)


@pytest.fixture
def mapped(lab):
    """The environment of a server whose krb5.conf maps alice to us."""
    path = lab.krb5_conf()
    head = f"    {lab.realm.name} = {{\n"
    rules = "".join(
        f"        auth_to_local = RULE:[1:$1](^{who}$)s/^.*$/{user}/\n"
        for who, user in (("alice", ME), ("bob", "no-such-user"))
    )
    text = path.read_text()
    assert head in text
    path.write_text(text.replace(head, head + rules, 1))
    return {"env": {"KRB5_CONFIG": path}}


def attempt(lab, mapped, principal="alice", **server):
    return lab.tunnel(
        lab.echo(), server=server, server_options=mapped,
        client={"keytab": lab.realm.keytab(principal),
                "principal": f"{principal}@{lab.realm.name}"},
    )


def admitted_by(tunnel):
    with tunnel.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"
    return tunnel.server.wait_for("up", service="db")["rule"]


def refused_for(tunnel):
    assert tunnel.refuses()
    assert tunnel.server.events("up") == []
    return tunnel.server.wait_for("refused", service="db")["reason"]


def test_a_member_of_an_allowed_group_is_let_in(lab, mapped):
    tunnel = attempt(lab, mapped, allow=[f"group:{OTHER}", f"group:{MINE}"])
    assert admitted_by(tunnel) == f"group:{MINE}"


def test_who_is_in_no_allowed_group_is_refused(lab, mapped):
    tunnel = attempt(lab, mapped, allow=f"group:{OTHER}")
    assert refused_for(tunnel) == (
        "not allowed: no rule of `allow` names this principal")


def test_a_member_of_a_denied_group_is_refused(lab, mapped):
    tunnel = attempt(lab, mapped, allow="alice@CORP.EXAMPLE.TEST",
                     deny=f"group:{MINE}")
    assert refused_for(tunnel) == f"not allowed: denied by rule group:{MINE}"


def test_who_is_in_no_denied_group_is_let_in(lab, mapped):
    tunnel = attempt(lab, mapped, allow="alice@CORP.EXAMPLE.TEST",
                     deny=f"group:{OTHER}")
    assert admitted_by(tunnel) == "alice@CORP.EXAMPLE.TEST"


@pytest.mark.parametrize("principal, reason", [
    ("bob", "there is no local user no-such-user"),
    ("Administrator",
     "Administrator@CORP.EXAMPLE.TEST is mapped to no local user (auth_to_local"
     " of krb5.conf: No translation available for requested principal)"),
])
def test_who_is_no_local_user_is_refused_where_a_group_is_denied(
        lab, mapped, principal, reason):
    tunnel = attempt(lab, mapped, principal,
                     allow="*@CORP.EXAMPLE.TEST", deny=f"group:{OTHER}")
    assert refused_for(tunnel) == (
        f"not allowed: cannot tell if rule group:{OTHER} of `deny` matches: "
        + reason)


def test_a_reload_ends_connections_of_groups_that_are_not_allowed_any_more(
        lab, mapped):
    tunnel = attempt(lab, mapped, allow=f"group:{MINE}")
    server = tunnel.server
    section = dict(server.sections["server db"])
    with tunnel.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"
        server.reload({**server.sections,
                       "server db": {**section, "allow": ["group:" + OTHER,
                                                          "group:" + MINE]}})
        server.wait_for("reloaded")
        wait_until(lambda: not server.status()["lanes"])
        assert exchange(sock, b"still here") == b"still here"
        server.reload({**server.sections,
                       "server db": {**section, "allow": f"group:{OTHER}"}})
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert server.wait_for("down")["reason"] == (
        "not allowed: no rule of `allow` names this principal")
