# SPDX-License-Identifier: BSD-2-Clause
"""The clock of one machine is set wrong by an hour, and right again, while
kerbwrap runs: what is open goes on, what cannot be opened says why, and
nothing needs a restart."""

import glob
import time

import pytest

from applications import is_reset
from lab import PATIENCE
from pulse import Pulse, prompt

REFUSED = ("orders/web1.corp.example.test@CORP.EXAMPLE.TEST refused us, says an "
           "answer that nothing proves: ")
SKEW = ("the other machine's clock and this one's differ by more than Kerberos "
        "allows; set both (NTP) (Clock skew too great)")
KDC_SKEW = ("the KDC's clock and this machine's differ by more than Kerberos "
            "allows; set both (NTP) (Clock skew too great)")
NOT_YET = ("the ticket is not valid yet; compare the clocks of both machines "
           "and of the KDC (NTP) (Ticket not yet valid)")


class Clock:
    """The clock of the sidecars that run in `env`."""

    def __init__(self, lab):
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        if not found:
            pytest.skip("libfaketime is not installed")
        self.file = lab.path / "clock"
        self.set("+0")
        self.env = {
            "LD_PRELOAD": found[0],
            "FAKETIME_TIMESTAMP_FILE": self.file,
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
        }

    def set(self, offset):
        new = self.file.with_suffix(".new")
        new.write_text(offset)
        new.rename(self.file)


@pytest.fixture
def clock(lab):
    return Clock(lab)


def fails(sidecar, service):
    assert sidecar.refuses(service)
    count = len(sidecar.events("failed", service=service))
    return sidecar.wait_for("failed", service=service,
                            count=max(count, 1))["reason"]


@pytest.mark.parametrize("offset, known, said", [
    ("+3600", f"{REFUSED}{SKEW}",
     "cannot accept the client: the client's clock and this machine's differ "
     "by more than Kerberos allows; set both (NTP) (Clock skew too great)"),
    ("-3600", "cannot ask orders/web1.corp.example.test@CORP.EXAMPLE.TEST to "
     f"authenticate: {NOT_YET}", None)], ids=["ahead", "behind"])
def test_a_client_s_clock_is_set_wrong_and_right_again(lab, clock, offset, known,
                                                       said):
    server = lab.kerbwrap({"server db": lab.server_keys(lab.echo())},
                          name="server")
    keytab = lab.realm.add(f"hurried{offset[0]}".replace("+", "p"),
                           '-randkey -maxlife "30 minutes"')
    client = lab.kerbwrap({
        "client db": lab.client_keys(server.address("db")),
        "client new": lab.client_keys(server.address("db"),
                                      spn="orders/localhost"),
        # Its ticket is over by a clock that is ahead: it asks for another.
        "client brief": lab.client_keys(server.address("db"), keytab=keytab,
                                        principal=keytab.stem),
    }, name="client", env=clock.env)
    for service in ("db", "new", "brief"):
        client.wait_for("credential", service=service)
    with client.connect("db") as sock:
        with Pulse(sock):
            prompt(client, "db", 1)
            clock.set(offset)
            assert fails(client, "db") == known
            if said:
                assert server.wait_for("failed")["reason"] == said
            assert fails(client, "new") == (
                "cannot get a ticket for orders/localhost@CORP.EXAMPLE.TEST as "
                f"alice@CORP.EXAMPLE.TEST: {KDC_SKEW}")
            if offset[0] == "+":
                assert "the KDC's clock and this machine's" in fails(client,
                                                                     "brief")
            clock.set("+0")
            # More than there are threads that might remember another clock.
            for _ in range(10):
                prompt(client, "db", 1)
                prompt(client, "new", 1)
                # Known to the server, but not allowed.
                assert client.refuses("brief")
            assert client.events("failed", service="brief")[1:] == []
            client.wait_for("refused", service="brief", count=10)


@pytest.mark.parametrize("offset, said, heard", [
    ("+3600", "cannot accept the client: the client's clock and this machine's "
     "differ by more than Kerberos allows; set both (NTP) (Clock skew too "
     "great)", SKEW),
    ("-3600", f"cannot accept the client: {NOT_YET}", NOT_YET)],
    ids=["ahead", "behind"])
def test_a_server_s_clock_is_set_wrong_and_right_again(lab, clock, offset, said,
                                                       heard):
    tunnel = lab.tunnel(lab.echo(), server_options={"env": clock.env})
    with Pulse(tunnel.connect()):
        clock.set(offset)
        assert fails(tunnel.client, "db") == f"{REFUSED}{heard}"
        assert tunnel.server.wait_for("failed")["reason"] == said
        clock.set("+0")
        prompt(tunnel.client, "db", 10)


@pytest.mark.parametrize("offset", ["+3600", "-3600"], ids=["ahead", "behind"])
def test_a_start_with_a_wrong_clock_is_a_sentence_and_heals(lab, clock, offset):
    server = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    clock.set(offset)
    client = lab.kerbwrap({"client db": lab.client_keys(server.address("db"))},
                          env=clock.env)
    reason = client.wait_for("credential_bad")["reason"]
    assert reason == (
        "cannot get a ticket for alice@CORP.EXAMPLE.TEST with keytab "
        f"{lab.realm.keytab('alice')}: the KDC's clock and this machine's "
        "differ by more than Kerberos allows; set both (NTP) (Clock skew too "
        "great)")
    clock.set("+0")
    prompt(client, "db", 10)


@pytest.mark.soak
def test_a_clock_that_passes_the_ticket_s_end_ends_the_connection(lab, clock):
    """Within a minute, in which the clock is looked at."""
    tunnel = lab.tunnel(lab.echo(), client={"on_ticket_expiry": "close"},
                        client_options={"env": clock.env})
    with tunnel.connect(timeout=90) as sock:
        tunnel.client.wait_for("up")
        clock.set("+39600")
        began = time.monotonic()
        down = tunnel.client.wait_for("down", timeout=75)
        assert down["reason"] == "the Kerberos ticket has expired"
        assert time.monotonic() - began < 62 * PATIENCE
        assert is_reset(sock)
