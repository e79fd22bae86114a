/* SPDX-License-Identifier: BSD-2-Clause */
/* Goes through a keytab once and keeps what may be shown. */
#include "gss/keytab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <krb5.h>

#include "gss/enctype.h"
#include "gss/keytab_visit.h"
#include "gss/reason.h"

krb5_error_code
keytab_visit(krb5_context context, krb5_keytab keytab, keytab_visitor *visit,
             void *arg)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(context, keytab, &cursor);

    if (code != 0)
        return code;
    while ((code = krb5_kt_next_entry(context, keytab, &entry, &cursor)) == 0) {
        code = visit(context, &entry, arg);
        krb5_kt_free_entry(context, &entry);
        if (code != 0)
            break;
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return code == KRB5_KT_END ? 0 : code;
}

static krb5_error_code
keep(krb5_context context, krb5_keytab_entry *entry, void *arg)
{
    struct keytab_keys *keys = arg;
    struct keytab_key *larger = realloc(keys->items,
                                        (keys->count + 1) * sizeof *larger);
    char *text = NULL;

    if (larger == NULL)
        return ENOMEM;
    keys->items = larger;
    krb5_error_code code = krb5_unparse_name_flags(
        context, entry->principal,
        KRB5_PRINCIPAL_UNPARSE_NO_REALM | KRB5_PRINCIPAL_UNPARSE_DISPLAY,
        &text);
    if (code != 0)
        return code;
    const krb5_data *realm = &entry->principal->realm;
    struct keytab_key *key = &larger[keys->count];
    *key = (struct keytab_key){
        .name = strdup(text),
        .realm = strndup(realm->data, realm->length),
        .kvno = entry->vno,
        .written = (int64_t)(uint32_t)entry->timestamp,
        .enctype = entry->key.enctype,
        .aes = enctype_aes_name(entry->key.enctype) != NULL,
    };
    krb5_free_unparsed_name(context, text);
    keys->count++;
    return key->name != NULL && key->realm != NULL ? 0 : ENOMEM;
}

bool
keytab_read(const char *path, struct keytab_keys *keys_out, struct error *err)
{
    struct keytab_keys keys = {.count = 0};
    krb5_context context = NULL;
    krb5_keytab keytab = NULL;
    krb5_error_code code = krb5_init_context(&context);

    if (code == 0)
        code = krb5_kt_resolve(context, path, &keytab);
    if (code == 0) {
        code = keytab_visit(context, keytab, keep, &keys);
        krb5_kt_close(context, keytab);
    }
    bool sound = code == 0;
    if (sound)
        *keys_out = keys;
    else
        reason_krb5(err, REASON_KEYTAB, context, code, "cannot use keytab %s",
                    path);
    if (!sound)
        keytab_clear(&keys);
    krb5_free_context(context);
    return sound;
}

void
keytab_clear(struct keytab_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->items[i].name);
        free(keys->items[i].realm);
    }
    free(keys->items);
    *keys = (struct keytab_keys){.count = 0};
}

const char *
keytab_machine(const struct keytab_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        const char *name = keys->items[i].name;
        size_t length = strlen(name);
        if (length > 1 && name[length - 1] == '$' && strchr(name, '/') == NULL)
            return name;
    }
    return NULL;
}

bool
keytab_has(const struct keytab_keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (strcasecmp(keys->items[i].name, name) == 0)
            return true;
    }
    return false;
}
