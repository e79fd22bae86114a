# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: `realm`, one for the session, `lab`, the parts of one test, and
`directory`, what one test puts into the realm's directory.  The same in Active
Directory: `domain`, `site` and `forest`."""

import os

import pytest

from directory import Directory
from domain import Domain, Forest
from lab import BINARY, Lab, Realm

# Clean roots, and the package.
from roots import least, package, roots  # noqa: F401

# One sidecar against our own implementation of the protocol.
from sides import (  # noqa: F401
    client_side,
    kerberos,
    make_side,
    seal_side,
    server_side,
    shared_sides,
    side,
)


def pytest_configure(config):
    for marker in (
        "fast: measures time or moves much data; not sanitized",
        "threads: also run under ThreadSanitizer",
        "soak: takes minutes; only on request",
        "ad: runs inside the domain of tests/lab/ad.sh",
    ):
        config.addinivalue_line("markers", marker)


def pytest_sessionstart():
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is missing: build it, or set KERBWRAP", 2)


@pytest.fixture(scope="session")
def realm():
    realm = Realm(directory=True)
    yield realm
    realm.close()


@pytest.fixture
def lab(realm):
    with Lab(realm) as lab:
        yield lab


@pytest.fixture
def directory(realm):
    directory = Directory(realm)
    yield directory
    directory.close()


@pytest.fixture(scope="session")
def domain():
    if "AD_DIR" not in os.environ:
        pytest.skip("there is no domain here: tests/lab/ad.sh run CMD")
    return Domain()


@pytest.fixture
def site(domain):
    with Lab(domain) as site:
        yield site


@pytest.fixture
def forest(domain):
    forest = Forest(domain)
    yield forest
    forest.close()
