#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""ad_accounts.py DIRECTORY: puts the accounts of the tests into the domain that
was provisioned there, and their keytabs beside it.  No server runs meanwhile.

alice bob Administrator   people
svc-web                   a service account
web1$ web2$               computers, whose tickets are sealed with AES
old1$                     one that nobody told about AES: RC4
Order Servers             a group, web1$ is in it
OU=Servers, OU=Moved      places for computers and for SCPs
"""

import sys

import ldb
import samba.dckeytab  # noqa: F401: gives Net its export_keytab
from samba.auth import system_session
from samba.credentials import Credentials
from samba.ndr import ndr_pack
from samba.net import Net
from samba.param import LoadParm
from samba.provision.sambadns import ARecord
from samba.samdb import SamDB

PEOPLE = ("alice", "bob", "svc-web")
# Each with an address of its own, all of them on loopback.
COMPUTERS = {
    "web1": "127.9.0.11",
    "web2": "127.9.0.12",
    "old1": "127.9.0.13",
}
# A machine that has not joined the domain yet.
STRANGER = ("db1", "127.9.0.14")
AES = "24"  # msDS-SupportedEncryptionTypes: 128 and 256 bits
NEVER_EXPIRES = str(0x200 | 0x10000)

directory = sys.argv[1]
parameters = LoadParm()
parameters.load(f"{directory}/etc/smb.conf")
domain = parameters.get("realm").lower()
credentials = Credentials()
credentials.guess(parameters)
sam = SamDB(
    url=f"{directory}/private/sam.ldb",
    session_info=system_session(),
    credentials=credentials,
    lp=parameters,
)
base = str(sam.domain_dn())


def replace(dn, **attributes):
    message = ldb.Message(ldb.Dn(sam, dn))
    for name, value in attributes.items():
        name = name.replace("_", "-")
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    sam.modify(message)


def add_person(name):
    sam.newuser(name, f"Passw0rd-{name}")
    replace(
        f"CN={name},CN=Users,{base}",
        userAccountControl=NEVER_EXPIRES,
        msDS_SupportedEncryptionTypes=AES,
    )


def add_computer(name):
    dn = f"CN={name},CN=Computers,{base}"
    sam.newcomputer(name)
    replace(
        dn,
        dNSHostName=f"{name}.{domain}",
        servicePrincipalName=[f"HOST/{name}", f"HOST/{name}.{domain}"],
    )
    sam.setpassword(
        f"(sAMAccountName={name}$)",
        f"Passw0rd-{name}-machine",
        force_change_at_next_login=False,
    )
    if name != "old1":
        replace(dn, msDS_SupportedEncryptionTypes=AES)


def add_address(host, address):
    zone = f"DC={domain},CN=MicrosoftDNS,DC=DomainDnsZones,{base}"
    sam.add({
        "dn": f"DC={host},{zone}",
        "objectClass": ["top", "dnsNode"],
        "dnsRecord": ndr_pack(ARecord(address)),
    })


def export(name, *principals):
    net = Net(None, parameters)
    for principal in principals:
        net.export_keytab(
            keytab=f"{directory}/keytabs/{name}.keytab", principal=principal
        )


sam.transaction_start()
# Keys are changed at once, and a kept image never grows too old.
sam.set_minPwdAge("0")
sam.set_maxPwdAge("0")
sam.set_minPwdLength("1")
sam.set_pwdProperties("0")
for person in PEOPLE:
    add_person(person)
for computer, address in COMPUTERS.items():
    add_computer(computer)
    add_address(computer, address)
add_address(*STRANGER)
sam.newgroup("Order Servers")
sam.add_remove_group_members("Order Servers", ["web1$"])
for unit in ("Servers", "Moved"):
    sam.create_ou(f"OU={unit},{base}")
sam.transaction_commit()

for person in (*PEOPLE, "Administrator"):
    export(person, person)
for computer in COMPUTERS:
    export(computer, f"{computer}$", f"host/{computer}.{domain}")
