/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kept answer as text:
 *
 *     kerbwrap discovery 1
 *     question TEXT
 *     time SECONDS
 *     candidate SCP GUID HOST PORT PRIORITY WEIGHT SPN DN VERDICT   (repeated)
 *     sum FNV-1A
 *
 * Words hold no blank: what is not plain is written as %xx.  The sum finds
 * damage, not malice: whoever may write the file may also compute it.
 */
#include "directory/kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "directory/ascii.h"
#include "directory/spn.h"

static const char first_line[] = "kerbwrap discovery 1";

enum {
    WORD_MAX = 16 * 1024
};

static uint64_t
checksum(const char *bytes, size_t length)
{
    uint64_t sum = 0xcbf29ce484222325u;

    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (uint8_t)bytes[i]) * 0x100000001b3u;
    return sum;
}

/* --- writing ------------------------------------------------------------ */

static void
put_word(FILE *text, const char *word)
{
    fputc(' ', text);
    for (; *word != '\0'; word++) {
        uint8_t byte = (uint8_t)*word;
        if (byte > ' ' && byte < 0x7f && byte != '%')
            fputc(byte, text);
        else
            fprintf(text, "%%%02x", byte);
    }
}

static void
put_candidate(FILE *text, const struct candidate *candidate)
{
    char guid[GUID_TEXT_SIZE] = "-";

    if (candidate->has_guid)
        guid_format(&candidate->guid, guid);
    fprintf(text, "candidate %zu %s", candidate->scp, guid);
    put_word(text, candidate->host);
    fprintf(text, " %u %u %u", candidate->port, candidate->priority,
            candidate->weight);
    put_word(text, candidate->spn);
    put_word(text, candidate->dn);
    put_word(text, candidate->verdict);
    fputc('\n', text);
}

char *
kept_encode(const char *question, const struct discovery *discovery,
            size_t *length_out, struct error *err)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);

    if (stream != NULL) {
        fprintf(stream, "%s\nquestion", first_line);
        put_word(stream, question);
        fprintf(stream, "\ntime %" PRId64 "\n", discovery->time);
        for (size_t i = 0; i < discovery->count; i++) {
            if (discovery->candidates[i].accepted)
                put_candidate(stream, &discovery->candidates[i]);
        }
        /* So that text and length are there to be summed. */
        if (fflush(stream) == 0)
            fprintf(stream, "sum %016" PRIx64 "\n", checksum(text, length));
        if (fclose(stream) == 0) {
            *length_out = length;
            return text;
        }
    }
    free(text);
    error_set(err, "cannot write down what was found: out of memory");
    return NULL;
}

/* --- reading: the first fault sticks ------------------------------------ */

struct reader {
    char *line; /* the rest of it, words are cut off; NULL at its end */
    unsigned number;
    bool failed;
    struct error fault;
};

static void
fault(struct reader *reader, const char *what)
{
    if (!reader->failed)
        error_set(&reader->fault, "line %u: %s", reader->number, what);
    reader->failed = true;
}

