/* SPDX-License-Identifier: BSD-2-Clause */
/* A status caller's bytes: what is taken lies within them, and more bytes do
 * not change it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request, again;
    int status = request_parse(data, size, &request);

    if (status != 200)
        return 0;
    if (request.path[0] != '/' || request.body < data ||
        request.body_size > (size_t)(data + size - request.body))
        abort();
    size_t used = (size_t)(request.body - data) + request.body_size;
    if (request_parse(data, used, &again) != 200 ||
        strcmp(request.path, again.path) != 0)
        abort();
    (void)request_host_is_local(request.host);
    return 0;
}
