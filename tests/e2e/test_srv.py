# SPDX-License-Identifier: BSD-2-Clause
"""DNS: where the directory is, and service connection points that name SRV
records.  The cases are in srv_cases.py; they need names of their own, so they
run in a network of their own (names.py)."""

import pathlib
import subprocess
import sys

import pytest

from lab import PATIENCE
from names import UNABLE, unshare

HERE = pathlib.Path(__file__).parent


def test_srv_records_in_a_network_of_their_own():
    result = subprocess.run(
        [*unshare(), sys.executable, HERE / "names.py",
         sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q",
         HERE / "srv_cases.py"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=100 * PATIENCE,
    )
    if result.returncode == UNABLE or "unshare" in result.stdout[:20]:
        pytest.skip(f"SRV records: {result.stdout.strip()}")
    print(result.stdout)
    assert result.returncode == 0
