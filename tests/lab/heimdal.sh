#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A throwaway realm whose KDC is Heimdal's.  Debian's packages of it cannot be
# installed beside MIT's, so they are unpacked into a directory and run there.
# No root, loopback only; the KDC ends by itself after REALM_TTL seconds.
#
#   heimdal.sh possible     can it run here?  Says what is missing, status 1
#   heimdal.sh up           start it; again is fine
#   heimdal.sh down         stop it and remove its directory
#   heimdal.sh env          shell lines to eval, as realm.sh has them
#   heimdal.sh kadmin CMD...   kadmin, one command an argument
#
# REALM, REALM_DIR  as in realm.sh
# HEIMDAL_CACHE     where the unpacked packages are kept, build-lab/heimdal of
#                   the source tree
#
# Who there is: alice and bob, and web1$ with its names orders/web1.DOMAIN,
# orders/web1.DOMAIN:7443 and orders/web1.DOMAIN/orders.  As in Active
# Directory, an account has one key for all of its names.
# shellcheck disable=SC2034
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
: "${REALM:=CORP.EXAMPLE.TEST}" "${REALM_TTL:=3600}"
: "${REALM_DIR:=${TMPDIR:-/tmp}/kerbwrap-heimdal-$UID}"
: "${HEIMDAL_CACHE:=$(dirname "$(dirname "$here")")/build-lab/heimdal}"
domain=${REALM,,}

die() {
    echo "heimdal.sh: $*" >&2
    exit 1
}

# --- the packages -----------------------------------------------------------

# Those of Heimdal itself; what else they need is on every machine that has
# MIT's.
package_names() {
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
        --no-breaks --no-replaces --no-enhances heimdal-kdc heimdal-clients |
        grep -E '^[a-z0-9-]*heimdal[a-z0-9-]*$' | sort -u
}