/* Decodes in place; false for a bad escape or one that hides a NUL. */
static bool
decode(char *word)
{
    char *out = word;

    while (*word != '\0') {
        if (*word != '%') {
            *out++ = *word++;
            continue;
        }
        int high = ascii_hex_value(word[1]);
        int low = high < 0 ? -1 : ascii_hex_value(word[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *out++ = (char)(high << 4 | low);
        word += 3;
    }
    *out = '\0';
    return true;
}

/* The next word, decoded; "" after a fault. */
static char *
take_word(struct reader *reader)
{
    static char nothing[] = "";
    char *word = strsep(&reader->line, " ");

    if (word == NULL)
        fault(reader, "something is missing");
    else if (strnlen(word, WORD_MAX) == WORD_MAX || !decode(word))
        fault(reader, "a word cannot be read");
    return reader->failed ? nothing : word;
}

static uint64_t
take_number(struct reader *reader, uint64_t high)
{
    uint64_t value = 0;
    const char *word = take_word(reader);

    if (!reader->failed && !number_parse(word, 0, high, &value, NULL))
        fault(reader, "a number is wrong");
    return value;
}

static void
take_name(struct reader *reader, const char *name)
{
    if (strcmp(take_word(reader), name) != 0)
        fault(reader, "not the expected line");
}

static void
take_end(struct reader *reader)
{
    if (reader->line != NULL)
        fault(reader, "something is left over");
}

static void
take_guid(struct reader *reader, struct candidate *candidate)
{
    const char *word = take_word(reader);

    candidate->has_guid = strcmp(word, "-") != 0;
    if (candidate->has_guid && !guid_parse(word, &candidate->guid))
        fault(reader, "the objectGUID is wrong");
}

static void
take_candidate(struct reader *reader, struct discovery *discovery)
{
    struct candidate candidate = {.accepted = true};

    take_name(reader, "candidate");
    candidate.scp = take_number(reader, KEPT_CANDIDATES_MAX);
    take_guid(reader, &candidate);
    const char *host = take_word(reader);
    candidate.port = (uint16_t)take_number(reader, UINT16_MAX);
    candidate.priority = (uint16_t)take_number(reader, UINT16_MAX);
    candidate.weight = (uint16_t)take_number(reader, UINT16_MAX);
    candidate.spn = take_word(reader);
    candidate.dn = take_word(reader);
    candidate.verdict = take_word(reader);
    take_end(reader);

    if (!host_is_valid(host) || candidate.port == 0 || *candidate.spn == '\0' ||
        strlen(candidate.spn) >= SPN_SIZE)
        fault(reader, "not a candidate that could be dialled");
    if (discovery->count == KEPT_CANDIDATES_MAX)
        fault(reader, "too many candidates");
    if (discovery->count != 0 &&
        candidate.scp < discovery->candidates[discovery->count - 1].scp)
        fault(reader, "out of order");
    if (reader->failed)
        return;
    snprintf(candidate.host, sizeof candidate.host, "%s", host);
    if (!discovery_add(discovery, &candidate, NULL))
        fault(reader, "out of memory");
}

/* Cuts the last line, "sum ...", off and compares. */
static bool
sum_fits(char *text, size_t length)
{
    char last[32];
    size_t size = sizeof "sum 0123456789abcdef\n" - 1;

    if (length < size)
        return false;
    length -= size;
    snprintf(last, sizeof last, "sum %016" PRIx64 "\n", checksum(text, length));
    bool fits = strcmp(text + length, last) == 0;
    text[length] = '\0';
    return fits;
}

static void
read_lines(struct reader *reader, char *text, const char *question,
           struct discovery *discovery)
{
    for (char *line; !reader->failed && *text != '\0';) {
        line = strsep(&text, "\n");
        if (text == NULL) {
            fault(reader, "it has no end");
            return;
        }
        reader->line = line;
        reader->number++;
        if (reader->number == 1 && strcmp(line, first_line) != 0) {
            fault(reader, "it is of another version");
        } else if (reader->number == 2) {
            take_name(reader, "question");
            const char *asked = take_word(reader);
            if (question != NULL && strcmp(asked, question) != 0)
                fault(reader, "it answers another question");
            take_end(reader);
        } else if (reader->number == 3) {
            take_name(reader, "time");
            discovery->time = (int64_t)take_number(reader, INT64_MAX);
            take_end(reader);
        } else if (reader->number > 3) {
            take_candidate(reader, discovery);
        }
    }
    if (discovery->count == 0)
        fault(reader, "it has no candidate");
}

bool
kept_parse(const char *bytes, size_t length, const char *question,
           struct discovery **discovery_out, struct error *err)
{
    struct reader reader = {.line = NULL};
    struct discovery *discovery = discovery_new(err);
    char *text = length > KEPT_SIZE_MAX ? NULL : strndup(bytes, length);
    bool sound = false;

    if (discovery == NULL || text == NULL) {
        error_set(err, "it is too large");
    } else if (strlen(text) != length || !sum_fits(text, length)) {
        error_set(err, "it is damaged");
    } else {
        read_lines(&reader, text, question, discovery);
        sound = !reader.failed;
        if (reader.failed)
            error_set(err, "%s", reader.fault.text);
    }
    free(text);
    if (!sound) {
        discovery_release(discovery);
        return false;
    }
    discovery->outcome = DISCOVERY_FOUND;
    discovery->kept = true;
    *discovery_out = discovery;
    return true;
}
