/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Searching, page after page.  Referrals are left alone: what lies behind them is
 * not part of the answer.
 */
#include "directory/ldapclient_parts.h"

#include <lber.h>

enum {
    PAGE_SIZE = 500,
    PAGES_MAX = 200,
};

static bool
copy_attribute(LDAP *session, LDAPMessage *message, const char *name,
               struct entry *entry, struct error *err)
{
    struct berval **values = ldap_get_values_len(session, message, name);
    bool sound = true;

    for (size_t i = 0; sound && values != NULL && values[i] != NULL; i++)
        sound = entry_add(entry, name, values[i]->bv_val, values[i]->bv_len,
                          err);
    ldap_value_free_len(values);
    return sound;
}

/* Entries that break a limit as a whole are left out; the others matter. */
static bool
copy_entry(LDAP *session, LDAPMessage *message, struct entry_list *list,
           struct error *err)
{
    char *dn = ldap_get_dn(session, message);
    BerElement *position = NULL;
    struct entry entry;

    bool usable = dn != NULL && entry_init(&entry, dn, NULL);
    ldap_memfree(dn);
    if (!usable) {
        list->cut = true;
        return true;
    }
    bool sound = true;
    for (char *name = ldap_first_attribute(session, message, &position);
         name != NULL; name = ldap_next_attribute(session, message, position)) {
        sound = sound && copy_attribute(session, message, name, &entry, err);
        ldap_memfree(name);
    }
    ber_free(position, 0);
    if (!sound) {
        entry_clear(&entry);
        return false;
    }
    return entry_list_take(list, &entry, err);
}

/* The cookie of the next page; as it is when there is none. */
static void
take_cookie(LDAP *session, LDAPMessage *result, struct berval *cookie)
{
    LDAPControl **controls = NULL;
    ber_int_t estimate;
    struct berval next = {.bv_len = 0};

    if (ldap_parse_result(session, result, NULL, NULL, NULL, NULL, &controls,
                          0) != LDAP_SUCCESS)
        return;
    LDAPControl *page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls,
                                          NULL);
    if (page != NULL && ldap_parse_pageresponse_control(
                            session, page, &estimate, &next) == LDAP_SUCCESS)
        *cookie = next;
    ldap_controls_free(controls);
}

static enum directory_status
take_page(struct ldapclient *client, LDAPMessage *result, struct berval *cookie,
          struct entry_list *list, struct error *err)
{
    for (LDAPMessage *message = ldap_first_entry(client->session, result);
         message != NULL; message = ldap_next_entry(client->session, message)) {
        if (!copy_entry(client->session, message, list, err))
            return DIRECTORY_REFUSED;
    }
    take_cookie(client->session, result, cookie);
    return DIRECTORY_ANSWERED;
}

/* One page; cookie, owned by the caller, becomes that of the next. */
static enum directory_status
search_page(struct ldapclient *client, const struct search *search,
            struct berval *cookie, struct entry_list *list, struct error *err)
{
    bool whole_tree = search->scope == SEARCH_SUBTREE;
    LDAPControl *controls[2] = {NULL, NULL};
    LDAPMessage *result = NULL;
    int code = LDAP_SUCCESS;

    if (whole_tree)
        code = ldap_create_page_control(client->session, PAGE_SIZE, cookie, 0,
                                        &controls[0]);
    ber_memfree(cookie->bv_val);
    *cookie = (struct berval){.bv_len = 0};
    if (code == LDAP_SUCCESS) {
        code = ldap_search_ext_s(client->session, search->base,
                                 whole_tree ? LDAP_SCOPE_SUBTREE
                                            : LDAP_SCOPE_BASE,
                                 search->filter, (char **)search->attributes, 0,
                                 controls, NULL, NULL, LDAP_NO_LIMIT, &result);
    }
    if (controls[0] != NULL)
        ldap_control_free(controls[0]);

    enum directory_status status = ldapclient_status(code);
    if (status != DIRECTORY_ANSWERED)
        ldapclient_explain(client, code, "search in", err);
    else if (result != NULL)
        status = take_page(client, result, cookie, list, err);
    ldap_msgfree(result);
    return status;
}

enum directory_status
ldapclient_search(struct ldapclient *client, const struct search *search,
                  struct entry_list *list, struct error *err)
{
    struct berval cookie = {.bv_len = 0};
    enum directory_status status;
    unsigned pages = 0;

    do {
        status = search_page(client, search, &cookie, list, err);
        pages++;
    } while (status == DIRECTORY_ANSWERED && cookie.bv_len != 0 && !list->cut &&
             pages < PAGES_MAX);
    if (cookie.bv_len != 0)
        list->cut = true;
    ber_memfree(cookie.bv_val);
    return status;
}
