# SPDX-License-Identifier: BSD-2-Clause
"""The manifests of contrib/kubernetes agree with themselves, and what is in them
runs: the two files of their ConfigMaps make a tunnel, and the probes are asked."""

import os
import re
import subprocess

import pytest

import applications
from lab import BINARY, PATIENCE, ROOT, Kerbwrap, free_port

yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")

MANIFESTS = ROOT / "contrib" / "kubernetes"
CONTAINER = ROOT / "contrib" / "container"
SIDES = ("orders-server", "orders-client")


def manifests():
    """{(kind, name): manifest} of all files that the kustomization names."""
    text = (MANIFESTS / "kustomization.yaml").read_text()
    files = yaml.safe_load(text)["resources"]
    assert sorted(files) == sorted(
        path.name for path in MANIFESTS.iterdir()
        if path.name != "kustomization.yaml")
    found = [manifest for file in files
             for manifest in yaml.safe_load_all((MANIFESTS / file).read_text())]
    named = {(one["kind"], one["metadata"]["name"]): one for one in found}
    assert len(named) == len(found), "two have one name"
    return named


ALL = manifests()


def pod(side):
    return ALL["Deployment", side]["spec"]["template"]


def sidecar(side):
    containers = pod(side)["spec"]["initContainers"]
    assert [one["name"] for one in containers] == ["kerbwrap"]
    return containers[0]


def ini(side):
    return ALL["ConfigMap", side]["data"]["kerbwrap.ini"]


def setting(side, key):
    """Of the one section that has it."""
    value, = re.findall(rf"^{key} = (.*)$", ini(side), re.M)
    return value


def ports(rules):
    return {(port["protocol"], port["port"])
            for rule in rules for port in rule.get("ports", [])}


def test_each_kind_has_the_version_of_its_api():
    assert {(kind, one["apiVersion"]) for (kind, _), one in ALL.items()} == {
        ("ConfigMap", "v1"), ("Service", "v1"), ("Deployment", "apps/v1"),
        ("NetworkPolicy", "networking.k8s.io/v1")}


@pytest.mark.parametrize("side", SIDES)
def test_what_is_mounted_is_there(side):
    volumes = {one["name"]: one for one in pod(side)["spec"]["volumes"]}
    used = set()
    for container in (sidecar(side), *pod(side)["spec"]["containers"]):
        for mount in container.get("volumeMounts", []):
            assert mount["name"] in volumes
            used.add(mount["name"])
    assert used == set(volumes)
    guide = (ROOT / "docs" / "kubernetes.md").read_text()
    for volume in volumes.values():
        if "configMap" in volume:
            assert ("ConfigMap", volume["configMap"]["name"]) in ALL
        if "secret" in volume:
            # Octal in YAML 1.1, which is Kubernetes's.
            assert volume["secret"]["defaultMode"] == 0o440
            keytab = os.path.basename(setting(side, "keytab"))
            assert (f"secret generic {volume['secret']['secretName']} "
                    f"--from-file={keytab}\n") in guide


@pytest.mark.parametrize("side", SIDES)
def test_the_paths_of_the_file_are_mounted(side):
    mounts = {one["mountPath"]: one for one in sidecar(side)["volumeMounts"]}
    assert os.path.dirname(setting(side, "keytab")) in mounts
    for path in ("/etc/kerbwrap", "/etc/keytab", "/etc/krb5.conf"):
        assert mounts[path]["readOnly"] is True
    # The defaults of state_dir and runtime_dir.
    for path in ("/var/lib/kerbwrap", "/run/kerbwrap"):
        assert "readOnly" not in mounts[path]


