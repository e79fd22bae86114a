#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A throwaway Active Directory domain: a real domain controller (Samba) with
# KDC, directory, global catalog and DNS on their own ports, inside private
# namespaces whose only network is loopback.  Root, or any user who may make
# user namespaces.  It ends by itself after AD_TTL seconds.
#
#   ad.sh possible          can it run here?  Says what is missing, status 1
#   ad.sh image             make the image of the domain, unless it is there
#   ad.sh up                start a fresh copy of it
#   ad.sh down              stop it and remove its directory
#   ad.sh exec CMD...       CMD inside the namespaces, with the variables of
#                           $AD_DIR/env: KRB5_CONFIG, KEYTABS, DC ...
#   ad.sh run CMD...        up, exec, down
#   ad.sh stop | start      the domain controller alone, from inside or outside
#
# AD_DIR    directory of this instance, ${TMPDIR:-/tmp}/kerbwrap-ad-UID
# AD_CACHE  where the image is kept, build-lab/ of the source tree
#
# ad_accounts.py says who there is; the keytab of NAME is $KEYTABS/NAME.keytab.
# shellcheck disable=SC2034,SC2153,SC2016
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
: "${AD_TTL:=3600}" "${AD_DIR:=${TMPDIR:-/tmp}/kerbwrap-ad-$UID}"
: "${AD_CACHE:=$(dirname "$(dirname "$here")")/build-lab}"
realm=CORP.EXAMPLE.TEST
domain=${realm,,}
workgroup=CORP
base_dn="DC=${domain//./,DC=}"
address=127.9.0.1
admin_password=Passw0rd-Administrator
# Samba's Python modules are Debian's, and belong to Debian's Python.
debian_path=/usr/sbin:/usr/bin:/sbin:/bin

die() {
    echo "ad.sh: $*" >&2
    exit 1
}

# --- namespaces -------------------------------------------------------------

namespaces=(unshare --net --mount --uts)
user_namespace=()
if [ "$(id -u)" != 0 ]; then
    namespaces+=(--user --map-root-user)
    user_namespace=(--user --preserve-credentials)
fi

# Nothing of a Samba that this machine may run is seen or touched.
hide_host='
for path in /run/samba /var/lib/samba /var/log/samba /var/cache/samba; do
    [ ! -d $path ] || mount -t tmpfs none $path
done'

isolated() {
    env -u PYTHONPATH PATH="$debian_path" PYTHONDONTWRITEBYTECODE=1 \
        "${namespaces[@]}" bash -ec "hostname dc1
        ip link set lo up
        $hide_host"'
        exec "$@"' -- "$@"
}

possible() {
    local tool why
    for tool in samba samba-tool unshare nsenter ip ldapsearch kinit; do
        PATH=$PATH:$debian_path command -v "$tool" >/dev/null || {
            echo "$tool is not installed"
            return 1
        }
    done
    [ -d /usr/share/samba/setup ] || {
        echo "samba-ad-provision is not installed"
        return 1
    }
    why=$("${namespaces[@]}" --pid --fork --mount-proc bash -ec '
        ip link set lo up
        mount --bind /etc/hosts /etc/hosts' 2>&1) || {
        echo "this machine allows no namespaces: ${why##*$'\n'}"
        return 1
    }
}

# --- the image --------------------------------------------------------------

# Absolute paths stand in these two files only, so that a copy works anywhere.
write_smb_conf() {
    cat >"$1/etc/smb.conf" <<END
[global]
    netbios name = DC1
    realm = $realm
    workgroup = $workgroup
    server role = active directory domain controller
    interfaces = $address/8
    bind interfaces only = yes
    server services = rpc, ldap, cldap, kdc, dns
    dns forwarder = none
    tls enabled = no
    private dir = $1/private
    state directory = $1/state
    cache directory = $1/cache
    lock directory = $1/run
    pid directory = $1/run
    ncalrpc dir = $1/run/ncalrpc
    winbindd socket directory = $1/run/winbindd
    ntp signd socket directory = $1/run/ntp_signd
    binddns dir = $1/bind-dns
    log file = $1/log/%m
    logging = file
    load printers = no
    printcap name = /dev/null
    disable spoolss = yes
[sysvol]
    path = $1/state/sysvol
[netlogon]
    path = $1/state/sysvol/$domain/scripts
END
}

