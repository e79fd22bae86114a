# SPDX-License-Identifier: BSD-2-Clause
"""What is installed lands where it is expected, and the tarball is the source."""

import os
import subprocess
import tarfile

import pytest

from lab import BINARY, PATIENCE, ROOT

# Below /usr: where from, in the source.
INSTALLED = {
    "sbin/kerbwrap": None,
    "share/man/man8/kerbwrap.8": "docs/kerbwrap.8",
    "share/man/man5/kerbwrap.ini.5": "docs/kerbwrap.ini.5",
    "share/doc/kerbwrap/examples/kerbwrap.ini": "conf/kerbwrap.ini",
    "share/doc/kerbwrap/examples/server.ini": "conf/server.ini",
    "share/doc/kerbwrap/examples/client.ini": "conf/client.ini",
    "share/doc/kerbwrap/wireshark/kerbwrap.lua":
        "contrib/wireshark/kerbwrap.lua",
    "share/bash-completion/completions/kerbwrap":
        "contrib/completion/kerbwrap.bash",
    "share/zsh/site-functions/_kerbwrap": "contrib/completion/_kerbwrap",
    "share/fish/vendor_completions.d/kerbwrap.fish":
        "contrib/completion/kerbwrap.fish",
}
if (ROOT / "contrib" / "systemd").exists():
    INSTALLED |= {
        # Written by CMake, which knows where the program is.
        "lib/systemd/system/kerbwrap.service": None,
        "lib/systemd/system/kerbwrap@.service": None,
        "lib/sysusers.d/kerbwrap.conf":
            "contrib/systemd/kerbwrap.sysusers.conf",
        "lib/tmpfiles.d/kerbwrap.conf":
            "contrib/systemd/kerbwrap.tmpfiles.conf",
        "share/doc/kerbwrap/examples/kerbwrap-orders.socket":
            "contrib/systemd/kerbwrap-orders.socket",
    }


def run(*command, **env):
    return subprocess.run(
        command, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=True, timeout=60 * PATIENCE,
    ).stdout


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """The /usr of a staged installation of the build of this binary."""
    build = BINARY.resolve().parent
    if not (build / "cmake_install.cmake").exists():
        pytest.skip(f"{BINARY} was not built by CMake in its directory")
    path = tmp_path_factory.mktemp("staged")
    run("cmake", "--install", build, "--prefix", "/usr", DESTDIR=str(path))
    assert os.listdir(path) == ["usr"]
    return path / "usr"


def test_every_file_lands_where_it_is_expected(staged):
    found = {str(path.relative_to(staged))
             for path in staged.rglob("*") if not path.is_dir()}
    assert found == set(INSTALLED)
    for name, source in INSTALLED.items():
        if source:
            assert (staged / name).read_bytes() == \
                (ROOT / source).read_bytes(), name
            assert (staged / name).stat().st_mode & 0o7777 == 0o644, name


def test_the_installed_binary_runs(staged):
    said = run(staged / "sbin" / "kerbwrap", "--version")
    assert said == run(BINARY, "--version")


@pytest.fixture(scope="module")
def tarball(tmp_path_factory):
    if subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"],
                      capture_output=True).returncode != 0:
        pytest.skip("these sources are no git checkout")
    path = tmp_path_factory.mktemp("tarball")
    name = run(ROOT / "contrib" / "make-tarball", path).strip()
    with tarfile.open(name) as archive:
        archive.extractall(path)
    return path / os.path.basename(name).removesuffix(".tar.xz")


def test_the_tarball_has_every_source_and_nothing_else(tarball):
    listed = run("git", "-C", ROOT, "ls-tree", "-r", "--name-only", "HEAD")
    found = {str(path.relative_to(tarball))
             for path in tarball.rglob("*") if not path.is_dir()}
    assert found == set(listed.splitlines())


def test_the_tarball_of_one_commit_is_always_the_same(tarball, tmp_path):
    again = run(ROOT / "contrib" / "make-tarball", tmp_path).strip()
    first = tarball.parent / os.path.basename(again)
    assert open(again, "rb").read() == first.read_bytes()


def test_the_tarball_configures(tarball, tmp_path):
    run("cmake", "-S", tarball, "-B", tmp_path, "-DKERBWRAP_TESTS=OFF")
    assert f"project({tarball.name.replace('-', ' VERSION ')} " in \
        (tarball / "CMakeLists.txt").read_text()


@pytest.mark.parametrize("path", [
    "contrib/demo", "contrib/build-deb", "contrib/make-tarball",
    "contrib/install-deps", "tests/run"])
def test_a_script_that_is_asked_for_help_does_nothing_else(path, tmp_path):
    script = ROOT / path
    name = script.name
    assert run(script, "--help").startswith(f"{name}")
    refused = subprocess.run([script, "--frob"], cwd=tmp_path,
                             capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"{name}: unknown argument --frob: see {script} --help\n")
    assert list(tmp_path.iterdir()) == []
