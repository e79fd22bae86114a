/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A look at lines: "include PATH", "includedir PATH" and the default cache.
 * What the library makes of a file is its own affair.
 */
#include "config/profile.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    INCLUDES_DEEP = 8,
    LINE_SIZE = 4096
};

static const char usual[] = "/etc/krb5.conf:/usr/etc/krb5.conf";

struct search {
    void (*found)(const char *path, void *arg);
    void *arg;
    int depth;
    char ccache[PATH_MAX]; /* as it is written; "": nowhere */
};

static void look_at(struct search *search, const char *path);

/* The word after keyword and blanks, cut at its end; NULL: another line. */
static char *
word_after(char *line, const char *keyword)
{
    size_t length = strlen(keyword);

    line += strspn(line, " \t");
    if (strncmp(line, keyword, length) != 0 ||
        strspn(line + length, " \t=") == 0)
        return NULL;
    line += length + strspn(line + length, " \t=");
    line[strcspn(line, " \t\r\n")] = '\0';
    return line;
}

static void
look_into(struct search *search, const char *path)
{
    char file[PATH_MAX];
    struct dirent *entry;
    DIR *directory = opendir(path);

    snprintf(file, sizeof file, "%s/", path);
    search->found(file, search->arg);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        look_at(search, file);
    }
    if (directory != NULL)
        closedir(directory);
}

static void
look_at_line(struct search *search, char *line)
{
    char *word = word_after(line, "includedir");

    if (word != NULL) {
        look_into(search, word);
        return;
    }
    word = word_after(line, "include");
    if (word != NULL) {
        look_at(search, word);
        return;
    }
    word = word_after(line, "default_ccache_name");
    if (word != NULL && search->ccache[0] == '\0')
        snprintf(search->ccache, sizeof search->ccache, "%s", word);
}

static void
look_at(struct search *search, const char *path)
{
    char line[LINE_SIZE];
    FILE *file;

    search->found(path, search->arg);
    if (search->depth >= INCLUDES_DEEP || (file = fopen(path, "re")) == NULL)
        return;
    search->depth++;
    while (fgets(line, sizeof line, file) != NULL)
        look_at_line(search, line);
    search->depth--;
    fclose(file);
}

static void
look_at_all(struct search *search)
{
    const char *list = getenv("KRB5_CONFIG");
    char path[PATH_MAX];

    for (list = list != NULL ? list : usual; *list != '\0';) {
        size_t length = strcspn(list, ":");
        snprintf(path, sizeof path, "%.*s", (int)length, list);
        /* Not what this process has layered over them. */
        if (*path != '\0' && strncmp(path, "/proc/self/", 11) != 0)
            look_at(search, path);
        list += length + (list[length] == ':');
    }
}

void
profile_files(void (*found)(const char *path, void *arg), void *arg)
{
    struct search search = {.found = found, .arg = arg};

    look_at_all(&search);
}

static void
ignore(const char *path, void *arg)
{
    (void)path;
    (void)arg;
}

void
profile_default_ccache(char *name, size_t size)
{
    struct search search = {.found = ignore};
    const char *chosen = getenv("KRB5CCNAME");

    if (chosen == NULL || *chosen == '\0') {
        look_at_all(&search);
        chosen = search.ccache;
    }
    if (*chosen != '\0')
        snprintf(name, size, "%s", chosen);
    else
        snprintf(name, size, "FILE:/tmp/krb5cc_%u", (unsigned)geteuid());
}
