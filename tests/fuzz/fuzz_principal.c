/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer's name, against rules: no component is ever empty, and deny is never
 * weaker than allow (it matches at least whatever allow does).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gss/access.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Up to the first newline a rule, behind it a principal. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = calloc(1, size + 2);
    struct principal principal;
    struct access_rule rule;
    const char *decided;

    if (text == NULL)
        return 0;
    memcpy(text, bytes, size);
    char *who = strchr(text, '\n');
    if (who != NULL)
        *who++ = '\0';
    if (who != NULL && access_rule_parse(text, &rule, NULL)) {
        if (principal_parse(who, &principal, NULL)) {
            struct access_rules allow = {&rule, NULL, 1, 0};
            struct access_rules deny = {&rule, &rule, 1, 1};

            for (size_t i = 0; i < principal.count; i++)
                if (principal.components[i][0] == '\0')
                    abort();
            if (access_decide(&allow, &principal, NULL, &decided) ==
                    ACCESS_ALLOWED &&
                access_decide(&deny, &principal, NULL, &decided) !=
                    ACCESS_DENIED)
                abort();
            principal_clear(&principal);
        }
        access_rule_clear(&rule);
    }
    free(text);
    return 0;
}
