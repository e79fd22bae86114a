/* SPDX-License-Identifier: BSD-2-Clause */
/* `spn list`, `add`, `delete` and `find-duplicates`: names on accounts. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "directory/spnnames.h"
#include "directory/spnvalue.h"
#include "proxy/registrar.h"

enum {
    SHOWN_SIZE = 4096
};

/* A command, connected. */
struct session {
    struct cli_options options;
    struct registrar *registrar;
    struct registry *registry;
    char asker[256]; /* the account that asks */
};

typedef bool session_work(struct session *session, struct error *err);

static const char *
safe(const char *text, char shown[SHOWN_SIZE])
{
    return text_sanitize(text, strlen(text), shown, SHOWN_SIZE);
}

/* "HOST/web1" is a name; "WEB1$" and "CN=a/b,DC=corp" are accounts. */
static bool
is_spn(const char *argument)
{
    size_t slash = strcspn(argument, "/");

    return argument[slash] == '/' && strcspn(argument, "=") > slash;
}

static void
tell_gaps(const struct registry *registry)
{
    const char *gap;

    for (size_t i = 0; (gap = registry_gap(registry, i)) != NULL; i++)
        cli_complain("not everything was looked at: %s", gap);
}

static bool
session_open(struct session *session, struct config *config, struct error *err)
{
    session->registrar = registrar_new(config, NULL, session->options.ccache, 1,
                                       err);
    if (session->registrar == NULL ||
        registry_open(&session->registrar->settings.registry,
                      &session->registry, err) != DIRECTORY_ANSWERED)
        return false;
    const char *name = credential_name(session->registrar->credential);
    snprintf(session->asker, sizeof session->asker, "%.*s",
             (int)strcspn(name, "@"), name);
    return true;
}

enum wanted {
    ACCOUNT_ONLY,
    NAMES_AND_ACCOUNT,
};

/* The arguments, before anybody is asked anything. */
static bool
are_sound(const struct cli_options *options, enum wanted wanted,
          const char *name)
{
    char shown[SHOWN_SIZE];
    const char *spn = "";
    int names = 0;

    for (int i = 0; i < options->more_count; i++) {
        if (is_spn(options->more[i]))
            spn = options->more[i];
        names += is_spn(options->more[i]);
    }
    if (wanted == NAMES_AND_ACCOUNT && names == 0)
        cli_complain("no SPN given, as CLASS/HOST: see kerbwrap %s --help",
                     name);
    else if (options->more_count - names > 1)
        cli_complain("name one account only: see kerbwrap %s --help", name);
    else if (wanted == ACCOUNT_ONLY && names > 0)
        cli_complain("unexpected argument \"%s\": see kerbwrap %s --help",
                     safe(spn, shown), name);
    else
        return true;
    return false;
}

static int
run(int argc, char **argv, enum wanted wanted, session_work *work)
{
    struct session session = {.registry = NULL};
    struct error error;
    int status;

    if (!cli_parse(argc, argv, &session.options, &status))
        return status;
    if (!are_sound(&session.options, wanted, argv[0]))
        return CLI_USAGE;
    struct config *config = config_load(session.options.config,
                                        cli_report_errors, NULL);
    if (config == NULL)
        return CLI_USAGE;
    status = directory_init(&error) && session_open(&session, config, &error) &&
                     work(&session, &error)
                 ? CLI_DONE
                 : CLI_FAILED;
    if (status != CLI_DONE)
        cli_complain("%s", error.text);
    registry_close(session.registry);
    registrar_free(session.registrar);
    config_release(config);
    return status;
}

/* The account among the arguments, else the one that asks. */
static bool
find_account(struct session *session, struct account *account_out,
             struct error *err)
{
    const char *name = NULL;

    for (int i = 0; i < session->options.more_count; i++) {
        const char *argument = session->options.more[i];
        if (is_spn(argument))
            continue;
        name = argument;
    }
    return account_find(session->registry, name != NULL ? name : session->asker,
                        account_out, err) == DIRECTORY_ANSWERED;
}

static bool
list(struct session *session, struct error *err)
{
    struct account account;
    struct spnname_list names;
    char shown[SHOWN_SIZE];

    if (!find_account(session, &account, err))
        return false;
    bool sound = spnnames_list(session->registry, &account, &names, err);
    if (sound) {
        for (size_t i = 0; i < names.count; i++)
            printf("%s\n", safe(names.items[i].value, shown));
        if (names.cut)
            cli_complain("%s has more names than these", account.name);
        spnnames_clear(&names);
    }
    account_clear(&account);
    return sound;
}

typedef bool name_work(struct registry *registry, const struct account *account,
                       const char *value, struct error *err);

/* Each of the names among the arguments; stops at the first that fails. */
static bool
each_name(struct session *session, name_work *work, const char *done,
          struct error *err)
{
    struct spn_cracked cracked;
    struct account account;
    char shown[SHOWN_SIZE];
    bool sound = find_account(session, &account, err);

    if (!sound)
        return false;
    for (int i = 0; i < session->options.more_count && sound; i++) {
        const char *value = session->options.more[i];
        if (!is_spn(value))
            continue;
        sound = spnvalue_crack(value, &cracked, err) &&
                work(session->registry, &account, value, err);
        if (sound)
            printf("%s %s %s\n", safe(value, shown), done, account.name);
    }
    tell_gaps(session->registry);
    account_clear(&account);
    return sound;
}

static bool
add(struct session *session, struct error *err)
{
    return each_name(session, spnnames_add, "is registered on", err);
}

static bool
drop(struct session *session, struct error *err)
{
    return each_name(session, spnnames_delete, "is not registered on", err);
}

static bool
find_duplicates(struct session *session, struct error *err)
{
    struct spnname_list names;
    char shown[SHOWN_SIZE];

    if (!spnnames_duplicates(session->registry, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        if (i == 0 ||
            !spnvalue_equal(names.items[i].value, names.items[i - 1].value))
            printf("%s is registered on these accounts:\n",
                   safe(names.items[i].value, shown));
        printf("    %s\n", safe(names.items[i].dn, shown));
    }
    tell_gaps(session->registry);
    if (names.cut)
        cli_complain("an account has more names than were looked at");
    bool none = names.count == 0;
    spnnames_clear(&names);
    if (none)
        printf("no name stands on several accounts\n");
    else
        error_set(err, "names stand on several accounts: nobody can "
                       "authenticate by them");
    return none;
}

int
command_spn_list(int argc, char **argv)
{
    return run(argc, argv, ACCOUNT_ONLY, list);
}

int
command_spn_add(int argc, char **argv)
{
    return run(argc, argv, NAMES_AND_ACCOUNT, add);
}

int
command_spn_delete(int argc, char **argv)
{
    return run(argc, argv, NAMES_AND_ACCOUNT, drop);
}

int
command_spn_find_duplicates(int argc, char **argv)
{
    return run(argc, argv, ACCOUNT_ONLY, find_duplicates);
}
