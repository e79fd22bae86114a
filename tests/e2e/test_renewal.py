# SPDX-License-Identifier: BSD-2-Clause
"""Keys and tickets that change, vanish, end while kerbwrap runs; and those that
it must never touch."""

import time

import pytest

from applications import exchange, is_reset
from lab import PATIENCE
from pulse import Pulse, comes_back, prompt


# libkrb5 loses the bytes of a name where a keytab ends within an entry.
LEAKY = {"ASAN_OPTIONS": "detect_leaks=0"}


def last_reason(sidecar):
    sidecar.wait_for("failed")
    return sidecar.events("failed")[-1]["reason"]


# --- the server's keytab -----------------------------------------------------


@pytest.fixture
def keyed(lab):
    """A tunnel to a service with a keytab of its own; its name and keytab."""
    name = f"svc{lab.path.name[3:]}".replace("_", "x")
    spn = f"{name}/web1.{lab.realm.domain}"
    keytab = lab.realm.add(spn)
    return lab.tunnel(
        lab.echo(), server={"service_class": name, "keytab": keytab},
        client={"service_class": name, "spn": spn},
        server_options={"env": LEAKY}), spn, keytab


@pytest.mark.parametrize("how, said", [
    ("gone", "there is no such keytab (Key table file '{}' not found)"),
    ("empty", "the file is empty or not a keytab (Unsupported key table format "
     "version number)"),
    ("half", "it is empty; export the service's key into it")], ids=["gone", "empty", "half"])
