/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service principal names, composed and compared.  Pure text.
 */
#ifndef DIRECTORY_SPN_H
#define DIRECTORY_SPN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "directory/guid.h"

enum {
    SPN_SIZE = 1024
};

/* How a client names the service it found (spn_format). */
enum spn_format {
    SPN_FORMAT_HOST, /* class/host */
    SPN_FORMAT_PORT, /* class/host:port */
    SPN_FORMAT_SCP,  /* class/host/DN of the SCP */
    SPN_FORMAT_GUID, /* class/host/objectGUID of the SCP */
};

/*
 * CLASS/HOST, CLASS/HOST:PORT (port not 0), CLASS/HOST[:PORT]/NAME (name not
 * NULL), in Kerberos text form: what a component needs escaped is escaped.  A
 * '/' inside class, host or name is refused: no KDC would split it as meant.
 */
MUST_CHECK bool spn_make(const char *service_class, const char *host,
                         uint16_t port, const char *name, char spn[SPN_SIZE],
                         struct error *err);

/*
 * The name of a service that was found in the directory.  dn is of its SCP; guid
 * NULL when the SCP has none.  A DN that holds a '/' cannot be part of a name,
 * and is refused with that advice.
 */
MUST_CHECK bool spn_compose(enum spn_format format, const char *service_class,
                            const char *host, uint16_t port, const char *dn,
                            const struct guid *guid, char spn[SPN_SIZE],
                            struct error *err);

/*
 * Is asked (as a client names its target, realm ignored) of this service?  With
 * names: one of them, realm ignored; without: its class is service_class.
 * Case is ignored, as directories do.
 */
bool spn_is_ours(const char *asked, const char *service_class,
                 const char *const *names, size_t count);

#endif
