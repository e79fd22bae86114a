/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every metric: METRIC(scope, name, type, labels, help, source).  Of the
 * process, or of each service, with the labels service and role then; source
 * is the function of metrics.c that writes its samples.  kerbwrap(8) lists the
 * same table; a test holds the two together.
 */
#ifndef PROXY_METRICS_TABLE_H
#define PROXY_METRICS_TABLE_H

/* clang-format off */
#define METRICS(METRIC)                                                                                   \
    METRIC(SERVICE, "kerbwrap_ready",                    GAUGE,     "",        "Whether the service can serve: listening, its names registered, a server known", ready) \
    METRIC(SERVICE, "kerbwrap_connections",              GAUGE,     "",        "Connections that there are now, handshakes included", connections) \
    METRIC(SERVICE, "kerbwrap_accepted_total",           COUNTER,   "",        "Connections that were accepted", accepted) \
    METRIC(SERVICE, "kerbwrap_handshakes_total",         COUNTER,   "outcome", "How openings ended: opened, failed, refused by a rule, or probe", handshakes) \
    METRIC(SERVICE, "kerbwrap_handshake_errors_total",   COUNTER,   "error",   "Failures by error of the Kerberos library or kind, failed attempts at one of several servers included", errors) \
    METRIC(SERVICE, "kerbwrap_failovers_total",          COUNTER,   "",        "Times that the next of several servers was tried", failovers) \
    METRIC(SERVICE, "kerbwrap_handshake_seconds",        HISTOGRAM, "",        "From accepting a connection until its peer was proved", handshake_seconds) \
    METRIC(SERVICE, "kerbwrap_connection_seconds",       HISTOGRAM, "",        "From opening a connection to its end", connection_seconds) \
    METRIC(SERVICE, "kerbwrap_received_bytes_total",     COUNTER,   "",        "Bytes of applications that came from the tunnel", received) \
    METRIC(SERVICE, "kerbwrap_sent_bytes_total",         COUNTER,   "",        "Bytes of applications that went into the tunnel", sent) \
    METRIC(SERVICE, "kerbwrap_ticket_seconds",           GAUGE,     "",        "Of a client, until its ticket-granting ticket ends; 0: it has none", ticket_seconds) \
    METRIC(SERVICE, "kerbwrap_keytab_readable",          GAUGE,     "",        "Whether the keytab could be read when last looked at", keytab_readable) \
    METRIC(SERVICE, "kerbwrap_keytab_kvno",              GAUGE,     "",        "The highest key version number in the keytab", keytab_kvno) \
    METRIC(SERVICE, "kerbwrap_keytab_seconds",           GAUGE,     "",        "Since the newest key was written into the keytab", keytab_seconds) \
    METRIC(SERVICE, "kerbwrap_directory_answer_seconds", GAUGE,     "",        "Since the directory gave the answer that is in use", answer_seconds) \
    METRIC(SERVICE, "kerbwrap_directory_servers",        GAUGE,     "",        "Servers that the directory offers and the local rules allow", servers) \
    METRIC(PROCESS, "kerbwrap_build_info",               GAUGE,     "version", "Always 1", build) \
    METRIC(PROCESS, "kerbwrap_uptime_seconds",           GAUGE,     "",        "Since the start", uptime) \
    METRIC(PROCESS, "kerbwrap_stopping",                 GAUGE,     "",        "Whether it was told to stop and lets connections finish", stopping) \
    METRIC(PROCESS, "kerbwrap_connections_limit",        GAUGE,     "",        "max_connections, as far as descriptors allow", limit) \
    METRIC(PROCESS, "kerbwrap_handshakes",               GAUGE,     "",        "Handshakes of servers that are under way", handshakes_now) \
    METRIC(PROCESS, "kerbwrap_held",                     GAUGE,     "",        "Connections that wait for a place among the handshakes", held) \
    METRIC(PROCESS, "kerbwrap_buffer_bytes",             GAUGE,     "",        "Memory of batches in flight that counts towards buffer_memory", buffers) \
    METRIC(PROCESS, "kerbwrap_buffer_limit_bytes",       GAUGE,     "",        "buffer_memory", buffers_limit) \
    METRIC(PROCESS, "kerbwrap_log_dropped_total",        COUNTER,   "",        "Lines of the log that could not be written in time", log_lost) \
    METRIC(PROCESS, "kerbwrap_pool_threads",             GAUGE,     "",        "Threads for what can block", threads) \
    METRIC(PROCESS, "kerbwrap_lane_jobs",                GAUGE,     "lane state", "Jobs of a lane, running or queued, while it has any", lane_jobs) \
    METRIC(PROCESS, "kerbwrap_lane_seconds",             HISTOGRAM, "lane",    "How long jobs of a lane were at work", lane_seconds) \
    METRIC(PROCESS, "kerbwrap_kdc_seconds",              HISTOGRAM, "realm",   "How long exchanges with the KDCs of a realm took", kdc_seconds) \
    METRIC(PROCESS, "process_cpu_seconds_total",         COUNTER,   "",        "Processor time of the process, user and system", cpu_seconds) \
    METRIC(PROCESS, "process_resident_memory_bytes",     GAUGE,     "",        "Resident memory of the process", resident) \
    METRIC(PROCESS, "process_start_time_seconds",        GAUGE,     "",        "When the process started, since 1970", start_time)
/* clang-format on */

#endif
