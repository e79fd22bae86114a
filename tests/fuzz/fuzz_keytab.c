/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: a keytab. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gss/keytab.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__lsan_default_suppressions(void);

/* MIT's reader keeps what it had read of an entry that is cut short. */
const char *
__lsan_default_suppressions(void)
{
    return "leak:libkrb5.so";
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct keytab_keys keys;
    struct error err;
    char path[64];
    int fd = memfd_create("keytab", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (keytab_read(path, &keys, &err)) {
        const char *machine = keytab_machine(&keys);
        if (machine != NULL && !keytab_has(&keys, machine))
            abort();
        keytab_clear(&keys);
    }
    close(fd);
    return 0;
}
