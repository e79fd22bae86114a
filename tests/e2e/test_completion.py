# SPDX-License-Identifier: BSD-2-Clause
"""Completion in bash, zsh and fish: each shell itself is asked, with the real
binary, and must offer what the binary accepts."""

import functools
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from lab import BINARY, PATIENCE, ROOT

SCRIPTS = ROOT / "contrib" / "completion"
FILE = """\
[kerbwrap]
log_level = info
[client orders]
accept = 127.0.0.1:0
;[client commented]
[server db-1]
[client other] ; the second
"""
# Each line is completed at its end, as it would be typed.
BASH = """\
source "$SCRIPTS/kerbwrap.bash"
while read -r -a words; do
    # The tilde stands for an empty word.
    words=("${words[@]/#\\~/}")
    COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
    COMP_LINE=${words[*]} COMP_POINT=${#COMP_LINE}
    _kerbwrap "${words[0]}" "${words[COMP_CWORD]}" "${words[COMP_CWORD - 1]}"
    printf '%s\\n' "${COMPREPLY[@]}"
    echo @@
done
"""
ZSHRC = """\
PROMPT= fpath=("$SCRIPTS" $fpath)
autoload -U compinit && compinit -D -u
exec 3>"$OFFERS"
compadd() {
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then
        local -a offered
        builtin compadd -A offered "$@"
        [ $#offered = 0 ] || print -rlu 3 -- $offered
    fi
    builtin compadd "$@"
}
finish() {
    print -u 3 @@
    compstate[insert]= compstate[list]=
}
complete_and_finish() {
    comppostfuncs=(finish)
    _main_complete
}
zle -C offer list-choices complete_and_finish
bindkey '^I' offer
"""


def environment(path, **more):
    return {"PATH": os.environ["PATH"], "HOME": str(path), "TERM": "dumb",
            "LC_ALL": "C.UTF-8", "SCRIPTS": str(SCRIPTS),
            "ASAN_OPTIONS": "detect_leaks=0", **more}


def split(text):
    """What was offered for each line."""
    return [set(part.split("\n")) - {""} for part in text.split("@@\n")[:-1]]


def ask_bash(path, lines):
    words = [re.sub("=", " = ", line) for line in lines]
    words = [line + "~" if line.endswith(" ") else line for line in words]
    result = subprocess.run(
        ["bash", "--norc", "-c", BASH], env=environment(path), cwd=path,
        input="\n".join(words) + "\n", capture_output=True, text=True,
        check=True, timeout=60 * PATIENCE)
    assert not result.stderr, result.stderr
    return split(result.stdout)


def ask_fish(path, lines):
    script = f"source {SCRIPTS}/kerbwrap.fish\n" + "".join(
        f"complete -C '{line}' | string replace -r '\\t.*' ''; echo @@\n"
        for line in lines)
    result = subprocess.run(
        ["fish", "--no-config"], env=environment(path), cwd=path,
        input=script, capture_output=True, text=True, check=True,
        timeout=60 * PATIENCE)
    return split(result.stdout)


def read_offers(offers, terminal):
    """One line's; what the terminal shows is dropped."""
    text = ""
    deadline = time.monotonic() + 20 * PATIENCE
    while not text.endswith("@@\n"):
        left = deadline - time.monotonic()
        assert left > 0, f"zsh offered no more than {text!r}"
        for ready in select.select([offers, terminal], [], [], left)[0]:
            data = os.read(ready, 65536).decode("utf-8", "replace")
            if ready == offers:
                text += data
    return text


def ask_zsh(path, lines):
    """At a terminal: there is no other way to ask zsh."""
    (path / ".zshrc").write_text(ZSHRC)
    fifo = path / "offers"
    os.mkfifo(fifo)
    offers = os.open(fifo, os.O_RDWR)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(path)
        os.execvpe("zsh", ["zsh", "-d", "-i"],
                   environment(path, ZDOTDIR=str(path), OFFERS=str(fifo)))
    try:
        text = ""
        for line in lines:
            # ^U before it empties the line.
            os.write(terminal, b"\x15" + line.encode() + b"\t")
            text += read_offers(offers, terminal)
        return split(text)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
        os.close(offers)
        fifo.unlink()


SHELLS = {"bash": ask_bash, "zsh": ask_zsh, "fish": ask_fish}


