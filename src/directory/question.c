/* SPDX-License-Identifier: BSD-2-Clause */
/* From the configuration's texts to a filter and rules; nothing is asked. */
#include "directory/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "directory/dn.h"
#include "directory/filter.h"

static const char scp_class[] = "serviceConnectionPoint";

static bool
compile_name(const char *key, const char *text, char **canonical_out,
             struct error *err)
{
    *canonical_out = dn_canonical(text, err);
    if (*canonical_out == NULL)
        error_prefix(err, "cannot use %s", key);
    return *canonical_out != NULL;
}

/* By keywords, by GUID, or whatever stands at a DN. */
static bool
compile_scp(struct question *question, const struct lookup_settings *settings,
            struct error *err)
{
    if (*settings->scp == '\0') {
        question->filter = filter_all(scp_class, "keywords", settings->keywords,
                                      settings->keyword_count, err);
    } else if (guid_parse(settings->scp, &question->scp_guid)) {
        question->rules.scp_guid = &question->scp_guid;
        question->filter = filter_equal("objectGUID", question->scp_guid.octets,
                                        GUID_SIZE, err);
    } else if (compile_name("scp", settings->scp, &question->scp_dn, err)) {
        question->rules.scp_dn = question->scp_dn;
        question->filter = filter_all(scp_class, "keywords", NULL, 0, err);
    }
    return question->filter != NULL;
}

bool
question_init(struct question *question, const struct lookup_settings *settings,
              struct error *err)
{
    *question = (struct question){
        .rules =
            {
                .service_class = settings->service_class,
                .allow_host = settings->allow_host,
                .allow_host_count = settings->allow_host_count,
            },
    };
    if (*settings->allow_group != '\0')
        question->rules.allow_group = settings->allow_group;
    if (*settings->scp_base != '\0') {
        if (!compile_name("scp_base", settings->scp_base, &question->scp_base,
                          err))
            return false;
        question->rules.scp_base = question->scp_base;
    }
    return compile_scp(question, settings, err);
}

void
question_clear(struct question *question)
{
    free(question->filter);
    free(question->scp_dn);
    free(question->scp_base);
    *question = (struct question){.filter = NULL};
}

/* " KEY=VALUE", without ambiguity: no blank, quote or '=' stays in VALUE. */
static void
put(FILE *text, const char *key, const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*/:,";

    fprintf(text, " %s=", key);
    for (; *value != '\0'; value++) {
        if (strchr(plain, *value) != NULL)
            fputc(*value, text);
        else
            fprintf(text, "%%%02x", (unsigned)(unsigned char)*value);
    }
}

static void
put_all(FILE *text, const char *key, char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(text, key, values[i]);
}

static void
put_settings(FILE *text, const struct lookup_settings *settings)
{
    static const char *const formats[] = {
        [SPN_FORMAT_HOST] = "host",
        [SPN_FORMAT_PORT] = "port",
        [SPN_FORMAT_SCP] = "scp",
        [SPN_FORMAT_GUID] = "guid",
    };

    fputs("1", text);
    put(text, "domain", settings->domain);
    put_all(text, "uri", settings->uris, settings->uri_count);
    put_all(text, "gc_uri", settings->gc_uris, settings->gc_uri_count);
    put(text, "base", settings->base);
    put(text, "service_class", settings->service_class);
    put_all(text, "keyword", settings->keywords, settings->keyword_count);
    put(text, "scp", settings->scp);
    put(text, "spn_format", formats[settings->spn_format]);
    put_all(text, "allow_host", settings->allow_host,
            settings->allow_host_count);
    put(text, "allow_group", settings->allow_group);
    put(text, "scp_base", settings->scp_base);
}

char *
question_text(const struct lookup_settings *settings, struct error *err)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (stream != NULL) {
        put_settings(stream, settings);
        if (fclose(stream) == 0)
            return text;
    }
    free(text);
    error_set(err, "cannot put the question into words: out of memory");
    return NULL;
}
