/* SPDX-License-Identifier: BSD-2-Clause */
/* A distinguished name: its canonical form is a fixed point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "directory/dn.h"
#include "directory/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    char *canonical = dn_canonical(text, NULL);
    char domain[HOST_SIZE];

    if (canonical != NULL) {
        char *again = dn_canonical(canonical, NULL);
        /* Blanks that were escaped are bare now, and go; and it may be long. */
        if (again != NULL && strchr(canonical, ' ') == NULL &&
            strcmp(again, canonical) != 0)
            abort();
        if (dn_is_below(canonical, canonical))
            abort();
        (void)!dn_domain(canonical, domain, sizeof domain);
        free(again);
    }
    (void)dn_parent_text(text);
    free(canonical);
    free(text);
    return 0;
}
