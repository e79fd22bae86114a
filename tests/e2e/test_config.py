# SPDX-License-Identifier: BSD-2-Clause
"""The commands that read the configuration and start nothing: check, config,
and the help of all; their streams and exit statuses."""

import os
import re
import subprocess

import pytest

from lab import BINARY, ROOT

COMMANDS = ["run", "check", "config", "discover", "status"]

SERVER = """\
[server web]
accept = 127.0.0.1:0
connect = 127.0.0.1:80
service_class = web
keytab = /k
allow = *@CORP.EXAMPLE.TEST
"""
CLIENT = """\
[client web]
accept = 127.0.0.1:0
connect = db:7443
service_class = web
ccache = default
"""


def kerbwrap(*arguments, **options):
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=60,
        **options,
    )


@pytest.fixture
def check(tmp_path):
    """Writes text to a file and checks it: the result, with the path taken out
    of its output."""

    def check(text, command="check"):
        path = tmp_path / "kerbwrap.ini"
        path.write_text(text)
        result = kerbwrap(command, "-c", path)
        result.stdout = result.stdout.replace(str(path), "FILE")
        result.stderr = result.stderr.replace(str(path), "FILE")
        return result

    return check


# --- check -------------------------------------------------------------------


def test_a_good_file_is_one_line(check):
    result = check(SERVER)
    assert result.stdout == "FILE is fine: 1 service\n"
    assert (result.stderr, result.returncode) == ("", 0)


def test_warnings_are_shown_and_pass(check):
    result = check(SERVER.replace("connect = 127.0.0.1:80", "connect = unix:/x"))
    assert result.stdout == (
        "FILE:3: warning: `connect = unix:/x`: a Unix socket cannot be reset, "
        "so the application sees a truncated stream as a clean end\n"
        "FILE is fine: 1 service, 1 warning\n"
    )
    assert (result.stderr, result.returncode) == ("", 0)


# What is added to SERVER, the line it is found in, and the sentence.
MISTAKES = [
    ("hartbeat = 1s", 7, "unknown key `hartbeat`: did you mean `heartbeat`?"),
    ("ccache = x", 7,
     "`ccache` is a key of [client NAME], not of [server NAME]"),
    ("keytab = /l", 7, "`keytab` was already set in line 5"),
    ("heartbeat = 5", 7,
     '`heartbeat`: cannot read "5" as a duration: write a number with ms, s, m '
     "or h, as 10s, or off"),
    ("protection = none", 7,
     '`protection`: cannot use "none": expected seal or sign'),
    ("deny = bob", 7,
     "`deny`: cannot use rule bob: it has no realm (add @REALM)"),
    ("  deny = bob@R", 7,
     "`deny =` is indented and so continues `allow`: remove the blanks before "
     "it"),
    ("tunnel = a\n  b", 8,
     "this line is indented and so continues `tunnel`, which takes one value"),
    ("tunnel", 7, "this line is not KEY = VALUE"),
    ("tunnel: a", 7, "this line is not KEY = VALUE"),
    ("tunnel = " + 4087 * "x", 7,
     "this line is over 4,095 bytes; a list may go on in indented lines"),
    ("[server web", 7, "the section header lacks its `]`"),
    ("[kerbwrap] x", 7, "the section header has text after its `]`"),
    ("[sever x]", 7, "unknown section [sever x]: did you mean [server x]?"),
    ("[kerbwrap]\nthreads = 0", 8,
     '`threads`: cannot read "0" as a number: it must be from 1 to 256, in '
     "digits only"),
    ("[kerbwrap]\ngroup = tty", 8, "`group` needs `user`: who to become"),
]


@pytest.mark.parametrize("line, number, sentence", MISTAKES)
def test_a_mistake_is_shown_at_its_line(check, line, number, sentence):
    result = check(SERVER + line + "\n")
    assert f"FILE:{number}: {sentence}\n" in result.stdout
    assert (result.stderr, result.returncode) == ("", 2)


