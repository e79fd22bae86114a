# SPDX-License-Identifier: BSD-2-Clause
"""Clean roots: made by debootstrap from the mirror that this machine uses, and
sharing its network; and the package that is tried in them.

The fixtures `package`, `roots` (a directory) and `least` (what to copy) are made
once for all files that want them."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from lab import PATIENCE, ROOT

# What a command inside the root finds mounted, and nobody else.
INSIDE = """\
set -e
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
mount -t tmpfs tmpfs "$0/tmp"
exec chroot "$0" "$@"
"""


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


def repack(package, path):
    """The package again, as if it were a later version."""
    tree = path / "tree"
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1+newer",
                              control.read_text(), flags=re.M))
    newer = path / "kerbwrap_newer.deb"
    run("dpkg-deb", "--root-owner-group", "-b", tree, newer)
    shutil.rmtree(tree)
    return newer


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The path of the package; its build fails on any word of lintian's."""
    path = tmp_path_factory.mktemp("package")
    said = run(ROOT / "contrib" / "build-deb", path)
    assert not re.search(r"^[EWIP]: ", said, re.M), said
    return next(path.glob("kerbwrap_*.deb"))


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def least(roots):
    least = Root(roots / "least")
    least.bootstrap()
    return least
