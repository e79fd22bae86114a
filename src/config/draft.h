/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration while it is read: the settings so far, the line of each key,
 * and what is wrong.  Private to this room.
 */
#ifndef CONFIG_DRAFT_H
#define CONFIG_DRAFT_H

#include <stdbool.h>
#include <stdio.h>

#include "config/config.h"
#include "config/findings.h"
#include "config/options.h"

struct key_state {
    unsigned line; /* where it stands; 0: nowhere */
    bool given;    /* with a value, right or wrong */
};

/* Where the keys of one section stand, by options_index. */
struct section_keys {
    unsigned line; /* of the header; 0: there is none */
    struct key_state states[OPTIONS_MAX];
};

struct draft {
    /* owned */
    struct config *config;
    struct section_keys *services; /* as config->services */
    struct findings findings;
    /* plain */
    struct section_keys kerbwrap;
    struct section_keys directory;
};

/*
 * Fills draft, whose config is there and all zero, from the text of file.
 * False when it did not come to its end; the findings say why.
 */
bool parse_file(struct draft *draft, FILE *file);

/* The rules that concern more than one key, once the file was read. */
void crosscheck(struct draft *draft);

/* One of them: names and accepting addresses. There is a service. */
void check_unique(struct draft *draft);

#endif
