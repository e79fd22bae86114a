# SPDX-License-Identifier: BSD-2-Clause
"""The README's client is a whole file, a short one, and finds its server."""

import configparser
import re

from applications import exchange
from lab import ROOT

KEYWORDS = ["orders", "production"]


def example(side):
    """The text of the block after the line that says SIDE.ini."""
    text = (ROOT / "README.md").read_text()
    return re.search(side + r"\.ini.*?^```ini\n(.*?)^```$", text,
                     re.M | re.S).group(1)


def client_example():
    return example("client")


def sections(text):
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def adapted(realm, **directory):
    """The example with this machine's port and keytab, and other keys of
    [directory] when given."""
    example = sections(client_example())
    example["client orders"].update(
        accept="127.0.0.1:0", keytab=realm.keytab("alice"))
    if directory:
        example["directory"] = directory
    return example


def assert_echo(sidecar):
    sidecar.wait_for("discovered", servers=1)
    with sidecar.connect("orders") as sock:
        assert exchange(sock, b"hello") == b"hello"


def test_the_client_example_is_short_and_checks(tmp_path, lab):
    path = tmp_path / "client.ini"
    path.write_text(client_example())
    assert len([line for line in client_example().splitlines() if line]) <= 10
    result = lab.command("check", "-c", path)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_example_files_are_those_of_the_page(lab):
    for side in ("server", "client"):
        path = ROOT / "conf" / f"{side}.ini"
        comment, _, text = path.read_text().partition("\n\n")
        assert text == example(side)
        assert all(line.startswith("; ") for line in comment.split("\n"))
        assert lab.command("check", "-c", path).returncode == 0


def test_the_client_example_finds_its_server(lab, directory, realm):
    server = lab.kerbwrap({"server db": lab.server_keys(lab.echo())})
    directory.scp(directory.computer(), address=server.address("db"),
                  keywords=KEYWORDS)
    example = adapted(realm, uri=directory.uri)
    example["client orders"]["allow_host"] = "localhost"
    assert_echo(lab.kerbwrap(example))
