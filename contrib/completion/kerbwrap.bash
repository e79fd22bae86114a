# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion of kerbwrap for bash.  Commands, options and what these take are
# read out of `kerbwrap --help` and `kerbwrap COMMAND --help`, NAMEs out of the
# configuration file; so nothing here has to follow a new release.

# kerbwrap is not in the PATH of everybody.
_kerbwrap_help() {
    local PATH=$PATH:/usr/sbin:/sbin
    "$@" --help 2>/dev/null </dev/null
}

# One a line; "spn add" is one.
_kerbwrap_commands() {
    _kerbwrap_help "$1" | sed -En 's/^ {4}([a-z-]+( [a-z-]+)?)  .*/\1/p'
}

# Of a usage line, one a line, with what they take: "-c FILE".
_kerbwrap_options() {
    grep -Eo -e '[[ |]--?[a-z][a-z-]*( [A-Z][A-Z|]*)?' <<<"$1" | sed 's/^.//'
    echo --help
}

# _kerbwrap_names FILE HELP: of the sections that the help of the command speaks
# of, else of all.
_kerbwrap_names() {
    local kinds
    case $2 in
    *'[client NAME]'*'[server NAME]'* | *'[server NAME]'*'[client NAME]'*)
        kinds='client|server'
        ;;
    *'[client NAME]'*) kinds=client ;;
    *'[server NAME]'*) kinds=server ;;
    *) kinds='client|server' ;;
    esac
    sed -En "s/^\[($kinds) +([A-Za-z0-9._-]+)\].*/\2/p" "$1" 2>/dev/null
}

# _kerbwrap_reply CURRENT COMPGEN-OPTION...
_kerbwrap_reply() {
    mapfile -t COMPREPLY < <(compgen "${@:2}" -- "$1")
}

# What may follow the words: parts of commands.
_kerbwrap_reply_command() {
    local typed="${*:3}${3:+ }" command next=()
    while read -r command; do
        [[ "$command " == "$typed"?* ]] || continue
        command=${command#"$typed"}
        next+=("${command%% *}")
    done < <(_kerbwrap_commands "$1")
    [ "${#next[@]}" -gt 0 ] || return
    [ $# -gt 2 ] || next+=(help --help --version)
    _kerbwrap_reply "$2" -W "${next[*]}"
}

# _kerbwrap_reply_argument PROGRAM CURRENT WORD...: options, what they take, and
# NAMEs.
_kerbwrap_reply_argument() {
    local current=$2 words=("${@:3}") length=1 help usage what='' option word
    local file=/etc/kerbwrap/kerbwrap.ini named=no
    [ "$(_kerbwrap_commands "$1" | grep -cxF "${words[*]:0:2}")" = 0 ] ||
        length=2
    help=$(_kerbwrap_help "$1" "${words[@]:0:length}")
    usage=${help%%$'\n\n'*}
    declare -A takes=()
    while read -r option what; do
        takes[$option]=$what
    done < <(_kerbwrap_options "$usage")
    what=
    for word in "${words[@]:length}"; do
        if [ -n "$what" ]; then
            [ "$option" != -c ] || file=${word/#'~/'/"$HOME/"}
            what=
        elif [[ $word == -* ]]; then
            option=$word what=${takes[$word]-}
        else
            named=yes
        fi
    done
    if [ -z "$what" ] && [[ $current == -* ]]; then
        _kerbwrap_reply "$current" -W "${!takes[*]}"
        return
    fi
    # The NAME that an option takes is none of a section.
    [ "$what" != NAME ] || what=PRINCIPAL
    # What is left of the usage line without its options.
    [ -n "$what" ] || [ "$named" = yes ] ||
        what=$(sed -E 's/-[a-z-]+( [A-Z|]+)?//g' <<<"$usage" |
            grep -Eow 'NAME' | head -n 1)
    case $what in
    FILE | CACHE)
        compopt -o filenames 2>/dev/null
        _kerbwrap_reply "$current" -f
        ;;
    NAME)
        _kerbwrap_reply "$current" -W "$(_kerbwrap_names "$file" "$help")"
        ;;
    esac
}

_kerbwrap() {
    local program=$1 current=${COMP_WORDS[COMP_CWORD]} words=() i
    COMPREPLY=()
    # The "=" of --ccache=CACHE is a word of its own.
    for ((i = 1; i < COMP_CWORD; i++)); do
        [ "${COMP_WORDS[i]}" = = ] || words+=("${COMP_WORDS[i]}")
    done
    [ "$current" != = ] || current=
    if [ "${words[0]-}" = help ]; then
        _kerbwrap_reply_command "$program" "$current" "${words[@]:1}"
    else
        _kerbwrap_reply_command "$program" "$current" "${words[@]}" ||
            _kerbwrap_reply_argument "$program" "$current" "${words[@]}"
    fi
}

complete -F _kerbwrap kerbwrap
