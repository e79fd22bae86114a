# SPDX-License-Identifier: BSD-2-Clause
"""What is measured, and what it is measured against: pairs of sidecars, each
with a way in, a tunnel and a way out, all on loopback."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
START_SECONDS = 20


class Failure(Exception):
    """A sentence for the user."""


def output(*command, **options):
    """What a command prints; a Failure when it fails."""
    result = subprocess.run(
        command, text=True, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=120, **options
    )
    if result.returncode != 0:
        raise Failure(f"{command[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


class Place:
    """A throwaway directory, realm and certificate authority."""

    def __init__(self, path, tools):
        self.path = path
        self.tools = tools  # the build directory
        self.env = self._raise_realm()
        self.keytabs = pathlib.Path(self.env["KEYTABS"])
        self._make_certificates()

    def _realm(self, *arguments):
        env = {**os.environ, "REALM_DIR": str(self.path / "realm")}
        return output(TESTS / "lab" / "realm.sh", *arguments, env=env)

    def _raise_realm(self):
        self._realm("up")
        lines = self._realm("env").replace("'", "").splitlines()
        words = [word for line in lines for word in line.split()]
        return {
            **os.environ,
            **dict(word.split("=", 1) for word in words if "=" in word),
        }

    def env_of(self, enctype):
        """With it the keys of sessions are of this type, where they may."""
        profile = self.path / f"{enctype}.conf"
        profile.write_text("[libdefaults]\n"
                           f"default_tgs_enctypes = {enctype}\n"
                           f"default_tkt_enctypes = {enctype}\n")
        return {**self.env,
                "KRB5_CONFIG": f"{profile}:{self.env['KRB5_CONFIG']}"}

    def _make_certificates(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "2"]
        output("openssl", "req", "-x509", *key, "-subj", "/CN=bench authority",
               "-keyout", "ca.key", "-out", "ca.pem", cwd=self.path)
        for name in ("client", "server"):
            output("openssl", "req", "-x509", *key, "-subj", f"/CN={name}",
                   "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout",
                   f"{name}.key", "-out", f"{name}.crt", cwd=self.path)
            both = [(self.path / f"{name}.{kind}").read_text()
                    for kind in ("crt", "key")]
            (self.path / f"{name}.pem").write_text("".join(both))

    def ports(self, count):
        return [int(p) for p in output(TESTS / "lab" / "free-ports",
                                       str(count)).split()]

    def close(self):
        self._realm("down")


class Pair:
    """Two processes, the client's and the server's sidecar.  A subclass says
    how each is started."""

    name = None

    def __init__(self, place, cores):
        self.place = place
        self.entry, self.middle, self.exit = place.ports(3)
        self.processes = []
        for side, core in zip(("client", "server"), cores):
            self._start(side, core)
        self._wait_listening(self.middle)
        self._wait_listening(self.entry)

    @classmethod
    def missing(cls):
        """Why it cannot be measured here, or None."""
        return None

    def command(self, side, accept, connect):
        raise NotImplementedError

    def _start(self, side, core):
        accept, connect = {
            "client": (self.entry, self.middle),
            "server": (self.middle, self.exit),
        }[side]
        pin = [] if core is None else ["taskset", "-c", str(core)]
        with open(self._path(side, "log"), "w", encoding="utf-8") as log:
            self.processes.append(
                subprocess.Popen(
                    [*pin, *self.command(side, accept, connect)],
                    env=self.place.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    def _path(self, side, kind):
        return self.place.path / f"{self.name}-{side}.{kind}"

    def _write(self, side, kind, text):
        path = self._path(side, kind)
        path.write_text(text)
        return path

    def _wait_listening(self, port):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                pass
            ended = any(p.poll() is not None for p in self.processes)
            if ended or time.monotonic() > deadline:
                logs = "".join(self._path(side, "log").read_text()[-2000:]
                               for side in ("client", "server"))
                self.close()
                raise Failure(f"{self.name} does not start: {logs}")
            time.sleep(0.02)

    def processor_seconds(self):
        """What each has used so far, all threads, by the clock that the kernel
        keeps of a process (clock_getcpuclockid(3))."""
        return [time.clock_gettime((~p.pid << 3) | 2) for p in self.processes]

    def resident_kib(self):
        def resident(pid):
            for line in open(f"/proc/{pid}/status", encoding="ascii"):
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
            raise Failure(f"{self.name} has ended")
        return [resident(p.pid) for p in self.processes]

    def close(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Kerbwrap(Pair):
    name = "kerbwrap"

    def command(self, side, accept, connect):
        keys = {
            "client": f"""
                [client bench]
                connect = 127.0.0.1:{connect}
                spn = orders/web1.corp.example.test
                keytab = {self.place.keytabs}/alice.keytab
                principal = alice@CORP.EXAMPLE.TEST
                """,
            "server": f"""
                [server bench]
                connect = 127.0.0.1:{connect}
                keytab = {self.place.keytabs}/web1.keytab
                allow = alice@CORP.EXAMPLE.TEST
                """,
        }[side]
        directory = self._path(side, "run")
        directory.mkdir(exist_ok=True)
        text = f"""
            [kerbwrap]
            status = none
            state_dir = {directory}
            runtime_dir = {directory}
            drain_timeout = 1s
            {keys}
            accept = 127.0.0.1:{accept}
            service_class = orders
            """
        lines = [line.strip() for line in text.splitlines()]
        path = self._write(side, "ini", "\n".join(lines) + "\n")
        return [self.place.tools / "kerbwrap", "run", "-c", path]


class Stunnel(Pair):
    """TLS 1.3, both certificates checked; otherwise as it comes."""

    name = "stunnel"

    @classmethod
    def missing(cls):
        return None if shutil.which("stunnel4") else "stunnel4 is missing"

    def command(self, side, accept, connect):
        path = self.place.path
        text = f"""foreground = yes
pid =
syslog = no
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[bench]
client = {"yes" if side == "client" else "no"}
accept = 127.0.0.1:{accept}
connect = 127.0.0.1:{connect}
cert = {path}/{side}.pem
CAfile = {path}/ca.pem
verifyChain = yes
sslVersionMin = TLSv1.3
"""
        return ["stunnel4", self._write(side, "conf", text)]


class Haproxy(Pair):
    """The same TLS, another implementation around it."""

    name = "haproxy"

    @classmethod
    def missing(cls):
        return None if shutil.which("haproxy") else "haproxy is missing"

    def command(self, side, accept, connect):
        path = self.place.path
        tls = (f"ssl crt {path}/{side}.pem ca-file {path}/ca.pem "
               "verify required ssl-min-ver TLSv1.3")
        bind, server = ("", tls) if side == "client" else (tls, "")
        text = f"""global
    maxconn 9000
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen bench
    bind 127.0.0.1:{accept} {bind}
    server next 127.0.0.1:{connect} {server}
"""
        return ["haproxy", "-q", "-db", "-f", self._write(side, "cfg", text)]


class Plain(Pair):
    """Two hops that only copy: what nothing can beat."""

    name = "plain"

    def command(self, side, accept, connect):
        return [self.place.tools / "bench" / "bench_plain_relay", str(accept),
                str(connect)]


PAIRS = {pair.name: pair for pair in (Kerbwrap, Stunnel, Haproxy, Plain)}
