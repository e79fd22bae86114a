/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who listens at an address of this machine, by what the kernel tells of its
 * sockets: nobody is connected to.
 */
#ifndef DOCTOR_HOLDER_H
#define DOCTOR_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/endpoint.h"

struct holder {
    pid_t pid;        /* 0: hidden from this user */
    char program[32]; /* "" likewise; made safe */
    uid_t user;       /* of the socket; a Unix one does not tell: -1 */
};

/* True when somebody does. */
bool holder_find(const struct address *address, struct holder *holder_out);

/* "nginx (pid 7)", or "a process of user 33". */
void holder_format(const struct holder *holder, char *text, size_t size);

#endif
