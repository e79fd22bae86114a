/* SPDX-License-Identifier: BSD-2-Clause */
/* What to change of one object, built value by value. */
#ifndef DIRECTORY_CHANGES_H
#define DIRECTORY_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "directory/write.h"

enum {
    CHANGES_MAX = 16
};

/* All zero: none.  Attributes are borrowed, values are owned. */
struct changes {
    struct change items[CHANGES_MAX];
    size_t count;
};

/* One value more for attribute; NULL: none (replaced by nothing). */
MUST_CHECK bool changes_add(struct changes *changes, enum change_kind kind,
                            const char *attribute, const char *value,
                            struct error *err);
void changes_clear(struct changes *changes);

#endif
