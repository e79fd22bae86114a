# SPDX-License-Identifier: BSD-2-Clause
"""The installed package under a systemd that has really booted: a Debian in a
machine that QEMU emulates, without a network.  What is tried there stands in
booted_trial.py, and runs inside; each of its trials is a test here."""

import platform
import re
import shutil
import subprocess

import pytest

import booted_trial
from lab import PATIENCE, ROOT, ini
from roots import repack, run

pytestmark = pytest.mark.soak

# The trials take two to three minutes, of which the watchdog's are one.
SECONDS = 600
PACKAGES = ("systemd-sysv", "linux-image-cloud-amd64", "initramfs-tools",
            "krb5-kdc", "krb5-admin-server", "python3-minimal")
REALM = "CORP.EXAMPLE.TEST"
KRB5_CONF = f"""\
[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
[realms]
    {REALM} = {{
        kdc = 127.0.0.1
    }}
"""
KDC_CONF = """\
[kdcdefaults]
    kdc_listen = 127.0.0.1:88
    kdc_tcp_listen = 127.0.0.1:88
"""
# What makes the realm; its KDC is started by Debian's own unit.
MAKE_REALM = """\
set -e
kdb5_util create -s -P something >/dev/null
kadmin.local addprinc -randkey alice
kadmin.local addprinc -randkey orders/web1.corp.example.test
cd /etc/kerbwrap
kadmin.local ktadd -k alice.keytab alice
kadmin.local ktadd -k orders.keytab orders/web1.corp.example.test
chown root:kerbwrap *.keytab
chmod 640 *.keytab
"""
UNIT = f"""\
[Unit]
Description=What is tried
[Service]
# Not longer than this, and then the machine ends.
RuntimeMaxSec={SECONDS}
ExecStart=/usr/bin/python3 /root/booted_trial.py /dev/ttyS1
ExecStopPost=/bin/systemctl poweroff --no-block
[Install]
WantedBy=multi-user.target
"""


def own(name):
    """As the comment in kerbwrap@.service has it."""
    return {"status": f"unix:/run/kerbwrap-{name}/status.sock",
            "runtime_dir": f"/run/kerbwrap-{name}",
            "state_dir": f"/var/lib/kerbwrap-{name}"}


def server(port, **keys):
    return {"accept": f"127.0.0.1:{port}", "service_class": "orders",
            "keytab": "/etc/kerbwrap/orders.keytab",
            "allow": f"alice@{REALM}", **keys}


def client(accept, port=7443, **keys):
    return {"accept": accept, "connect": f"127.0.0.1:{port}",
            "service_class": "orders", "principal": "alice",
            "spn": "orders/web1.corp.example.test",
            "keytab": "/etc/kerbwrap/alice.keytab", **keys}


FILES = {
    "server": {
        "kerbwrap": own("server"),
        "server orders": server(7443, connect="127.0.0.1:5432"),
        "server programs": server(7444, exec="/usr/bin/env")},
    "client": {
        "kerbwrap": {**own("client"), "user": "kerbwrap",
                     "log_target": "file:/var/log/kerbwrap-client/log"},
        "client orders": client("127.0.0.1:5433"),
        "client programs": client("127.0.0.1:5434", 7444),
        "client user": client("127.0.0.1:5435", accept_user="nobody"),
        "client user-unix": client("unix:/run/kerbwrap-client/user.sock",
                                   accept_user="nobody", socket_mode="0666")},
    "kerbwrap": {"kerbwrap": {"user": "kerbwrap"},
                 "client orders": client("fd:orders")},
    "dynamic": {
        "kerbwrap": {**own("dynamic"), "log_target": "syslog"},
        "client orders": client("127.0.0.1:5437")},
}


def furnish(root, package, path):
    """All that is done before the first boot."""
    root.apt("install", "--no-install-recommends", *PACKAGES)
    root.install(package)
    shutil.copy(repack(package, path), root.path / "root")
    root.apt("clean")
    for name, text in {
            "/etc/hostname": "web1\n",
            "/etc/hosts": "127.0.0.1 localhost\n"
                          "127.0.1.1 web1.corp.example.test web1\n",
            # So that systemd does not enable all there is, as it does at the
            # very first boot.
            "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
            "/etc/krb5.conf": KRB5_CONF,
            "/etc/krb5kdc/kdc.conf": KDC_CONF,
            "/etc/systemd/system/trial.service": UNIT,
            **{f"/etc/kerbwrap/{name}.ini": ini(sections)
               for name, sections in FILES.items()}}.items():
        root.write(name, text)
    shutil.copy(booted_trial.__file__, root.path / "root")
    shutil.copy(
        root.path / "usr/share/doc/kerbwrap/examples/kerbwrap-orders.socket",
        root.path / "etc/systemd/system")
    root.run("sh", "-c", MAKE_REALM)
    root.run("systemctl", "disable", "krb5-admin-server")
    root.run("systemctl", "enable", "trial", "kerbwrap@server",
             "kerbwrap-orders.socket")
    (root.path / "usr/sbin/policy-rc.d").unlink()


def boot(root, path):
    """What the second serial line said."""
    image = path / "root.img"
    run("mke2fs", "-q", "-t", "ext4", "-d", root.path, image, "2G")
    (kernel,), (initrd,) = (root.path.glob(f"boot/{name}-*")
                            for name in ("vmlinuz", "initrd.img"))
    machine = [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
        "-display", "none", "-machine", "q35,accel=tcg", "-cpu", "max",
        "-smp", "2", "-m", "1024", "-nic", "none",
        "-kernel", kernel, "-initrd", initrd, "-append",
        "root=/dev/vda rw console=ttyS0 panic=-1",
        "-drive", f"file={image},if=virtio,format=raw,cache=unsafe",
        "-serial", f"file:{path}/console", "-serial", f"file:{path}/said"]
    try:
        # A machine that is too slow is ended from within; from here only one
        # that hangs.
        subprocess.run(machine, stdin=subprocess.DEVNULL, check=True,
                       timeout=(SECONDS + 120) * PATIENCE)
    finally:
        image.unlink()
        print((path / "console").read_text(errors="replace")[-8000:])
    return (path / "said").read_text(errors="replace")


@pytest.fixture(scope="module")
def said(roots, least, package, tmp_path_factory):
    for program in ("qemu-system-x86_64", "mke2fs"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    if platform.machine() != "x86_64":
        pytest.skip("only a machine of this kind, amd64, is emulated")
    path = tmp_path_factory.mktemp("machine")
    root = least.copy(roots / "machine")
    furnish(root, package, path)
    said = boot(root, path)
    shutil.rmtree(root.path)
    print(said)
    assert "the end" in said.splitlines(), said
    return said


@pytest.mark.parametrize("name", booted_trial.TRIALS)
def test_in_a_booted_machine(said, name):
    why = re.search(rf"^failed {name}: .*?^   ", said, re.M | re.S)
    assert not why, why.group(0)
    assert f"ok {name}" in said.splitlines()


def test_the_documented_exposure_is_that_of_the_booted(said):
    level = re.search(r"^said systemd_gives_.*: (\d\.\d)$", said, re.M).group(1)
    text = (ROOT / "docs" / "security.md").read_text()
    documented = re.search(r"exposure level (\d\.\d)", text).group(1)
    # Other versions of systemd weigh a little differently.
    assert abs(float(level) - float(documented)) <= 0.3
