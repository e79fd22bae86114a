# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package in a clean root: built and looked at by lintian, installed,
configured by editing the example files, run, upgraded and purged, in this order.

The root is made by debootstrap from the mirror that this machine uses, and
shares its network: the realm is outside."""

import contextlib
import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import applications
from lab import PATIENCE, ROOT, Lab, free_port

pytestmark = pytest.mark.soak

# What a command inside the root finds mounted, and nobody else.
INSIDE = """\
set -e
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
mount -t tmpfs tmpfs "$0/tmp"
exec chroot "$0" "$@"
"""
UNITS = sorted(path.name.removesuffix(".in") for path in
               (ROOT / "contrib" / "systemd").glob("*.service*"))


def run(*command, timeout=600, **options):
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, timeout=timeout * PATIENCE, **options)
    assert result.returncode == 0, result.stdout[-6000:]
    return result.stdout


def apt_sources():
    """Lines for sources.list: the distribution's own, as this machine has it."""
    release = dict(
        line.split("=", 1)
        for line in pathlib.Path("/etc/os-release").read_text().splitlines())
    origin = release["ID"].capitalize()
    said = run("apt-get", "indextargets", "--format",
               "deb $(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages",
               f"Origin: {origin}")
    return release["VERSION_CODENAME"], sorted(set(said.splitlines()))


class Root:
    """A fresh installation of the distribution's least, or a copy of one."""

    def __init__(self, path):
        self.path = path

    def bootstrap(self):
        path = self.path
        codename, sources = apt_sources()
        mirror = next(line.split()[1] for line in sources
                      if line.split()[2] == codename)
        run("debootstrap", "--variant=minbase", codename, path, mirror)
        self.write("/etc/apt/sources.list", "\n".join(sources) + "\n")
        # No daemon is to run.
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        with contextlib.suppress(FileNotFoundError):
            shutil.copy("/etc/resolv.conf", path / "etc" / "resolv.conf")
        self.run("apt-get", "update", "-q")

    def copy(self, path):
        run("cp", "-a", f"{self.path}/.", path)
        return Root(path)

    def write(self, name, text, mode=0o644):
        file = self.path / name.lstrip("/")
        file.write_text(text)
        file.chmod(mode)

    def read(self, name):
        return (self.path / name.lstrip("/")).read_text()

    @staticmethod
    def command(path, *command):
        return ["unshare", "--mount", "sh", "-c", INSIDE, path, *command]

    def run(self, *command):
        return run(*self.command(self.path, *command),
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                        "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})

    def apt(self, *arguments):
        return self.run("apt-get", "-q", "-y", *arguments)

    def install(self, package):
        shutil.copy(package, self.path / "root")
        return self.apt("install", f"/root/{package.name}")

    def user(self):
        return self.run("sh", "-c", "getent passwd kerbwrap || true").strip()


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The path of the package; its build fails on any word of lintian's."""
    path = tmp_path_factory.mktemp("package")
    said = run(ROOT / "contrib" / "build-deb", path)
    assert not re.search(r"^[EWIP]: ", said, re.M), said
    return next(path.glob("kerbwrap_*.deb"))


@pytest.fixture(scope="module")
def roots():
    """A directory for roots; under it nobody minds set-user-id programs."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a root")
    if not shutil.which("debootstrap"):
        pytest.skip("debootstrap is not installed")
    path = pathlib.Path(tempfile.mkdtemp(prefix="kw-roots-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def least(roots):
    least = Root(roots / "least")
    least.bootstrap()
    return least


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
    newer = tmp_path / "kerbwrap_new.deb"
    tree = tmp_path / "tree"
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1+newer",
                              control.read_text(), flags=re.M))
    run("dpkg-deb", "--root-owner-group", "-b", tree, newer)
    before = {path: path.read_bytes()
              for path in (root.path / "etc/kerbwrap").iterdir()}
    root.install(newer)
    version = root.run("dpkg-query", "-W", "-f", "${Version}", "kerbwrap")
    assert version.endswith("+newer")
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


def stages():
    """[(name, [(instruction, what follows)])] of the file."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE.read_text(), flags=re.M)
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            assert image == "debian:12-slim"
            found.append((name, []))
        elif word:
            found[-1][1].append((word, rest.strip()))
    return found


def copy_sources(to):
    """The context: the top without what the file of things to ignore names."""
    ignored = CONTAINERFILE.with_name("Containerfile.dockerignore")
    patterns = ignored.read_text().split()
    shutil.copytree(
        ROOT, to, symlinks=True,
        ignore=lambda path, names: [
            name for name in names if pathlib.Path(path) == ROOT
            and any(fnmatch.fnmatch(name, pattern) for pattern in patterns)])


def build_stage(root, steps, others):
    """The instructions that change files; the settings."""
    settings = {}
    for word, rest in steps:
        if word == "RUN":
            root.run("sh", "-c", rest)
        elif word == "COPY":
            source, to = rest.replace("--from=build ", "build:").split()
            target = root.path / to.lstrip("/")
            if source == ".":
                copy_sources(target)
                continue
            base = ROOT
            if source.startswith("build:"):
                base, source = others["build"].path, source[len("build:/"):]
            for file in base.glob(source):
                shutil.copy(file, target)
        else:
            settings[word] = rest
    return settings


def test_the_containerfile_builds_and_runs(least, roots):
    """There is no container engine here: its instructions are followed in clean
    roots.  The first of them also shows that build-deb names all it needs."""
    if "bookworm" not in apt_sources():
        pytest.skip("this machine's mirror is not one of Debian 12")
    built = {}
    for name, steps in stages():
        built[name] = least.copy(roots / (name or "image"))
        settings = build_stage(built[name], steps, built)
    image = built[""]
    user, group = settings["USER"].split(":")
    start = json.loads(settings["ENTRYPOINT"]) + json.loads(settings["CMD"])
    assert start == ["kerbwrap", "run"]
    said = image.run("setpriv", "--reuid", user, "--regid", group,
                     "--clear-groups", "kerbwrap", "--version")
    assert said.startswith("kerbwrap ")
    assert image.user().split(":")[2:4] == [user, group]
    for name in ("var/lib/kerbwrap", "run/kerbwrap"):
        status = (image.path / name).stat()
        assert (status.st_uid, status.st_gid) == (int(user), int(group))
    assert not (image.path / "usr/bin/gcc").exists()
    assert os.access(image.path / "usr/local/bin/kerbwrap-probe", os.X_OK)
