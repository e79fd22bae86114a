# SPDX-License-Identifier: BSD-2-Clause
"""Bytes through a pair of sidecars: all of them, in order, both ways, however
the application behaves."""

import applications


def test_an_echo_comes_back(lab):
    tunnel = lab.tunnel(lab.echo())
    with tunnel.connect() as sock:
        assert applications.exchange(sock, b"hello") == b"hello"
