/* SPDX-License-Identifier: BSD-2-Clause */
/* A loop that runs in the test's own thread, when the test says so. */
#ifndef TESTS_OWN_LOOP_H
#define TESTS_OWN_LOOP_H

#include "base/loop.h"

extern struct loop *loop;

/* A checked fixture. */
void own_loop_set_up(void);
void own_loop_tear_down(void);

/* Once: a loop that was stopped does not run again. */
void own_loop_run_for(uint64_t ms);
#endif
