# SPDX-License-Identifier: BSD-2-Clause
"""`kerbwrap discover`: what was asked of whom, what came of it, and how it ends
when nobody answers."""

import json
import time

import pytest

from lab import PATIENCE, ini

FILTER = "(&(objectClass=serviceConnectionPoint)(keywords={}))"


@pytest.fixture
def discover(lab, directory):
    """Runs it on [client db] with some keys and some of [directory]."""

    def run(*options, keys=None, name="db", env=None, **section):
        path = lab.path / "discover.ini"
        path.write_text(ini({
            "kerbwrap": {"state_dir": lab.path / "state"},
            "directory": directory.section(**section),
            "client db": directory.client(**keys or {}),
            "server beside": lab.server_keys("127.0.0.1:1"),
        }))
        return lab.command("discover", "-c", path, name, *options, env=env)

    return run


@pytest.fixture
def offers(directory):
    """A good service connection point and a forged one; their DNs."""
    mallory = directory.computer("mallory", "mallory.example.test")
    return [directory.scp(directory.computer(), "good", ("localhost", 7443)),
            directory.scp(mallory, "forged", ("localhost", 7444))]


def as_slapd_writes(dn):
    return dn.replace("CN=", "cn=").replace("DC=", "dc=")


def test_the_text_says_who_was_asked_what(discover, directory, offers, realm):
    result = discover()
    assert result.stdout.splitlines()[:6] == [
        "[client db] looks for servers of class orders",
        "",
        "What was asked of whom:",
        f"    authenticated to {directory.uri} as alice@{realm.name}",
        f"    asked {directory.uri} for {FILTER.format(directory.keyword)} "
        f"below '{directory.base}': 2 entries",
        "",
    ]
    assert (result.stderr, result.returncode) == ("", 0)


def test_the_text_shows_verdicts_names_and_order(discover, offers):
    good, forged = map(as_slapd_writes, offers)
    assert discover().stdout.split("\n\n", 2)[2] == f"""\
Candidates: 2, accepted: 1
    {forged}
        localhost, rejected: its host is localhost, but its parent computer \
is 'mallory.example.test'
    {good}
        localhost:7443, accepted by allow_host
        SPN orders/localhost

Order of dialling:
    1. localhost:7443 as orders/localhost
"""


def test_the_json_tells_the_same(discover, directory, offers):
    result = discover("--json")
    told = json.loads(result.stdout)
    assert (result.stderr, result.returncode) == ("", 0)
    assert (told["client"], told["source"], told["outcome"]) == (
        "db", "directory", "found")
    assert len(told["journal"]) == 2
    assert told["candidates"][1] == {
        "dn": as_slapd_writes(offers[0]), "guid": directory.guid(offers[0]),
        "host": "localhost", "port": 7443, "priority": 0, "weight": 0,
        "accepted": True, "verdict": "accepted by allow_host",
        "spn": "orders/localhost",
    }
    assert told["order"] == [{"address": "localhost:7443",
                              "spn": "orders/localhost"}]


def test_the_order_is_that_of_dialling(discover, directory):
    computer = directory.computer()
    for number in (3, 1, 2):
        directory.scp(computer, str(number), ("localhost", number))
    listed = json.loads(discover("--json").stdout)
    assert [server["address"] for server in listed["order"]] == [
        "localhost:1", "localhost:2", "localhost:3"]
    anew = "Order of dialling, drawn anew for each connection:"
    assert anew in discover(keys={"select": "random"}).stdout


def test_nothing_is_dialled_and_nothing_kept(lab, discover, directory):
    trap = lab.application(lambda sock: sock.recv(1))
    directory.scp(directory.computer(), address=trap.address)
    assert discover().returncode == 0
    assert trap.accepted == 0
    assert not (lab.path / "state").exists()


# --- nothing found, nobody answering -----------------------------------------


def test_none_is_a_sentence_and_a_status(discover):
    result = discover()
    assert "Candidates: 0, accepted: 0" in result.stdout
    assert result.stderr == ("kerbwrap: the directory has no service "
                             "connection point that matches\n")
    assert result.returncode == 1


def test_none_accepted_is_a_sentence_and_a_status(discover, directory, offers):
    result = discover(keys={"allow_host": "elsewhere.test"})
    assert result.stderr.startswith(
        "kerbwrap: none of 2 service connection points is accepted; the first:")
    assert result.returncode == 1


