/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands: each takes its own arguments, argv[0] being its name, prints
 * results on standard output, and returns the exit status.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "config/config.h"

enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2, /* usage or configuration */
};

struct command {
    const char *name;
    const char *synopsis; /* the arguments */
    const char *summary;  /* one line */
    const char *details;  /* more of them, for its own --help */
    int (*run)(int argc, char **argv);
};

int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_config(int argc, char **argv);
int command_status(int argc, char **argv);

/* NULL when there is none of this name. */
const struct command *command_find(const char *name);
/* "no command NAME", with the nearest one when there is one; STATUS_USAGE. */
int command_unknown(const char *name);

/* On standard output; command NULL: of kerbwrap itself. */
void help_print(const struct command *command);
void version_print(void);

/* What all commands take. */
struct arguments {
    const char *file; /* -c FILE; never NULL */
};

/*
 * False when there is nothing more to do: status_out is what to return, after
 * --help, --version or a mistake, which was told.
 */
MUST_CHECK bool arguments_parse(int argc, char **argv,
                                struct arguments *arguments_out,
                                int *status_out);

/* "kerbwrap: FORMAT" on standard error. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* The configuration, or NULL; what is wrong with it goes to standard error. */
MUST_CHECK struct config *load_or_complain(const char *path);

#endif
