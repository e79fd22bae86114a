/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an administrator can do about a right that is missing: the right by its
 * name, and commands that can be run as they stand.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "directory/publish_parts.h"

enum {
    QUOTED_SIZE = 2048,
    COMMAND_SIZE = 6000,
};

struct quoted {
    char text[QUOTED_SIZE];
};

/* For a POSIX shell.  What does not fit is cut inside the quotes. */
static struct quoted
quote(const char *text)
{
    struct quoted quoted;
    size_t length = 0;

    quoted.text[length++] = '\'';
    for (; *text != '\0' && length < QUOTED_SIZE - 6; text++) {
        if (*text == '\'') {
            memcpy(quoted.text + length, "'\\''", 4);
            length += 4;
        } else {
            quoted.text[length++] = *text;
        }
    }
    quoted.text[length++] = '\'';
    quoted.text[length] = '\0';
    return quoted;
}

static void tell_command(const struct publishing *publishing,
                         const char *format, ...) PRINTF_LIKE(2, 3);

static void
tell_command(const struct publishing *publishing, const char *format, ...)
{
    char command[COMMAND_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    publishing->settings->tell(PUBLISH_COMMAND, command,
                               publishing->settings->arg);
}

/* Microsoft's tools name a computer without the "$". */
static int
bare_length(const char *account)
{
    size_t length = strlen(account);

    if (length != 0 && account[length - 1] == '$')
        length--;
    return (int)length;
}

void
advise_spn(const struct publishing *publishing, const char *value)
{
    const char *account = publishing->holder.name;

    tell_command(publishing, "kerbwrap spn add -c %s --ccache default %s %s",
                 quote(publishing->settings->config).text, quote(value).text,
                 quote(account).text);
    tell_command(publishing, "samba-tool spn add %s %s", quote(value).text,
                 quote(account).text);
    tell_command(publishing, "setspn -S \"%s\" %.*s", value,
                 bare_length(account), account);
}

static void
advise_scp(const struct publishing *publishing, const char *dn,
           const char *rights)
{
    const struct publish_settings *settings = publishing->settings;

    tell_command(publishing, "kerbwrap publish -c %s --ccache default %s",
                 quote(settings->config).text, settings->name);
    tell_command(publishing, "dsacls \"%s\" /G \"%s:%s\"", dn,
                 settings->principal, rights);
}

/* Computers may give themselves names of two parts and their own host. */
static void
name_spn_right(const struct publishing *publishing, struct error *err)
{
    struct error why = *err;

    error_set(err,
              "%s needs the right \"Write servicePrincipalName\" on %s (a "
              "computer may by itself register CLASS/HOST of its own host "
              "only): %s",
              publishing->settings->principal,
              publishing_show(publishing->holder.dn).text, why.text);
}

static void
name_scp_right(const struct publishing *publishing, const char *right,
               const char *dn, struct error *err)
{
    struct error why = *err;

    error_set(err, "%s needs the right \"%s\" on %s: %s",
              publishing->settings->principal, right, publishing_show(dn).text,
              why.text);
}

void
advise(const struct publishing *publishing, const struct step *step,
       enum write_status status, struct error *err)
{
    if (status != WRITE_DENIED &&
        (status != WRITE_CONSTRAINT || step->spn == NULL))
        return;
    if (step->spn != NULL) {
        name_spn_right(publishing, err);
        advise_spn(publishing, step->spn);
    } else if (step->kind == STEP_CREATE) {
        name_scp_right(publishing, "Create serviceConnectionPoint objects",
                       publishing->computer.dn, err);
        advise_scp(publishing, publishing->computer.dn,
                   "CC;serviceConnectionPoint");
    } else if (step->kind == STEP_MODIFY) {
        name_scp_right(publishing, "Write all properties", step->dn, err);
        advise_scp(publishing, step->dn, "WP");
    } else {
        name_scp_right(publishing, "Delete", step->dn, err);
        tell_command(publishing, "kerbwrap unpublish -c %s --ccache default %s",
                     quote(publishing->settings->config).text,
                     publishing->settings->name);
        tell_command(publishing, "dsacls \"%s\" /G \"%s:SD\"", step->dn,
                     publishing->settings->principal);
    }
}
