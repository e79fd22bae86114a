# SPDX-License-Identifier: BSD-2-Clause
"""The step-by-step guides: their files are written and their commands are run,
in their order, as a reader would; at the end a byte comes back."""

import os
import re
import shutil
import subprocess

import pytest

from lab import BINARY, PATIENCE, REPORT, ROOT, free_port

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
TITLE = re.compile(r"; (/etc/kerbwrap/\S+\.ini)(, in \[.*)?\n")

# What a reader has at hand: daemons in the background, and a patient eye.
TOOLS = r"""\
set -eu
running=
trap 'kill $running; wait' EXIT
kerbwrap() { "$BINARY" "$@"; }
start() {
    "$BINARY" run -c "$1" >"$1.log" 2>&1 &
    running="$running $!"
    until grep -q ' listening ' "$1.log"; do
        kill -0 $! || { cat "$1.log"; exit 1; }
        sleep 0.05
    done
}
echoes() {
    port=$(sed -n 's/.* listening .*127[.]0[.]0[.]1:\([0-9]*\).*/\1/p' client.ini.log)
    exec 3<>/dev/tcp/127.0.0.1/"$port"
    echo hello >&3
    read -r -t 10 -u 3 word && [ "$word" = hello ]
}
must_echo() {
    for _ in $(seq 100); do
        if (echoes) 2>/dev/null; then return; fi
        sleep 0.1
    done
    tail -n 20 ./*.log
    exit 1
}
"""


class Guide:
    """A document, made ready to be run in a directory of a lab."""

    def __init__(self, lab, name):
        self.lab = lab
        self.text = (ROOT / "docs" / name).read_text()
        self.server_port = free_port()
        self.substitutions = [
            ("/etc/kerbwrap", str(lab.path)),
            ("/etc/krb5.keytab", f"{lab.path}/krb5.keytab"),
            ("connect = 127.0.0.1:5432", f"connect = {lab.echo().endpoint}"),
            ("accept = 127.0.0.1:5432", "accept = 127.0.0.1:0"),
            ("[::]:7443", f"[::]:{self.server_port}"),
        ]

    def _file(self, text):
        title = TITLE.match(text)
        if not title:
            return ""
        body = text[title.end():]
        if title.group(2):
            return f"cat >>{title.group(1)} <<'END'\n{body}END\n"
        head = ("[kerbwrap]\nstatus = none\nstate_dir = /etc/kerbwrap\n"
                "runtime_dir = /etc/kerbwrap\n")
        return f"cat >{title.group(1)} <<'END'\n{head}{body}END\n"

    def _commands(self, text):
        text = re.sub(r"^! (.*)$", r"if \1; then exit 1; fi", text, flags=re.M)
        text, daemons = re.subn(r"^kerbwrap run -c (\S+) &$", r"start \1", text,
                                flags=re.M)
        return text + "must_echo\n" * (daemons and "client.ini" in text)

    def script(self):
        parts = [TOOLS, f"cd {self.lab.path}\n"]
        for kind, text in BLOCK.findall(self.text):
            if kind == "ini":
                parts.append(self._file(text))
            elif kind == "sh":
                parts.append(self._commands(text))
        script = "".join(parts)
        for old, new in self.substitutions:
            script = script.replace(old, new)
        return script

    def run(self, **env):
        shutil.copy(self.lab.realm.keytab("alice"), self.lab.path)
        result = subprocess.run(
            ["bash", "-c", self.script()], text=True, capture_output=True,
            stdin=subprocess.DEVNULL, timeout=60 * PATIENCE,
            env={**os.environ, **self.lab.environment(), "BINARY": str(BINARY),
                 **env})
        said = result.stdout + result.stderr
        print(said)
        for log in self.lab.path.glob("*.log"):
            assert not REPORT.search(log.read_text())
        assert result.returncode == 0, said[-4000:]
        return said


@pytest.mark.ad
@pytest.mark.skipif(not shutil.which("adcli"), reason="adcli is not installed")
def test_the_guide_to_active_directory_holds(site):
    guide = Guide(site, "active-directory.md")
    keytab = site.realm.keytab("Administrator")
    guide.substitutions.append(
        ("kinit Administrator", f"kinit -kt {keytab} Administrator"))
    said = guide.run(KRB5CCNAME=f"FILE:{site.path}/ccache")
    assert "kerbwrap spn add -c" in said
    assert "no name stands on several accounts" in said


def test_the_guide_to_freeipa_holds(lab):
    guide = Guide(lab, "freeipa.md")
    guide.substitutions += [
        ("kadmin -q", "kadmin.local -q"),
        ("connect = web1.corp.example.test:7443",
         f"connect = 127.0.0.1:{guide.server_port}\n"
         "spn = ledger/web1.corp.example.test"),
    ]
    guide.run(KRB5_KDC_PROFILE=lab.realm.env["KRB5_KDC_PROFILE"],
              PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
