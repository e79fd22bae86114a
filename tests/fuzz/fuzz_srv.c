/* SPDX-License-Identifier: BSD-2-Clause */
/* A name server's answer: every record taken is a plain host and a port. */
#include <stdint.h>
#include <stdlib.h>

#include "directory/srv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct srv_list list;
    struct error err;

    if (srv_parse(data, size, &list, &err) != SRV_FOUND)
        return 0;
    for (size_t i = 0; i < list.count; i++) {
        if (!host_is_valid(list.records[i].target) || list.records[i].port == 0)
            abort();
    }
    return 0;
}
