# SPDX-License-Identifier: BSD-2-Clause
"""The directory stops, hangs, talks nonsense, forgets: what is known goes on to
serve for as long as it may, and what is said of it in log and status."""

import re
import time

import pytest

from applications import Switch, exchange
from directory import Valve
from lab import PATIENCE, wait_until


@pytest.fixture
def server(lab):
    return lab.kerbwrap({"server db": lab.server_keys(lab.echo())},
                        name="server")


@pytest.fixture
def found(server, directory):
    """The DN of a service connection point of the server."""
    return directory.scp(directory.computer(), address=server.address("db"))


def finder(lab, directory, *, settings=None, keys=None, env=None, **section):
    return lab.kerbwrap(
        {"kerbwrap": settings or {},
         "directory": directory.section(**{"refresh": "1s", **section}),
         "client db": directory.client(**keys or {})}, name="client", env=env)


def echoes(sidecar, service="db"):
    with sidecar.connect(service) as sock:
        return exchange(sock, b"hello") == b"hello"


def discovery(sidecar):
    """What status says of the service's discovery."""
    return sidecar.status()["services"][0]["discovery"]


# --- stopped and started -----------------------------------------------------


@pytest.mark.threads
def test_it_is_started_before_the_directory(lab, directory, realm, found):
    realm.stop("slapd")
    client = finder(lab, directory)
    client.wait_for("discovery_bad", service="db", servers=0)
    assert client.refuses("db")
    reason = client.wait_for("failed")["reason"]
    assert "cannot authenticate to ldap://localhost" in reason
    assert discovery(client)["answering"] == "no"
    realm.start("slapd")
    client.wait_for("discovered", outcome="found", servers=1, timeout=30)
    assert echoes(client)
    assert discovery(client)["answering"] == "yes"


def test_the_kept_answer_serves_while_it_is_stopped(lab, directory, realm,
                                                    found):
    client = finder(lab, directory)
    client.wait_for("discovered", outcome="found")
    realm.stop("slapd")
    client.wait_for("discovery_bad", servers=1, count=2)
    assert echoes(client)
    told = discovery(client)
    assert (told["outcome"], told["answering"]) == ("found", "no")
    # The second silence came a second or more after the answer.
    assert told["age"] >= 1
    assert client.events("discovery_bad")[1]["age"] >= 1
    realm.start("slapd")
    client.wait_for("discovered", outcome="found", count=2, timeout=30)
    assert echoes(client)


def test_the_kept_answer_serves_after_a_restart(lab, directory, realm, found):
    state = {"state_dir": lab.path}
    first = finder(lab, directory, settings=state)
    first.wait_for("discovered", outcome="found")
    assert echoes(first)
    wait_until((lab.path / "db.discovery").exists)
    first.close()
    realm.stop("slapd")
    second = finder(lab, directory, settings=state)
    second.wait_for("discovered", outcome="found", servers=1)
    second.wait_for("discovery_bad", servers=1)
    assert echoes(second)
    assert discovery(second)["source"] == "kept"


def test_an_answer_older_than_max_stale_serves_no_more(lab, directory, realm,
                                                       found):
    client = finder(lab, directory, max_stale="1s")
    client.wait_for("discovered", outcome="found")
    realm.stop("slapd")
    client.wait_for("discovered", outcome="no answer", timeout=30)
    assert client.refuses("db")
    assert client.wait_for("failed", service="db")


def test_a_kept_answer_older_than_max_stale_is_not_taken(lab, directory, realm,
                                                         found):
    state = {"state_dir": lab.path}
    first = finder(lab, directory, settings=state)
    wait_until((lab.path / "db.discovery").exists)
    first.close()
    realm.stop("slapd")
    second = finder(lab, directory, settings=state, max_stale="0ms")
    second.wait_for("discovery_bad", servers=0)
    assert second.refuses("db")


# --- silent, or not a directory ----------------------------------------------


def test_a_silent_directory_is_a_sentence(lab, directory, found):
    client = finder(lab, directory, timeout="500ms",
                    uri=f"ldap://localhost:{lab.black_hole().port}")
    reason = client.wait_for("discovery_bad")["reason"]
    assert re.search("Timed out|does not answer in time", reason)
    assert client.refuses("db")


@pytest.mark.parametrize("answer", [b"HTTP/1.0 400 Bad Request\r\n\r\n",
                                    b"\x30\x84\xff\xff\xff\xff", b"\x00" * 64,
                                    b""], ids=repr)
def test_garbage_is_a_sentence(lab, directory, found, answer):
    def talk(sock):
        sock.recv(1)
        sock.sendall(answer)

    liar = lab.application(talk)
    client = finder(lab, directory, timeout="1s",
                    uri=f"ldap://localhost:{liar.address[1]}")
    bad = client.wait_for("discovery_bad")
    assert "ldap://localhost" in bad["reason"]
    assert client.refuses("db")


def test_the_next_directory_is_asked(lab, directory, found):
    hole = lab.black_hole()
    client = finder(lab, directory, timeout="500ms", uri=[
        f"ldap://localhost:{hole.port}", directory.uri])
    client.wait_for("discovered", outcome="found")
    assert echoes(client)


# --- a definite answer -------------------------------------------------------


