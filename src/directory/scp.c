/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service connection points, checked for form.  Values come from a directory in
 * which any computer may write: nothing is taken that is not plainly what it
 * has to be, and a bad one is quoted only after it was made safe.
 */
#include "directory/scp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "directory/dn.h"

const char *const scp_attributes[] = {
    "objectGUID",         "serviceClassName",          "serviceDNSName",
    "serviceDNSNameType", "serviceBindingInformation", NULL,
};

enum {
    SHOWN_SIZE = 96
};

static bool
parse_name(const struct entry *entry, struct scp *scp, struct error *err)
{
    const struct attribute *guid = entry_attribute(entry, "objectGUID");

    if (guid != NULL && guid->count == 1 &&
        guid->values[0].length == GUID_SIZE) {
        memcpy(scp->guid.octets, guid->values[0].bytes, GUID_SIZE);
        scp->has_guid = true;
    }
    scp->dn = strdup(entry->dn);
    if (scp->dn == NULL) {
        error_set(err, "cannot keep it: out of memory");
        return false;
    }
    scp->canonical = dn_canonical(entry->dn, err);
    return scp->canonical != NULL;
}

/* The one value of an attribute that must be there, as text that fits. */
static bool
take_text(const struct entry *entry, const char *name, char *out, size_t size,
          struct error *err)
{
    const struct attribute *attribute = entry_attribute(entry, name);
    const char *text = entry_text(entry, name);

    if (attribute == NULL) {
        error_set(err, "its %s is missing", name);
        return false;
    }
    if (text == NULL) {
        error_set(err, "its %s is not a single text", name);
        return false;
    }
    size_t length = strlen(text);
    if (length >= size) {
        error_set(err, "its %s is longer than %zu bytes", name, size - 1);
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

static bool
parse_type(const struct entry *entry, struct scp *scp, struct error *err)
{
    const char *type = entry_text(entry, "serviceDNSNameType");
    char shown[SHOWN_SIZE];

    scp->type = SCP_TYPE_A;
    if (entry_attribute(entry, "serviceDNSNameType") == NULL)
        return true;
    if (type != NULL && strcasecmp(type, "A") == 0)
        return true;
    if (type != NULL && strcasecmp(type, "SRV") == 0) {
        scp->type = SCP_TYPE_SRV;
        return true;
    }
    error_set(err, "its serviceDNSNameType is '%s', neither A nor SRV",
              type == NULL
                  ? ""
                  : text_sanitize(type, strlen(type), shown, sizeof shown));
    return false;
}

static bool
parse_dns_name(const struct entry *entry, struct scp *scp, struct error *err)
{
    char shown[SHOWN_SIZE];

    if (!take_text(entry, "serviceDNSName", scp->dns_name, sizeof scp->dns_name,
                   err))
        return false;
    if (!host_is_valid(scp->dns_name)) {
        error_set(err, "its serviceDNSName '%s' is not a DNS name",
                  text_sanitize(scp->dns_name, strlen(scp->dns_name), shown,
                                sizeof shown));
        return false;
    }
    return true;
}

static bool
parse_bindings(const struct entry *entry, struct scp *scp, struct error *err)
{
    static const char name[] = "serviceBindingInformation";
    const struct attribute *attribute = entry_attribute(entry, name);
    struct error problem;

    if (attribute == NULL || (attribute->count == 0 && !attribute->cut)) {
        error_set(err, "its %s is missing", name);
        return false;
    }
    if (attribute->cut || attribute->count > SCP_BINDINGS_MAX) {
        error_set(err, "its %s has more than %d values, or a very long one",
                  name, SCP_BINDINGS_MAX);
        return false;
    }
    for (size_t i = 0; i < attribute->count; i++) {
        const struct value *value = &attribute->values[i];
        struct scp_binding *binding = &scp->bindings[i];
        if (!port_parse(value->bytes, value->length, &binding->port, &problem))
            snprintf(binding->problem, sizeof binding->problem, "%.127s",
                     problem.text);
    }
    scp->binding_count = attribute->count;
    return true;
}

bool
scp_parse(const struct entry *entry, struct scp *scp_out, struct error *err)
{
    *scp_out = (struct scp){.dn = NULL};
    return parse_name(entry, scp_out, err) &&
           take_text(entry, "serviceClassName", scp_out->service_class,
                     sizeof scp_out->service_class, err) &&
           parse_type(entry, scp_out, err) &&
           parse_dns_name(entry, scp_out, err) &&
           (scp_out->type == SCP_TYPE_SRV ||
            parse_bindings(entry, scp_out, err));
}

void
scp_clear(struct scp *scp)
{
    free(scp->dn);
    free(scp->canonical);
    *scp = (struct scp){.dn = NULL};
}