def test_a_keytab_that_is_away_for_a_moment(lab, keyed, how, said):
    tunnel, _, keytab = keyed
    whole = keytab.read_bytes()
    with Pulse(tunnel.connect()):
        prompt(tunnel.client, "db", 1)
        if how == "gone":
            keytab.unlink()
        else:
            keytab.write_bytes(whole[:len(whole) // 4] if how == "half"
                               else b"")
        assert tunnel.refuses()
        reason = last_reason(tunnel.server)
        assert reason.startswith("cannot accept the client: cannot use keytab ")
        assert said.format(keytab) in reason
        assert "refused us, says an answer that nothing proves: its keytab " in (
            last_reason(tunnel.client))
        # A reload takes no such keytab; what runs goes on.
        tunnel.server.reload()
        tunnel.server.wait_for("reload_failed")
        keytab.write_bytes(whole)
        comes_back(tunnel.client, "db")


def test_a_new_key_is_used_while_old_tickets_serve(lab, keyed):
    tunnel, spn, keytab = keyed
    with Pulse(tunnel.connect()):
        prompt(tunnel.client, "db", 1)
        lab.realm.kadmin(f"ktadd -q -k {keytab} {spn}")
        prompt(tunnel.client, "db")
        assert tunnel.client.events("failed") == []
        # The old key goes: so young a ticket is refused once, and the next
        # connection gets a new one.
        lab.realm.kadmin(f"ktrem -q -k {keytab} {spn} old")
        assert tunnel.refuses()
        assert "key version" in last_reason(tunnel.server)
        prompt(tunnel.client, "db")
        assert len(tunnel.server.events("failed")) == 1


# --- the client's ------------------------------------------------------------


def test_a_client_s_keytab_is_replaced_without_a_restart(lab):
    keytab = lab.realm.add("turner")
    whole = keytab.read_bytes()
    tunnel = lab.tunnel(
        lab.echo(), server={"allow": f"turner@{lab.realm.name}"},
        client={"keytab": keytab, "principal": "turner"})
    prompt(tunnel.client, "db", 1)
    lab.realm.kadmin("cpw -randkey turner")
    # Whose ticket was got before has no need of it.
    prompt(tunnel.client, "db", 1)
    other = lab.kerbwrap({"client db": tunnel.client.sections["client db"]},
                         name="other", env=LEAKY)
    assert "export a new keytab" in other.wait_for("credential_bad")["reason"]
    assert other.refuses("db")
    # Half of it, then all.
    lab.realm.kadmin(f"ktadd -q -norandkey -k {keytab}.new turner")
    new = keytab.with_name(f"{keytab.name}.new").read_bytes()
    keytab.write_bytes(new[:len(new) // 2])
    assert other.refuses("db")
    assert whole != new
    keytab.write_bytes(new)
    comes_back(other, "db")
    prompt(tunnel.client, "db", 1)


def test_a_cache_that_kinit_fills_again_is_used(lab):
    """The same file, as k5start and cron jobs write it."""
    cache = lab.realm.ccache("bob", lab.path / "bob.cc", "-l", "7s")
    tunnel = lab.tunnel(
        lab.echo(), server={"allow": f"bob@{lab.realm.name}"},
        client={"keytab": None, "principal": None, "ccache": f"FILE:{cache}"})
    prompt(tunnel.client, "db", 1)
    time.sleep(3)
    assert tunnel.refuses()
    assert "run kinit for it" in last_reason(tunnel.client)
    lab.realm.ccache("bob", cache)
    prompt(tunnel.client, "db")
    expires = tunnel.client.status()["services"][0]["ticket_seconds"]
    assert 35000 < expires <= 36000


# --- the end of a ticket -----------------------------------------------------


def test_keep_and_close_at_the_end_of_a_ticket_at_the_server(lab):
    """Whatever clock skew is forgiven."""
    keytab = lab.realm.add("ephemeral", '-randkey -maxlife "7 seconds"')
    allow = f"ephemeral@{lab.realm.name}"
    server = lab.kerbwrap({
        "server close": lab.server_keys(lab.echo(), allow=allow,
                                        on_ticket_expiry="close"),
        "server keep": lab.server_keys(lab.echo(), allow=allow)})
    client = lab.kerbwrap({
        f"client {name}": lab.client_keys(
            server.address(name), keytab=keytab, principal="ephemeral")
        for name in ("close", "keep")})
    with client.connect("keep") as kept, client.connect("close") as closed:
        for sock in (kept, closed):
            assert exchange(sock, b"hello") == b"hello"
        began = time.monotonic()
        assert is_reset(closed)
        assert time.monotonic() - began < 8 + PATIENCE
        for sidecar in (server, client):
            assert "the Kerberos ticket has expired" in sidecar.wait_for(
                "down", service="close")["reason"]
        assert exchange(kept, b"still here") == b"still here"
        assert server.events("down", service="keep") == []


# --- never -------------------------------------------------------------------


@pytest.fixture
def planted(lab):
    """Mallory's credentials at every place where libraries look."""
    realm = lab.realm
    ambient = realm.ccache("mallory", lab.path / "ambient")
    conf = lab.krb5_conf()
    conf.write_text(re_default(conf.read_text(), ambient, realm))
    return {
        "KRB5_CONFIG": conf,
        "KRB5CCNAME": f"FILE:{ambient}",
        "KRB5_CLIENT_KTNAME": realm.keytab("mallory"),
        "KRB5_KTNAME": realm.keytab("web2"),
    }


def re_default(text, ambient, realm):
    lines = [line for line in text.splitlines()
             if "default_ccache_name" not in line]
    at = lines.index("[libdefaults]") + 1
    lines[at:at] = [
        f"    default_ccache_name = FILE:{ambient}",
        f"    default_client_keytab_name = FILE:{realm.keytab('mallory')}",
        f"    default_keytab_name = FILE:{realm.keytab('web2')}"]
    return "\n".join(lines) + "\n"


def asked_as(realm, name):
    """How often somebody asked the KDC as name."""
    log = (realm.path / "kdc.log").read_text()
    return sum(f" {name}@{realm.name} for " in line
               for line in log.splitlines())


@pytest.mark.parametrize("environment", ["variables", "krb5.conf"])
def test_no_ambient_credential_is_ever_used(lab, directory, planted,
                                            environment):
    """Neither for tunnels, nor to find a server, nor when what is configured
    is missing."""
    if environment == "krb5.conf":
        planted = {"KRB5_CONFIG": planted["KRB5_CONFIG"]}
    server = lab.kerbwrap(
        {"server db": lab.server_keys(lab.echo(), allow="*@CORP.EXAMPLE.TEST")},
        env=planted)
    scp = directory.scp(directory.computer(), address=server.address("db"))
    before = asked_as(lab.realm, "mallory")
    assert before > 0
    client = lab.kerbwrap({
        "directory": directory.section(),
        "client found": directory.client(),
        "client listed": lab.client_keys(server.address("db")),
        "client lost": lab.client_keys(
            server.address("db"), keytab=None, principal=None,
            ccache=f"FILE:{lab.path}/none"),
    }, env=planted)
    client.wait_for("discovered", service="found", servers=1)
    for service in ("found", "listed"):
        prompt(client, service, 3)
    assert client.refuses("lost")
    assert "there is no such credential cache" in last_reason(client)
    assert {e["peer"] for e in server.events("up")} == {
        "alice@CORP.EXAMPLE.TEST"}
    assert asked_as(lab.realm, "mallory") == before
    directory.delete(scp)
