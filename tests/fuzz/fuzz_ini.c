/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a configuration file: never a crash; and what is accepted prints
 * as text that is accepted and prints the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct report {
    size_t errors;
};

static void
on_finding(enum severity severity, const char *text, void *arg)
{
    struct report *report = arg;

    if (severity != SEVERITY_WARNING)
        report->errors++;
    if (text[strcspn(text, "\n")] != '\0')
        abort(); /* a finding is one line */
}

static struct config *
read_bytes(const void *bytes, size_t length)
{
    struct report report = {0};
    FILE *file = fmemopen((void *)(uintptr_t)bytes, length, "r");

    if (file == NULL)
        return NULL; /* length 0, for some libraries */
    struct config *config = config_read(file, "fuzz", on_finding, &report);
    fclose(file);
    if ((config == NULL) != (report.errors > 0))
        abort();
    return config;
}

static char *
print(const struct config *config, size_t *length_out)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, length_out);

    if (file == NULL)
        abort();
    config_print(config, file);
    fclose(file);
    return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct config *config = read_bytes(bytes, length);

    if (config == NULL)
        return 0;
    size_t printed_length, again_length;
    char *printed = print(config, &printed_length);
    struct config *copy = read_bytes(printed, printed_length);
    if (copy == NULL)
        abort();
    char *again = print(copy, &again_length);
    if (strcmp(printed, again) != 0)
        abort();
    free(printed);
    free(again);
    config_release(copy);
    config_release(config);
    return 0;
}
