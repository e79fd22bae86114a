# SPDX-License-Identifier: BSD-2-Clause
"""`kerbwrap doctor`: set-ups that are broken in one place each, and the one line
that names the cause.

Each case makes a sound set-up, breaks it, and says where and how the doctor must
fail it; nothing else may be failed for it.
"""

import json
import os
import pathlib
import re
import socket
import time

import pytest

from applications import format_address
from lab import PATIENCE, Lab, free_port, ini
from test_kerberos import faketime, wait_until_expired

CASES = []
WEB1 = "orders/web1.corp.example.test"
REALM = "CORP.EXAMPLE.TEST"


class Bench:
    """A sound set-up to be broken: a server sidecar that runs, and the sections
    of a server and of a client."""

    def __init__(self, request, lab, running, application):
        self._request = request
        self.lab = lab
        self.realm = lab.realm
        self.path = lab.path
        self.running = running
        self.application = application
        self.env = {}
        self.options = []
        self.settings = {"max_connections": 100, "status": "none",
                         "state_dir": lab.path, "runtime_dir": lab.path}

    @property
    def directory(self):
        """Asked for only where there is one: tidying up takes a while."""
        return self._request.getfixturevalue("directory")

    def server(self, **changes):
        return {"server db": self.lab.server_keys(self.application, **changes)}

    def client(self, server=None, **changes):
        target = server or self.running.address("db")
        return {"client db": self.lab.client_keys(target, **changes)}

    def seeker(self, **changes):
        """A client that looks in the directory."""
        return {"directory": self.directory.section(),
                "client db": self.directory.client(**changes)}

    def publisher(self, **changes):
        """A server that is published."""
        return {"directory": self.directory.section(gc_uri=self.gc_uri),
                **self.server(accept=f"127.0.0.1:{free_port()}", **changes)}

    @property
    def gc_uri(self):
        return self.realm.env["GC_URI"]

    def keytab(self, *entries):
        """A server's keytab with other keys than the first of web1."""
        name = f"{entries[0].partition('/')[0]}"
        return self.lab.realm.add(entries[0], keytab=name)

    def conf(self, change):
        """A krb5.conf that is not quite the realm's."""
        text = pathlib.Path(self.realm.env["KRB5_CONFIG"]).read_text()
        path = self.path / "krb5.conf"
        path.write_text(change(text))
        self.env["KRB5_CONFIG"] = path

    def run(self, sections, *options):
        file = self.path / "doctor.ini"
        file.write_text(ini({"kerbwrap": self.settings, **sections}))
        return self.lab.command("doctor", "-c", file, *self.options, *options,
                                env=self.env)


@pytest.fixture(scope="module")
def standing(realm):
    """What all share: an application, and a server sidecar before it."""
    with Lab(realm) as lab:
        application = lab.echo()
        sidecar = lab.kerbwrap(
            {"server db": lab.server_keys(application)}, name="server")
        yield sidecar, application


@pytest.fixture
def bench(request, lab, standing):
    return Bench(request, lab, *standing)


def case(check, text, section="server db", verdict="FAIL"):
    """Of a function that gets the bench and returns sections.  text: how what
    the doctor says begins, {} being what the function returned besides."""

    def add(prepare):
        CASES.append(pytest.param(
            prepare, verdict, f"[{section}] {check}: ", text,
            id=prepare.__name__))
        return prepare

    return add


def client_case(check, text, **options):
    return case(check, text, section="client db", **options)


# --- krb5.conf, KDC, clock ---------------------------------------------------


@case("krb5.conf", "cannot use krb5.conf: ", section="kerbwrap")
def krb5_conf_is_garbage(bench):
    bench.conf(lambda text: text.replace("[libdefaults]", "[libdefaults"))
    return bench.client()


@case("krb5.conf", "krb5.conf names no default_realm, which principal = alice "
      "needs", section="kerbwrap")
def krb5_conf_has_no_default_realm(bench):
    bench.conf(lambda text: re.sub("default_realm = .*", "", text))
    return bench.client(principal="alice")


@case("krb5.conf", "there is no krb5.conf that can be read: /nowhere/krb5.conf",
      section="kerbwrap", verdict="warn")
def krb5_conf_is_missing(bench):
    bench.env["KRB5_CONFIG"] = "/nowhere/krb5.conf"
    return bench.client(keytab=bench.path)


