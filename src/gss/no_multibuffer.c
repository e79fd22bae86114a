/* SPDX-License-Identifier: BSD-2-Clause */
/* What a build without libipsec-mb has in place of seal_multibuffer.c. */
#include "gss/seal_multibuffer.h"

bool
seal_multibuffer_check(struct error *err)
{
    error_set(err, "cannot use the engine multibuffer: this kerbwrap was built "
                   "without libipsec-mb; use auto or openssl");
    return false;
}

bool
seal_multibuffer_new(const struct seal_secrets *secrets, struct seal **seal_out,
                     struct error *err)
{
    (void)secrets;
    (void)seal_out;
    return seal_multibuffer_check(err);
}

bool
seal_multibuffer_use(enum multibuffer_form form)
{
    (void)form;
    return false;
}