write_krb5_conf() {
    cat >"$1/krb5.conf" <<END
[libdefaults]
    default_realm = $realm
    dns_lookup_kdc = true
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    default_ccache_name = FILE:$1/ccache
[domain_realm]
    .$domain = $realm
    $domain = $realm
END
}

configure() {
    mkdir -p "$1"/{etc,private,state,cache,run,log,keytabs,rcache}
    write_smb_conf "$1"
    write_krb5_conf "$1"
    cat >"$1/ldap.conf" <<END
URI ldap://dc1.$domain
BASE $base_dn
SASL_MECH GSSAPI
SASL_NOCANON on
REFERRALS off
END
    cat >"$1/resolv.conf" <<END
search $domain
nameserver $address
options timeout:1 attempts:2
END
    echo '127.0.0.1 localhost' >"$1/hosts"
    cat >"$1/env" <<END
export AD_DIR='$1' REALM=$realm DOMAIN=$domain BASE_DN='$base_dn'
export DC=dc1.$domain SMB_CONF='$1/etc/smb.conf' KEYTABS='$1/keytabs'
export KRB5_CONFIG='$1/krb5.conf' LDAPCONF='$1/ldap.conf'
export KRB5CCNAME='FILE:$1/ccache'
export KRB5RCACHENAME=dfl: KRB5RCACHEDIR='$1/rcache'
END
}

# Of the version of Samba and of what we put into it.
image_path() {
    local key
    key=$(cat "$here/ad.sh" "$here/ad_accounts.py" \
        <(PATH=$PATH:$debian_path samba --version) | sha256sum)
    echo "$AD_CACHE/ad-${key:0:16}.tar"
}

# Neither SMB nor its access lists are needed, which only root could set.
provision() {
    echo '[global]' >"$1/empty.conf"
    isolated python3 -c '
import sys
import samba.provision
from samba.netcmd.main import cmd_sambatool
samba.provision.setsysvolacl = lambda *args, **kwargs: None
sys.exit(cmd_sambatool()._run("samba-tool", *sys.argv[1:]))
' domain provision -s "$1/empty.conf" --targetdir="$1/domain" \
        --realm="$realm" --domain="$workgroup" --host-name=dc1 \
        --host-ip="$address" --server-role=dc --dns-backend=SAMBA_INTERNAL \
        --adminpass="$admin_password" --option='interfaces=lo' \
        --option='bind interfaces only=yes' --option='dns forwarder=none'
}

# The DC's own ldap/ and GC/ names are otherwise registered long after start.
fill() {
    configure "$1/domain"
    isolated samba_spnupdate -s "$1/domain/etc/smb.conf"
    isolated python3 "$here/ad_accounts.py" "$1/domain"
}

# In a shell of its own, whose trap is not the caller's.
make_image() (
    image=$(image_path)
    [ ! -s "$image" ] || exit 0
    mkdir -p "$AD_CACHE"
    rm -f "$AD_CACHE"/ad-*.tar
    temporary=$(mktemp -d "${TMPDIR:-/tmp}/kerbwrap-ad.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$temporary'" EXIT
    log=$temporary/log
    if ! { provision "$temporary" && fill "$temporary"; } >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        die "cannot make the domain"
    fi
    tar -C "$temporary/domain" --sparse -cf "$image.$$" .
    mv "$image.$$" "$image"
)

# --- the domain controller --------------------------------------------------

# The first process of the namespaces, and of all that will run inside.
first_process() {
    ip link set lo up
    ip addr replace "$address/8" dev lo
    hostname "web1.$domain"
    eval "$hide_host"
    mount --bind "$AD_DIR/resolv.conf" "$(readlink -f /etc/resolv.conf)"
    mount --bind "$AD_DIR/hosts" /etc/hosts
    [ ! -e /run/nscd/socket ] || mount -t tmpfs none /run/nscd
    echo ready >"$AD_DIR/state/namespaces"
    sleep "$AD_TTL" &
    wait $!
}

running() {
    local pid
    pid=$(cat "$AD_DIR/first.pid" 2>/dev/null) &&
        tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
        grep -qF "ad.sh first-process $AD_DIR"
}

enter() {
    if [ "${AD_INSIDE:-}" = "$AD_DIR" ]; then
        "$@"
        return
    fi
    running || die "there is no domain in $AD_DIR"
    # Entering the mount namespace loses the working directory.
    nsenter -t "$(cat "$AD_DIR/first.pid")" "${user_namespace[@]}" \
        --net --mount --uts --pid -- \
        bash -c '. "$0/env"; cd "$1"; shift; AD_INSIDE=$0 exec "$@"' \
        "$AD_DIR" "$PWD" "$@"
}

answers() {
    local port
    for port in 53 88 389 3268; do
        (exec 3<>"/dev/tcp/$address/$port") 2>/dev/null || return 1
    done
    ldapsearch -x -LLL -H "ldap://$address" -o nettimeout=2 -s base -b '' \
        isSynchronized 2>/dev/null | grep -q TRUE
}

gone() {
    case $(ps -o stat= -p "$1") in '' | Z*) true ;; *) false ;; esac
}