# What is wrong with the file as a whole: replaced text, line, sentence.
GAPS = [
    (SERVER, "keytab = /k\n", "", 1,
     "[server web] lacks `keytab`: file with the keys of the service"),
    (SERVER, "service_class = web\n", "", 1,
     "[server web] lacks `service_class` or `spn`"),
    (SERVER, "127.0.0.1:80", "192.0.2.1:80", 3,
     "`connect = 192.0.2.1:80` would let plaintext leave this machine: use a "
     "loopback address or unix:PATH, or set `allow_remote_plaintext = yes`"),
    (CLIENT, "ccache = default\n", "", 1,
     "[client web] lacks a credential: set `keytab` and `principal`, or "
     "`ccache`"),
    (CLIENT, "ccache = default", "keytab = /k", 5,
     "`keytab` needs `principal`: whose keys to use"),
    (CLIENT, "connect = db:7443\n", "", 1,
     "[client web] lacks one of `keywords`, `scp` and `connect`"),
    (CLIENT, "127.0.0.1:0", "0.0.0.0:1", 2,
     "`accept = 0.0.0.0:1` would let plaintext leave this machine: use a "
     "loopback address or unix:PATH, or set `allow_remote_plaintext = yes`"),
]


@pytest.mark.parametrize("text, old, new, number, sentence", GAPS)
def test_a_gap_is_shown_at_its_line(check, text, old, new, number, sentence):
    result = check(text.replace(old, new))
    assert result.stdout == f"FILE:{number}: {sentence}\n"
    assert (result.stderr, result.returncode) == ("", 2)


def test_services_do_not_collide(check):
    result = check(
        SERVER.replace(":0", ":99") + CLIENT.replace(":0", ":99")
    )
    assert result.stdout == (
        'FILE:7: the name "web" is taken by the section in line 1\n'
        "FILE:8: `accept = 127.0.0.1:99` is taken by line 2\n"
    )


def test_all_mistakes_are_shown_at_once_in_line_order(check):
    result = check(
        "x = 1\n[kerbwrap]\nthreads = 0\nbogus = 1\n[server a]\n"
        "accept = 127.0.0.1\nallow = bob\n[what]\n"
    )
    lines = [int(n) for n in re.findall(r"^FILE:(\d+): ", result.stdout, re.M)]
    assert lines == [1, 3, 4, 5, 5, 5, 6, 7, 8]
    assert result.returncode == 2


def test_the_shipped_file_only_lacks_services(check):
    result = check((ROOT / "conf" / "kerbwrap.ini").read_text())
    assert result.stdout == (
        "FILE: at least one [server NAME] or [client NAME] is needed\n"
    )
    assert result.returncode == 2


def test_the_shipped_file_uncommented_only_lacks_what_has_no_default(check):
    text = (ROOT / "conf" / "kerbwrap.ini").read_text()
    text = re.sub(r"^;(?=[a-z[])", "", text, flags=re.M)
    text = text.replace("[client NAME]", "[client OTHER]")
    result = check(text)
    sentences = re.findall(r"^FILE:\d+: (.*)$", result.stdout, re.M)
    assert all(" lacks " in sentence for sentence in sentences), sentences


@pytest.mark.parametrize("command", ["run", "check", "config", "status"])
def test_a_missing_file_is_a_sentence(command, tmp_path):
    path = tmp_path / "nothing.ini"
    result = kerbwrap(command, "-c", path)
    assert result.stderr == (
        f"kerbwrap: cannot read {path}: No such file or directory\n"
    )
    assert (result.stdout, result.returncode) == ("", 2)


def test_a_directory_is_a_sentence(tmp_path):
    result = kerbwrap("check", "-c", tmp_path)
    assert result.stderr == f"kerbwrap: cannot read {tmp_path}: Is a directory\n"
    assert (result.stdout, result.returncode) == ("", 2)


# --- config ------------------------------------------------------------------


@pytest.mark.parametrize("text", [SERVER, CLIENT, SERVER + CLIENT.replace(
    "[client web]", "[client other]\ntunnel = t\nidle_timeout = 90m")])
def test_what_config_prints_passes_check_and_prints_the_same(check, text):
    printed = check(text, "config")
    assert (printed.stderr, printed.returncode) == ("", 0)
    again = check(printed.stdout, "config")
    assert (again.stdout, again.returncode) == (printed.stdout, 0)
    assert check(printed.stdout).returncode == 0


def keys_of(text, kind):
    """The keys of the first section of a kind, commented out or not."""
    section = re.search(rf"^;?\[{kind} (.*?)(?=^;?\[|\Z)", text, re.M | re.S)
    return re.findall(r"^;?([a-z_]+) =", section.group(1), re.M)


