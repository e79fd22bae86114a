# SPDX-License-Identifier: BSD-2-Clause
"""What an end-to-end test stands on: a throwaway realm, the real binary, pairs
of sidecars.

A test asks the Lab (fixture `lab`) for parts; the Lab stops them in reverse
order, and stopping checks them: a sidecar must end by itself with status 0 and
without a sanitizer's report.  Nobody sleeps: sidecars log JSON, and a test
waits for the event it expects.
"""

import collections
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import applications

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("KERBWRAP", ROOT / "build" / "kerbwrap"))
REALM_SH = ROOT / "tests" / "lab" / "realm.sh"

# How much longer things may take under a sanitizer, or on a busy machine.
PATIENCE = float(os.environ.get("KERBWRAP_PATIENCE", "1"))
# What a sidecar's standard error holds when a sanitizer found something.
REPORT = re.compile(r"Sanitizer|runtime error:")


class Realm:
    """One realm of tests/lab/realm.sh, in a directory of its own."""

    script = REALM_SH

    def __init__(self, name="CORP.EXAMPLE.TEST", directory=False):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="kw-realm-"))
        self._caller = {"REALM": name, "REALM_DIR": str(self.path)}
        self._script("up", *(["--directory"] if directory else []))
        words = shlex.split(self._script("env"))
        self.env = dict(w.split("=", 1) for w in words if "=" in w)
        self.name = name
        self.domain = self.env["DOMAIN"]

    def _script(self, *arguments):
        result = subprocess.run(
            [self.script, *arguments],
            env={**os.environ, **self._caller},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def keytab(self, name):
        """The path of a keytab that realm.sh made (its head says which)."""
        return self.path / "keytabs" / f"{name}.keytab"

    def kadmin(self, *queries):
        return self._script("kadmin", *queries)

    def run_as(self, principal, *command):
        return self._script("as", principal, *command)

    def add(self, principal, options="-randkey", keytab=None):
        """A new principal and the path of its new keytab."""
        name = keytab or re.sub(r"[^A-Za-z0-9.-]", "_", principal)
        path = self.keytab(name)
        self.kadmin(
            f"addprinc {options} {principal}",
            f"ktadd -q -norandkey -k {path} {principal}",
        )
        return path

    def ccache(self, principal, path, *kinit_options, env=None):
        """A file cache at path with a ticket-granting ticket of principal."""
        keytab = self.keytab(principal)
        subprocess.run(
            ["kinit", *kinit_options, "-c", path, "-kt", keytab, principal],
            env={**os.environ, **self.env, **(env or {})},
            check=True,
            timeout=30,
        )
        return path

    def trust(self, other):
        """Each of the two realms takes the other's word for who is who."""
        for realm in (self, other):
            realm.kadmin(*(
                f"addprinc -pw Passw0rd-trust krbtgt/{to.name}@{of.name}"
                for to, of in ((self, other), (other, self))
            ))

    def stop(self, daemon="kdc"):
        self._script("stop", daemon)

    def start(self, daemon="kdc"):
        # One that was stopped in the middle may leave its port taken a while.
        for _ in range(20):
            with contextlib.suppress(AssertionError):
                self._script("start", daemon)
                return
            time.sleep(0.1)
        said = (self.path / f"{daemon}.out").read_text()
        raise AssertionError(f"{daemon} does not start again: {said}")

    def kill(self, daemon="kdc"):
        """Without a chance to tidy up; start() works afterwards."""
        # It runs under timeout(1), in a group of their own.
        leader = int((self.path / f"{daemon}.pid").read_text())
        os.killpg(leader, signal.SIGKILL)
        wait_until(lambda: not group_lives(leader))

    def close(self):
        self._script("down")


class Heimdal(Realm):
    """The same from tests/lab/heimdal.sh, where it can be had."""

    script = ROOT / "tests" / "lab" / "heimdal.sh"

    @classmethod
    def why_not(cls):
        """What is missing; empty when nothing is."""
        return subprocess.run([cls.script, "possible"], capture_output=True,
                              text=True, timeout=120).stdout.strip()

    @staticmethod
    def libraries():
        """The folder of Heimdal's libraries, once why_not has said nothing."""
        cache = os.environ.get("HEIMDAL_CACHE", ROOT / "build-lab" / "heimdal")
        (library,) = pathlib.Path(cache).glob("usr/lib/*/libgssapi.so.3")
        return library.parent


def ini(sections):
    """The text of a configuration file: {section: {key: value}}.  A list
    becomes continuation lines; None leaves the key out."""
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        for key, value in keys.items():
            if isinstance(value, (list, tuple)):
                value = "\n    ".join(map(str, value))
            if value is not None:
                lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def hand_over(sockets, env):
    """As systemd does for {name: socket}: the words before a command, and the
    descriptors that it inherits."""
    passed = [fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, 100)
              for sock in sockets.values()]
    if not passed:
        return [], []
    env["LISTEN_FDS"] = str(len(passed))
    env["LISTEN_FDNAMES"] = ":".join(sockets)
    moves = "".join(f"exec {3 + i}<&{fd} {fd}<&-; "
                    for i, fd in enumerate(passed))
    script = f'{moves}export LISTEN_PID=$$; exec "$@"'
    return ["bash", "-c", script, "bash"], passed


