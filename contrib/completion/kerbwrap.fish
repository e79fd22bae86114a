# SPDX-License-Identifier: BSD-2-Clause
#
# Completion of kerbwrap for fish.  Commands, options and what these take are read
# out of `kerbwrap --help` and `kerbwrap COMMAND --help`, NAMEs out of the
# configuration file; so nothing here has to follow a new release.

# kerbwrap is not in the PATH of everybody.
function __kerbwrap_help
    set -lx PATH $PATH /usr/sbin /sbin
    $argv --help 2>/dev/null </dev/null
end

# "NAME<tab>SUMMARY", one a line; "spn add" is one name.
function __kerbwrap_commands
    __kerbwrap_help $argv[1] |
        string replace -rf '^ {4}([a-z-]+(?: [a-z-]+)?)  +(.*)' '$1\t$2'
end

# __kerbwrap_names FILE HELP: of the sections that the help of the command speaks
# of, else of all.
function __kerbwrap_names
    set -l kinds
    for kind in client server
        string match -q "*[$kind NAME]*" -- "$argv[2]"; and set -a kinds $kind
    end
    set -q kinds[1]; or set kinds client server
    set -l file (string replace -r '^~/' "$HOME/" -- $argv[1])
    test -r "$file"; or return
    string replace -rf '^\[('(string join '|' $kinds)') +([\w.-]+)\].*' \
        '$2\t$1' <$file
end

# __kerbwrap_next_word PROGRAM WORD...: what may follow, as parts of commands.
function __kerbwrap_next_word
    set -l typed (string escape --style=regex -- "$argv[2..]")
    test -z "$typed"; or set typed "$typed "
    # Of a command that has parts, no summary of one of them.
    set -l next (__kerbwrap_commands $argv[1] |
        string replace -rf "^$typed([a-z-]+)( [a-z-]+)?(\t.*)" '$1$2$3' |
        string replace -r '^([a-z-]+) .*' '$1')
    set -q next[1]; or return 1
    test (count $argv) -gt 1
    or set -a next help\t'explain a command' --help --version
    printf '%s\n' $next | sort -u
end

# __kerbwrap_argument PROGRAM WORD...: options, what they take, and NAMEs.
function __kerbwrap_argument
    set -l length 1
    __kerbwrap_commands $argv[1] | string match -qr "^$argv[2] $argv[3]\t"
    and set length 2
    set -l help (__kerbwrap_help $argv[1] $argv[2..(math $length + 1)] |
        string collect)
    set -l usage (string split -m 1 \n\n -- $help)[1]
    set -l options (string match -ar '(?<=[[ |])--?[a-z][a-z-]*(?: [A-Z][A-Z|]*)?' \
        -- $usage) --help
    set -l file /etc/kerbwrap/kerbwrap.ini
    set -l what
    set -l option
    set -l named no
    for word in $argv[(math $length + 2)..]
        if test -n "$what"
            test "$option" != -c; or set file $word
            set what
        else if string match -q -- '-*' $word
            set option $word
            set what (string replace -f -- "$word " '' $options)
        else
            set named yes
        end
    end
    if test -z "$what"; and string match -q -- '-*' (commandline -ct)
        string replace -r ' .*' '' -- $options
        return
    end
    # The NAME that an option takes is none of a section.
    test "$what" != NAME; or set what PRINCIPAL
    # What is left of the usage line without its options.
    test -n "$what" -o $named = yes
    or set what (string replace -ar -- '-[a-z-]+( [A-Z|]+)?' '' $usage |
        string match -r '\bNAME\b')
    switch "$what"
        case FILE CACHE
            __fish_complete_path (commandline -ct)
        case NAME
            __kerbwrap_names $file $help
    end
end

function __kerbwrap
    set -l words (commandline -opc)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    if test "$words[2]" = help
        __kerbwrap_next_word $program $words[3..]
    else
        __kerbwrap_next_word $program $words[2..]
        or __kerbwrap_argument $program $words[2..]
    end
end

complete -c kerbwrap -f -a '(__kerbwrap)'
