# SPDX-License-Identifier: BSD-2-Clause
"""Credentials exactly as configured, and each way in which Kerberos fails told
in a sentence of its own, at the end where it happened and at the other."""

import glob
import os
import re
import shutil
import subprocess
import time

import pytest

import handmade
from applications import exchange, receive_all
from lab import free_port


def works(tunnel):
    with tunnel.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"
    return tunnel.server.wait_for("up", service=tunnel.name)


def fails(tunnel):
    """One attempt that must fail; the client's reason."""
    assert tunnel.refuses()
    return tunnel.client.wait_for("failed", service=tunnel.name)["reason"]


def wait_until_expired(cache):
    while subprocess.run(["klist", "-s", cache]).returncode == 0:
        time.sleep(0.2)


def does_not_start(lab, sections):
    """Runs a sidecar that must end with status 1; what it said."""
    sidecar = lab.kerbwrap(sections, wait=False)
    sidecar.expect_status = 1
    assert sidecar.wait() == 1
    return sidecar.text()


# --- which credentials ------------------------------------------------------


def planted(lab):
    """An environment full of credentials that nobody configured."""
    realm = lab.realm
    return {
        "KRB5CCNAME": f"FILE:{realm.ccache('mallory', lab.path / 'ambient')}",
        "KRB5_CLIENT_KTNAME": realm.keytab("mallory"),
        "KRB5_KTNAME": realm.keytab("web2"),
    }


@pytest.mark.threads
def test_ambient_credentials_are_not_used_beside_a_keytab(lab):
    env = {"env": planted(lab)}
    tunnel = lab.tunnel(lab.echo(), server={"allow": "*@CORP.EXAMPLE.TEST"},
                        server_options=env, client_options=env)
    assert works(tunnel)["peer"] == "alice@CORP.EXAMPLE.TEST"


def test_a_named_cache_is_used_and_never_written(lab):
    cache = lab.realm.ccache("bob", lab.path / "bob.cc")
    before = cache.read_bytes()
    tunnel = lab.tunnel(
        lab.echo(),
        server={"allow": "*@CORP.EXAMPLE.TEST"},
        client={"keytab": None, "principal": None, "ccache": f"FILE:{cache}"},
        client_options={"env": planted(lab)},
    )
    assert works(tunnel)["peer"] == "bob@CORP.EXAMPLE.TEST"
    assert cache.read_bytes() == before


@pytest.mark.parametrize("size", [20_000, 65_000, 120_000])
def test_a_ticket_of_a_thousand_groups_is_carried(lab, kerberos, size):
    cache = lab.realm.ccache("bob", lab.path / "bob.cc")
    handmade.fetch_large_ticket(
        cache, "bob", f"orders/web1.{lab.realm.domain}", size)
    tunnel = lab.tunnel(
        lab.echo(),
        server={"allow": "*@CORP.EXAMPLE.TEST"},
        client={"keytab": None, "principal": None, "ccache": f"FILE:{cache}"},
    )
    assert works(tunnel)["peer"] == "bob@CORP.EXAMPLE.TEST"


def test_the_ambient_cache_is_used_when_asked_for(lab):
    tunnel = lab.tunnel(
        lab.echo(),
        server={"allow": "*@CORP.EXAMPLE.TEST"},
        client={"keytab": None, "principal": None, "ccache": "default"},
        client_options={"env": planted(lab)},
    )
    assert works(tunnel)["peer"] == "mallory@CORP.EXAMPLE.TEST"


def test_a_cache_that_was_refreshed_is_read_anew(lab):
    cache = lab.realm.ccache("bob", lab.path / "bob.cc", "-l", "1s")
    wait_until_expired(cache)
    tunnel = lab.tunnel(
        lab.echo(),
        server={"allow": "bob@CORP.EXAMPLE.TEST"},
        client={"keytab": None, "principal": None, "ccache": f"FILE:{cache}"},
    )
    fails(tunnel)
    lab.realm.ccache("bob", lab.path / "new.cc").rename(cache)
    works(tunnel)


def test_up_says_what_was_negotiated(lab):
    tunnel = lab.tunnel(lab.echo())
    for event in (works(tunnel), tunnel.client.wait_for("up")):
        assert event["enctype"] == "aes256-cts-hmac-sha1-96"
        assert event["ticket_enctype"] == "aes256-cts-hmac-sha1-96"
        assert event["engine"] in ("openssl", "multibuffer")
        assert event["target"].startswith("orders/web1.corp.example.test")


