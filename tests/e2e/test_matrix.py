# SPDX-License-Identifier: BSD-2-Clause
"""Each KDC with each form of a service's name: all tunnels open."""

import pytest

from applications import exchange
from lab import Heimdal, Lab

NAMES = {
    "host": "orders/web1.corp.example.test",
    "port": "orders/web1.corp.example.test:7443",
    "name": "orders/web1.corp.example.test/orders",
}


@pytest.fixture(scope="module")
def heimdal():
    why = Heimdal.why_not()
    if why:
        pytest.skip(why)
    realm = Heimdal()
    yield realm
    realm.close()


@pytest.fixture(params=["mit", "heimdal",
                        pytest.param("samba", marks=pytest.mark.ad)])
def any_lab(request):
    fixture = {"mit": "realm", "heimdal": "heimdal", "samba": "domain"}
    realm = request.getfixturevalue(fixture[request.param])
    if request.param == "samba":
        request.getfixturevalue("forest").register("web1", *NAMES.values())
    with Lab(realm) as lab:
        yield lab


@pytest.mark.parametrize("form", NAMES)
def test_every_kdc_knows_a_service_by_every_form_of_its_name(any_lab, form):
    tunnel = any_lab.tunnel(any_lab.echo(), client={"spn": NAMES[form]})
    with tunnel.connect() as sock:
        assert exchange(sock, b"hello") == b"hello"
    up = tunnel.client.wait_for("up", service="db")
    assert up["target"] == NAMES[form]
    assert up["ticket_enctype"] == "aes256-cts-hmac-sha1-96"