@client_case("KDC", f"cannot ask a KDC about kerbwrap-doctor@{REALM}: no KDC of "
             "the realm is known; ")
def krb5_conf_names_no_kdc(bench):
    bench.conf(lambda text: text.replace("kdc =", "admin_server ="))
    return bench.client()


@client_case("KDC", f"cannot ask a KDC about kerbwrap-doctor@{REALM}: no KDC of "
             "the realm answers; ")
def kdc_refuses(bench):
    bench.env["KRB5_CONFIG"] = bench.lab.krb5_conf(kdc_port=free_port())
    return bench.client()


@client_case("KDC", f"no answer within 0.7 s while asking a KDC of {REALM}")
def kdc_is_silent(bench):
    port = bench.lab.black_hole().port
    bench.env["KRB5_CONFIG"] = bench.lab.krb5_conf(kdc_port=port)
    return bench.client(handshake_timeout="700ms")


@client_case("clock", "this machine's clock is {} s ahead of that of the KDC of "
             f"{REALM}, 300 s are forgiven")
def clock_is_ahead(bench):
    bench.env.update(faketime("+1h"))
    return bench.client(), re.compile("3(599|600|601)")


@case("clock", "this machine's clock is {} s behind that of the KDC of "
      f"{REALM}, 300 s are forgiven")
def clock_is_behind(bench):
    bench.env.update(faketime("-1h"))
    return bench.server(), re.compile("3(599|600|601)")


@client_case("clock", "this machine's clock is {} s ahead of that of the KDC of "
             f"{REALM}; from 300 s on nothing works", verdict="warn")
def clock_goes_astray(bench):
    bench.env.update(faketime("+2m"))
    return bench.client(), re.compile("1(19|20|21)")


# --- a server's keys ---------------------------------------------------------


@case("keytab", "cannot use keytab /nowhere/kt: there is no such keytab")
def keytab_is_missing(bench):
    return bench.server(keytab="/nowhere/kt")


@case("keytab", "cannot use keytab {}: the file is empty or not a keytab")
def keytab_is_text(bench):
    path = bench.path / "text.keytab"
    path.write_text("this is not a keytab\n")
    return bench.server(keytab=path), path


@case("keytab", "cannot use keytab {}: it holds no AES key")
def keytab_has_only_an_rc4_key(bench):
    path = bench.realm.keytab("legacy")
    return bench.server(keytab=path, service_class="legacy"), path


@case("keytab", "cannot use keytab {}: Is a directory")
def keytab_is_a_directory(bench):
    path = bench.path / "folder.keytab"
    path.mkdir()
    return bench.server(keytab=path), path


@case("keytab", "everybody on this machine may read {}", verdict="warn")
def keytab_is_readable_for_everybody(bench):
    path = bench.path / "open.keytab"
    path.write_bytes(bench.realm.keytab("web1").read_bytes())
    path.chmod(0o644)
    return bench.server(keytab=path), path


@case("names", "the keytab holds no key of a name of service_class orders: it "
      "has idle/web1.corp.example.test (number 1)")
def keytab_is_of_another_service(bench):
    return bench.server(keytab=bench.keytab("idle/web1.corp.example.test"))


@case("names", "the keytab holds no key of orders/other.test: it has "
      "lone/web1.corp.example.test (number 1)")
def keytab_lacks_the_name(bench):
    keytab = bench.keytab("lone/web1.corp.example.test")
    return bench.server(keytab=keytab, spn="orders/other.test")


@case("key", "the KDC seals tickets for stale/web1.corp.example.test with key "
      "number 2, the keytab has number 1 of stale/web1.corp.example.test")
def key_is_out_of_date(bench):
    spn = "stale/web1.corp.example.test"
    keytab = bench.realm.keytab("both")
    bench.realm.kadmin(
        f"addprinc -randkey {spn}", "addprinc -randkey box1$",
        f"ktadd -q -norandkey -k {keytab} {spn} box1$", f"cpw -randkey {spn}")
    return bench.server(keytab=keytab, service_class="stale")


@case("key", "the KDC seals tickets for typed/web1.corp.example.test with a key "
      "of type aes256-cts-hmac-sha1-96, the keytab has none of that type")
