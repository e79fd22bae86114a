# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The directory of the throwaway realm: slapd that looks enough like a domain
# controller for service connection points.  Sourced by realm.sh, whose
# variables it uses; two listeners, the second one plays the global catalog.
#
# Access is what a domain grants: everybody who authenticated reads, a computer
# writes its own SPNs and what lies below itself, Administrator everything.
# shellcheck disable=SC2154

directory_env() {
    cat <<END
export BASE_DN='$base_dn' LDAPCONF='$REALM_DIR/ldap.conf'
export LDAP_URI=ldap://localhost:$ldap_port LDAP_PORT=$ldap_port
export GC_URI=ldap://localhost:$gc_port GC_PORT=$gc_port
END
}

write_slapd_conf() {
    local computer="CN=[^,]+,CN=Computers,$base_dn"
    cat >"$REALM_DIR/slapd.conf" <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include $here/ad.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload unique
moduleload constraint
pidfile $REALM_DIR/slapd.own.pid
rootDSE $REALM_DIR/root.ldif
defaultsearchbase "$base_dn"
sasl-host localhost
sasl-realm $REALM
sasl-secprops noanonymous,noplain,minssf=1
authz-regexp "^uid=([^,]+),(cn=[^,]+,)?cn=gssapi,cn=auth$"
    "ldap:///$base_dn??sub?(sAMAccountName=\$1)"
access to dn.base="" by * read
access to dn.base="cn=subschema" by * read
access to *
    by dn.exact="CN=Administrator,CN=Users,$base_dn" manage
    by * break
access to dn.regex="^$computer$"
    attrs=servicePrincipalName,msDS-SupportedEncryptionTypes,children
    by self write
    by users read
access to dn.regex="^CN=[^,]+,($computer)$"
    by dn.exact,expand="\$1" write
    by users read
access to * by users read by anonymous auth
database mdb
suffix "$base_dn"
rootdn "cn=root,$base_dn"
directory $REALM_DIR/ldb
maxsize 268435456
dbnosync
sizelimit size.soft=1000 size.hard=1000 size.prtotal=unlimited
index objectClass,sAMAccountName,keywords,servicePrincipalName,objectGUID eq
overlay memberof
memberof-group-oc group
memberof-member-ad member
overlay unique
unique_uri ldap:///$base_dn?servicePrincipalName?sub
overlay constraint
constraint_attribute servicePrincipalName regex ^[^/]+/[^/]+(/[^/]+)?\$
END
}

write_root_entry() {
    cat >"$REALM_DIR/root.ldif" <<END
dn:
objectClass: extensibleObject
defaultNamingContext: $base_dn
rootDomainNamingContext: $base_dn
configurationNamingContext: CN=Configuration,$base_dn
dNSHostName: localhost
ldapServiceName: $domain:dc1\$@$REALM
supportedCapabilities: 1.2.840.113556.1.4.800
isGlobalCatalogReady: TRUE
END
}

directory_configure() {
    write_slapd_conf
    write_root_entry
    cat >"$REALM_DIR/ldap.conf" <<END
URI ldap://localhost:$ldap_port
BASE $base_dn
SASL_MECH GSSAPI
SASL_NOCANON on
END
}

# entry DN CLASS LINE...: one LDIF entry with a random objectGUID.
entry() {
    printf 'dn: %s\nobjectClass: %s\n' "$1" "$2"
    printf 'objectGUID:: %s\n' "$(head -c 16 /dev/urandom | base64)"
    shift 2
    printf '%s\n' "$@" ''
}

people() {
    local name
    for name in alice bob mallory svc-orders Administrator; do
        entry "CN=$name,CN=Users,$base_dn" user "cn: $name" \
            "sAMAccountName: $name" "userPrincipalName: $name@$REALM"
    done
}

# Only web1 is a member of the group of trusted order servers.
computers() {
    local name group="CN=Order Servers,CN=Users,$base_dn"
    for name in web1 web2; do
        entry "CN=$name,CN=Computers,$base_dn" computer "cn: $name" \
            "sAMAccountName: $name\$" "dNSHostName: $name.$domain" \
            "servicePrincipalName: HOST/$name" \
            "servicePrincipalName: HOST/$name.$domain" |
            if [ "$name" = web1 ]; then
                sed "/^cn:/i memberOf: $group"
            else
                cat
            fi
    done
    entry "$group" group 'cn: Order Servers' \
        "sAMAccountName: Order Servers" \
        "member: CN=web1,CN=Computers,$base_dn"
}

entries() {
    local name
    entry "$base_dn" domainDNS "dc: ${domain%%.*}"
    # Services is for SCPs that only administrators write (scp_base).
    for name in Computers Users Services; do
        entry "CN=$name,$base_dn" container "cn: $name"
    done
    people
    computers
}

directory_populate() {
    # Ubuntu's AppArmor profile is bound to the path of slapd and would keep it
    # out of our directory: a copy is free of it.
    cp /usr/sbin/slapd "$REALM_DIR/slapd"
    entries >"$REALM_DIR/entries.ldif"
    "$REALM_DIR/slapd" -Ta -q -f "$REALM_DIR/slapd.conf" \
        -l "$REALM_DIR/entries.ldif" >"$REALM_DIR/slapadd.log" 2>&1 ||
        die "cannot fill the directory: $(cat "$REALM_DIR/slapadd.log")"
}

directory_start() {
    KRB5_KTNAME=FILE:$REALM_DIR/keytabs/ldap.keytab \
        daemon slapd "$REALM_DIR/slapd" -d 0 -f "$REALM_DIR/slapd.conf" \
        -h "$LDAP_URI $GC_URI"
}
