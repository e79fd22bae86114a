/* SPDX-License-Identifier: BSD-2-Clause */
/* A timer and a job that take turns. */
#include "proxy/keywatch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/jitter.h"
#include "base/timer.h"
#include "gss/keytab.h"

enum {
    LOOK_MS = 30000
};

struct look {
    struct job job;         /* first: the pool's view */
    char *path;             /* owned */
    struct keywatch *watch; /* borrowed; valid unless abandoned */
    bool readable;
    uint32_t kvno;
    int64_t written;
};

struct keywatch {
    /* owned */
    struct look *look; /* while the pool works */
    struct timer due;
    /* borrowed */
    struct loop *loop;
    struct pool *pool;
    const char *path;
    /* plain */
    bool looked, readable;
    uint32_t kvno;
    int64_t written;
};

static void
look_free(struct job *job)
{
    struct look *look = (struct look *)job;
    free(look->path);
    free(look);
}

static void
run(struct job *job)
{
    struct look *look = (struct look *)job;
    struct keytab_keys keys;
    struct error ignored;

    look->readable = keytab_read(look->path, &keys, &ignored);
    if (!look->readable)
        return;
    for (size_t i = 0; i < keys.count; i++) {
        if (keys.items[i].kvno > look->kvno)
            look->kvno = keys.items[i].kvno;
        if (keys.items[i].written > look->written)
            look->written = keys.items[i].written;
    }
    keytab_clear(&keys);
}

static void
on_looked(struct job *job)
{
    struct look *look = (struct look *)job;
    struct keywatch *watch = look->watch;

    watch->look = NULL;
    watch->looked = true;
    watch->readable = look->readable;
    watch->kvno = look->kvno;
    watch->written = look->written;
    timer_start(&watch->due, with_jitter(LOOK_MS));
    look_free(job);
}

static void
on_due(void *arg)
{
    struct keywatch *watch = arg;
    struct look *look = calloc(1, sizeof *look);

    if (look != NULL)
        look->path = strdup(watch->path);
    if (look == NULL || look->path == NULL) {
        free(look);
        timer_start(&watch->due, LOOK_MS);
        return;
    }
    look->watch = watch;
    look->job.run = run;
    look->job.done = on_looked;
    look->job.discard = look_free;
    watch->look = look;
    pool_submit(watch->pool, "files", watch->loop, &look->job);
}

struct keywatch *
keywatch_start(struct loop *loop, struct pool *pool, const char *path)
{
    struct keywatch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    watch->loop = loop;
    watch->pool = pool;
    watch->path = path;
    timer_init(&watch->due, loop, on_due, watch);
    timer_start(&watch->due, 0);
    return watch;
}

void
keywatch_cancel(struct keywatch *watch)
{
    if (watch == NULL)
        return;
    if (watch->look != NULL)
        pool_abandon(&watch->look->job);
    timer_stop(&watch->due);
    free(watch);
}

bool
keywatch_facts(const struct keywatch *watch, struct key_facts *facts_out)
{
    int64_t now = (int64_t)time(NULL);

    if (watch == NULL || !watch->looked)
        return false;
    *facts_out = (struct key_facts){
        .readable = watch->readable,
        .kvno = watch->kvno,
        .age = now > watch->written ? (uint64_t)(now - watch->written) : 0,
    };
    return true;
}