def key_is_of_another_type(bench):
    spn = "typed/web1.corp.example.test"
    keytab = bench.realm.keytab("typed")
    bench.realm.kadmin(
        f"addprinc -e aes128-cts:normal -randkey {spn}",
        f"addprinc -e aes128-cts:normal -randkey box2$",
        f"ktadd -q -norandkey -k {keytab} {spn} box2$",
        f"delprinc -force {spn}", f"addprinc -randkey {spn}")
    return bench.server(keytab=keytab, service_class="typed")


@case("key", "the keytab's key does not open tickets for "
      "again/web1.corp.example.test, although its number 1 is the KDC's: it "
      "belongs to another account or an older password")
def service_was_made_anew(bench):
    spn = "again/web1.corp.example.test"
    keytab = bench.realm.keytab("again")
    bench.realm.kadmin(
        f"addprinc -randkey {spn}", "addprinc -randkey box3$",
        f"ktadd -q -norandkey -k {keytab} {spn} box3$",
        f"delprinc -force {spn}", f"addprinc -randkey {spn}")
    return bench.server(keytab=keytab, service_class="again")


@case("key", f"cannot get a ticket for gone/web1.corp.example.test@{REALM} as "
      f"box4$@{REALM}: the KDC knows no such service; ")
def service_was_deleted(bench):
    spn = "gone/web1.corp.example.test"
    keytab = bench.realm.keytab("gone")
    bench.realm.kadmin(
        f"addprinc -randkey {spn}", "addprinc -randkey box4$",
        f"ktadd -q -norandkey -k {keytab} {spn} box4$",
        f"delprinc -force {spn}")
    return bench.server(keytab=keytab, service_class="gone")


@case("key", f"the KDC seals tickets for legacy/web1.corp.example.test with ")
def service_has_only_an_rc4_key(bench):
    return bench.server(service_class="legacy",
                        spn="legacy/web1.corp.example.test")


@case("login", "cannot get a ticket for changed/web1.corp.example.test@"
      f"{REALM} with keytab {{}}: the keytab's key is not the account's any "
      "more; export a new keytab")
def only_key_was_changed(bench):
    spn = "changed/web1.corp.example.test"
    keytab = bench.realm.add(spn, keytab="changed")
    bench.realm.kadmin(f"cpw -randkey -e aes256-cts:normal {spn}")
    return bench.server(keytab=keytab, service_class="changed"), keytab


@case("login", "cannot get a ticket for deleted/web1.corp.example.test@"
      f"{REALM} with keytab {{}}: the KDC does not know this client principal")
def only_principal_was_deleted(bench):
    spn = "deleted/web1.corp.example.test"
    keytab = bench.realm.add(spn, keytab="deleted")
    bench.realm.kadmin(f"delprinc -force {spn}")
    return bench.server(keytab=keytab, service_class="deleted"), keytab


# --- a client's keys ---------------------------------------------------------


def account(bench, name, *queries, options="-randkey"):
    """A client whose account suffered that."""
    keytab = bench.realm.add(name, options)
    if queries:
        bench.realm.kadmin(*queries)
    return bench.client(keytab=keytab, principal=f"{name}@{REALM}"), keytab


@client_case("credential", "cannot use keytab {} for nobody@CORP.EXAMPLE.TEST: "
             "the keytab holds no key of this principal")
def keytab_lacks_the_principal(bench):
    path = bench.realm.keytab("alice")
    return bench.client(principal=f"nobody@{REALM}"), path


@client_case("credential", "cannot use keytab /nowhere/kt: there is no such "
             "keytab")
def client_keytab_is_missing(bench):
    return bench.client(keytab="/nowhere/kt")


@client_case("credential", "the keytab {} holds no AES key")
def client_keytab_has_only_an_rc4_key(bench):
    path = bench.realm.keytab("legacy")
    return bench.client(keytab=path, principal=f"legacy/web1@{REALM}"), path


@client_case("credential", "cannot use credential cache /nowhere/cc: there is "
             "no such credential cache; run kinit for it")
def cache_is_missing(bench):
    return bench.client(keytab=None, principal=None, ccache="/nowhere/cc")


@client_case("credential", "cannot use credential cache {}: the tickets of "
             f"bob@{REALM} have expired; run kinit for it")
