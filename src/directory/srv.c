/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SRV records: an answer's bytes are read with libresolv's parser, bounded, and
 * only plain host names are taken; the order is RFC 2782's.
 */
#include "directory/srv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <arpa/nameser.h>
#include <resolv.h>

enum {
    SRV_FIXED_SIZE = 6 /* priority, weight, port */
};

/* Takes one record; false when it cannot be read. */
static bool
take_record(ns_msg *message, const ns_rr *record, struct srv_list *list)
{
    const uint8_t *data = ns_rr_rdata(*record);
    char target[NS_MAXDNAME];

    if (ns_rr_rdlen(*record) <= SRV_FIXED_SIZE ||
        dn_expand(ns_msg_base(*message), ns_msg_end(*message),
                  data + SRV_FIXED_SIZE, target, sizeof target) < 0)
        return false;

    uint16_t port = (uint16_t)ns_get16(data + 4);
    if (list->count == SRV_RECORDS_MAX || port == 0 || !host_is_valid(target)) {
        list->skipped++;
        return true;
    }
    struct srv_record *taken = &list->records[list->count++];
    taken->priority = (uint16_t)ns_get16(data);
    taken->weight = (uint16_t)ns_get16(data + 2);
    taken->port = port;
    memcpy(taken->target, target, strlen(target) + 1);
    return true;
}

static enum srv_status
unreadable(struct error *err)
{
    error_set(err, "the name server's answer cannot be read");
    return SRV_FAILED;
}

enum srv_status
srv_parse(const uint8_t *answer, size_t length, struct srv_list *list_out,
          struct error *err)
{
    ns_msg message;

    list_out->count = 0;
    list_out->skipped = 0;
    if (length > NS_MAXMSG || ns_initparse(answer, (int)length, &message) < 0)
        return unreadable(err);
    int code = ns_msg_getflag(message, ns_f_rcode);
    if (code == ns_r_nxdomain)
        return SRV_NONE;
    if (code != ns_r_noerror) {
        error_set(err, "the name server failed with code %d", code);
        return SRV_FAILED;
    }

    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, i, &record) < 0)
            return unreadable(err);
        if (ns_rr_type(record) == ns_t_srv && ns_rr_class(record) == ns_c_in &&
            !take_record(&message, &record, list_out))
            return unreadable(err);
    }
    return list_out->count == 0 ? SRV_NONE : SRV_FOUND;
}

uint32_t
random_kernel(void *arg)
{
    uint32_t value = 0;

    (void)arg;
    /* Up to 256 bytes are never cut short, and the pool is long since ready;
     * on a kernel that refuses, any order is a valid order. */
    if (getrandom(&value, sizeof value, 0) != sizeof value)
        value = (uint32_t)random();
    return value;
}

uint32_t
random_below(uint32_t limit, random_source *source, void *arg)
{
    uint32_t usable = UINT32_MAX - UINT32_MAX % limit;
    uint32_t value;

    do {
        value = source(arg);
    } while (value >= usable);
    return value % limit;
}

static void
swap(struct srv_choice *a, struct srv_choice *b)
{
    struct srv_choice kept = *a;

    *a = *b;
    *b = kept;
}

static int
compare_listed(const void *a, const void *b)
{
    const struct srv_choice *left = a, *right = b;

    if (left->priority != right->priority)
        return left->priority < right->priority ? -1 : 1;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

/*
 * The one to try next among count of equal priority, those of weight 0 first:
 * RFC 2782 draws from 0 to the sum inclusive and takes the first whose running
 * sum reaches the number, so that weight 0 keeps a small chance.
 */
static size_t
draw(const struct srv_choice *choices, size_t count, random_source *source,
     void *arg)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += choices[i].weight;
    uint32_t number = random_below(sum + 1, source, arg);
    uint32_t running = 0;
    for (size_t i = 0; i < count; i++) {
        running += choices[i].weight;
        if (running >= number)
            return i;
    }
    return count - 1;
}

/* Those of one priority, in any order on entry. */
static void
order_group(struct srv_choice *group, size_t count, random_source *source,
            void *arg)
{
    /* Equal ones must not win by their place in the answer. */
    for (size_t i = count; i > 1; i--)
        swap(&group[i - 1], &group[random_below((uint32_t)i, source, arg)]);
    size_t zeros = 0;
    for (size_t i = 0; i < count; i++) {
        if (group[i].weight == 0)
            swap(&group[zeros++], &group[i]);
    }

    for (size_t i = 0; i < count; i++) {
        size_t next = i + draw(group + i, count - i, source, arg);
        struct srv_choice drawn = group[next];
        memmove(group + i + 1, group + i, (next - i) * sizeof *group);
        group[i] = drawn;
    }
}

void
srv_order(struct srv_choice *choices, size_t count, random_source *source,
          void *arg)
{
    qsort(choices, count, sizeof *choices, compare_listed);
    if (source == NULL)
        return;
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count; end++) {
            if (choices[end].priority != choices[first].priority)
                break;
        }
        order_group(choices + first, end - first, source, arg);
    }
}
