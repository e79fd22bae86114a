#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A throwaway Kerberos realm on loopback: an MIT KDC and, when asked for, a
# directory (OpenLDAP with the part of Active Directory's schema that service
# connection points need).  No root, no fixed ports, one private directory; the
# daemons end by themselves after REALM_TTL seconds.
#
#   realm.sh up [--directory]        start it; again is fine
#   realm.sh down                    stop it and remove its directory
#   realm.sh env                     shell lines to eval: KRB5_CONFIG, KEYTABS ...
#   realm.sh run [--directory] CMD   up, CMD inside the environment, down
#   realm.sh kadmin QUERY...         kadmin.local, one query an argument
#   realm.sh as PRINCIPAL CMD...     CMD with a ticket of one of the keytabs
#   realm.sh stop kdc|slapd          stop one daemon;  start kdc|slapd  again
#
# REALM      its name, CORP.EXAMPLE.TEST.  Several may run at once, each with
# REALM_DIR  a directory of its own, ${TMPDIR:-/tmp}/kerbwrap-realm-UID
#
# Who there is (the keytab of NAME is $KEYTABS/NAME.keytab):
#   alice bob mallory Administrator   people
#   web1$ web2$                       two computers; web1.keytab also holds
#                                     host/ HTTP/ orders/ of web1.DOMAIN and of
#                                     localhost, web2.keytab those of web2
#   svc-orders                        a service account: orders/app.DOMAIN ...
#   legacy/web1.DOMAIN                its tickets are sealed with RC4
#   polyglot                          has a key of each AES type, and may choose
#                                     any of them towards orders/localhost
# shellcheck disable=SC2034,SC2153
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
: "${REALM:=CORP.EXAMPLE.TEST}" "${REALM_TTL:=3600}"
: "${REALM_DIR:=${TMPDIR:-/tmp}/kerbwrap-realm-$UID}"
PATH=$PATH:/usr/sbin:/sbin
domain=${REALM,,}
base_dn="DC=${domain//./,DC=}"

# shellcheck source=tests/lab/directory.sh
. "$here/directory.sh"

die() {
    echo "realm.sh: $*" >&2
    exit 1
}

# --- configuration ----------------------------------------------------------

write_krb5_conf() {
    cat >"$REALM_DIR/krb5.conf" <<END
[libdefaults]
    default_realm = $REALM
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    ignore_acceptor_hostname = true
    default_ccache_name = FILE:$REALM_DIR/ccache
[realms]
    $REALM = {
        kdc = 127.0.0.1:$kdc_port
    }
[domain_realm]
    .$domain = $REALM
    $domain = $REALM
    localhost = $REALM
END
}

# A client that does not know the realm of orders/HOST is referred to it by what
# krb5.conf says of HOST.  allow_rc4 lets later releases of MIT still issue what
# legacy/ is there for.
write_kdc_conf() {
    cat >"$REALM_DIR/kdc.conf" <<END
[libdefaults]
    allow_rc4 = true
[kdcdefaults]
    kdc_listen = 127.0.0.1:$kdc_port
    kdc_tcp_listen = 127.0.0.1:$kdc_port
[realms]
    $REALM = {
        database_name = $REALM_DIR/kdb/principal
        key_stash_file = $REALM_DIR/kdb/stash
        acl_file = $REALM_DIR/kadm5.acl
        max_life = 10h
        max_renewable_life = 7d
        default_principal_flags = +preauth
        supported_enctypes = aes256-cts:normal aes128-cts:normal
        host_based_services = orders
    }
[logging]
    kdc = FILE:$REALM_DIR/kdc.log
    default = FILE:$REALM_DIR/library.log
END
    : >"$REALM_DIR/kadm5.acl"
}

write_env() {
    cat >"$REALM_DIR/env" <<END
export REALM='$REALM' REALM_DIR='$REALM_DIR' DOMAIN='$domain'
export KRB5_CONFIG='$REALM_DIR/krb5.conf'
export KRB5_KDC_PROFILE='$REALM_DIR/kdc.conf'
export KRB5CCNAME='FILE:$REALM_DIR/ccache'
export KRB5RCACHENAME=dfl: KRB5RCACHEDIR='$REALM_DIR/rcache'
export KEYTABS='$REALM_DIR/keytabs' KDC_PORT=$kdc_port
END
    if [ "$with_directory" = yes ]; then
        directory_env >>"$REALM_DIR/env"
    fi
}

