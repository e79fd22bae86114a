# SPDX-License-Identifier: BSD-2-Clause
"""`kerbwrap publish` and the spn commands in the realm's own directory, and
the commands that ask nobody."""

import pytest

from lab import ini

# As slapd spells it.
SCP = "CN=db,cn=web1,cn=Computers,dc=corp,dc=example,dc=test"


@pytest.fixture
def run(lab, realm, directory):
    """Runs a command on the configuration of a server on web1."""
    (lab.path / "state").mkdir()
    file = lab.path / "publish.ini"
    file.write_text(ini({
        "kerbwrap": {"state_dir": lab.path / "state"},
        "directory": directory.section(gc_uri=realm.env["GC_URI"]),
        "server db": lab.server_keys("127.0.0.1:9", accept="127.0.0.1:7443",
                                     keywords=directory.keyword),
    }))

    def run(command, *arguments, status=0):
        result = lab.command(*command.split(), "-c", file, *arguments)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout + result.stderr

    yield run
    lab.command("unpublish", "--force", "-c", file, "db")


def test_what_is_published_is_taken_back(run):
    assert f"create the service connection point {SCP}" in run("publish", "db")
    assert "done:" not in run("publish", "db")
    assert "orders/web1.corp.example.test" in run("spn list", "web1")
    said = run("unpublish", "db")
    assert "delete the service connection point " in said
    assert "orders/" not in run("spn list", "web1")
    assert "--force deletes" in run("unpublish", "db", status=1)


def test_the_keys_of_published_names_are_checked(run):
    assert "is not registered on any account" in run("spn check", "db",
                                                     status=1)
    run("publish", "db")
    assert "(the directory tells none)" in run("spn check", "db")


def test_accounts_and_names_that_are_not_there_are_told(run):
    assert "cannot find the account nobody" in run("spn list", "nobody",
                                                   status=1)
    assert "no [server other]" in run("publish", "other", status=2)


@pytest.mark.parametrize("arguments, said", [
    ("orders db1", "orders/db1"),
    ("--port 7443 orders db1", "orders/db1:7443"),
    ("--instance db1 --port 70 orders corp.test", "orders/db1:70/corp.test"),
])
def test_names_are_made_of_parts(lab, arguments, said):
    assert lab.command("spn", "make", *arguments.split()).stdout == said + "\n"


def test_names_are_cracked(lab):
    said = lab.command("spn", "crack", "orders/db1:70/CN=o,DC=test").stdout
    assert said == "class orders\nhost db1\nport 70\nservice CN=o,DC=test\n"
    assert lab.command("spn", "crack", "orders").returncode == 1
    assert lab.command("spn", "crack").returncode == 2