def test_tickets_of_short_life_are_renewed_from_the_keytab(lab):
    keytab = lab.realm.add("hasty", '-randkey -maxlife "8 seconds"')
    tunnel = lab.tunnel(
        lab.echo(),
        server={"allow": "hasty@CORP.EXAMPLE.TEST"},
        client={"keytab": keytab, "principal": "hasty"},
    )
    works(tunnel)
    # Past the life of the first ticket: only a third one can be valid.
    tunnel.client.wait_for("credential", count=3, timeout=40)
    works(tunnel)
    assert tunnel.client.events("failed") == []


def test_a_connection_may_end_with_its_ticket(lab):
    keytab = lab.realm.add("brief", '-randkey -maxlife "6 seconds"')
    tunnel = lab.tunnel(
        lab.echo(),
        server={"allow": "brief@CORP.EXAMPLE.TEST"},
        client={"keytab": keytab, "principal": "brief",
                "on_ticket_expiry": "close"},
    )
    with tunnel.connect(timeout=60) as sock:
        assert exchange(sock, b"hello") == b"hello"
        with pytest.raises(ConnectionResetError):
            receive_all(sock)
    for sidecar in (tunnel.client, tunnel.server):
        down = sidecar.wait_for("down", service="db")
        assert "ticket has expired" in down["reason"]


# --- a rotated key ----------------------------------------------------------


def rotated(lab, name):
    """A service whose key was changed after its keytab was written."""
    spn = f"{name}/web1.{lab.realm.domain}"
    keytab = lab.realm.add(spn)
    lab.realm.kadmin(f"cpw -randkey {spn}")
    return {
        "server": {"service_class": name, "keytab": keytab},
        "client": {"service_class": name, "spn": spn},
    }, spn, keytab


def test_a_keytab_without_the_new_key_is_named_at_both_ends(lab):
    keys, _, _ = rotated(lab, "aged")
    tunnel = lab.tunnel(lab.echo(), **keys)
    reason = fails(tunnel)
    assert "refused us" in reason
    assert "its keytab lacks the key version" in reason
    reason = tunnel.server.wait_for("failed", service="db")["reason"]
    assert "the keytab lacks the key version" in reason


@pytest.mark.threads
def test_a_rotated_keytab_is_used_without_a_restart(lab):
    keys, spn, keytab = rotated(lab, "fresh")
    tunnel = lab.tunnel(lab.echo(), **keys)
    fails(tunnel)
    lab.realm.kadmin(f"ktadd -norandkey -k {keytab} {spn}")
    works(tunnel)


def test_an_old_ticket_works_while_its_key_is_in_the_keytab(lab):
    spn = f"kept/web1.{lab.realm.domain}"
    keytab = lab.realm.add(spn)
    tunnel = lab.tunnel(
        lab.echo(),
        server={"service_class": "kept", "keytab": keytab},
        client={"service_class": "kept", "spn": spn},
    )
    works(tunnel)
    lab.realm.kadmin(f"ktadd -k {keytab} {spn}")
    works(tunnel)


# --- failures, each with its sentence ---------------------------------------


def test_an_unknown_service_is_named(lab):
    tunnel = lab.tunnel(
        lab.echo(),
        client={"spn": "nosuch/web1.corp.example.test",
                "service_class": "nosuch"},
    )
    reason = fails(tunnel)
    assert "nosuch/web1.corp.example.test" in reason
    assert "the KDC knows no such service" in reason


def test_an_unknown_client_is_named(lab):
    keytab = lab.realm.add("leaver")
    lab.realm.kadmin("delprinc -force leaver")
    tunnel = lab.tunnel(
        lab.echo(), client={"keytab": keytab, "principal": "leaver"}
    )
    assert "the KDC does not know this client principal" in fails(tunnel)


def test_a_client_key_that_was_changed_is_named(lab):
    keytab = lab.realm.add("rekeyed")
    lab.realm.kadmin("cpw -randkey -e aes256-cts:normal rekeyed")
    tunnel = lab.tunnel(
        lab.echo(), client={"keytab": keytab, "principal": "rekeyed"}
    )
    assert "key" in fails(tunnel)
    tunnel.client.wait_for(
        "credential_bad", reason=re.compile("export a new keytab")
    )