class Kerbwrap:
    """One running `kerbwrap run`, and the events that it logged."""

    def __init__(self, path, sections, env, binary=BINARY, sockets=None):
        path.mkdir()
        self.path = path
        self.file = path / "kerbwrap.ini"
        settings = {**self._defaults(), **sections.get("kerbwrap", {})}
        self.sections = {**sections, "kerbwrap": settings}
        self._lines = []
        self._events = []
        self._named = collections.defaultdict(list)  # the same by name
        self._ended = False
        self._news = threading.Condition()
        self.expect_status = 0
        self.write(self.sections)
        wrapper, passed = hand_over(sockets or {}, env)
        self.process = subprocess.Popen(
            [*wrapper, *env.pop("WRAPPER", "").split(), binary, "run", "-c",
             self.file],
            env=env,
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=path,
        )
        for fd in passed:
            os.close(fd)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _defaults(self):
        (self.path / "state").mkdir()
        (self.path / "run").mkdir()
        return {
            "threads": 2,
            "pool_threads": 8,
            "log_level": "debug",
            "log_format": "json",
            "status": f"unix:{self.path}/status.sock",
            "state_dir": self.path / "state",
            "runtime_dir": self.path / "run",
            "drain_timeout": "1s",
        }

    def write(self, sections):
        """Replaces the configuration file, at once."""
        new = self.file.with_suffix(".new")
        new.write_text(sections if isinstance(sections, str) else ini(sections))
        new.rename(self.file)

    def _read(self):
        for raw in self.process.stderr:
            line = raw.decode("utf-8", "backslashreplace").rstrip("\n")
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            with self._news:
                self._lines.append(line)
                if isinstance(event, dict):
                    self._events.append(event)
                    self._named[event.get("event")].append(event)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    # --- events ---

    @staticmethod
    def _matches(event, name, fields):
        for key, wanted in {"event": name, **fields}.items():
            value = event.get(key)
            if isinstance(wanted, re.Pattern):
                if not isinstance(value, str) or not wanted.search(value):
                    return False
            elif value != wanted:
                return False
        return True

    def events(self, name, **fields):
        """All events so far with that name and these fields (a compiled
        pattern is searched for)."""
        with self._news:
            return [e for e in self._named[name]
                    if self._matches(e, name, fields)]

    def events_of(self, *names):
        """All events so far with one of these names, in their order."""
        with self._news:
            return [e for e in self._events if e.get("event") in names]

    def wait_for(self, name, *, count=1, timeout=15, **fields):
        """The count-th such event; waits for it."""
        deadline = time.monotonic() + timeout * PATIENCE
        looked_at = 0
        with self._news:
            while True:
                # Each once: there may be tens of thousands.
                for event in self._named[name][looked_at:]:
                    looked_at += 1
                    count -= self._matches(event, name, fields)
                    if count == 0:
                        return event
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "it ended" if self._ended else "in time"
                    tail = "\n".join(self._lines[-30:])
                    raise AssertionError(
                        f"no event {name} {fields} ({why}); the log:\n{tail}"
                    )
                self._news.wait(left)

    def text(self):
        """Everything on standard error so far."""
        with self._news:
            return "\n".join(self._lines)

    # --- sockets ---

    def wait_listening(self):
        for section in self.sections:
            kind, _, name = section.partition(" ")
            if kind in ("server", "client"):
                self.wait_for("listening", service=name)

    def address(self, service):
        """Where a service listens: (host, port) or the path of a socket."""
        text = self.wait_for("listening", service=service)["address"]
        return applications.parse_address(text)

    def connect(self, service, timeout=20):
        """A plain connection to a service's listener."""
        return applications.connect(self.address(service), timeout * PATIENCE)

    def refuses(self, service, timeout=20):
        """Makes a connection; is it reset before a byte came?"""
        try:
            with self.connect(service, timeout) as sock:
                return applications.is_reset(sock)
        except ConnectionResetError:
            return True

    def ask(self, path, method="GET", body=b"", headers=(), address=None):
        """Asks the status socket (or another address) in HTTP: the status, the
        headers and the body of the answer."""
        address = address or str(self.path / "status.sock")
        lines = [f"{method} {path} HTTP/1.1", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        with applications.connect(address, 10 * PATIENCE) as sock:
            sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            answer = applications.receive_all(sock)
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        return int(first.split()[1]), dict(
            line.split(": ", 1) for line in rest), body.decode()

    def status(self):
        """What the status socket says."""
        status, _, body = self.ask("/status.json")
        assert status == 200, body
        return json.loads(body)

    def metrics(self):
        """The samples of /metrics: {"name{labels}": value}."""
        status, _, body = self.ask("/metrics")
        assert status == 200, body
        samples = [line.rsplit(" ", 1) for line in body.splitlines()
                   if not line.startswith("#")]
        return {series: float(value) for series, value in samples}

    # --- the process ---

    def rss_kib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, sections=None):
        if sections is not None:
            self.write(sections)
        self.signal(signal.SIGHUP)

    def wait(self, timeout=30):
        """Waits for the end; the exit status."""
        status = self.process.wait(timeout * PATIENCE)
        self._reader.join(10 * PATIENCE)
        return status

    def close(self):
        """SIGTERM, and all that must be true afterwards."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError("the sidecar did not end; its log:\n"
                                 + self.text()) from None
        finally:
            print(f"--- {self.path.name}\n{self.text()[-12000:]}")
        assert not REPORT.search(self.text()), "a sanitizer reported"
        assert status == self.expect_status, f"exit status {status}"


class Tunnel:
    """A server sidecar, a client sidecar, and what lies between them."""

    def __init__(self, server, client, name):
        self.server = server
        self.client = client
        self.name = name

    def connect(self, timeout=20):
        """A new connection of the legacy client."""
        return self.client.connect(self.name, timeout)

    def refuses(self):
        """Is a new connection of the legacy client reset?"""
        return self.client.refuses(self.name)


class Lab(contextlib.ExitStack):
    """The parts of one test."""

    def __init__(self, realm):
        super().__init__()
        self.realm = realm
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="kw-"))
        self._count = 0

    def __exit__(self, *details):
        try:
            return super().__exit__(*details)
        finally:
            shutil.rmtree(self.path, ignore_errors=True)

    def keep(self, part):
        """Has part.close() called at the end of the test."""
        self.callback(part.close)
        return part

    # --- sidecars ---

    def environment(self, **changes):
        """The environment of a sidecar: nothing of ours but the realm."""
        chosen = {
            "PATH": os.environ["PATH"],
            "KRB5_CONFIG": self.realm.env["KRB5_CONFIG"],
            "ASAN_OPTIONS": "detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "TSAN_OPTIONS": f"suppressions={ROOT}/tests/tsan.supp"
            if (ROOT / "tests" / "tsan.supp").exists()
            else "",
            **changes,
        }
        return {k: str(v) for k, v in chosen.items() if v is not None}

    def kerbwrap(self, sections, *, env=None, name="kerbwrap", wait=True,
                 binary=BINARY, sockets=None):
        """Starts a sidecar; waits until it listens, unless told not to.
        sockets, {name: socket}, are handed over to it."""
        self._count += 1
        sidecar = self.keep(
            Kerbwrap(
                self.path / f"{self._count}-{name}",
                {section: dict(keys) for section, keys in sections.items()},
                self.environment(**(env or {})),
                binary,
                sockets,
            )
        )
        if wait:
            sidecar.wait_listening()
        return sidecar

    def server_keys(self, application, **changes):
        """The keys of a [server NAME] before an application."""
        if not isinstance(application, str):
            application = application.endpoint
        return {
            "accept": "127.0.0.1:0",
            "connect": application,
            "service_class": "orders",
            "keytab": self.realm.keytab("web1"),
            "allow": f"alice@{self.realm.name}",
            **changes,
        }

    def client_keys(self, target, **changes):
        """The keys of a [client NAME] that dials target (host, port)."""
        if not isinstance(target, str):
            target = applications.format_address(target)
        return {
            "accept": "127.0.0.1:0",
            "connect": target,
            "service_class": "orders",
            "spn": f"orders/web1.{self.realm.domain}",
            "keytab": self.realm.keytab("alice"),
            "principal": f"alice@{self.realm.name}",
            **changes,
        }

    def command(self, *arguments, env=None):
        """Runs `kerbwrap ARGUMENTS` to its end."""
        return subprocess.run(
            [BINARY, *arguments],
            env=self.environment(**env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30 * PATIENCE,
        )

    def tunnel(self, application, *, server=None, client=None, settings=None,
               between=None, name="db", server_options=None,
               client_options=None):
        """Two sidecars before an application.  server and client change keys
        of the services, settings those of [kerbwrap]; between, given the
        server's address, returns the one that the client dials."""
        settings = settings or {}
        acceptor = self.kerbwrap(
            {"kerbwrap": settings,
             f"server {name}": self.server_keys(application, **server or {})},
            name="server",
            **server_options or {},
        )
        target = acceptor.address(name)
        if between:
            target = between(target)
        initiator = self.kerbwrap(
            {"kerbwrap": settings,
             f"client {name}": self.client_keys(target, **client or {})},
            name="client",
            **client_options or {},
        )
        return Tunnel(acceptor, initiator, name)

    # --- everything else ---

    def application(self, handler, **options):
        return self.keep(applications.Application(handler, **options))

    def echo(self, **options):
        return self.application(applications.echo, **options)

    def tee(self, target):
        return self.keep(applications.Tee(target))

    def black_hole(self):
        return self.keep(applications.BlackHole())

    def krb5_conf(self, realms=None, kdc_port=None):
        """A copy of the realm's krb5.conf with more realms, {NAME: port}, or
        another port for the KDC of this one."""
        text = pathlib.Path(self.realm.env["KRB5_CONFIG"]).read_text()
        if kdc_port:
            text = re.sub(r"kdc = .*", f"kdc = 127.0.0.1:{kdc_port}", text)
        more = "".join(
            f"    {realm} = {{\n        kdc = 127.0.0.1:{port}\n    }}\n"
            for realm, port in (realms or {}).items()
        )
        self._count += 1
        path = self.path / f"{self._count}-krb5.conf"
        path.write_text(text.replace("[realms]\n", "[realms]\n" + more))
        return path


def group_lives(leader):
    """Has the process group a member that is no zombie?"""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(group) == leader and state not in "ZX":
                return True
    return False


def wait_until(condition, timeout=15):
    """For what no event tells."""
    deadline = time.monotonic() + timeout * PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


given_ports = set()  # nobody may be listening there yet


def free_port():
    """A loopback port that was free a moment ago, and that the kernel gives to
    no outgoing connection."""
    free_ports = ROOT / "tests" / "lab" / "free-ports"
    while True:
        port = int(subprocess.run([free_ports, "1"], capture_output=True,
                                  check=True, timeout=30).stdout)
        if port not in given_ports:
            given_ports.add(port)
            return port
