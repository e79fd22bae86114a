/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inih asks us for each line (ini_parse_stream) and calls back before it asks
 * for the next, so that our count of lines is also the count of its calls.
 * Lines it would misread are dealt with here and shown to it as blank: those
 * that are too long, hold NUL or comments, section headers with something
 * behind them, and KEY: VALUE.
 */
#include "config/ini.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <ini.h>

/* Debian's library has these, others may not; without them inih cuts lines at
 * 200 bytes.  NOLINTBEGIN(readability-redundant-declaration) */
extern int ini_max_line __attribute__((weak));
extern int ini_initial_alloc __attribute__((weak));
/* NOLINTEND(readability-redundant-declaration) */

/* Line, line end and terminator, with room to spare. */
enum {
    BUFFER_SIZE = INI_LINE_MAX + 5
};

/* What an indented line would continue. */
enum above {
    ABOVE_NOTHING, /* start of the file or of a section */
    ABOVE_KEY,
    ABOVE_ERROR, /* a line that was refused */
};

struct reader {
    /* borrowed */
    FILE *file;
    const struct ini_events *events;
    void *arg;
    /* plain */
    unsigned line;
    enum above above;
    bool continues; /* the line at hand continues a value */
    bool stopped;
    int read_errno;
    char text[BUFFER_SIZE]; /* the line at hand */
};

static void
refuse(struct reader *reader, const char *sentence)
{
    if (!reader->events->on_error(reader->line, sentence, reader->arg))
        reader->stopped = true;
    reader->above = ABOVE_ERROR;
}

/*
 * Gets the next line without its end; what does not fit is counted, not kept.
 * False at the end of the file.
 */
static bool
read_line(struct reader *reader, size_t *length_out)
{
    size_t length = 0;
    int byte = getc(reader->file);

    if (byte == EOF)
        return false;
    for (; byte != EOF && byte != '\n'; byte = getc(reader->file)) {
        if (length < BUFFER_SIZE - 1)
            reader->text[length] = (char)byte;
        length++;
    }
    reader->text[length < BUFFER_SIZE ? length : BUFFER_SIZE - 1] = '\0';
    *length_out = length;
    return true;
}

static char *
skip_blanks(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static void
trim_end(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    text[length] = '\0';
}

static void
cut_comment(char *text)
{
    bool after_blank = true;

    for (char *c = text; *c != '\0'; c++) {
        if (after_blank && (*c == ';' || *c == '#')) {
            *c = '\0';
            break;
        }
        after_blank = isspace((unsigned char)*c);
    }
    trim_end(text);
}

/* text begins with '['.  inih is not asked: it cuts names at 49 bytes. */
static void
take_section(struct reader *reader, char *text)
{
    char *name = skip_blanks(text + 1);
    char *end = strchr(name, ']');

    if (end == NULL) {
        refuse(reader, "the section header lacks its `]`");
    } else {
        if (end[1] != '\0')
            refuse(reader, "the section header has text after its `]`");
        *end = '\0';
        trim_end(name);
    }
    if (!reader->stopped &&
        !reader->events->on_section(reader->line, name, reader->arg))
        reader->stopped = true;
    reader->above = ABOVE_NOTHING;
}

/* The part of the line at hand that inih shall see. */
static const char *
take_line(struct reader *reader)
{
    char *text = reader->text;

    if (reader->line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3; /* the byte order mark of some editors */
    cut_comment(text);
    char *start = skip_blanks(text);
    reader->continues = start > text && reader->above == ABOVE_KEY;
    if (*start == '\0' || (start > text && reader->above == ABOVE_ERROR))
        return "";
    if (reader->continues)
        return text;
    if (*start == '[') {
        take_section(reader, start);
        return "[]\n"; /* so that inih, too, forgets the key above */
    }
    size_t key_length = strcspn(start, "=:");
    if (key_length == 0 || start[key_length] != '=') {
        refuse(reader, "this line is not KEY = VALUE");
        return "";
    }
    reader->above = ABOVE_KEY;
    return start;
}

/* An ini_reader: size is that of inih's own buffer. */
static char *
on_line_wanted(char *buffer, int size, void *stream)
{
    struct reader *reader = stream;
    const char *seen = "";
    size_t length;

    if (reader->stopped || !read_line(reader, &length)) {
        reader->read_errno = ferror(reader->file) ? errno : 0;
        return NULL;
    }
    reader->line++;
    if (length > INI_LINE_MAX)
        refuse(reader, "this line is over 4,095 bytes; a list may go on in "
                       "indented lines");
    else if (length + 2 > (size_t)size)
        refuse(reader, "this line is too long for the inih library of this "
                       "system; a list may go on in indented lines");
    else if (memchr(reader->text, '\0', length) != NULL)
        refuse(reader, "this line holds a NUL byte");
    else
        seen = take_line(reader);
    snprintf(buffer, (size_t)size, "%s", seen);
    return buffer;
}

/* An ini_handler.  The name of a continued key is cut at 49 bytes. */
static int
on_pair(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;
    const struct ini_events *events = reader->events;
    bool go_on;

    (void)section;
    if (*value == ';' || *value == '#')
        value = ""; /* KEY =;comment */
    if (reader->continues)
        go_on = events->on_continuation(reader->line, value, reader->arg);
    else
        go_on = events->on_value(reader->line, name, value, reader->arg);
    if (!go_on)
        reader->stopped = true;
    return 1;
}

bool
ini_read(FILE *file, const struct ini_events *events, void *arg,
         struct error *err)
{
    struct reader reader = {.file = file, .events = events, .arg = arg};

    if (&ini_max_line != NULL)
        ini_max_line = BUFFER_SIZE;
    if (&ini_initial_alloc != NULL)
        ini_initial_alloc = BUFFER_SIZE;
    int result = ini_parse_stream(on_line_wanted, &reader, on_pair, &reader);
    if (reader.read_errno != 0) {
        error_set(err, "%s", strerror(reader.read_errno));
        return false;
    }
    if (result < 0) {
        error_set(err, "out of memory");
        return false;
    }
    if (result > 0) {
        /* No line that got past take_line is one, with Debian's library. */
        error_set(err, "the inih library of this system refuses line %d",
                  result);
        return false;
    }
    return true;
}