@pytest.fixture(params=SHELLS)
def ask(request, tmp_path):
    """Offers for each of some lines, of which the first word is the binary."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    (tmp_path / "k.ini").write_text(FILE)
    (tmp_path / "kerbwrap").symlink_to(BINARY)

    def ask(*lines):
        found = SHELLS[request.param](
            tmp_path, [f"./kerbwrap {line}" for line in lines])
        assert len(found) == len(lines)
        return found

    return ask


@functools.cache
def kerbwrap(*arguments):
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=30 * PATIENCE)


def commands():
    said = kerbwrap("--help").stdout
    return re.findall(r"^ {4}([a-z-]+(?: [a-z-]+)?) {2,}\S", said, re.M)


def known_options():
    """{option: does it take a value} of all commands, from their source."""
    text = "".join(path.read_text() for path in ROOT.glob("src/cli/*.c"))
    rows = re.findall(r'\{"([a-z-]+)", (no|required)_argument', text)
    return {"-c": True, **{f"--{name}": kind == "required"
                           for name, kind in rows}}


def accepted(command):
    """The options that the binary takes; all that it says is its help."""
    return {
        option for option, has_value in known_options().items()
        if kerbwrap(*command.split(), option, *["x"] * has_value,
                    "--help").returncode == 0
    }


def test_the_table_of_commands_is_read_whole():
    table = (ROOT / "src" / "cli" / "commands.c").read_text()
    assert commands() == re.findall(r'\.name = "(.*)"', table)
    assert len(known_options()) > 8


def test_every_command_is_offered(ask):
    typed = sorted({f"{name.rpartition(' ')[0]} ".lstrip()
                    for name in commands()})
    offered = dict(zip(typed, ask(*typed)))
    for name in commands():
        before, _, word = name.rpartition(" ")
        assert word in offered[f"{before} ".lstrip()], f"{name} is not offered"
    words = {name.split()[0] for name in commands()}
    assert offered[""] - {"--help", "--version"} == words | {"help"}


def test_every_option_is_offered_where_it_is_accepted(ask):
    offered = ask(*(f"{name} -" for name in commands()))
    for name, options in zip(commands(), offered):
        # --version is everywhere, and -c means nothing where no file is read.
        idle = {"-c"} if name in ("spn make", "spn crack") else set()
        wanted = accepted(name) - {"--version"} - idle
        assert wanted - options == set(), f"{name}: these are not offered"
        assert options - wanted == set(), f"{name}: these are not accepted"


OFFERS = {
    "d": {"discover", "doctor"},
    "doctor -c k.ini o": {"orders", "other"},
    "help spn find": {"find-duplicates"},
    "discover -c k.ini o": {"orders", "other"},
    "publish -c k.ini d": {"db-1"},
    "unpublish --dry-run -c k.ini d": {"db-1"},
    "spn check -c k.ini d": {"db-1"},
    "spn check -c k.ini o": set(),
    "discover -c k": {"k.ini", "kerbwrap"},
    "spn list --ccache k.": {"k.ini"},
    "spn make --instance k": set(),
    "discover -c k.ini orders o": set(),
    "discover -c missing.ini o": set(),
    "connect -c k.ini --keytab missing o": {"orders", "other"},
    "connect -c k.ini --principal o": set(),
    "connect --keytab k.": {"k.ini"},
    "nonsense k": set(),
}


def test_what_an_option_and_a_command_take_is_offered(ask):
    assert dict(zip(OFFERS, ask(*OFFERS))) == OFFERS


def type_at_bash(path, keys, until):
    """At a terminal, with nothing but the script loaded; what is shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(path)
        os.execvpe("bash", ["bash", "--noprofile", "--norc", "-i"],
                   environment(path, PS1="> "))
    try:
        os.write(terminal, f". {SCRIPTS}/kerbwrap.bash\n{keys}".encode())
        text = ""
        while until not in text:
            assert select.select([terminal], [], [], 20 * PATIENCE)[0], text
            text += os.read(terminal, 65536).decode("utf-8", "replace")
        return text
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def test_a_tab_completes_at_a_terminal(tmp_path):
    (tmp_path / "k.ini").write_text(FILE)
    (tmp_path / "kerbwrap").symlink_to(BINARY)
    type_at_bash(tmp_path, "./kerbwrap pub\t-c k.i\td\t",
                 "./kerbwrap publish -c k.ini db-1 ")
