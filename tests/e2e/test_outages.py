# SPDX-License-Identifier: BSD-2-Clause
"""KDCs that refuse, hang, dawdle, go and come back: what is open does not feel
it, what cannot be opened fails at its deadline and says why, and it all comes
back without a restart."""

import re
import time

import pytest

from applications import BLOCK, Listener, connect
from lab import PATIENCE, free_port
from pulse import Pulse, comes_back, prompt

HOLE = "HOLE.EXAMPLE.TEST"
DEADLINE = "2s"
NO_KDC = ("no KDC of the realm answers; check kdc = in krb5.conf, DNS and the "
          "firewall (port 88) (Cannot contact any KDC for realm "
          "'CORP.EXAMPLE.TEST')")


class Kdc(Listener):
    """The realm's KDC behind a relay that may hang, or answer late."""

    def __init__(self, realm):
        self.target = ("127.0.0.1", int(realm.env["KDC_PORT"]))
        self.delay = 0
        self.hanging = False
        super().__init__()

    def serve(self, sock):
        with connect(self.target) as onward:
            while data := sock.recv(BLOCK):
                if self.hanging:
                    while sock.recv(BLOCK):
                        pass
                    return
                onward.sendall(data)
                answer = onward.recv(BLOCK)
                time.sleep(self.delay)
                sock.sendall(answer)

    def hang(self):
        self.hanging = True

    def resume(self):
        """As after a restart: who waits is told."""
        self.hanging = False
        with self._news:
            waiting = list(self._open)
        for sock in waiting:
            sock.shutdown(2)


@pytest.fixture
def kdc(lab):
    return lab.keep(Kdc(lab.realm))


def client(lab, server, kdc, deadline=DEADLINE, **keys):
    """`known` has its ticket, `new` needs one at its first connection."""
    sidecar = lab.kerbwrap({
        "client known": lab.client_keys(server.address("db"), **keys),
        "client new": lab.client_keys(server.address("db"), **{
            "spn": "orders/localhost", "handshake_timeout": deadline, **keys}),
    }, env={"KRB5_CONFIG": lab.krb5_conf(kdc_port=kdc.address[1])})
    for service in ("known", "new"):
        sidecar.wait_for("credential", service=service)
    prompt(sidecar, "known", 1)
    return sidecar


def server(lab):
    return lab.kerbwrap({"server db": lab.server_keys(lab.echo())})


@pytest.mark.threads
@pytest.mark.parametrize("how", ["gone", "hung"])
def test_a_kdc_that_fails_is_felt_by_who_needs_it_only(lab, kdc, how):
    initiator = client(lab, server(lab), kdc)
    with Pulse(initiator.connect("known")):
        if how == "gone":
            lab.realm.stop()
        else:
            kdc.hang()
        began = time.monotonic()
        assert initiator.refuses("new")
        assert time.monotonic() - began < 2 + 2 * PATIENCE
        prompt(initiator, "known")
        reason = initiator.wait_for("failed", service="new")["reason"]
        if how == "gone":
            assert reason == (
                "cannot get a ticket for orders/localhost@CORP.EXAMPLE.TEST as "
                f"alice@CORP.EXAMPLE.TEST: {NO_KDC}")
            lab.realm.start()
        else:
            assert reason == ("no time left while waiting for the Kerberos "
                              "service ticket from the KDC")
            kdc.resume()
        comes_back(initiator, "new")


@pytest.mark.threads
def test_lanes_full_of_a_hung_kdc_are_felt_by_its_realm_only(lab):
    """More wait than there are threads, and others open and go on."""
    hole = lab.black_hole()
    acceptor = server(lab)
    keytab = lab.realm.add(f"alice/{HOLE.lower()}")
    initiator = lab.kerbwrap(
        {"kerbwrap": {"pool_threads": 4},
         "client good": lab.client_keys(acceptor.address("db")),
         "client hung": lab.client_keys(
             acceptor.address("db"), handshake_timeout="5s",
             spn=f"orders/web1.{lab.realm.domain}@{HOLE}",
             keytab=keytab, principal=f"alice/{HOLE.lower()}")},
        env={"KRB5_CONFIG": hole_conf(lab, hole)})
    prompt(initiator, "good", 1)
    with Pulse(initiator.connect("good")):
        socks = [initiator.connect("hung") for _ in range(50)]
        prompt(initiator, "good", 20)
        lanes = {lane["name"]: lane for lane in initiator.status()["lanes"]}
        assert lanes[f"kdc {HOLE}"]["running"] == 2
        assert lanes[f"kdc {HOLE}"]["queued"] == 48
        initiator.wait_for("failed", count=50, service="hung")
        for sock in socks:
            sock.close()


def hole_conf(lab, hole):
    """Our KDC refers to the realm that hangs."""
    lab.realm.kadmin(f"addprinc -pw x krbtgt/{HOLE}")
    return lab.krb5_conf({HOLE: hole.port})


def seconds(event):
    minute, second = re.search(r":(\d+):([\d.]+)Z", event["time"]).groups()
    return int(minute) * 60 + float(second)


def test_renewal_is_tried_less_and_less_often_and_comes_back(lab):
    port = free_port()
    acceptor = server(lab)
    conf = lab.krb5_conf(kdc_port=port)
    initiator = lab.kerbwrap(
        {"client db": lab.client_keys(acceptor.address("db"))},
        env={"KRB5_CONFIG": conf})
    initiator.wait_for("credential_bad", count=3)
    bad = initiator.events("credential_bad")
    assert bad[0]["reason"] == (
        "cannot get a ticket for alice@CORP.EXAMPLE.TEST with keytab "
        f"{lab.realm.keytab('alice')}: {NO_KDC}")
    first, second = (
        (seconds(b) - seconds(a)) % 3600 for a, b in zip(bad, bad[1:]))
    assert 0.7 <= first
    assert 1.4 <= second
    text = conf.read_text().replace(f":{port}",
                                    f":{lab.realm.env['KDC_PORT']}")
    conf.write_text(text)
    prompt(initiator, "db", 1)
    initiator.wait_for("credential")


@pytest.mark.soak
def test_a_kdc_that_answers_after_half_a_minute(lab, kdc):
    initiator = client(lab, server(lab), kdc, deadline="5s")
    with Pulse(initiator.connect("known")):
        kdc.delay = 30
        for _ in range(3):
            began = time.monotonic()
            assert initiator.refuses("new")
            assert 4 < time.monotonic() - began < 5 + 2 * PATIENCE
            assert initiator.wait_for("failed")["reason"] == (
                "no time left while waiting for the Kerberos service ticket "
                "from the KDC")
            prompt(initiator, "known")
        kdc.delay = 0
        comes_back(initiator, "new", timeout=60)
