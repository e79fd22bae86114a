/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One SRV query with a resolver state of its own, so that any number of threads
 * may ask at once and each has its own patience.
 */
#include "directory/locate.h"

#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/nameser.h>

#include "base/text.h"

enum {
    ANSWER_SIZE = 65535,
    TRIES = 2,
    WAIT_SECONDS_MAX = 10,
};

/* libresolv waits retrans seconds for each server, and that again for each
 * further try. */
static void
set_patience(struct __res_state *state, unsigned timeout_ms)
{
    unsigned seconds = (timeout_ms + 999) / 1000 / TRIES;

    state->retry = TRIES;
    state->retrans = seconds == 0                 ? 1
                     : seconds > WAIT_SECONDS_MAX ? WAIT_SECONDS_MAX
                                                  : (int)seconds;
}

static enum srv_status
query(struct __res_state *state, const char *name, uint8_t *answer,
      struct srv_list *list_out, struct error *err)
{
    int length = res_nquery(state, name, ns_c_in, ns_t_srv, answer,
                            ANSWER_SIZE);

    if (length >= 0) {
        return srv_parse(answer,
                         (size_t)(length < ANSWER_SIZE ? length : ANSWER_SIZE),
                         list_out, err);
    }
    list_out->count = 0;
    list_out->skipped = 0;
    if (state->res_h_errno == HOST_NOT_FOUND || state->res_h_errno == NO_DATA)
        return SRV_NONE;
    error_set(err, "no name server answered");
    return SRV_FAILED;
}

enum srv_status
locate_srv(const char *name, unsigned timeout_ms, struct srv_list *list_out,
           struct error *err)
{
    struct __res_state state = {.options = 0};
    uint8_t *answer = malloc(ANSWER_SIZE);
    enum srv_status status = SRV_FAILED;
    char shown[256];

    if (answer == NULL) {
        error_set(err, "out of memory");
    } else if (res_ninit(&state) != 0) {
        error_set(err, "cannot read /etc/resolv.conf");
    } else {
        set_patience(&state, timeout_ms);
        status = query(&state, name, answer, list_out, err);
        res_nclose(&state);
    }
    free(answer);
    if (status == SRV_FAILED) {
        error_prefix(err, "cannot look up the SRV records of '%s'",
                     text_sanitize(name, strlen(name), shown, sizeof shown));
    }
    return status;
}
