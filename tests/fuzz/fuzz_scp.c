/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service connection point of any attributes: read, judged by every rule.
 * Input: the DN up to a newline, then records of attribute number, length and
 * that many bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "directory/dn.h"
#include "directory/judge.h"
#include "directory/scp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fill(struct entry *entry, const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "objectGUID",         "serviceClassName",          "serviceDNSName",
        "serviceDNSNameType", "serviceBindingInformation", "objectClass",
    };

    while (size >= 2) {
        const char *name = names[data[0] % (sizeof names / sizeof names[0])];
        size_t length = data[1] < size - 2 ? data[1] : size - 2;
        if (!entry_add(entry, name, data + 2, length, NULL))
            abort();
        data += 2 + length;
        size -= 2 + length;
    }
}

/* Accepted ones must hold what the rules promise. */
static void
judge(const struct scp *scp)
{
    char host[] = "*.corp.test";
    char *hosts[] = {host};
    struct judge_rules rules = {.service_class = "orders",
                                .scp_base = "cn=services,dc=corp,dc=test",
                                .allow_host = hosts,
                                .allow_host_count = 1};
    char name[] = "web1.corp.test";
    struct judge_parent computer = {.is_computer = true, .dns_host_name = name};
    struct judge_parent container = {.is_computer = false};
    enum judge_anchor anchor;
    struct error err;

    if (!judge_class(&rules, scp, &err))
        return;
    if (judge_scp(&rules, scp, &computer, &anchor, &err) &&
        scp->type == SCP_TYPE_A && !host_equal(scp->dns_name, name))
        abort();
    if (judge_scp(&rules, scp, &container, &anchor, &err) &&
        !dn_is_below(scp->canonical, rules.scp_base))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t length = end == NULL ? size : (size_t)(end - data);
    char *dn = strndup((const char *)data, length);
    struct entry entry;
    struct scp scp = {.dn = NULL};
    struct error err;

    if (entry_init(&entry, dn, &err)) {
        if (end != NULL)
            fill(&entry, end + 1, size - length - 1);
        if (scp_parse(&entry, &scp, &err))
            judge(&scp);
        scp_clear(&scp);
    }
    entry_clear(&entry);
    free(dn);
    return 0;
}
