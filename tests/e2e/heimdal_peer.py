# SPDX-License-Identifier: BSD-2-Clause
"""peer.py's two sides with the GSSAPI of Heimdal in place of MIT's."""

import json
import os
import pathlib
import subprocess
import sys
import types

import peer

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = 0x3E  # MUTUAL, REPLAY, SEQUENCE, CONF, INTEG (RFC 2744)


class Refused(Exception):
    """Heimdal's library refused a token."""


class Context:
    """Has of gssapi.SecurityContext what peer.py uses."""

    delegated_creds = None

    def __init__(self, libraries, step, env):
        self._step = step
        self._worker = subprocess.Popen(
            [sys.executable, HERE / "heimdal_worker.py"],
            env={**os.environ, "LD_LIBRARY_PATH": str(libraries), **env},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.complete = False
        self.actual_flags = 0

    def call(self, name, *arguments):
        self._worker.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._worker.stdin.flush()
        answer = json.loads(self._worker.stdout.readline())
        if isinstance(answer, dict):
            raise Refused(answer["failed"])
        return answer

    def step(self, token=b""):
        made, self.complete, self.actual_flags = self.call(self._step,
                                                           token.hex())
        return bytes.fromhex(made) or None

    def wrap(self, data, encrypt):
        message, encrypted = self.call("wrap", data.hex(), bool(encrypt))
        return types.SimpleNamespace(message=bytes.fromhex(message),
                                     encrypted=encrypted)

    def unwrap(self, token):
        message, encrypted = self.call("unwrap", token.hex())
        return types.SimpleNamespace(message=bytes.fromhex(message),
                                     encrypted=encrypted)

    def close(self):
        self._worker.stdin.close()
        self._worker.stdout.close()
        self._worker.wait(10)


class _Side:
    def check_context(self):
        peer.require(self.context.actual_flags & FLAGS == FLAGS, "C1")
        peer.require(peer.ticket_enctype(self.ap_req) in peer.AES, "C3")

    def close(self):
        super().close()
        self.context.close()


class Initiator(_Side, peer.Initiator):
    """ccache: a file with tickets."""

    def __init__(self, sock, libraries, ccache, config, target, **options):
        peer.Peer.__init__(self, sock, **options)
        self.target = target
        self.context = Context(libraries, "step_initiator", {
            "KRB5CCNAME": f"FILE:{ccache}", "KRB5_CONFIG": str(config)})
        self.context.call("initiate", target)


class Acceptor(_Side, peer.Acceptor):
    def __init__(self, sock, libraries, keytab, config, **options):
        peer.Peer.__init__(self, sock, **options)
        self.context = Context(libraries, "step_acceptor", {
            "KRB5_KTNAME": f"FILE:{keytab}", "KRB5_CONFIG": str(config)})
