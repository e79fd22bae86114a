/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made on first use, freed when the thread ends.  Nothing stays in a manager
 * between calls: the bursts that are used here are done when they return.
 */
#include "gss/multibuffer_thread.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    WIDE_LANES = 8, /* of AVX2 */
    WIDEST_LANES = 16,
};

/* What multibuffer_vaes.c and multibuffer_sha1.c need. */
#define VAES_FEATURES (IMB_CPUFLAGS_AVX2 | IMB_FEATURE_VAES | IMB_FEATURE_SHANI)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t slot;
static bool have_slot;

static void
free_managers(void *arg)
{
    struct multibuffer *managers = arg;

    if (managers == NULL)
        return;
    if (managers->narrow != managers->wide)
        free_mb_mgr(managers->narrow);
    free_mb_mgr(managers->wide);
    free(managers);
}

static void
make_slot(void)
{
    have_slot = pthread_key_create(&slot, free_managers) == 0;
}

static void
init_best(IMB_MGR *manager)
{
    init_mb_mgr_auto(manager, NULL);
}

/* NULL where the library cannot, or its self-test failed. */
static IMB_MGR *
new_manager(void (*init)(IMB_MGR *))
{
    IMB_MGR *manager = alloc_mb_mgr(0);

    if (manager == NULL)
        return NULL;
    init(manager);
    if (imb_get_errno(manager) != 0) {
        free_mb_mgr(manager);
        return NULL;
    }
    return manager;
}

static struct multibuffer *
new_managers(enum multibuffer_form form)
{
    static void (*const inits[])(IMB_MGR *) = {
        [MULTIBUFFER_BEST] = init_best,
        [MULTIBUFFER_SSE] = init_mb_mgr_sse,
        [MULTIBUFFER_AVX2] = init_mb_mgr_avx2,
        [MULTIBUFFER_VAES] = init_mb_mgr_avx2,
        [MULTIBUFFER_AVX512] = init_mb_mgr_avx512,
    };
    struct multibuffer *managers = calloc(1, sizeof *managers);

    if (managers == NULL)
        return NULL;
    managers->wide = managers->narrow = new_manager(inits[form]);
    if (managers->wide == NULL) {
        free(managers);
        return NULL;
    }
    if ((managers->wide->features & IMB_FEATURE_SHANI) != 0 &&
        form != MULTIBUFFER_SSE) {
        IMB_MGR *narrow = new_manager(init_mb_mgr_sse);
        if (narrow != NULL)
            managers->narrow = narrow;
    }
    managers->lanes = managers->wide->used_arch >= IMB_ARCH_AVX512
                          ? WIDEST_LANES
                          : WIDE_LANES;
    managers->vaes =
        form == MULTIBUFFER_VAES ||
        (form == MULTIBUFFER_BEST && managers->lanes == WIDE_LANES &&
         (managers->wide->features & VAES_FEATURES) == VAES_FEATURES);
    return managers;
}

/*
 * What the narrow manager does in the time in which the wide one does a hundred,
 * all its lanes filled; as measured, on processors that have SHA's instructions.
 */
static const struct {
    unsigned of_eight, of_sixteen; /* lanes */
} narrow_share[] = {
    [MULTIBUFFER_SHA1] = {87, 29},     [MULTIBUFFER_SHA256] = {195, 50},
    [MULTIBUFFER_SHA384] = {0, 0},     [MULTIBUFFER_ENCRYPTION] = {60, 0},
    [MULTIBUFFER_DECRYPTION] = {0, 0}, /* one text is enough for it */
};

/* Lanes without a job take their time all the same. */
IMB_MGR *
multibuffer_pick(const struct multibuffer *managers, enum multibuffer_work work,
                 size_t count)
{
    size_t lanes = managers->lanes;
    size_t paid = (count + lanes - 1) / lanes * lanes;
    size_t share = lanes == WIDEST_LANES ? narrow_share[work].of_sixteen
                                         : narrow_share[work].of_eight;

    return count * 100 <= paid * share ? managers->narrow : managers->wide;
}

static bool
keep(struct multibuffer *managers)
{
    if (managers != NULL && pthread_setspecific(slot, managers) == 0)
        return true;
    free_managers(managers);
    return false;
}

const struct multibuffer *
multibuffer_thread(void)
{
    if (pthread_once(&once, make_slot) != 0 || !have_slot)
        return NULL;
    if (pthread_getspecific(slot) == NULL &&
        !keep(new_managers(MULTIBUFFER_BEST)))
        return NULL;
    return pthread_getspecific(slot);
}

bool
seal_multibuffer_use(enum multibuffer_form form)
{
    static const uint64_t needed[] = {
        [MULTIBUFFER_BEST] = 0,
        [MULTIBUFFER_SSE] = IMB_CPUFLAGS_SSE,
        [MULTIBUFFER_AVX2] = IMB_CPUFLAGS_AVX2,
        [MULTIBUFFER_VAES] = VAES_FEATURES,
        [MULTIBUFFER_AVX512] = IMB_CPUFLAGS_AVX512,
    };

    if ((imb_get_feature_flags() & needed[form]) != needed[form] ||
        pthread_once(&once, make_slot) != 0 || !have_slot)
        return false;
    struct multibuffer *before = pthread_getspecific(slot);
    if (!keep(new_managers(form)))
        return false;
    free_managers(before);
    return true;
}
