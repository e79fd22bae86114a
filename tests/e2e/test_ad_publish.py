# SPDX-License-Identifier: BSD-2-Clause
"""Against a real Active Directory domain controller: a service publishes itself
with the keys of its computer, and what only an administrator may do."""

import os
import re
import shlex
import subprocess

import pytest

from domain import client, configuration, echoes, server
from lab import BINARY, wait_until

pytestmark = pytest.mark.ad

HOST = "orders/web1.corp.example.test"
NAMED = f"{HOST}/orders"


@pytest.fixture
def publishing(site, forest):
    """Makes the configuration of a server on web1, with other keys."""
    made = []

    def make(port=7443, **changes):
        made.append(configuration(
            site, forest.section(), "server db", site.server_keys(
                "127.0.0.1:1", accept=f"{site.realm.address('web1')}:{port}",
                keywords=forest.keyword, scp_name=f"db-{forest.number}",
                **changes)))
        return made[-1]

    yield make
    site.realm.start()
    forest.move_back()
    as_administrator(site, "unpublish", "-c", made[0], "db")
    as_administrator(site, "spn", "delete", "-c", made[0], HOST, NAMED, "web1$")


def administrator(site):
    return {"KRB5CCNAME": f"FILE:{site.realm.cache('Administrator')}"}


def as_administrator(site, *words):
    *head, last = words
    return site.command(*head, "--ccache", "default", last,
                        env=administrator(site))


def done(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


# --- by the computer itself ---------------------------------------------------


def test_a_computer_publishes_its_service_with_its_own_keys(
        site, forest, publishing):
    sidecar = server(site)
    path = publishing(port=sidecar.address("db")[1])
    said = done(site.command("publish", "-c", path, "db"))
    assert f"SPN  {HOST} on web1$" in said
    assert echoes(client(site, forest))
    assert "done" not in done(site.command("publish", "-c", path, "db"))


def test_a_dry_run_changes_nothing(site, forest, publishing):
    path = publishing()
    said = done(site.command("publish", "-c", path, "--dry-run", "db"))
    assert f"would register the SPN {HOST} on web1$" in said
    assert HOST not in done(site.command("spn", "list", "-c", path))


def test_only_what_differs_is_written(site, forest, publishing):
    done(site.command("publish", "-c", publishing(), "db"))
    said = done(site.command("publish", "-c", publishing(port=7444), "db"))
    assert len(re.findall("^done: ", said, re.M)) == 1
    assert "7444" in said


def test_a_computer_that_moved_is_still_published(site, forest, publishing):
    path = publishing()
    done(site.command("publish", "-c", path, "db"))
    forest.move("web1", "OU=Moved")
    said = done(site.command("publish", "-c", path, "db"))
    assert "OU=Moved" in said
    assert "done" not in said


def test_unpublish_takes_all_back(site, forest, publishing):
    path = publishing()
    done(site.command("publish", "-c", path, "db"))
    done(site.command("unpublish", "-c", path, "db"))
    assert HOST not in done(site.command("spn", "list", "-c", path))
    keys = forest.client()
    asked = configuration(site, forest.section(), "client db", keys)
    assert site.command("discover", "-c", asked, "db").returncode == 1


# --- with an administrator's help ---------------------------------------------


def test_the_command_that_is_advised_is_what_helps(site, forest, publishing):
    path = publishing(spn=[HOST, NAMED])
    refused = site.command("publish", "-c", path, "db")
    assert refused.returncode == 1
    assert 'needs the right "Write servicePrincipalName"' in refused.stderr
    assert "nothing is changed" in refused.stderr
    advised = re.search("can run: (kerbwrap .*)", refused.stderr).group(1)
    subprocess.run(
        [BINARY, *shlex.split(advised)[1:]], check=True, timeout=60,
        env={**os.environ, **administrator(site)})
    done(site.command("publish", "-c", path, "db"))
    tunnel = site.tunnel(site.echo(), client={"spn": NAMED})
    assert echoes(tunnel.client)


def test_an_administrator_publishes_every_name(site, forest, publishing):
    path = publishing(spn=[HOST, NAMED])
    said = done(as_administrator(site, "publish", "-c", path, "db"))
    assert f"SPN  {NAMED} on web1$" in said
    assert f"{NAMED}: registered on web1$" in done(
        site.command("spn", "check", "-c", path, "db"))


# --- duplicates ---------------------------------------------------------------


@pytest.fixture
def duplicate(site, forest, publishing):
    """The published name stands on svc-web, too; the configuration."""
    path = publishing()
    done(site.command("publish", "-c", path, "db"))
    site.realm.write_raw(forest.account("svc-web"), "servicePrincipalName",
                         HOST)
    yield path
    forest.ldif(f"dn: {forest.account('svc-web')}\nchangetype: modify\n"
                "delete: servicePrincipalName\n\n")


def test_both_accounts_of_a_duplicate_are_shown(site, duplicate):
    result = site.command("spn", "find-duplicates", "-c", duplicate)
    assert result.returncode == 1
    assert HOST in result.stdout
    assert "CN=web1," in result.stdout and "CN=svc-web," in result.stdout


def test_a_duplicate_is_not_published(site, duplicate):
    result = site.command("publish", "-c", duplicate, "db")
    assert result.returncode == 1
    assert "svc-web" in result.stderr


def test_a_duplicate_stops_its_service_and_no_other(site, forest, duplicate):
    keys = site.server_keys("127.0.0.1:1")
    sidecar = site.kerbwrap({
        "directory": forest.section(refresh="1s"),
        "server db": keys,
        "server other": {**keys, "verify_spn": "off"},
    }, wait=False)
    sidecar.wait_for("listening", service="other")
    told = sidecar.wait_for("error", service="db")["reason"]
    assert "the service is not started" in told and "svc-web" in told
    assert not sidecar.events("listening", service="db")


def test_a_computer_that_moved_is_refreshed_at_start(site, forest, publishing):
    path = publishing()
    done(site.command("publish", "-c", path, "db"))
    forest.move("web1", "OU=Moved")
    sidecar = site.kerbwrap({
        "directory": forest.section(),
        "server db": site.server_keys(
            site.echo(), accept=f"{site.realm.address('web1')}:0",
            keywords=forest.keyword, scp_name=f"db-{forest.number}",
            publish="yes"),
        "kerbwrap": {"state_dir": site.path},
    }, wait=False)
    port = sidecar.address("db")[1]
    wait_until(lambda: sidecar.status()["services"][0]["registration"] ==
               "fine")
    initiator = client(site, forest)
    assert echoes(initiator)
    up = initiator.wait_for("up", service="db")
    assert up["to"].endswith(f":{port}")
