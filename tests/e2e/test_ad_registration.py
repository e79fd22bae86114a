# SPDX-License-Identifier: BSD-2-Clause
"""What a server does at its start, rights that are missing and names by hand,
against a real Active Directory domain controller."""

import re
import shutil

import pytest

from applications import exchange
from lab import ini, wait_until

pytestmark = pytest.mark.ad

HOST_SPN = "orders/web1.corp.example.test"


class Publisher:
    """A [server db] of web1 in a configuration file, and commands on it."""

    def __init__(self, site, forest):
        self.site = site
        self.forest = forest
        self.path = site.path / "publisher"
        (self.path / "state").mkdir(parents=True)
        self.file = self.path / "publish.ini"
        self.address = site.realm.address("web1")
        self.scp = f"CN=db,{forest.account('web1')}"
        self.write()

    def sections(self, section=None, **keys):
        site = self.site
        return {
            "kerbwrap": {"state_dir": self.path / "state"},
            "directory": self.forest.section(**section or {}),
            "server db": site.server_keys("127.0.0.1:9", **{
                "accept": f"{self.address}:7443",
                "keywords": self.forest.keyword, **keys}),
        }

    def write(self, **keys):
        self.file.write_text(ini(self.sections(**keys)))

    def run(self, command, *arguments, status=0, who=None):
        words = command.split()
        env = {}
        if who:
            words += ["--ccache", "default"]
            env["KRB5CCNAME"] = f"FILE:{self.site.realm.cache(who)}"
        result = self.site.command(*words, "-c", self.file, *arguments, env=env)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout + result.stderr

    def attributes(self, dn, *names):
        return self.site.realm.run_as(
            "Administrator", "ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no",
            "-s", "base", "-b", dn, *names)

    def names(self, account="web1"):
        return self.run("spn list", account).split()

    def close(self):
        self.run("unpublish --force", "db", who="Administrator")
        for spn in self.names():
            if spn.startswith("orders/"):
                self.run("spn delete", spn, "web1", who="Administrator")
        shutil.rmtree(self.path)


@pytest.fixture
def publisher(site, forest):
    publisher = Publisher(site, forest)
    yield publisher
    publisher.close()


def commands(text, tool):
    return re.findall(rf"an administrator can run: ({tool} .*)", text)


def test_who_may_not_create_the_object_is_told_the_right(publisher):
    publisher.run("spn add", HOST_SPN, "web1", who="Administrator")
    said = publisher.run("publish", "db", status=1, who="bob")
    assert '"Create serviceConnectionPoint objects"' in said
    assert commands(said, "dsacls")


# --- names -------------------------------------------------------------------


def test_a_name_of_another_account_is_refused(publisher):
    publisher.run("spn add", HOST_SPN, "svc-web", who="Administrator")
    said = publisher.run("publish", "db", status=1)
    assert "it is registered on CN=svc-web,CN=Users" in said
    said = publisher.run("spn add", HOST_SPN, "web1", status=1,
                         who="Administrator")
    assert "on another account, CN=svc-web,CN=Users" in said
    publisher.run("spn delete", HOST_SPN, "svc-web", who="Administrator")


def test_adding_and_deleting_twice_is_fine(publisher):
    for _ in range(2):
        publisher.run("spn add", HOST_SPN)
    for _ in range(2):
        publisher.run("spn delete", HOST_SPN)


def test_a_key_that_is_not_the_directorys_is_told(publisher, site):
    publisher.run("publish", "db")
    keytab = site.path / "old.keytab"
    shutil.copy(site.realm.keytab("web1"), keytab)
    publisher.write(keytab=site.realm.keytab("web2"), account="web1$",
                    section={"principal": "web1$", "keytab": keytab})
    said = publisher.run("spn check", "db", status=1)
    assert "the keytab has no AES key of it or of web1$" in said


def test_no_duplicates_are_found_where_there_are_none(publisher):
    assert "no name stands on several" in publisher.run("spn find-duplicates")


# --- at start ----------------------------------------------------------------


def start(publisher, **keys):
    sections = publisher.sections(section={"refresh": "1s"}, **keys)
    sections["server other"] = publisher.site.server_keys(
        "127.0.0.1:9", verify_spn="off")
    del sections["kerbwrap"]
    return publisher.site.kerbwrap(sections, wait=False)


def test_a_service_without_its_name_waits_and_others_serve(publisher):
    sidecar = start(publisher)
    sidecar.wait_for("listening", service="other")
    told = sidecar.wait_for("error", service="db")["reason"]
    assert told == ("the service is not started: the SPN "
                    f"{HOST_SPN} is not registered on any account")
    assert not sidecar.events("listening", service="db")
    publisher.run("spn add", HOST_SPN)
    sidecar.wait_for("listening", service="db")


def test_a_wrong_name_can_be_a_warning(publisher):
    sidecar = start(publisher, verify_spn="warn")
    sidecar.wait_for("warning", service="db")
    sidecar.wait_for("listening", service="db")


def test_the_object_is_refreshed_and_found_by_clients(publisher, site, forest):
    publisher.run("publish", "db")
    sections = publisher.sections(publish="yes",
                                  accept=f"{publisher.address}:0",
                                  connect=site.echo().endpoint)
    del sections["kerbwrap"]["state_dir"]
    sidecar = site.kerbwrap(sections, wait=False)
    port = sidecar.address("db")[1]
    assert f"serviceBindingInformation: {port}" in publisher.attributes(
        publisher.scp, "serviceBindingInformation")
    client = site.kerbwrap({"directory": forest.section(),
                            "client db": forest.client()})
    client.wait_for("discovered", service="db", outcome="found")
    with client.connect("db") as sock:
        assert exchange(sock, b"hello") == b"hello"


def test_a_directory_that_is_down_is_a_warning(publisher, site):
    publisher.run("publish", "db")
    site.realm.stop()
    sidecar = start(publisher)
    sidecar.wait_for("listening", service="db")
    site.realm.start()
    wait_until(lambda: [
        service["registration"] for service in sidecar.status()["services"]
        if service["name"] == "db"] == ["fine"])
