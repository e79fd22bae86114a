/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row after the other.  Each runs in a thread of its own, because a library
 * that waits for a KDC cannot be interrupted: who is late is left behind with
 * all that it uses, which is why nothing is freed then.  A row works on a copy of
 * the patient, which counts only when it ends in time.  What copies share are
 * credentials, which threads may share, and what nobody changes any more.
 */
#include "doctor/exam.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/thread.h"

enum {
    ALTOGETHER_MS = 28000,
    GRACE_MS = 300, /* for checks that have a clock of their own */
};

struct exam {
    const struct doctor_settings *settings;
    struct doctor_result result;
    uint64_t until_ms;
    struct error *err;
};

enum errand_state {
    ERRAND_RUNNING,
    ERRAND_ENDED,
    ERRAND_ABANDONED,
};

struct errand {
    atomic_int state;
    int ended_fd; /* owned; readable once it has */
    pthread_t thread;
    const struct check *check;
    struct patient patient; /* the copy */
    struct visit visit;
};

/* --- telling -------------------------------------------------------------- */

static void
tell(struct exam *exam, const struct patient *patient,
     const struct check *check, const struct note *note)
{
    bool wrong = note->verdict == VERDICT_WARN || note->verdict == VERDICT_FAIL;
    struct finding finding = {
        .verdict = note->verdict,
        .section = patient->title,
        .check = check->name,
        .text = note->text,
        .advice = !wrong                    ? ""
                  : note->advice[0] != '\0' ? note->advice
                                            : check->advice,
    };

    exam->result.count[note->verdict]++;
    exam->settings->tell(&finding, exam->settings->arg);
}

static void
tell_skipped(struct exam *exam, const struct patient *patient,
             const struct check *check, const char *why)
{
    struct note note = {.verdict = VERDICT_SKIP};

    snprintf(note.text, sizeof note.text, "not tried, %s", why);
    tell(exam, patient, check, &note);
}

/* --- one row ------------------------------------------------------------- */

static void
errand_free(struct errand *errand)
{
    close(errand->ended_fd);
    free(errand);
}

/* The first of the two that says how it ended decides who frees it. */
static bool
settle(struct errand *errand, enum errand_state state)
{
    int running = ERRAND_RUNNING;

    return atomic_compare_exchange_strong(&errand->state, &running, state);
}

static void *
run_errand(void *arg)
{
    struct errand *errand = arg;
    static const uint64_t one = 1;

    errand->check->run(&errand->visit);
    if (!settle(errand, ERRAND_ENDED))
        errand_free(errand);
    else
        (void)!write(errand->ended_fd, &one, sizeof one);
    return NULL;
}

static struct errand *
errand_start(const struct check *check, const struct patient *patient,
             const struct server *server, uint64_t patience_ms,
             struct error *err)
{
    struct errand *errand = calloc(1, sizeof *errand);

    if (errand == NULL) {
        error_set(err, "cannot try anything: out of memory");
        return NULL;
    }
    errand->ended_fd = eventfd(0, EFD_CLOEXEC);
    if (errand->ended_fd < 0) {
        error_set_errno(err, errno, "cannot try anything");
        free(errand);
        return NULL;
    }
    atomic_init(&errand->state, ERRAND_RUNNING);
    errand->check = check;
    errand->patient = *patient;
    errand->visit.patient = &errand->patient;
    if (server != NULL)
        errand->visit.server =
            &errand->patient.servers[server - patient->servers];
    errand->visit.patience_ms = patience_ms;
    if (thread_start(check->name, run_errand, errand, &errand->thread, err))
        return errand;
    errand_free(errand);
    return NULL;
}

