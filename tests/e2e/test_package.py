# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package in a clean root: built and looked at by lintian, installed,
configured by editing the example files, run, upgraded and purged, in this order.

The root shares this machine's network: the realm is outside."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

import applications
from lab import PATIENCE, ROOT, Lab, free_port, ini
from roots import Root, apt_sources, repack, run

pytestmark = pytest.mark.soak

UNITS = sorted(path.name.removesuffix(".in") for path in
               (ROOT / "contrib" / "systemd").glob("*.service*"))


@pytest.fixture(scope="module")
def root(least, roots):
    return least.copy(roots / "root")


def test_the_package_installs_and_verifies(root, package):
    root.install(package)
    files = root.run("dpkg", "-L", "kerbwrap").splitlines()
    for name in ("/usr/sbin/kerbwrap", "/etc/kerbwrap",
                 "/usr/share/man/man8/kerbwrap.8.gz",
                 "/usr/share/man/man5/kerbwrap.ini.5.gz",
                 "/usr/share/doc/kerbwrap/examples/server.ini",
                 "/usr/share/doc/kerbwrap/README.Debian",
                 "/usr/share/bash-completion/completions/kerbwrap",
                 "/usr/share/zsh/vendor-completions/_kerbwrap",
                 "/usr/share/fish/vendor_completions.d/kerbwrap.fish"):
        assert name in files
    installed = sorted(os.path.basename(name) for name in files
                       if name.endswith(".service"))
    assert installed == UNITS
    root.run("dpkg", "--verify", "kerbwrap")


def test_the_user_is_made_and_nothing_is_enabled(root):
    assert root.user().endswith((":/usr/sbin/nologin", ":/bin/false"))
    assert list((root.path / "etc/systemd/system").rglob("kerbwrap*")) == []


@pytest.mark.skipif(not UNITS, reason="there are no units in contrib/systemd")
def test_the_units_verify(root):
    said = root.run("systemd-analyze", "verify",
                    *(unit for unit, _, _ in DAEMONS))
    assert said == ""


def edit(root, side, name, changes):
    """The example file, as somebody would change it, as NAME.ini."""
    text = root.read(f"/usr/share/doc/kerbwrap/examples/{side}.ini")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    root.write(f"/etc/kerbwrap/{name}.ini", text)


# As the comment in kerbwrap@.service has it, for kerbwrap@client.
OF_ITS_OWN = """\
[kerbwrap]
status = unix:/run/kerbwrap-client/status.sock
runtime_dir = /run/kerbwrap-client
state_dir = /var/lib/kerbwrap-client
"""


@pytest.fixture(scope="module")
def site(root, realm):
    """Configured: what is said to the client comes back from an application."""
    port, local = free_port(), free_port()
    with Lab(realm) as lab:
        conf = pathlib.Path(realm.env["KRB5_CONFIG"]).read_text()
        root.write("/etc/krb5.conf", conf)
        for name, keytab in (("orders", "web1"), ("alice", "alice")):
            file = root.path / "etc" / "kerbwrap" / f"{name}.keytab"
            shutil.copy(realm.keytab(keytab), file)
        # As README.Debian has it.
        root.run("sh", "-c", "chown root:kerbwrap /etc/kerbwrap/*.keytab && "
                 "chmod 640 /etc/kerbwrap/*.keytab")
        directory = "[directory]\ndomain = corp.example.test\n"
        edit(root, "server", "kerbwrap", {
            directory: "", "[::]:7443": f"127.0.0.1:{port}",
            "127.0.0.1:5432": lab.echo().endpoint,
            "keywords = orders production\n": ""})
        edit(root, "client", "client", {
            directory: OF_ITS_OWN, "127.0.0.1:5432": f"127.0.0.1:{local}",
            "keywords = orders production": f"connect = 127.0.0.1:{port}",
            "allow_host = *.corp.example.test":
                f"spn = orders/web1.{realm.domain}"})
        yield local