configure() {
    read -r kdc_port ldap_port gc_port < <("$here/free-ports" 3)
    write_krb5_conf
    write_kdc_conf
    write_env
    if [ "$with_directory" = yes ]; then
        directory_configure
    fi
}

# --- principals -------------------------------------------------------------

# One kadmin.local for all queries on standard input; fails when one of them
# did, which kadmin.local itself only prints.
kadmin_batch() {
    local out=$REALM_DIR/kadmin.log
    kadmin.local -r "$REALM" >"$out" 2>&1 || true
    if grep -E ' while |^[a-z_.]+: [^ ]' "$out" >&2; then
        return 1
    fi
}

# with_keytab NAME PRINCIPAL...: random keys, all in NAME.keytab.
with_keytab() {
    local keytab=$REALM_DIR/keytabs/$1.keytab principal
    shift
    for principal in "$@"; do
        echo "addprinc -randkey $principal"
        echo "ktadd -q -k $keytab $principal"
    done
}

# People have a password besides; their keytab is made from it.
with_password() {
    local name
    for name in "$@"; do
        echo "addprinc -pw Passw0rd-$name $name"
        echo "ktadd -q -norandkey -k $REALM_DIR/keytabs/$name.keytab $name"
    done
}

# As for an account in Active Directory that nobody told about AES: the ticket
# is sealed with RC4, the session key inside it is AES all the same.
with_rc4_ticket() {
    echo "addprinc -randkey -e arcfour-hmac:normal $2"
    echo "setstr $2 session_enctypes aes256-cts"
    echo "ktadd -q -norandkey -k $REALM_DIR/keytabs/$1.keytab $2"
}

# What a session's key is, is up to whoever asks the KDC for a ticket.
with_every_aes_type() {
    local types=aes128-cts-hmac-sha256-128,aes256-cts-hmac-sha384-192
    types=$types,aes256-cts-hmac-sha1-96,aes128-cts-hmac-sha1-96
    echo "addprinc -randkey -e ${types//,/:normal,}:normal $1"
    echo "ktadd -q -norandkey -k $REALM_DIR/keytabs/$1.keytab $1"
    echo "setstr krbtgt/$REALM session_enctypes $types"
    echo "setstr $2 session_enctypes $types"
}

principals() {
    local web1=web1.$domain web2=web2.$domain app=app.$domain
    with_password alice bob mallory Administrator
    with_keytab web1 "web1\$" "host/$web1" "HTTP/$web1" "orders/$web1" \
        "orders/$web1:7443" "orders/$web1/orders" host/localhost \
        orders/localhost
    with_keytab web2 "web2\$" "host/$web2" "HTTP/$web2" "orders/$web2"
    with_keytab svc-orders svc-orders "orders/$app" "orders/$app:7443" \
        "orders/$app/orders"
    with_rc4_ticket legacy "legacy/$web1"
    with_keytab ldap ldap/localhost
    with_every_aes_type polyglot orders/localhost
}

populate() {
    kdb5_util create -r "$REALM" -s -P "$RANDOM-$RANDOM" \
        >"$REALM_DIR/kdb5.log" 2>&1 ||
        die "cannot create the data base: $(cat "$REALM_DIR/kdb5.log")"
    principals | kadmin_batch || die "cannot create the principals"
    if [ "$with_directory" = yes ]; then
        directory_populate
    fi
}

# --- daemons ----------------------------------------------------------------

# Is the daemon of this name running, and is it really ours?
running() {
    local pid
    pid=$(cat "$REALM_DIR/$1.pid" 2>/dev/null) &&
        tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
        grep -qF "$REALM_DIR/"
}

