/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading ldap://HOST[:PORT]: nothing else is needed of RFC 4516. */
#include <string.h>

#include "base/text.h"
#include "directory/host.h"
#include "directory/ldapclient.h"

bool
ldapclient_uri_host(const char *uri, char *host, size_t size, struct error *err)
{
    static const char scheme[] = "ldap://";
    const char *start = uri + sizeof scheme - 1;
    uint16_t port;
    char shown[160];

    if (strncmp(uri, scheme, sizeof scheme - 1) == 0) {
        size_t length = strcspn(start, ":/");
        const char *rest = start + length;
        bool sound = *rest == '\0' ||
                     (*rest == ':' &&
                      port_parse(rest + 1, strlen(rest + 1), &port, NULL));
        if (sound && length < size) {
            memcpy(host, start, length);
            host[length] = '\0';
            if (host_is_valid(host))
                return true;
        }
    }
    error_set(err,
              "cannot use directory server '%s': it must be "
              "ldap://NAME or ldap://NAME:PORT",
              text_sanitize(uri, strlen(uri), shown, sizeof shown));
    return false;
}
