/* SPDX-License-Identifier: BSD-2-Clause */
/* Going through a keytab.  Private to src/gss. */
#ifndef GSS_KEYTAB_VISIT_H
#define GSS_KEYTAB_VISIT_H

#include <krb5.h>

/* entry is freed afterwards, unless the visitor takes it and leaves it all zero.
 * Another code than 0 ends the visits. */
typedef krb5_error_code keytab_visitor(krb5_context context,
                                       krb5_keytab_entry *entry, void *arg);

/* 0: each entry was visited; else what the library or the visitor said. */
krb5_error_code keytab_visit(krb5_context context, krb5_keytab keytab,
                             keytab_visitor *visit, void *arg);

#endif
