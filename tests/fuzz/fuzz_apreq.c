/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk down an AP-REQ: whatever comes, it stays inside the token, and what
 * it finds an encryption type in is an AP-REQ.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "gss/apreq.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum token_kind kind = token_kind(bytes, size);
    struct error err = {.text = ""};
    int32_t enctype;
    const uint8_t *ticket = NULL;
    size_t ticket_size = 0;

    if (apreq_ticket(bytes, size, &ticket, &ticket_size) &&
        (kind != TOKEN_AP_REQ || ticket < bytes ||
         ticket_size > (size_t)(bytes + size - ticket)))
        abort();
    if (apreq_ticket_enctype(bytes, size, &enctype, &err)) {
        if (kind != TOKEN_AP_REQ)
            abort();
    } else if (err.text[0] == '\0') {
        abort();
    }
    return 0;
}
