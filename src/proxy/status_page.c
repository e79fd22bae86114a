/* SPDX-License-Identifier: BSD-2-Clause */
/* The page, piece by piece between the places where the nonce goes. */
#include <string.h>

#include "proxy/page.h"
#include "proxy/status_parts.h"

void
status_page(const char *nonce, struct evbuffer *out)
{
    static const char place[] = "@NONCE@";
    size_t size;
    const char *text = page_text(&size);
    const char *found;

    while ((found = memmem(text, size, place, sizeof place - 1)) != NULL) {
        evbuffer_add(out, text, (size_t)(found - text));
        evbuffer_add(out, nonce, strlen(nonce));
        size -= (size_t)(found - text) + sizeof place - 1;
        text = found + sizeof place - 1;
    }
    evbuffer_add(out, text, size);
}