# In a shell of its own, for its trap.
fetch() (
    [ ! -x "$HEIMDAL_CACHE/usr/lib/heimdal-servers/kdc" ] || exit 0
    mapfile -t names < <(package_names)
    [ "${#names[@]}" -gt 2 ] || die "apt knows no package heimdal-kdc"
    mkdir -p "$(dirname "$HEIMDAL_CACHE")"
    temporary=$(mktemp -d "${TMPDIR:-/tmp}/kerbwrap-heimdal.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$temporary'" EXIT
    chmod 755 "$temporary"
    (cd "$temporary" && timeout 60 apt-get download -qq "${names[@]}") ||
        die "cannot download Heimdal's packages"
    find "$temporary" -name '*.deb' -exec dpkg -x {} "$temporary/root" \;
    # At once, so that nobody takes a half for the whole.
    rm -rf "$HEIMDAL_CACHE"
    mv "$temporary/root" "$HEIMDAL_CACHE"
)

possible() {
    local why
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        echo "Heimdal is taken from Debian's packages, and this is no Debian"
        return 1
    fi
    why=$(fetch 2>&1) || {
        echo "Heimdal is not to be had: ${why##*heimdal.sh: }"
        return 1
    }
}

# heimdal PROGRAM ...: a program of the packages.
heimdal() {
    local program=$1 libraries
    shift
    libraries=$(echo "$HEIMDAL_CACHE"/usr/lib/*-linux-*)
    LD_LIBRARY_PATH=$libraries KRB5_CONFIG=$REALM_DIR/heimdal.conf \
        "$HEIMDAL_CACHE/usr/$program" "$@"
}

# --- the realm --------------------------------------------------------------

write_krb5_conf() {
    cat >"$REALM_DIR/krb5.conf" <<END
[libdefaults]
    default_realm = $REALM
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    $REALM = {
        kdc = 127.0.0.1:$kdc_port
    }
[domain_realm]
    .$domain = $REALM
END
}

write_heimdal_conf() {
    cat >"$REALM_DIR/heimdal.conf" <<END
[libdefaults]
    default_realm = $REALM
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
[kadmin]
    default_keys = aes256-cts-hmac-sha1-96:pw-salt
[kdc]
    database = {
        dbname = $REALM_DIR/kdb
        realm = $REALM
        mkey_file = $REALM_DIR/master-key
        acl_file = $REALM_DIR/acl
        log_file = $REALM_DIR/kdb.log
    }
[logging]
    kdc = 0-/FILE:$REALM_DIR/kdc.log
    kadmin = 0-/FILE:$REALM_DIR/kadmin.log
END
    : >"$REALM_DIR/acl"
}

# --- principals -------------------------------------------------------------

# The commands on standard input; fails when one of them did.
kadmin_batch() {
    local out=$REALM_DIR/kadmin.out
    heimdal bin/kadmin.heimdal -l >"$out" 2>&1 || true
    if grep -E '^kadmin: ' "$out" >&2; then
        return 1
    fi
}

principals() {
    local name web1=web1.$domain
    echo "init --realm-max-ticket-life=1d --realm-max-renewable-life=7d $REALM"
    for name in alice bob; do
        echo "add --use-defaults --password=Passw0rd-$name $name"
    done
    echo "add --use-defaults --random-key web1\$"
    echo "modify --alias=orders/$web1 --alias=orders/$web1:7443" \
        "--alias=orders/$web1/orders web1\$"
    for name in alice bob "web1\$"; do
        echo "ext_keytab -k $REALM_DIR/keytabs/${name%\$}.keytab $name"
    done
}

# --- the KDC ----------------------------------------------------------------

running() {
    local pid
    pid=$(cat "$REALM_DIR/kdc.pid" 2>/dev/null) &&
        tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
        grep -qF "$REALM_DIR/"
}

start_kdc() {
    export -f heimdal
    export HEIMDAL_CACHE REALM_DIR
    setsid timeout -k 5 "$REALM_TTL" bash -c 'heimdal "$@"' bash \
        lib/heimdal-servers/kdc -c "$REALM_DIR/heimdal.conf" \
        --addresses=127.0.0.1 --ports="$kdc_port/tcp $kdc_port/udp" \
        </dev/null >"$REALM_DIR/kdc.out" 2>&1 &
    echo $! >"$REALM_DIR/kdc.pid"
    for _ in $(seq 250); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$kdc_port") 2>/dev/null; then
            return
        fi
        running || break
        sleep 0.02
    done
    die "the KDC did not start: $(cat "$REALM_DIR"/kdc.{out,log} 2>&1)"
}

up() {
    ! running || return 0
    down
    fetch
    umask 077
    mkdir -p "$REALM_DIR"/{keytabs,rcache}
    read -r kdc_port < <("$here/free-ports" 1)
    write_krb5_conf
    write_heimdal_conf
    cat >"$REALM_DIR/env" <<END
export REALM='$REALM' REALM_DIR='$REALM_DIR' DOMAIN='$domain'
export KRB5_CONFIG='$REALM_DIR/krb5.conf'
export KRB5CCNAME='FILE:$REALM_DIR/ccache'
export KRB5RCACHENAME=dfl: KRB5RCACHEDIR='$REALM_DIR/rcache'
export KEYTABS='$REALM_DIR/keytabs' KDC_PORT=$kdc_port
END
    principals | kadmin_batch || die "cannot create the principals"
    start_kdc
}

down() {
    local pid
    [ -d "$REALM_DIR" ] || return 0
    [ -e "$REALM_DIR/heimdal.conf" ] || [ -z "$(ls -A "$REALM_DIR")" ] ||
        die "$REALM_DIR is not the directory of a realm"
    if running; then
        pid=$(cat "$REALM_DIR/kdc.pid")
        kill "$pid"
        for _ in $(seq 250); do
            case $(ps -o stat= -p "$pid") in '' | Z*) break ;; esac
            sleep 0.02
        done
    fi
    rm -rf "$REALM_DIR"
}

command=${1:-}
shift || true
case $command in
possible) possible ;;
up) up ;;
down) down ;;
env) cat "$REALM_DIR/env" ;;
kadmin)
    printf '%s\n' "$@" | kadmin_batch
    cat "$REALM_DIR/kadmin.out"
    ;;
*)
    sed -n '3,/^# shellcheck/{/^# shell/d;s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