def cache_has_expired(bench):
    cache = bench.realm.ccache("bob", bench.path / "bob.cc", "-l", "1s")
    wait_until_expired(cache)
    return bench.client(keytab=None, principal=None, ccache=cache), cache


@client_case("login", f"cannot get a ticket for d-rekeyed@{REALM} with keytab "
             "{}: the keytab's key is not the account's any more")
def client_key_was_changed(bench):
    return account(bench, "d-rekeyed",
                   "cpw -randkey -e aes256-cts:normal d-rekeyed")


@client_case("login", f"cannot get a ticket for d-leaver@{REALM} with keytab "
             "{}: the KDC does not know this client principal")
def client_was_deleted(bench):
    return account(bench, "d-leaver", "delprinc -force d-leaver")


@client_case("login", f"cannot get a ticket for d-expired@{REALM} with keytab "
             "{}: the account has expired")
def client_has_expired(bench):
    return account(bench, "d-expired", options='-randkey -expire "1/1/2020"')


@client_case("login", f"cannot get a ticket for d-locked@{REALM} with keytab "
             "{}: the account is locked or disabled")
def client_is_locked(bench):
    return account(bench, "d-locked", "modprinc -allow_tix d-locked")


@client_case("login", f"cannot get a ticket for d-stale@{REALM} with keytab "
             "{}: the account's password has expired")
def client_password_has_expired(bench):
    return account(bench, "d-stale", 'modprinc -pwexpire "1/1/2020" d-stale')


# --- from a client to its server ---------------------------------------------


@client_case("DNS", "cannot resolve nowhere.invalid: ")
def server_has_no_address(bench):
    return bench.client("nowhere.invalid:7443")


@client_case("ticket", f"cannot get a ticket for nosuch/web1@{REALM} as "
             f"alice@{REALM}: the KDC knows no such service; ")
def server_has_no_spn(bench):
    return bench.client(spn="nosuch/web1", service_class="nosuch")


@client_case("ticket", "the KDC seals tickets for legacy/web1.corp.example.test "
             "with ")
def server_has_only_an_rc4_key(bench):
    return bench.client(spn="legacy/web1.corp.example.test",
                        service_class="legacy")


@client_case("reach", "the server {} cannot be reached: cannot connect to {}: "
             "Connection refused")
def server_does_not_run(bench):
    address = f"127.0.0.1:{free_port()}"
    return bench.client(address), address


