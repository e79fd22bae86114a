# SPDX-License-Identifier: BSD-2-Clause
"""A second implementation of RFC 4121 at the other end: Heimdal's tokens
through each of our engines, and ours through Heimdal's gss_unwrap."""

import os
import subprocess

import pytest

import applications
import heimdal_peer
import peer
from lab import Heimdal
from peer import DATA, EOF
from sides import Side
from test_engines import ENGINES, why_not

TARGET = "orders/localhost"  # may have a session key of any AES type
USUAL = "aes256-cts-hmac-sha1-96"
OTHERS = ("aes128-cts-hmac-sha1-96", "aes256-cts-hmac-sha384-192",
          "aes128-cts-hmac-sha256-128")
CASES = [(USUAL, engine, protection)
         for engine in ENGINES for protection in ("seal", "sign")]
CASES += [(enctype, engine, "seal")
          for enctype in OTHERS for engine in ENGINES[1:]]
LENGTHS = sorted({*range(1, 66), *range(66, 301, 9), *(
    (1 << power) + off for power in range(8, 16) for off in (-17, -1, 0, 1)
), peer.PLAINTEXT_MAX - 1})
BOTH = bytes(range(256)) * 256


@pytest.fixture(scope="module")
def libraries():
    why = Heimdal.why_not()
    if why:
        pytest.skip(why)
    return Heimdal.libraries()


def profile(lab, enctype):
    """A krb5.conf by which the keys of a session are of this type: MIT's names
    for that, then Heimdal's, which offers the acceptor others otherwise."""
    path = lab.path / "type.conf"
    path.write_text("[libdefaults]\n"
                    f"default_etypes = {enctype}\n"
                    f"default_tgs_enctypes = {enctype}\n"
                    f"default_tkt_enctypes = {enctype}\n")
    return f"{path}:{lab.realm.env['KRB5_CONFIG']}"


def initiator(side, libraries, config):
    """Heimdal's initiator before our server."""
    realm, lab = side.lab.realm, side.lab
    ccache = lab.path / "heimdal.cc"
    realm.ccache("polyglot", ccache, env={"KRB5_CONFIG": config})
    # Got by MIT's program, which heeds the type.
    subprocess.run(["kvno", "-q", "-c", ccache, TARGET], check=True,
                   env={**os.environ, "KRB5_CONFIG": config})
    made = side.keep(heimdal_peer.Initiator(
        side.raw(), libraries, ccache, config, TARGET,
        protection=side.protection))
    return made.open(), side.accept()


def acceptor(side, libraries, config):
    """Heimdal's acceptor behind our client."""
    app = side.keep(side.kerbwrap.connect("db"))
    made = side.keep(heimdal_peer.Acceptor(
        side.accept(), libraries, side.lab.realm.keytab("web1"), config,
        protection=side.protection))
    return made.open(), app


def exchange_lengths(other, app):
    for length in LENGTHS:
        other.send(DATA, BOTH[:length])
        assert applications.receive_exactly(app, length) == BOTH[:length]
        app.sendall(BOTH[:length])
        assert other.receive_data(length) == BOTH[:length]


def end_both(other, app):
    other.send(EOF)
    assert app.recv(1) == b""
    app.close()
    assert other.receive_data() == b""
    other.finish()


@pytest.mark.parametrize("enctype,engine,protection", CASES)
@pytest.mark.parametrize("role", ["server", "client"])
def test_records_of_every_length_pass_between_heimdal_and_every_engine(
        lab, kerberos, libraries, enctype, engine, role, protection):
    if reason := why_not(lab, engine):
        pytest.skip(reason)
    path = profile(lab, enctype)
    keys = {
        "server": {"allow": f"polyglot@{lab.realm.name}"},
        "client": {"spn": TARGET, "principal": f"polyglot@{lab.realm.name}",
                   "keytab": lab.realm.keytab("polyglot")},
    }[role]
    side = Side(lab, kerberos, role, protection, {"engine": engine},
                env={"KRB5_CONFIG": path}, **keys)
    other, app = {"server": initiator, "client": acceptor}[role](
        side, libraries, path)
    up = side.kerbwrap.wait_for("up")
    assert (up["engine"], up["enctype"]) == (engine, enctype)
    exchange_lengths(other, app)
    end_both(other, app)


@pytest.mark.parametrize("flip", [0, 4, 20, -1])
def test_heimdal_s_record_with_a_flipped_bit_is_refused(
        lab, kerberos, libraries, flip):
    path = lab.realm.env["KRB5_CONFIG"]
    side = Side(lab, kerberos, "server",
                allow=f"polyglot@{lab.realm.name}")
    other, app = initiator(side, libraries, path)
    token = bytearray(other.seal(DATA, os.urandom(100)))
    token[flip] ^= 1
    other.stream.send_frame(bytes(token))
    with pytest.raises(ConnectionResetError):
        app.recv(1)
