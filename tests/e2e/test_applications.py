# SPDX-License-Identifier: BSD-2-Clause
"""Real servers and clients of the distribution, unchanged, through a pair of
sidecars: PostgreSQL, Redis, OpenSSH, nginx with curl."""

import contextlib
import getpass
import glob
import hashlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import time

import pytest

from lab import PATIENCE, free_port

MIB = 1 << 20
# Sanitized sidecars are slow; they get less to carry.
LARGE = 256 * MIB if PATIENCE == 1 else 24 * MIB

pytestmark = pytest.mark.fast if PATIENCE == 1 else []


def find(program, *places):
    """The path of a program, or the reason to skip."""
    for place in places:
        found = sorted(glob.glob(f"{place}/{program}"))
        if found:
            return found[-1]
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


def run(*command, timeout=120, **options):
    """A client, to its end; its standard output."""
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=timeout * PATIENCE, **options,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def fill(path):
    with open(path, "wb") as file:
        for _ in range(LARGE // MIB):
            file.write(os.urandom(MIB))


def digest_of(path):
    digest = hashlib.blake2b()
    with open(path, "rb") as file:
        while block := file.read(MIB):
            digest.update(block)
    return digest.hexdigest()


class Daemon:
    """A server process with its output in a file, ready when its port is."""

    def __init__(self, log, port, *command, **options):
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, **options,
            )
        deadline = time.monotonic() + 30 * PATIENCE
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                with open(log, encoding="utf-8", errors="replace") as text:
                    pytest.fail(f"{command[0]}: {text.read()}")
            time.sleep(0.05)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def through(lab, port):
    """The port of the client sidecar before a server's port."""
    return lab.tunnel(f"127.0.0.1:{port}").client.address("db")[1]


# --- Redis ------------------------------------------------------------------


@pytest.fixture
def redis(lab):
    port = free_port()
    lab.keep(Daemon(
        lab.path / "redis.log", port, find("redis-server"),
        "--port", str(port), "--bind", "127.0.0.1", "--save", "",
        "--appendonly", "no", "--dir", str(lab.path),
    ))
    return str(through(lab, port))


def test_redis_cli_stores_and_fetches(redis):
    cli = (find("redis-cli"), "-p", redis)
    assert run(*cli, "SET", "name", "of the rose").strip() == "OK"
    assert run(*cli, "GET", "name").strip() == "of the rose"


def test_redis_benchmark_runs(redis):
    said = run(find("redis-benchmark"), "-p", redis, "-q", "-n", "5000",
               "-c", "50", "-d", "1000", "-t", "ping,set,get,lpush,lrange_100")
    assert said.count("requests per second") >= 5


def test_redis_benchmark_pipelines(redis):
    said = run(find("redis-benchmark"), "-p", redis, "-q", "-n", "20000",
               "-c", "8", "-P", "64", "-d", "4000", "-t", "set,get")
    assert said.count("requests per second") >= 2


# --- PostgreSQL -------------------------------------------------------------


def as_other_user(name):
    """PostgreSQL does not run as root: the words that become somebody else."""
    if os.getuid() != 0:
        return [], getpass.getuser()
    try:
        pwd.getpwnam(name)
    except KeyError:
        pytest.skip(f"there is no user {name} to run as")
    return ["setpriv", f"--reuid={name}", f"--regid={name}",
            "--clear-groups"], name


@pytest.fixture
def postgres(lab):
    places = ("/usr/lib/postgresql/*/bin",)
    initdb = find("initdb", *places)
    become, user = as_other_user("postgres")
    data = lab.path / "pg"
    data.mkdir()
    if become:
        lab.path.chmod(0o711)
        shutil.chown(data, user, user)
    run(*become, initdb, "-D", data / "db", "-A", "trust", "-U", "tester",
        "--no-sync", cwd="/")
    port = free_port()
    lab.keep(Daemon(
        lab.path / "postgres.log", port, *become, find("postgres", *places),
        "-D", str(data / "db"), "-p", str(port), "-h", "127.0.0.1",
        "-k", str(data), "-F", cwd="/",
    ))
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return {**clean, "PGHOST": "127.0.0.1", "PGPORT": str(through(lab, port)),
            "PGUSER": "tester", "PGDATABASE": "postgres"}


def test_psql_queries_and_copies(postgres):
    psql = (find("psql"), "-qAtX", "-v", "ON_ERROR_STOP=1")
    run(*psql, "-c", "create table t as select n, md5(n::text) as m "
        "from generate_series(1, 200000) n", env=postgres)
    rows = run(*psql, "-c", "copy t to stdout", env=postgres)
    lines = rows.splitlines()
    assert len(lines) == 200000
    assert lines[41] == "42\t" + hashlib.md5(b"42").hexdigest()