@client_case("handshake", f"with {WEB1} at {{}}: ")
def server_is_no_kerbwrap(bench):
    other = bench.lab.application(
        lambda sock: sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n"))
    return bench.client(other.endpoint), other.endpoint


@client_case("handshake", f"with {WEB1} at {{}}: no answer while waiting for "
             "the server's AP-REP")
def server_says_nothing(bench):
    silent = bench.lab.black_hole()
    return (bench.client(silent.address, handshake_timeout="500ms"),
            format_address(silent.address))


@client_case("handshake", f"with {WEB1} at {{}}: tunnel labels differ: the peer "
             "has '', this side 'other'; set `tunnel` alike at both ends")
def tunnel_labels_differ(bench):
    return (bench.client(tunnel="other"),
            format_address(bench.running.address("db")))


@client_case("handshake", f"with {WEB1} at {{}}: protection differs: the peer is "
             "set to seal, this side to sign")
def protection_differs(bench):
    return (bench.client(protection="sign"),
            format_address(bench.running.address("db")))


@client_case("handshake", f"with {WEB1} at {{}}: {WEB1}@{REALM} refused us, "
             "says an answer that nothing proves: its keytab lacks the key ")
def keytab_of_the_server_lacks_the_key(bench):
    server = bench.lab.kerbwrap(
        bench.server(keytab=bench.realm.keytab("web2")), name="stale")
    address = format_address(server.address("db"))
    return bench.client(address), address


@client_case("handshake", f"with {WEB1} at {{}}: {WEB1}@{REALM} refused us, "
             "says an answer that nothing proves: the other machine's clock and "
             "this one's differ by more than Kerberos allows")
def clock_of_the_server_is_off(bench):
    server = bench.lab.kerbwrap(bench.server(), env=faketime("+1h"),
                                name="future")
    address = format_address(server.address("db"))
    return bench.client(address), address


# --- this machine ------------------------------------------------------------


@case("limits", "max_connections = 1000000 needs 2000256 descriptors, the limit "
      "here is ", section="kerbwrap", verdict="warn")
def descriptors_are_too_few(bench):
    bench.settings["max_connections"] = 1000000
    return bench.client()


@case("state_dir", "cannot write to the directory {}: it is not a directory",
      section="kerbwrap")
def state_dir_is_a_file(bench):
    bench.settings["state_dir"] = path = bench.path / "file"
    path.touch()
    bench.directory.scp(bench.directory.computer(),
                        address=bench.running.address("db"))
    return bench.seeker(), path


@case("runtime_dir", "cannot write to the directory /nowhere/at/all: No such "
      "file or directory", section="kerbwrap")
def runtime_dir_cannot_be_made(bench):
    bench.settings["runtime_dir"] = "/nowhere/at/all"
    return bench.server()


@case("log_target", "cannot write the log to /nowhere/log: No such file or "
      "directory", section="kerbwrap")
def log_cannot_be_written(bench):
    bench.settings["log_target"] = "file:/nowhere/log"
    return bench.client()


@case("status", "cannot make the socket /nowhere/status.sock: /nowhere: No such "
      "file or directory", section="kerbwrap")
def status_socket_cannot_be_made(bench):
    bench.settings["status"] = "unix:/nowhere/status.sock"
    return bench.client()


@case("replay cache", "cannot write the replay cache {}: it is no file")
def replay_cache_is_in_the_way(bench):
    path = bench.path / "db.rcache"
    path.mkdir()
    return bench.server(), path


@case("accept", "cannot listen at {}: {comm} (pid {pid}) does")
def port_is_taken(bench):
    address = bench.application.endpoint
    return bench.server(accept=address), address


@case("accept", "cannot listen at 192.0.2.1:7443: this machine has no such "
      "address")
def address_is_not_ours(bench):
    return bench.server(accept="192.0.2.1:7443")


@client_case("accept", "cannot listen at unix:{}: a file that is not a socket "
             "is there")
def file_is_in_the_way(bench):
    path = bench.path / "app.sock"
    path.touch()
    return bench.client(accept=f"unix:{path}"), path


@client_case("accept", "cannot make the socket /nowhere/app.sock: /nowhere: No "
             "such file or directory")
def socket_has_no_directory(bench):
    return bench.client(accept="unix:/nowhere/app.sock")


@case("application", "the application cannot be reached: nothing listens at {}")
def application_does_not_run(bench):
    address = f"127.0.0.1:{free_port()}"
    return bench.server(connect=address), address


@case("application", "the program {} cannot be started: Permission denied")
def program_cannot_be_started(bench):
    path = bench.path / "program"
    path.write_text("#!/bin/sh\n")
    return bench.server(connect=None, exec=path), path


@case("rules", f"carol@{REALM} is kept out: no rule of allow names it")
def no_rule_lets_her_in(bench):
    bench.options = ["--principal", f"carol@{REALM}"]
    return bench.server()


@case("rules", f"alice@{REALM} is kept out by the rule deny = ALICE@*")
def a_rule_keeps_her_out(bench):
    bench.options = ["--principal", f"alice@{REALM}"]
    return bench.server(deny="ALICE@*")


# --- the directory -----------------------------------------------------------


@client_case("servers", "the directory has no service connection point that "
             "matches")
def nothing_is_published(bench):
    return bench.seeker()


@client_case("servers", "none of 1 service connection points is accepted; the "
             "first: ")
def what_is_published_is_forged(bench):
    mallory = bench.directory.computer("mallory", "mallory.example.test")
    bench.directory.scp(mallory)
    return bench.seeker()


@client_case("servers", "the candidate {} is rejected: its host is localhost, "
             "but its parent computer is 'mallory.example.test'",
             verdict="warn")
def one_of_two_is_forged(bench):
    mallory = bench.directory.computer("mallory", "mallory.example.test")
    bench.directory.scp(bench.directory.computer(),
                        address=bench.running.address("db"))
    forged = bench.directory.scp(mallory, "forged")
    return bench.seeker(), forged.replace("CN=", "cn=").replace("DC=", "dc=")


@client_case("servers", "cannot authenticate to ldap://localhost:{}: Can't "
             "contact LDAP server")
def directory_does_not_run(bench):
    port = free_port()
    made = bench.seeker()
    made["directory"]["uri"] = f"ldap://localhost:{port}"
    return made, port


@case("directory", "cannot authenticate to ldap://localhost:{}: Timed out")
def directory_is_silent(bench):
    port = bench.lab.black_hole().port
    made = bench.publisher()
    made["directory"].update(uri=f"ldap://localhost:{port}", timeout="300ms",
                             gc_uri=None)
    return made, port


@case("SPN", f"{WEB1}: the SPN {WEB1} is not registered on any account")
def spn_is_not_registered(bench):
    return bench.publisher()


@case("SPN", f"{WEB1}: the SPN {WEB1} ")
def spn_is_on_another_account(bench):
    bench.directory.add(
        f"CN=thief,CN=Users,{bench.directory.base}", "user",
        sAMAccountName="thief", servicePrincipalName=WEB1)
    return bench.publisher()


@case("SCP", "not published as it should be: publishing would ")
def scp_is_out_of_date(bench):
    made = bench.publisher(keywords=bench.directory.keyword)
    file = bench.path / "publish.ini"
    file.write_text(ini({"kerbwrap": bench.settings, **made}))
    assert bench.lab.command("publish", "-c", file, "db").returncode == 0
    bench.lab.callback(bench.lab.command, "unpublish", "-c", file, "db")
    made["server db"]["port"] = 1
    return made


# --- all of them -------------------------------------------------------------


def filled(text, hole):
    """A pattern for the text with holes."""
    comm = pathlib.Path("/proc/self/comm").read_text().strip()
    pattern = re.escape(text)
    pattern = pattern.replace(r"\{comm\}", re.escape(comm))
    pattern = pattern.replace(r"\{pid\}", str(os.getpid()))
    if hole is not None:
        inner = hole.pattern if isinstance(hole, re.Pattern) else re.escape(
            str(hole))
        pattern = pattern.replace(r"\{\}", inner)
    return pattern


@pytest.mark.parametrize("prepare, verdict, where, text", CASES)
def test_one_line_names_the_cause(bench, prepare, verdict, where, text):
    made = prepare(bench)
    sections, hole = made if isinstance(made, tuple) else (made, None)
    result = bench.run(sections)
    print(result.stdout, result.stderr)
    lines = result.stdout.splitlines()
    found = [i for i, shown in enumerate(lines)
             if shown.startswith(verdict + "  [")]
    wanted = f"{verdict}  {re.escape(where)}{filled(text, hole)}"
    assert re.match(wanted, lines[found[0]])
    assert lines[found[0] + 1].startswith("      do: ")
    if verdict == "FAIL":
        assert len(found) == 1
        assert result.returncode == 1
    assert all(": warning: " in told for told in result.stderr.splitlines())


# --- what is sound, and how it is told ---------------------------------------


def verdicts(result):
    return {shown.split("  [")[0].strip()
            for shown in result.stdout.splitlines() if "  [" in shown}


def test_nothing_is_wrong_with_a_sound_set_up(bench):
    dialled = bench.application.accepted
    address = format_address(bench.running.address("db"))
    result = bench.run({**bench.server(accept=address),
                        "client db2": bench.client()["client db"]})
    assert (verdicts(result), result.returncode) == ({"ok"}, 0), result.stdout
    assert (f"ok    [server db] accept: kerbwrap (pid "
            f"{bench.running.process.pid}) listens at {address}\n"
            ) in result.stdout
    proof = f"handshake: {WEB1}@{REALM} proved itself (kerbwrap/"
    assert f"ok    [server db] {proof}" in result.stdout
    assert f"ok    [client db2] {proof}" in result.stdout
    assert " 0 failed, 0 not tried\n" in result.stdout
    # Nobody was dialled, and the server knows why it was called.
    assert bench.application.accepted == dialled
    bench.running.wait_for("probe", peer=f"alice@{REALM}", reason="the client "
                           "left before its HELLO: only tried whether it would "
                           "work")
    assert not bench.running.events("failed", reason=re.compile("only tried"))


def test_a_server_that_is_published_and_found_is_sound(bench):
    made = bench.publisher(keywords=bench.directory.keyword,
                           service_class="HTTP", spn=None)
    file = bench.path / "publish.ini"
    file.write_text(ini({"kerbwrap": bench.settings, **made}))
    assert bench.lab.command("publish", "-c", file, "db").returncode == 0
    bench.lab.callback(bench.lab.command, "unpublish", "-c", file, "db")
    bench.directory.scp(bench.directory.computer(),
                        address=bench.running.address("db"))
    seeker = bench.seeker(allow_host="localhost", select="listed")
    result = bench.run({**made, "client db2": {
        **seeker["client db"], "keywords": [bench.directory.keyword]}})
    assert "SCP: published as it should be" in result.stdout
    assert "(the directory tells none)" in result.stdout
    assert "servers: the directory has " in result.stdout


def test_one_service_is_examined_alone(bench):
    result = bench.run({**bench.server(keytab="/nowhere"),
                        "client db2": bench.client()["client db"]}, "db2")
    assert "[client db2]" in result.stdout
    assert "[server db]" not in result.stdout
    assert result.returncode == 0


def test_the_json_tells_the_same(bench):
    sections = bench.client(tunnel="other")
    result = bench.run(sections, "--json")
    told = json.loads(result.stdout)
    shown = bench.run(sections).stdout
    assert result.returncode == 1
    for finding in told:
        assert (f"{finding['verdict']:4}  [{finding['section']}] "
                f"{finding['check']}: ") in shown
    bad = [finding for finding in told if finding["verdict"] == "FAIL"]
    assert [finding["check"] for finding in bad] == ["handshake"]
    assert bad[0]["do"] == ("run kerbwrap doctor beside the server, and see its "
                            "log")


def test_a_realm_is_asked_once_however_many_need_it(bench):
    port = bench.lab.black_hole().port
    bench.env["KRB5_CONFIG"] = bench.lab.krb5_conf(kdc_port=port)
    keys = bench.client(handshake_timeout="300ms")["client db"]
    began = time.monotonic()
    result = bench.run({f"client db{i}": keys for i in range(20)})
    assert time.monotonic() - began < 5 * PATIENCE
    assert result.stdout.count("\nFAIL") == 1
    assert "[client db1] KDC: not tried again, see above [client db0]" in (
        result.stdout)


def test_a_caller_s_cache_asks_for_a_server(bench):
    cache = bench.realm.ccache("bob", bench.path / "bob.cc")
    result = bench.run(bench.server(), "--ccache", cache)
    assert (f"ok    [server db] login: the credential cache {cache} has tickets "
            f"of bob@{REALM}\n") in result.stdout
    assert result.returncode == 0


@pytest.mark.parametrize("options, said", [
    (["nobody"], "kerbwrap: no service nobody in "),
    (["a", "b"], "kerbwrap: name one service only, or none for all"),
    (["--principal", "alice"], "kerbwrap: cannot use principal alice: it has "
     "no realm (add @REALM)"),
])
def test_mistakes_are_told(bench, options, said):
    result = bench.run(bench.client(), *options)
    assert result.stderr.startswith(said)
    assert (result.stdout, result.returncode) == ("", 2)


def test_a_configuration_that_is_wrong_is_not_examined(bench):
    result = bench.run(bench.client(tunel="x"))
    assert "unknown key `tunel`" in result.stderr
    assert (result.stdout, result.returncode) == ("", 2)


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_files_are_judged_for_the_user_that_kerbwrap_becomes(bench):
    path = bench.path / "own.keytab"
    path.write_bytes(bench.realm.keytab("web1").read_bytes())
    path.chmod(0o600)
    bench.settings["user"] = "nobody"
    door = bench.path / "app.sock"
    with socket.socket(socket.AF_UNIX) as application:
        application.bind(str(door))
        application.listen()
        door.chmod(0o600)
        result = bench.run(bench.server(keytab=path, connect=f"unix:{door}"))
    assert (f"FAIL  [kerbwrap] user: the user nobody cannot read `keytab` "
            f"{path}: Permission denied\n"
            "      do: give the user rights to it") in result.stdout
    assert (f"FAIL  [kerbwrap] user: the user nobody cannot connect to "
            f"`connect` {door}: Permission denied\n"
            "      do: give the user rights to it") in result.stdout
    assert "ok    [server db] keytab: " in result.stdout
