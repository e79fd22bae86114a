/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration from text, and what was found wrong with it. */
#ifndef TESTS_CONFIG_TEXT_H
#define TESTS_CONFIG_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>

#include "config/config.h"

/* All of [server a] and [client b] that must be there. */
#define SERVER_KEYS                                                            \
    "accept = [::]:7443\nconnect = 127.0.0.1:5432\nservice_class = orders\n"   \
    "keytab = /k\nallow = *@R\n"
#define SERVER_LINES "[server a]\n" SERVER_KEYS
#define CLIENT_LINES                                                           \
    "[client b]\naccept = 127.0.0.1:5432\nconnect = db:7443\n"                 \
    "service_class = orders\nccache = default\n"

struct config_text {
    struct config *config;
    char findings[65536]; /* a line each; the file is called F */
};

static inline void
config_text_report(enum severity severity, const char *text, void *arg)
{
    struct config_text *result = arg;
    size_t used = strlen(result->findings);

    (void)severity;
    snprintf(result->findings + used, sizeof result->findings - used, "%s\n",
             text);
}

/* The result is the caller's to config_text_free. */
static inline struct config_text *
config_text_read(const char *text)
{
    struct config_text *result = calloc(1, sizeof *result);
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

    ck_assert_ptr_nonnull(result);
    ck_assert_ptr_nonnull(file);
    result->config = config_read(file, "F", config_text_report, result);
    fclose(file);
    return result;
}

static inline void
config_text_free(struct config_text *result)
{
    config_release(result->config);
    free(result);
}

/* The configuration as config_print prints it, to be freed. */
static inline char *
config_text_print(const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(file);
    config_print(config, file);
    fclose(file);
    return text;
}

/* There are errors, and exactly these findings. */
static inline void
expect_refused(const char *text, const char *findings)
{
    struct config_text *result = config_text_read(text);

    ck_assert_str_eq(result->findings, findings);
    ck_assert_ptr_null(result->config);
    config_text_free(result);
}

/* There are at most warnings: exactly these. */
static inline void
expect_accepted(const char *text, const char *findings)
{
    struct config_text *result = config_text_read(text);

    ck_assert_str_eq(result->findings, findings);
    ck_assert_ptr_nonnull(result->config);
    config_text_free(result);
}

#endif
