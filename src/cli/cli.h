/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands: each takes its own arguments, argv[0] being its name, prints
 * results on standard output, and returns the exit status.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

enum {
    CLI_DONE = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2, /* usage or configuration */
};

enum command_takes {
    TAKES_NAME = 1, /* of a service; required */
    TAKES_JSON = 2, /* --json */
    TAKES_CCACHE = 4,
    TAKES_DRY_RUN = 8,
    TAKES_FORCE = 16,
    TAKES_PARTS = 32,   /* --instance, --port, --referrer */
    TAKES_MORE = 64,    /* arguments of its own */
    TAKES_KEYTAB = 128, /* --keytab, --principal, --spn */
    TAKES_PRINCIPAL = 256,
    TAKES_WATCH = 512, /* --watch, --close */
};

struct command {
    const char *name;
    const char *synopsis; /* the arguments */
    const char *summary;  /* one line */
    const char *details;  /* more of them, for its own --help */
    unsigned takes;       /* beside -c: of enum command_takes */
    int (*run)(int argc, char **argv);
};

int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_config(int argc, char **argv);
int command_discover(int argc, char **argv);
int command_publish(int argc, char **argv);
int command_unpublish(int argc, char **argv);
int command_spn_make(int argc, char **argv);
int command_spn_crack(int argc, char **argv);
int command_spn_list(int argc, char **argv);
int command_spn_add(int argc, char **argv);
int command_spn_delete(int argc, char **argv);
int command_spn_check(int argc, char **argv);
int command_spn_find_duplicates(int argc, char **argv);
int command_status(int argc, char **argv);
int command_connect(int argc, char **argv);
int command_doctor(int argc, char **argv);

/* NULL when there is none of this name. */
const struct command *cli_find(const char *name);
/* "no command NAME", with the nearest one when there is one; CLI_USAGE. */
int cli_unknown(const char *name);

/* On standard output; command NULL: of kerbwrap itself. */
void cli_help(const struct command *command);
void cli_version(void);

/* What commands take. */
struct cli_options {
    const char *config; /* -c FILE; never NULL */
    const char *name;   /* NULL unless the command takes one */
    bool json;
    bool dry_run;
    bool force;
    bool watch;
    const char *close;  /* which connections; NULL: none */
    const char *ccache; /* NULL: none */
    /* Of `connect`, and `doctor` a principal; NULL: not given. */
    const char *keytab, *principal, *spn;
    /* Of `spn make`; NULL: not given. */
    const char *instance, *port, *referrer;
    char **more; /* the arguments of a command that TAKES_MORE */
    int more_count;
};

/*
 * False when there is nothing more to do: status_out is what to return, after
 * --help, --version or a mistake, which was told.
 */
MUST_CHECK bool cli_parse(int argc, char **argv,
                          struct cli_options *options_out, int *status_out);

/* The [client NAME]; else says what is wrong with NAME. */
const struct service_settings *cli_find_client(const struct config *config,
                                               const char *name);

/* "kerbwrap: FORMAT" on standard error. */
void cli_complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* A config_report: complains of each finding; arg is not used. */
void cli_report_errors(enum severity severity, const char *text, void *arg);

#endif
