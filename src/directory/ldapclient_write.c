/* SPDX-License-Identifier: BSD-2-Clause */
/* Adding, changing and removing objects. */
#include "directory/ldapclient_parts.h"

#include <assert.h>

/* Values that are there, or gone, already are no error (MS-ADTS 3.1.1.3.4.1.8). */
#define PERMISSIVE_MODIFY "1.2.840.113556.1.4.1413"

static enum write_status
write_status_of(int code)
{
    switch (code) {
    case LDAP_SUCCESS:
        return WRITE_DONE;
    case LDAP_INSUFFICIENT_ACCESS:
        return WRITE_DENIED;
    case LDAP_CONSTRAINT_VIOLATION:
        return WRITE_CONSTRAINT;
    case LDAP_ALREADY_EXISTS:
        return WRITE_EXISTS;
    case LDAP_NO_SUCH_OBJECT:
        return WRITE_ABSENT;
    default:
        return ldapclient_status(code) == DIRECTORY_LOST ? WRITE_LOST
                                                         : WRITE_REFUSED;
    }
}

static enum write_status
wrote(struct ldapclient *client, int code, const char *deed, struct error *err)
{
    if (code != LDAP_SUCCESS)
        ldapclient_explain(client, code, deed, err);
    return write_status_of(code);
}

/* The same for libldap: mods has room for count and a NULL. */
static void
fill_mods(const struct change *changes, size_t count, LDAPMod *store,
          LDAPMod **mods)
{
    static const int kinds[] = {
        [CHANGE_ADD] = LDAP_MOD_ADD,
        [CHANGE_DELETE] = LDAP_MOD_DELETE,
        [CHANGE_REPLACE] = LDAP_MOD_REPLACE,
    };

    assert(count <= LDAPCLIENT_CHANGES_MAX);
    for (size_t i = 0; i < count; i++) {
        store[i] = (LDAPMod){
            .mod_op = kinds[changes[i].kind],
            .mod_type = (char *)changes[i].attribute,
            .mod_values = (char **)changes[i].values,
        };
        mods[i] = &store[i];
    }
    mods[count] = NULL;
}

enum write_status
ldapclient_add(struct ldapclient *client, const char *dn,
               const struct change *attributes, size_t count, struct error *err)
{
    LDAPMod store[LDAPCLIENT_CHANGES_MAX];
    LDAPMod *mods[LDAPCLIENT_CHANGES_MAX + 1];

    fill_mods(attributes, count, store, mods);
    return wrote(client, ldap_add_ext_s(client->session, dn, mods, NULL, NULL),
                 "create an object on", err);
}

enum write_status
ldapclient_modify(struct ldapclient *client, const char *dn,
                  const struct change *changes, size_t count, struct error *err)
{
    LDAPMod store[LDAPCLIENT_CHANGES_MAX];
    LDAPMod *mods[LDAPCLIENT_CHANGES_MAX + 1];
    LDAPControl permissive = {.ldctl_oid = (char *)PERMISSIVE_MODIFY};
    LDAPControl *controls[] = {&permissive, NULL};

    fill_mods(changes, count, store, mods);
    return wrote(client,
                 ldap_modify_ext_s(client->session, dn, mods, controls, NULL),
                 "change an object on", err);
}

enum write_status
ldapclient_remove(struct ldapclient *client, const char *dn, struct error *err)
{
    return wrote(client, ldap_delete_ext_s(client->session, dn, NULL, NULL),
                 "delete an object on", err);
}