# daemon NAME CMD...: in a session of its own, at most REALM_TTL seconds.
daemon() {
    local name=$1
    shift
    setsid timeout -k 5 "$REALM_TTL" "$@" </dev/null \
        >"$REALM_DIR/$name.out" 2>&1 &
    echo $! >"$REALM_DIR/$name.pid"
    # Until it is the daemon, and not yet this script: running tells by that.
    for _ in $(seq 250); do
        if running "$name" || ! kill -0 $! 2>/dev/null; then
            break
        fi
        sleep 0.01
    done
}

start_kdc() {
    daemon kdc krb5kdc -n -r "$REALM" -P "$REALM_DIR/krb5kdc.pid"
}

port_answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Waits until all ports answer; fails when a daemon ended before that.
await() {
    local name=$1 port
    shift
    for port in "$@"; do
        for _ in $(seq 500); do
            port_answers "$port" && continue 2
            running "$name" || return 1
            sleep 0.02
        done
        return 1
    done
}

stop() {
    local pid
    if running "$1"; then
        pid=$(cat "$REALM_DIR/$1.pid")
        kill "$pid"
        # An unreaped child is as good as gone.
        for _ in $(seq 250); do
            case $(ps -o stat= -p "$pid") in '' | Z*) break ;; esac
            sleep 0.02
        done
    fi
    rm -f "$REALM_DIR/$1.pid"
}

start() {
    # shellcheck disable=SC1091
    . "$REALM_DIR/env"
    case $1 in
    kdc)
        running kdc || start_kdc
        await kdc "$KDC_PORT"
        ;;
    slapd)
        running slapd || directory_start
        await slapd "$LDAP_PORT" "$GC_PORT"
        ;;
    *) die "no daemon called $1" ;;
    esac
}

up() {
    if running kdc && { [ "$with_directory" = no ] || running slapd; }; then
        return
    fi
    down
    umask 077
    mkdir -p "$REALM_DIR"/{kdb,ldb,keytabs,rcache}
    configure
    # shellcheck disable=SC1091
    . "$REALM_DIR/env"
    populate
    # A port may be lost to another process between choice and use.
    for _ in 1 2 3; do
        if start kdc && { [ "$with_directory" = no ] || start slapd; }; then
            return
        fi
        stop kdc
        stop slapd
        configure
    done
    die "cannot start the daemons: $(cat "$REALM_DIR"/{kdc,slapd}.out 2>&1)"
}

down() {
    [ -d "$REALM_DIR" ] || return 0
    [ -e "$REALM_DIR/krb5.conf" ] || [ -z "$(ls -A "$REALM_DIR")" ] ||
        die "$REALM_DIR is not the directory of a realm"
    stop kdc
    stop slapd
    rm -rf "$REALM_DIR"
}

# --- commands ---------------------------------------------------------------

command_run() {
    local status=0
    up
    trap down EXIT
    # shellcheck disable=SC1091
    . "$REALM_DIR/env"
    "$@" || status=$?
    exit "$status"
}

command_kadmin() {
    # shellcheck disable=SC1091
    . "$REALM_DIR/env"
    printf '%s\n' "$@" | kadmin_batch
    cat "$REALM_DIR/kadmin.log"
}

command_as() {
    local principal=$1 status=0
    shift
    # shellcheck disable=SC1091
    . "$REALM_DIR/env"
    KRB5CCNAME=FILE:$(mktemp "$REALM_DIR/ccache.XXXXXX")
    export KRB5CCNAME
    kinit -kt "$KEYTABS/${principal%\$}.keytab" "$principal"
    "$@" || status=$?
    rm -f "${KRB5CCNAME#FILE:}"
    return "$status"
}

command=${1:-}
shift || true
with_directory=no
if [ "${1:-}" = --directory ]; then
    with_directory=yes
    shift
fi
case $command in
up) up ;;
down) down ;;
env) cat "$REALM_DIR/env" ;;
run) command_run "$@" ;;
kadmin) command_kadmin "$@" ;;
as) command_as "$@" ;;
stop) stop "$1" ;;
start) start "$1" ;;
*)
    sed -n '3,/^# shellcheck/{/^# shell/d;s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