# Both run inside.
dc_start() {
    local pid
    setsid samba -s "$AD_DIR/etc/smb.conf" -F -M single --no-process-group \
        </dev/null >>"$AD_DIR/log/samba.out" 2>&1 &
    pid=$!
    echo "$pid" >"$AD_DIR/samba.pid"
    for _ in $(seq 300); do
        answers && return
        ! gone "$pid" || break
        sleep 0.05
    done
    die "the domain controller did not start: $(cat "$AD_DIR"/log/*)"
}

dc_stop() {
    local pid
    pid=$(cat "$AD_DIR/samba.pid")
    gone "$pid" || kill "$pid"
    for _ in $(seq 250); do
        gone "$pid" && return
        sleep 0.02
    done
    die "the domain controller did not end"
}

up() {
    local pid child=
    down
    make_image
    umask 077
    mkdir -p "$AD_DIR"
    tar -C "$AD_DIR" --no-same-owner -xf "$(image_path)"
    configure "$AD_DIR"
    rm -f "$AD_DIR/state/namespaces"
    export AD_DIR AD_TTL
    setsid "${namespaces[@]}" --pid --fork --mount-proc \
        --kill-child=KILL --propagation private \
        bash "$here/ad.sh" first-process "$AD_DIR" \
        </dev/null >"$AD_DIR/log/first.out" 2>&1 &
    pid=$!
    for _ in $(seq 250); do
        child=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true)
        [ -z "$child" ] || [ ! -e "$AD_DIR/state/namespaces" ] || break
        ! gone "$pid" || break
        sleep 0.02
    done
    echo "${child% }" >"$AD_DIR/first.pid"
    running || die "cannot make the namespaces: $(cat "$AD_DIR/log/first.out")"
    enter bash "$here/ad.sh" start
}

# The first process takes everything in its namespaces with it.
down() {
    local pid
    [ -d "$AD_DIR" ] || return 0
    [ -e "$AD_DIR/etc/smb.conf" ] || [ -z "$(ls -A "$AD_DIR")" ] ||
        die "$AD_DIR is not the directory of a domain"
    if running; then
        pid=$(cat "$AD_DIR/first.pid")
        kill -KILL "$pid"
        for _ in $(seq 250); do
            ! gone "$pid" || break
            sleep 0.02
        done
    fi
    rm -rf "$AD_DIR"
}

command_run() {
    local status=0
    trap down EXIT
    up
    enter "$@" || status=$?
    exit "$status"
}

command=${1:-}
shift || true
case $command in
possible) possible ;;
image) make_image ;;
up) up ;;
down) down ;;
exec) enter "$@" ;;
run) command_run "$@" ;;
start | stop)
    if [ "${AD_INSIDE:-}" = "$AD_DIR" ]; then
        PATH=$debian_path "dc_$command"
    else
        enter bash "$here/ad.sh" "$command"
    fi
    ;;
first-process) PATH=$debian_path first_process ;;
*)
    sed -n '3,/^# shellcheck/{/^# shell/d;s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