def test_none_removes_what_was_kept(lab, directory, found):
    client = finder(lab, directory)
    client.wait_for("discovered", outcome="found")
    kept = client.path / "state" / "db.discovery"
    assert echoes(client)
    wait_until(kept.exists)
    directory.delete(found)
    client.wait_for("discovered", outcome="none", timeout=30)
    assert client.refuses("db")
    reason = client.wait_for("failed", service="db")["reason"]
    assert reason == (
        "no server is known: the directory has no service connection point "
        "that matches")
    wait_until(lambda: not kept.exists())


@pytest.mark.threads
def test_the_client_follows_a_server_that_moves(lab, directory, server, found):
    client = finder(lab, directory)
    client.wait_for("discovered", outcome="found")
    assert echoes(client)
    moved = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    port = moved.address("db")[1]
    directory.modify(found, serviceBindingInformation=port)
    client.wait_for("discovered", count=2, timeout=30)
    assert echoes(client)
    assert client.wait_for("up", count=2)["to"] == f"127.0.0.1:{port}"


def test_an_end_right_after_an_answer_loses_no_memory(lab, directory, found):
    """The answer is on its way to the state file, or back."""
    for _ in range(5):
        client = finder(lab, directory)
        client.wait_for("discovered", outcome="found")
        client.close()


def test_an_unchanged_answer_is_logged_once(lab, directory, found):
    client = finder(lab, directory)
    client.wait_for("discovered", outcome="found")
    kept = client.path / "state" / "db.discovery"
    for _ in range(2):
        kept.unlink(missing_ok=True)
        wait_until(kept.exists)
    assert len(client.events("discovered")) == 1


# --- the state file ----------------------------------------------------------


def damage(data, how):
    return {
        "empty": b"",
        "cut": data[:len(data) // 2],
        "one bit": bytes([data[0] ^ 1]) + data[1:],
        "garbage": bytes(range(256)) * 16,
        "another port": re.sub(rb"localhost \d+", b"localhost 1", data, 1),
    }[how]


@pytest.fixture
def state(lab, directory, realm, found):
    """A directory with a kept answer; the realm's directory is stopped."""
    first = finder(lab, directory, settings={"state_dir": lab.path})
    wait_until((lab.path / "db.discovery").exists)
    first.close()
    realm.stop("slapd")
    return lab.path / "db.discovery"


def assert_ignored(lab, directory, path, sentence):
    client = finder(lab, directory, settings={"state_dir": path.parent})
    client.wait_for("warning", service="db", reason=re.compile(
        f"^cannot use {re.escape(str(path))}: {sentence}"))
    client.wait_for("discovery_bad", servers=0)
    assert client.refuses("db")


@pytest.mark.parametrize("how", ["empty", "cut", "one bit", "garbage",
                                 "another port"])
def test_a_damaged_state_file_is_ignored(lab, directory, state, how):
    state.write_bytes(damage(state.read_bytes(), how))
    assert_ignored(lab, directory, state, "it is damaged")


def test_a_state_file_that_others_can_write_is_ignored(lab, directory, state):
    state.chmod(0o666)
    assert_ignored(lab, directory, state,
                   "it is not a file that only its owner can write")


def test_a_state_file_that_is_a_link_is_ignored(lab, directory, state):
    state.rename(state.with_suffix(".real"))
    state.symlink_to(state.with_suffix(".real"))
    assert_ignored(lab, directory, state, "")


def test_a_state_file_of_another_question_is_ignored(lab, directory, state):
    client = finder(lab, directory, settings={"state_dir": state.parent},
                    keys={"allow_host": "*.corp.example.test"})
    client.wait_for("warning", service="db",
                    reason=re.compile("it answers another question"))
    assert client.refuses("db")


def test_a_state_file_that_cannot_be_written_is_a_warning(lab, directory,
                                                          found):
    (lab.path / "db.discovery").mkdir()
    client = finder(lab, directory, settings={"state_dir": lab.path})
    client.wait_for("discovered", outcome="found")
    assert echoes(client)
    client.wait_for("warning", reason=re.compile(
        f"^cannot write {lab.path}/db.discovery: "))


# --- everything hangs at once ------------------------------------------------


def seconds_of_a_hundred(sidecar):
    began = time.monotonic()
    for _ in range(100):
        assert echoes(sidecar)
    return time.monotonic() - began


@pytest.mark.threads
def test_known_services_open_while_directory_and_kdc_hang(lab, directory, realm,
                                                          server, found):
    kdc = lab.keep(Switch(("127.0.0.1", int(realm.env["KDC_PORT"]))))
    ldap = lab.keep(Valve(("127.0.0.1", directory.port)))
    env = {"KRB5_CONFIG": lab.krb5_conf(kdc_port=kdc.address[1])}
    unknown = directory.client(keywords="nothing-has-this")
    client = lab.kerbwrap(
        {"directory": directory.section(
            refresh="1s", uri=f"ldap://localhost:{ldap.address[1]}"),
         "client db": directory.client(),
         **{f"client lost{i}": unknown for i in range(4)}}, env=env)
    client.wait_for("discovered", service="db", outcome="found")
    for i in range(4):
        client.wait_for("discovered", service=f"lost{i}", outcome="none")
    before = seconds_of_a_hundred(client)
    ldap.hang()
    kdc.hang()
    client.wait_for("discovery_bad", service="db", timeout=30)
    for i in range(4):
        client.wait_for("discovery_bad", service=f"lost{i}", timeout=30)
    during = seconds_of_a_hundred(client)
    assert client.refuses("lost0")
    print(f"100 connections: {before:.2f} s before, {during:.2f} s while both "
          "hang")
    assert during < 5 * before + PATIENCE