@pytest.mark.parametrize("kind", ["server", "client"])
def test_config_prints_every_key_of_the_shipped_file(check, kind):
    shipped = (ROOT / "conf" / "kerbwrap.ini").read_text()
    text = SERVER + CLIENT.replace("client web", "client other")
    assert keys_of(check(text, "config").stdout, kind) == keys_of(shipped, kind)


@pytest.mark.parametrize("command", ["run", "config", "status"])
def test_mistakes_stop_the_other_commands(check, command):
    result = check(SERVER + "x = 1\ny = 2\n", command)
    assert result.stderr == (
        "kerbwrap: FILE:7: unknown key `x`\nkerbwrap: FILE:8: unknown key `y`\n"
    )
    assert (result.stdout, result.returncode) == ("", 2)


# --- usage -------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_names_every_command(arguments):
    result = kerbwrap(*arguments)
    assert result.stdout.startswith("usage: kerbwrap COMMAND")
    for command in COMMANDS:
        assert f"    {command} " in result.stdout
    assert (result.stderr, result.returncode) == ("", 0)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_version(command):
    for arguments in [[command, "--help"], ["help", command]]:
        result = kerbwrap(*arguments)
        assert result.stdout.startswith(f"usage: kerbwrap {command} ")
        assert (result.stderr, result.returncode) == ("", 0)
    result = kerbwrap(command, "--version")
    assert result.stdout == kerbwrap("--version").stdout
    assert result.returncode == 0


def test_the_word_spn_has_help_and_version_too():
    assert kerbwrap("spn", "--help").stdout == kerbwrap("--help").stdout
    assert kerbwrap("spn", "--version").stdout == kerbwrap("--version").stdout


def test_version_is_the_project_s():
    cmake = (ROOT / "CMakeLists.txt").read_text()
    version = re.search(r"project\(kerbwrap VERSION (\S+)", cmake).group(1)
    assert kerbwrap("--version").stdout == f"kerbwrap {version}\n"


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ([], "no command given: see kerbwrap --help"),
        (["chekc"], 'unknown command "chekc": did you mean check?'),
        (["xyzzy"], 'unknown command "xyzzy": see kerbwrap --help'),
        (["help", "xyzzy"], 'unknown command "xyzzy": see kerbwrap --help'),
        (["check", "-x"], 'unknown option "-x": see kerbwrap check --help'),
        (["check", "--x"], 'unknown option "--x": see kerbwrap check --help'),
        (["run", "-c"], "-c needs a FILE: see kerbwrap run --help"),
        (["check", "x"],
         'unexpected argument "x": see kerbwrap check --help'),
        (["check", "--json"],
         'unknown option "--json": see kerbwrap check --help'),
        (["spn"], "spn lacks what to do: see kerbwrap spn --help"),
        (["spn", "-c"], "spn lacks what to do: see kerbwrap spn --help"),
        (["spn", "mak"], 'unknown command "spn mak": did you mean spn make?'),
        (["discover"], "no NAME given: see kerbwrap discover --help"),
        (["discover", "a", "b"],
         'unexpected argument "b": see kerbwrap discover --help'),
        (["-c", "x", "check"],
         'unknown option "-c" before a command: see kerbwrap --help'),
        (["spn", "add", "WEB1$"],
         "no SPN given, as CLASS/HOST: see kerbwrap spn add --help"),
        (["spn", "delete", "a/b", "WEB1$", "WEB2$"],
         "name one account only: see kerbwrap spn delete --help"),
        (["spn", "list", "a/b"],
         'unexpected argument "a/b": see kerbwrap spn list --help'),
    ],
)
def test_usage_errors_are_a_sentence(arguments, sentence):
    result = kerbwrap(*arguments)
    assert result.stderr == f"kerbwrap: {sentence}\n"
    assert (result.stdout, result.returncode) == ("", 2)


def test_the_default_file_is_below_etc():
    if os.path.exists("/etc/kerbwrap/kerbwrap.ini"):
        pytest.skip("/etc/kerbwrap/kerbwrap.ini exists")
    assert kerbwrap("check").stderr == (
        "kerbwrap: cannot read /etc/kerbwrap/kerbwrap.ini: "
        "No such file or directory\n"
    )


def test_a_full_disk_is_no_success(tmp_path):
    path = tmp_path / "kerbwrap.ini"
    path.write_text(SERVER)
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [BINARY, "config", "-c", path], stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=60,
        )
    assert result.stderr == (
        "kerbwrap: cannot write to standard output: No space left on device\n"
    )
    assert result.returncode == 1