/* False: it is late, and the thread's alone from now on. */
static bool
errand_await(struct errand *errand, uint64_t ms)
{
    struct pollfd wait = {.fd = errand->ended_fd, .events = POLLIN};
    pthread_t thread = errand->thread;

    while (poll(&wait, 1, (int)ms) < 0 && errno == EINTR)
        ;
    if (settle(errand, ERRAND_ABANDONED)) {
        pthread_detach(thread);
        return false;
    }
    pthread_join(thread, NULL);
    return true;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
patience_of(const struct check *check, const struct patient *patient)
{
    const struct service_settings *service = patient->service;
    const struct config *config = patient->settings->config;

    switch (check->patience) {
    case PATIENCE_NAMES:
        return 4000;
    case PATIENCE_KDC:
        return least(service->handshake_timeout, 6000);
    case PATIENCE_DIRECTORY:
        return least(config->directory.timeout * 4, 10000);
    case PATIENCE_CONNECT:
        return least(service->connect_timeout, 5000);
    case PATIENCE_HANDSHAKE:
        return least(service->handshake_timeout, 6000);
    case PATIENCE_LOCAL:
    default:
        return 4000;
    }
}

static unsigned
facts_of(const struct patient *patient, const struct server *server)
{
    return patient->facts | patient_machine(patient)->facts |
           (server != NULL ? server->facts : 0);
}

/* What the notes of a row that ended amount to. */
static void
conclude(struct exam *exam, struct errand *errand, struct patient *patient,
         struct server *server)
{
    const struct check *check = errand->check;
    const struct visit *visit = &errand->visit;
    bool proved = true;

    *patient = errand->patient;
    exam->result.stuck = exam->result.stuck || visit->stuck;

    for (size_t i = 0; i < visit->count; i++) {
        const struct note *note = &visit->notes[i];
        proved = proved && note->verdict != VERDICT_FAIL &&
                 note->verdict != VERDICT_SKIP;
        tell(exam, patient, check, note);
    }
    if (!proved)
        return;
    if (server != NULL)
        server->facts |= check->proves;
    else
        patient->facts |= check->proves;
}

static bool
try_row(struct exam *exam, const struct check *check, struct patient *patient,
        struct server *server)
{
    uint64_t now = loop_now_ms();
    uint64_t left = exam->until_ms > now ? exam->until_ms - now : 0;
    uint64_t patience = least(patience_of(check, patient), left);
    struct note late = {.verdict = VERDICT_FAIL};
    struct errand *errand;

    if (left == 0) {
        tell_skipped(exam, patient, check,
                     "because no time is left; name this service alone");
        return true;
    }
    errand = errand_start(check, patient, server, patience, exam->err);
    if (errand == NULL)
        return false;
    if (errand_await(errand, patience + GRACE_MS)) {
        conclude(exam, errand, patient, server);
        errand_free(errand);
        return true;
    }
    exam->result.stuck = true;
    snprintf(late.text, sizeof late.text,
             "no answer within %.1f s while %s%s%s", (double)patience / 1000,
             check->trying, check->patience == PATIENCE_KDC ? " of " : "",
             check->patience == PATIENCE_KDC ? patient->realm : "");
    tell(exam, patient, check, &late);
    return true;
}

/* The row that should have proved one of the facts. */
static const char *
culprit(unsigned facts, const struct patient *patient)
{
    for (size_t i = 0; i < exam_check_count; i++) {
        const struct check *check = &exam_checks[i];
        bool ours = patient->service == NULL ? check->whose == OF_MACHINE
                    : patient->service->role == ROLE_SERVER
                        ? (check->whose & OF_SERVERS) != 0
                        : (check->whose & (OF_CLIENTS | OF_EACH_SERVER)) != 0;
        if ((check->proves & facts) != 0 &&
            (ours || check->whose == OF_MACHINE))
            return check->name;
    }
    return "what is above";
}

static bool
consider_row(struct exam *exam, const struct check *check,
             struct patient *patient, struct server *server)
{
    unsigned missing = check->needs & ~facts_of(patient, server);
    char why[80];

    if (check->applies != NULL && !check->applies(patient)) {
        patient->facts |= check->proves;
        return true;
    }
    if (missing == 0)
        return try_row(exam, check, patient, server);
    snprintf(why, sizeof why, "because of `%s`", culprit(missing, patient));
    tell_skipped(exam, patient, check, why);
    return true;
}

static unsigned
whose_rows(const struct patient *patient)
{
    if (patient->service == NULL)
        return OF_MACHINE;
    return patient->service->role == ROLE_SERVER ? OF_SERVERS : OF_CLIENTS;
}

static bool
examine(struct exam *exam, struct patient *patient)
{
    bool is_client = whose_rows(patient) == OF_CLIENTS;

    for (size_t i = 0; i < exam_check_count; i++) {
        const struct check *check = &exam_checks[i];
        if ((check->whose & whose_rows(patient)) != 0 &&
            !consider_row(exam, check, patient, NULL))
            return false;
        if ((check->whose & OF_EACH_SERVER) == 0 || !is_client)
            continue;
        for (size_t k = 0; k < patient->server_count; k++)
            if (!consider_row(exam, check, patient, &patient->servers[k]))
                return false;
    }
    return true;
}

/* --- all of them --------------------------------------------------------- */

const struct patient *
patient_machine(const struct patient *patient)
{
    while (patient->previous != NULL)
        patient = patient->previous;
    return patient;
}

static void
patient_init(struct patient *patient, const struct doctor_settings *settings,
             const struct service_settings *service)
{
    patient->settings = settings;
    patient->service = service;
    if (service == NULL)
        snprintf(patient->title, sizeof patient->title, "kerbwrap");
    else
        snprintf(patient->title, sizeof patient->title, "%s %s",
                 role_name(service->role), service->name);
}

static void
patient_clear(struct patient *patient)
{
    registrar_free(patient->registrar);
    credential_release(patient->credential);
    keytab_clear(&patient->keys);
}

bool
doctor_examine(const struct doctor_settings *settings,
               struct doctor_result *result_out, struct error *err)
{
    const struct config *config = settings->config;
    struct exam exam = {
        .settings = settings,
        .until_ms = loop_now_ms() + ALTOGETHER_MS,
        .err = err,
    };
    struct patient *patients = calloc(config->service_count + 1,
                                      sizeof *patients);
    size_t count = 1;
    bool ok = true;

    if (patients == NULL) {
        error_set(err, "cannot begin: out of memory");
        return false;
    }
    patient_init(&patients[0], settings, NULL);
    for (size_t i = 0; i < config->service_count; i++) {
        const struct service_settings *service = &config->services[i];
        if (settings->service != NULL && settings->service != service)
            continue;
        patients[count].previous = &patients[count - 1];
        patient_init(&patients[count++], settings, service);
    }
    for (size_t i = 0; i < count && ok; i++)
        ok = examine(&exam, &patients[i]);
    if (!exam.result.stuck) {
        for (size_t i = 0; i < count; i++)
            patient_clear(&patients[i]);
        free(patients);
    }
    *result_out = exam.result;
    return ok;
}