def test_a_stopped_directory_is_a_sentence(discover, directory, realm):
    realm.stop("slapd")
    result = discover("--json")
    sentence = (f"cannot authenticate to {directory.uri}: Can't contact LDAP "
                "server")
    assert json.loads(result.stdout)["reason"] == sentence
    assert result.stderr == f"kerbwrap: {sentence}\n"
    assert result.returncode == 1


def test_a_silent_directory_ends_it_with_a_sentence(lab, discover):
    uri = f"ldap://localhost:{lab.black_hole().port}"
    began = time.monotonic()
    result = discover(uri=uri, timeout="500ms")
    assert time.monotonic() - began < 6 * PATIENCE
    assert result.stderr == (
        f"kerbwrap: cannot authenticate to {uri}: Timed out\n")
    assert result.returncode == 1


def test_a_hung_kdc_ends_it_with_a_sentence(lab, discover, realm):
    """Which libkrb5 would wait for half a minute for."""
    conf = lab.krb5_conf(kdc_port=lab.black_hole().port)
    began = time.monotonic()
    result = discover("--json", timeout="500ms", env={"KRB5_CONFIG": conf})
    assert time.monotonic() - began < 6 * PATIENCE
    sentence = f"the KDC of {realm.name} does not answer in time"
    assert json.loads(result.stdout)["reason"] == sentence
    assert result.stderr == f"kerbwrap: {sentence}\n"
    assert result.returncode == 1


def test_many_silent_directories_end_it_too(lab, discover):
    """Each in its time, all of them together within twelve timeouts."""
    port = lab.black_hole().port
    began = time.monotonic()
    result = discover(uri=[f"ldap://localhost:{port}"] * 40, timeout="200ms")
    assert time.monotonic() - began < 8 * PATIENCE
    assert result.stderr.startswith("kerbwrap: the directory takes too long")
    assert result.returncode == 1


# --- what it does not ask for ------------------------------------------------


@pytest.fixture
def listed(discover):
    """A client with `connect =`; no directory answers."""

    def run(*options, **keys):
        return discover(*options, uri="ldap://localhost:1", keys={
            "keywords": None, "allow_host": None,
            "connect": ["a.example.test:1", "b.example.test:2"], **keys})

    return run


def test_connect_is_said_and_shown(listed):
    result = listed()
    assert result.stdout == (
        "[client db] does not ask the directory: its servers are those of "
        "`connect =`\n"
        "\n"
        "Order of dialling:\n"
        "    1. a.example.test:1 as orders/a.example.test\n"
        "    2. b.example.test:2 as orders/b.example.test\n")
    assert (result.stderr, result.returncode) == ("", 0)


def test_connect_is_shown_as_json(listed):
    told = json.loads(listed("--json", spn_format="port").stdout)
    assert told == {
        "client": "db", "source": "connect", "select": "listed", "order": [
            {"address": "a.example.test:1", "spn": "orders/a.example.test:1"},
            {"address": "b.example.test:2", "spn": "orders/b.example.test:2"},
        ]}


def test_a_literal_spn_is_shown(listed):
    assert "1. a.example.test:1 as orders/x\n" in listed(spn="orders/x").stdout


# --- mistakes ----------------------------------------------------------------


def test_an_unknown_client_is_a_mistake(lab, discover):
    result = discover(name="nobody")
    assert result.stderr == (
        f"kerbwrap: no [client nobody] in {lab.path}/discover.ini\n")
    assert (result.stdout, result.returncode) == ("", 2)


def test_a_server_is_a_mistake(discover):
    result = discover(name="beside")
    assert result.stderr == (
        "kerbwrap: [server beside] looks for nobody: name a [client]\n")
    assert (result.stdout, result.returncode) == ("", 2)


def test_a_wrong_key_is_a_mistake(discover):
    result = discover(keys={"keyword": "x"})
    assert "unknown key `keyword`" in result.stderr
    assert (result.stdout, result.returncode) == ("", 2)


def test_a_keytab_that_is_missing_is_a_sentence(discover):
    result = discover(keys={"keytab": "/nowhere"})
    assert result.stderr.startswith("kerbwrap: cannot use keytab /nowhere")
    assert (result.stdout, result.returncode) == ("", 1)