@pytest.mark.parametrize("side", SIDES)
def test_the_sidecar_starts_before_the_application_and_has_no_rights(side):
    container, spec = sidecar(side), pod(side)["spec"]
    assert container["restartPolicy"] == "Always"
    assert spec["terminationGracePeriodSeconds"] > 25  # of drain_timeout
    assert spec["securityContext"]["runAsNonRoot"] is True
    context = container["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    image = (CONTAINER / "Containerfile").read_text()
    user = f"{context['runAsUser']}:{context['runAsGroup']}"
    assert f"\nUSER {user}\n" in image
    assert spec["securityContext"]["fsGroup"] == context["runAsGroup"]


def test_ports_and_labels_agree():
    service = ALL["Service", "orders"]["spec"]
    container_port, = sidecar("orders-server")["ports"]
    service_port, = service["ports"]
    port = container_port["containerPort"]
    assert setting("orders-server", "accept") == f"[::]:{port}"
    assert service_port["targetPort"] == container_port["name"]
    assert setting("orders-client", "connect") == \
        f"orders:{service_port['port']}"
    assert setting("orders-client", "spn") == setting("orders-server", "spn")
    assert setting("orders-client", "principal") == \
        setting("orders-server", "allow")
    assert service["selector"] == pod("orders-server")["metadata"]["labels"]
    for side in SIDES:
        labels = pod(side)["metadata"]["labels"]
        deployment = ALL["Deployment", side]["spec"]
        policy = ALL["NetworkPolicy", side]["spec"]
        assert deployment["selector"]["matchLabels"] == labels
        assert policy["podSelector"]["matchLabels"] == labels
        assert ports(policy["egress"]) >= {("UDP", 53), ("TCP", 53),
                                           ("TCP", 88), ("UDP", 88)}
    server, client = (ALL["NetworkPolicy", side]["spec"] for side in SIDES)
    assert ports(server["ingress"]) == {("TCP", port)}
    assert ("TCP", port) in ports(client["egress"])
    assert client["ingress"] == []
    assert server["ingress"][0]["from"] == [
        {"podSelector": client["podSelector"]}]


@pytest.mark.parametrize("side", SIDES)
def test_the_file_checks(side, lab):
    file = lab.path / "kerbwrap.ini"
    file.write_text(ini(side))
    result = lab.command("check", "-c", file)
    assert (result.returncode, result.stdout, result.stderr) == (
        0, f"{file} is fine: 1 service\n", "")


class Pod:
    """One side's sidecar with the file of its ConfigMap, moved to this machine;
    its writable directories have the rights of an emptyDir."""

    def __init__(self, lab, side, keytab, **changes):
        self.side = side
        self.status_port = free_port()
        path = lab.path / side
        text = ini(side)
        changes = {
            "/etc/keytab/orders.keytab": keytab,
            "/etc/keytab/alice.keytab": keytab,
            "127.0.0.1:9180": f"127.0.0.1:{self.status_port}\n"
            f"state_dir = {path}/state\nruntime_dir = {path}/run\n"
            "log_level = debug",
            "@CORP.EXAMPLE.TEST": f"@{lab.realm.name}", **changes}
        for old, new in changes.items():
            text = text.replace(old, str(new))
        self.kerbwrap = lab.keep(Started(path, text, lab.environment()))
        self.kerbwrap.wait_for("listening")

    def probe(self, name):
        """The exit status of a probe, which has the port of the manifest."""
        program, *arguments = sidecar(self.side)[name]["exec"]["command"]
        assert setting(self.side, "status") == f"127.0.0.1:{arguments[-1]}"
        return subprocess.run(
            [CONTAINER / program, *arguments[:-1], str(self.status_port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=sidecar(self.side)[name]["timeoutSeconds"] * PATIENCE,
        ).returncode


class Started(Kerbwrap):
    """With a file that is given as it is."""

    def __init__(self, path, text, env):
        self.given = text
        super().__init__(path, {}, env)

    def _defaults(self):
        super()._defaults()
        for name in ("state", "run"):
            (self.path / name).chmod(0o2777)
        return {}

    def write(self, _):
        super().write(self.given)


@pytest.fixture
def pods(lab):
    port, local = free_port(), free_port()
    spn = setting("orders-server", "spn")
    keytab = lab.realm.keytab("kubernetes")
    if not keytab.exists():
        lab.realm.add(spn, keytab=keytab.stem)
    moved = {"[::]:7443": f"127.0.0.1:{port}",
             "orders:7443": f"127.0.0.1:{port}"}
    server = Pod(lab, "orders-server", keytab,
                 **{**moved, "127.0.0.1:5432": lab.echo().endpoint})
    client = Pod(lab, "orders-client", lab.realm.keytab("alice"),
                 **{**moved, "127.0.0.1:5432": f"127.0.0.1:{local}"})
    return server, client, local


def test_the_two_files_make_a_tunnel(pods):
    _, _, local = pods
    with applications.connect(("127.0.0.1", local), 20 * PATIENCE) as sock:
        assert applications.exchange(sock, b"hello") == b"hello"


def test_the_probes_tell_who_is_there(pods):
    if b"/healthz" not in BINARY.read_bytes():
        pytest.skip("this status server has no /healthz")
    for one in pods[:2]:
        names = [name for name in sidecar(one.side) if name.endswith("Probe")]
        assert names == ["startupProbe", "livenessProbe", "readinessProbe"]
        assert [one.probe(name) for name in names] == [0, 0, 0]
        one.kerbwrap.close()
        assert [one.probe(name) for name in names] == [1, 1, 1]
