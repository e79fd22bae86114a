/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names by which failures are counted.  A fixed list, for what a peer sends
 * must not make up new ones.
 */
#include "gss/reason.h"

#include <stddef.h>

#define NAMED(code)                                                            \
    {                                                                          \
        (code), #code                                                          \
    }

static const struct {
    krb5_error_code code;
    const char *name;
} labels[] = {
    NAMED(KRB5KRB_AP_ERR_SKEW),
    NAMED(KRB5_KDCREP_SKEW),
    NAMED(KRB5KRB_AP_ERR_TKT_NYV),
    NAMED(KRB5KRB_AP_ERR_TKT_EXPIRED),
    NAMED(KRB5KDC_ERR_NAME_EXP),
    NAMED(KRB5KDC_ERR_KEY_EXP),
    NAMED(KRB5KDC_ERR_CLIENT_REVOKED),
    NAMED(KRB5KDC_ERR_SERVICE_REVOKED),
    NAMED(KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN),
    NAMED(KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN),
    NAMED(KRB5KDC_ERR_PREAUTH_FAILED),
    NAMED(KRB5KDC_ERR_ETYPE_NOSUPP),
    NAMED(KRB5KDC_ERR_POLICY),
    NAMED(KRB5_KDC_UNREACH),
    NAMED(KRB5_REALM_CANT_RESOLVE),
    NAMED(KRB5_REALM_UNKNOWN),
    NAMED(KRB5_KT_NOTFOUND),
    NAMED(KRB5_KT_IOERR),
    NAMED(KRB5_KT_KVNONOTFOUND),
    NAMED(KRB5_FCC_NOFILE),
    NAMED(KRB5_CC_NOTFOUND),
    NAMED(KRB5KRB_AP_ERR_BADKEYVER),
    NAMED(KRB5KRB_AP_ERR_NOKEY),
    NAMED(KRB5KRB_AP_ERR_NOT_US),
    NAMED(KRB5KRB_AP_WRONG_PRINC),
    NAMED(KRB5KRB_AP_ERR_BAD_INTEGRITY),
    NAMED(KRB5KRB_AP_ERR_MODIFIED),
    NAMED(KRB5KRB_AP_ERR_REPEAT),
    NAMED(KRB5KRB_ERR_GENERIC),
    NAMED(KRB5_NOPERM_ETYPE),
};

const char *
reason_label(krb5_error_code code)
{
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (labels[i].code == code)
            return labels[i].name;
    return "GSSAPI";
}