def test_an_expired_account_is_named(lab):
    keytab = lab.realm.add("expired", '-randkey -expire "1/1/2020"')
    tunnel = lab.tunnel(
        lab.echo(), client={"keytab": keytab, "principal": "expired"}
    )
    assert "the account has expired" in fails(tunnel)


def test_an_expired_ticket_in_a_cache_is_named(lab):
    cache = lab.realm.ccache("bob", lab.path / "bob.cc", "-l", "1s")
    wait_until_expired(cache)
    tunnel = lab.tunnel(
        lab.echo(),
        client={"keytab": None, "principal": None, "ccache": f"FILE:{cache}"},
    )
    assert "expired" in fails(tunnel)


def test_a_missing_cache_is_named(lab):
    tunnel = lab.tunnel(
        lab.echo(),
        client={"keytab": None, "principal": None,
                "ccache": f"FILE:{lab.path}/none"},
    )
    reason = fails(tunnel)
    assert f"{lab.path}/none" in reason
    assert "there is no such credential cache" in reason


def test_an_unreachable_kdc_is_named_with_its_realm(lab):
    conf = lab.krb5_conf(kdc_port=free_port())
    tunnel = lab.tunnel(
        lab.echo(), client_options={"env": {"KRB5_CONFIG": conf}}
    )
    reason = fails(tunnel)
    assert "CORP.EXAMPLE.TEST" in reason
    assert "no KDC of the realm answers" in reason


def test_a_service_whose_ticket_is_sealed_with_rc4_is_refused(lab):
    tunnel = lab.tunnel(
        lab.echo(),
        client={"service_class": "legacy",
                "spn": f"legacy/web1.{lab.realm.domain}"},
    )
    reason = fails(tunnel)
    assert "msDS-SupportedEncryptionTypes" in reason


def test_a_keytab_with_only_an_rc4_key_is_refused_at_start(lab):
    said = does_not_start(lab, {
        "server db": lab.server_keys("127.0.0.1:1", service_class="legacy",
                                     keytab=lab.realm.keytab("legacy")),
    })
    assert "legacy.keytab" in said
    assert "AES" in said


def test_a_missing_keytab_is_refused_at_start(lab):
    said = does_not_start(lab, {
        "server db": lab.server_keys("127.0.0.1:1", keytab="/nonexistent/kt"),
    })
    assert "/nonexistent/kt" in said
    assert "there is no such keytab" in said


def test_a_file_that_is_no_keytab_is_refused_at_start(lab):
    path = lab.path / "text.keytab"
    path.write_text("this is not a keytab\n")
    said = does_not_start(lab, {
        "server db": lab.server_keys("127.0.0.1:1", keytab=path),
    })
    assert str(path) in said
    assert "keytab" in said


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_an_unreadable_keytab_is_refused_at_start(lab):
    path = lab.path / "secret.keytab"
    shutil.copy(lab.realm.keytab("web1"), path)
    path.chmod(0)
    said = does_not_start(lab, {
        "server db": lab.server_keys("127.0.0.1:1", keytab=path),
    })
    assert "this user may not read the keytab" in said


def test_a_keytab_that_lacks_the_service_is_named_at_both_ends(lab):
    tunnel = lab.tunnel(
        lab.echo(), server={"keytab": lab.realm.keytab("svc-orders")}
    )
    assert "keytab" in fails(tunnel)
    reason = tunnel.server.wait_for("failed", service="db")["reason"]
    assert "keytab" in reason


def test_an_unusable_replay_cache_is_named(lab):
    tunnel = lab.tunnel(lab.echo())
    shutil.rmtree(tunnel.server.path / "run")
    fails(tunnel)
    reason = tunnel.server.wait_for("failed", service="db")["reason"]
    assert "cannot write the replay cache" in reason


def test_without_a_replay_cache_there_is_nothing_to_write(lab):
    tunnel = lab.tunnel(lab.echo(), server={"replay_cache": "no"})
    shutil.rmtree(tunnel.server.path / "run")
    works(tunnel)


def faketime(offset):
    """The environment in which a sidecar's clock is off."""
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if not found:
        pytest.skip("libfaketime is not installed")
    return {
        "LD_PRELOAD": found[0],
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
    }


def test_a_server_whose_clock_is_off_is_named_at_both_ends(lab):
    tunnel = lab.tunnel(
        lab.echo(), server_options={"env": faketime("+1h")}
    )
    assert "clock" in fails(tunnel)
    reason = tunnel.server.wait_for("failed", service="db")["reason"]
    assert "set both (NTP)" in reason