# Unit, file, directory of its own.
DAEMONS = (("kerbwrap.service", "kerbwrap", "kerbwrap"),
           ("kerbwrap@client.service", "client", "kerbwrap-client"))


def start(root, stack, unit, name, directory):
    """What the unit does, as its user, with its directories."""
    command = "/usr/sbin/kerbwrap run -c /etc/kerbwrap/%i.ini"
    if UNITS:
        text = root.read(f"/lib/systemd/system/{re.sub('@.*[.]', '@.', unit)}")
        command = re.search(r"^ExecStart=(.*)$", text, re.M).group(1)
    uid, gid = map(int, root.user().split(":")[2:4])
    for parent in ("run", "var/lib"):
        path = root.path / parent / directory
        path.mkdir(exist_ok=True)
        os.chown(path, uid, gid)
    process = subprocess.Popen(
        Root.command(root.path, "setpriv", "--reuid", "kerbwrap", "--regid",
                     "kerbwrap", "--init-groups", "--inh-caps=-all",
                     *command.replace("%i", name).split()),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, text=True,
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    stack.callback(process.wait, 30 * PATIENCE)
    stack.callback(process.terminate)
    said = []
    for line in process.stderr:
        said.append(line)
        if " listening " in line:
            return
    raise AssertionError("".join(said))


def must_tunnel(root, port):
    with contextlib.ExitStack() as stack:
        for unit, name, directory in DAEMONS:
            file = f"/etc/kerbwrap/{name}.ini"
            assert root.run("kerbwrap", "check", "-c", file) == \
                f"{file} is fine: 1 service\n"
            start(root, stack, unit, name, directory)
        with applications.connect(("127.0.0.1", port), 30 * PATIENCE) as sock:
            assert applications.exchange(sock, b"hello") == b"hello"


def test_the_edited_examples_make_a_tunnel(root, site):
    must_tunnel(root, site)


def test_an_upgrade_keeps_what_was_configured(root, package, site, tmp_path):
    before = {path: path.read_bytes()
              for path in (root.path / "etc/kerbwrap").iterdir()}
    root.install(repack(package, tmp_path))
    # None of the files is the package's, so dpkg asks nothing about them.
    said = root.run("dpkg-query", "-W", "-f", "${Version};${Conffiles}",
                    "kerbwrap")
    assert said.endswith("+newer;")
    assert before == {path: path.read_bytes()
                      for path in (root.path / "etc/kerbwrap").iterdir()}
    must_tunnel(root, site)


def test_removing_keeps_what_was_configured(root):
    root.apt("remove", "kerbwrap")
    assert not (root.path / "usr/sbin/kerbwrap").exists()
    assert (root.path / "etc/kerbwrap/kerbwrap.ini").exists()


def test_purging_leaves_nothing(root):
    root.apt("purge", "kerbwrap")
    assert root.user() == ""
    for package in root.path.glob("root/*.deb"):
        package.unlink()
    left = [str(path.relative_to(root.path))
            for path in root.path.rglob("*kerbwrap*")]
    # man-db keeps what it has shown, which systemd-analyze had it do.
    assert [name for name in left if not name.startswith("var/cache/man")] == []
    said = root.run("sh", "-c", "grep -rlI kerbwrap /etc /run /var/lib/dpkg "
                    "/var/lib/systemd || true")
    # Backups of what adding the user changed.
    assert set(said.split()) <= {"/etc/passwd-", "/etc/group-", "/etc/shadow-",
                                 "/etc/gshadow-"}


# --- the container --------------------------------------------------------------

CONTAINERFILE = ROOT / "contrib" / "container" / "Containerfile"


class Engine:
    """buildah, with a store of its own; containers share our network."""

    def __init__(self, path):
        self.words = ["buildah", "--root", path / "store", "--runroot",
                      path / "run", "--storage-driver", "vfs"]

    def __call__(self, *command):
        return run(*self.words, *command)

    def importing(self, root, name):
        container = self("from", "scratch").strip()
        self("add", "--quiet", container, root.path, "/")
        self("commit", "--rm", "--quiet", container, name)

    def inside(self, container, *command, options=()):
        return [*self.words, "run", "--isolation", "chroot", *options,
                container, "--", *command]


@pytest.fixture(scope="module")
def engine(roots, least):
    """It has the image that no registry is asked for."""
    if not shutil.which("buildah"):
        pytest.skip("buildah is not installed")
    if apt_sources()[0] != "bookworm":
        pytest.skip("this machine's mirror is not one of Debian 12")
    engine = Engine(roots / "engine")
    engine.importing(least, "docker.io/library/debian:12-slim")
    return engine


@pytest.fixture(scope="module")
def image(engine):
    """What the Containerfile makes, and what is said of it.  Its first stage
    also shows that build-deb names all it needs."""
    engine("build", "--isolation", "chroot", "--pull-never", "--format",
           "docker", "-f", CONTAINERFILE, "-t", "kerbwrap", ROOT)
    said = json.loads(engine("inspect", "--type", "image", "kerbwrap"))
    return said["Docker"]["config"]


def test_the_containerfile_makes_an_image_of_little(engine, image):
    assert image["User"] == "10001:10001"
    assert image["Healthcheck"]["Test"] == ["CMD", "kerbwrap", "status"]
    container = engine("from", "--pull-never", "kerbwrap").strip()
    said = run(*engine.inside(
        container, "sh", "-c", "id -u; getent passwd kerbwrap; "
        "stat -c '%u %g %a' /var/lib/kerbwrap /run/kerbwrap; "
        "ls -d /usr/bin/gcc /src /root/*.deb /var/lib/apt/lists/* 2>&- || :"))
    assert said.splitlines() == [
        "10001",
        "kerbwrap:x:10001:10001::/var/lib/kerbwrap:/usr/sbin/nologin",
        "10001 10001 700", "10001 10001 700"]


def configure(lab, settings, sections):
    """The directory that somebody would mount, with a keytab."""
    path = lab.path / "mounted"
    path.mkdir()
    (path / "kerbwrap.ini").write_text(
        ini({"kerbwrap": settings, **sections}))
    shutil.copy(lab.realm.keytab("web1"), path / "orders.keytab")
    for file in (lab.path, path, *path.iterdir()):
        os.chown(file, 10001, 10001)
    return path


def test_the_image_carries_a_tunnel(engine, image, lab):
    port, status = free_port(), free_port()
    keys = lab.server_keys(lab.echo(), accept=f"127.0.0.1:{port}",
                           keytab="/etc/kerbwrap/orders.keytab")
    mounted = configure(lab, {"status": f"127.0.0.1:{status}"},
                        {"server db": keys})
    container = engine("from", "--pull-never", "kerbwrap").strip()
    process = subprocess.Popen(
        engine.inside(container, *image["Entrypoint"], *image["Cmd"], options=[
            "-v", f"{mounted}:/etc/kerbwrap:ro",
            "-v", f"{lab.realm.env['KRB5_CONFIG']}:/etc/krb5.conf:ro"]),
        text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    lab.callback(process.wait, 30 * PATIENCE)
    lab.callback(process.kill)
    said = []
    for line in process.stderr:
        said.append(line)
        if " listening " in line:
            break
    assert said and " listening " in said[-1], "".join(said)
    client = lab.kerbwrap({"client db": lab.client_keys(f"127.0.0.1:{port}")})
    with client.connect("db") as sock:
        assert applications.exchange(sock, b"hello") == b"hello"
    assert run(*engine.inside(container, "kerbwrap-probe", "/readyz",
                              str(status))) == "ready\n"
    # What an engine does to stop it; this one does not hand signals on.
    inside = re.search(r" started .*pid=(\d+)", "".join(said)).group(1)
    os.kill(int(inside), signal.SIGTERM)
    assert process.wait(30 * PATIENCE) == 0