def test_psql_may_cancel_a_query(postgres):
    """A cancellation comes over a second connection."""
    with subprocess.Popen(
        [find("psql"), "-qAtX", "-c", "select pg_sleep(600)"], env=postgres,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    ) as process:
        asleep = (find("psql"), "-qAtX", "-c",
                  "select count(*) from pg_stat_activity "
                  "where wait_event = 'PgSleep'")
        deadline = time.monotonic() + 20 * PATIENCE
        while run(*asleep, env=postgres).strip() != "1":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(2)
        _, said = process.communicate(timeout=20 * PATIENCE)
    assert "canceling statement due to user request" in said


def test_pgbench_runs(postgres):
    pgbench = find("pgbench", "/usr/lib/postgresql/*/bin")
    run(pgbench, "-i", "-q", "-s", "1", env=postgres)
    said = run(pgbench, "-c", "8", "-j", "2", "-t", "100", env=postgres)
    assert "number of transactions actually processed: 800/800" in said
    said = run(pgbench, "-c", "4", "-C", "-S", "-t", "25", env=postgres)
    assert "number of transactions actually processed: 100/100" in said


# --- OpenSSH ----------------------------------------------------------------


@pytest.fixture
def ssh(lab):
    """The words that begin an ssh or scp command, and the host to name."""
    sshd = find("sshd")
    user = pwd.getpwuid(os.getuid())
    if user.pw_shell.endswith(("nologin", "false")):
        pytest.skip(f"{user.pw_name} may not log in")
    if os.getuid() == 0:
        # Where sshd, as root, leaves its privileges behind.
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    for name in ("host_key", "user_key"):
        run(find("ssh-keygen"), "-q", "-t", "ed25519", "-N", "",
            "-f", str(lab.path / name))
    shutil.copy(lab.path / "user_key.pub", lab.path / "authorized_keys")
    port = free_port()
    config = lab.path / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\n"
        f"HostKey {lab.path}/host_key\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {lab.path}/authorized_keys\nStrictModes no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\nMaxStartups 100\n"
    )
    lab.keep(Daemon(lab.path / "sshd.log", port, sshd, "-D", "-e",
                    "-f", str(config)))
    options = ["-F", "none", "-i", str(lab.path / "user_key"),
               "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
               "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
               "-o", f"Port={through(lab, port)}"]
    return options, f"{user.pw_name}@127.0.0.1"


def test_ssh_runs_a_command(ssh):
    options, host = ssh
    assert run(find("ssh"), *options, host, "echo $((6 * 7))") == "42\n"


def test_scp_carries_a_large_file_both_ways(lab, ssh):
    options, host = ssh
    original = lab.path / "original"
    fill(original)
    there, back = lab.path / "there", lab.path / "back"
    scp = (find("scp"), "-q", *options)
    run(*scp, original, f"{host}:{there}", timeout=300)
    run(*scp, f"{host}:{there}", back, timeout=300)
    assert len({digest_of(path) for path in (original, there, back)}) == 1


# --- nginx and curl ---------------------------------------------------------


@pytest.fixture
def nginx(lab):
    """The URL of an nginx that serves lab.path/www."""
    port = free_port()
    (lab.path / "www").mkdir()
    config = lab.path / "nginx.conf"
    config.write_text(
        ("user root;\n" if os.getuid() == 0 else "")
        + f"daemon off;\npid {lab.path}/nginx.pid;\n"
        f"error_log {lab.path}/nginx-error.log;\n"
        "events { worker_connections 512; }\nhttp {\n"
        + "".join(
            f"  {kind}_temp_path {lab.path}/{kind}_temp;\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "  access_log off;\n  client_max_body_size 0;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {lab.path}/www; }}\n}}\n"
    )
    lab.keep(Daemon(lab.path / "nginx.log", port, find("nginx"),
                    "-p", str(lab.path), "-e", "stderr", "-c", str(config)))
    return f"http://127.0.0.1:{through(lab, port)}"


def test_curl_downloads_a_large_file(lab, nginx):
    large = lab.path / "www" / "large"
    fill(large)
    out = lab.path / "got"
    run(find("curl"), "-sS", "-f", "-o", out, f"{nginx}/large", timeout=300)
    assert digest_of(out) == digest_of(large)


def test_curl_keeps_connections_and_opens_many(lab, nginx):
    for number in range(50):
        (lab.path / "www" / str(number)).write_text(f"page {number}\n")
    one = run(find("curl"), "-sS", "-f", f"{nginx}/[0-49]")
    assert re.findall(r"page (\d+)", one) == [str(n) for n in range(50)]
    run(find("curl"), "-sS", "-f", "-Z", "--parallel-max", "50",
        "-o", os.devnull, f"{nginx}/[0-49]")
