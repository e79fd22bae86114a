/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every event that kerbwrap logs: LOG_EVENT(symbol, name, level, fields).
 * kerbwrap(8) lists the same table; a test holds the two together.
 */
#ifndef BASE_LOG_EVENTS_H
#define BASE_LOG_EVENTS_H

/* clang-format off */
#define LOG_EVENTS(LOG_EVENT)                                                                                   \
    LOG_EVENT(STARTED,        "started",        INFO,    "version pid threads")                                 \
    LOG_EVENT(LISTENING,      "listening",      INFO,    "service address")                                     \
    LOG_EVENT(UP,             "up",             INFO,    "service id peer_id peer from to target enctype ticket_enctype engine protection rule") \
    LOG_EVENT(DOWN,           "down",           INFO,    "service id peer_id peer reason duration received sent")  \
    LOG_EVENT(FAILED,         "failed",         WARNING, "service id peer from to target rule reason duration") \
    LOG_EVENT(REFUSED,        "refused",        WARNING, "service id peer from to target rule reason duration") \
    LOG_EVENT(PROBE,          "probe",          DEBUG,   "service id peer from reason duration") \
    LOG_EVENT(PROGRAM_ENDED,  "program_ended",  INFO,    "service id pid reason")                               \
    LOG_EVENT(PROGRAM_FAILED, "program_failed", WARNING, "service id pid reason")                               \
    LOG_EVENT(CANDIDATE,      "candidate",      WARNING, "service id to target reason")                         \
    LOG_EVENT(CREDENTIAL,     "credential",     INFO,    "service principal expires")                           \
    LOG_EVENT(CREDENTIAL_BAD, "credential_bad", WARNING, "service principal reason")                            \
    LOG_EVENT(DISCOVERED,     "discovered",     INFO,    "service outcome servers rejected age reason")            \
    LOG_EVENT(DISCOVERY_BAD,  "discovery_bad",  WARNING, "service servers age reason")                           \
    LOG_EVENT(REJECTED,       "rejected",       WARNING, "service scp reason")                                   \
    LOG_EVENT(ACCEPT_PAUSED,  "accept_paused",  WARNING, "service reason")                                      \
    LOG_EVENT(ACCEPT_RESUMED, "accept_resumed", INFO,    "service")                                             \
    LOG_EVENT(SUPPRESSED,     "suppressed",     WARNING, "suppressed_event lines")                              \
    LOG_EVENT(DROPPED,        "dropped",        WARNING, "lines")                                               \
    LOG_EVENT(RELOADED,       "reloaded",       INFO,    "file services")                                       \
    LOG_EVENT(RELOAD_FAILED,  "reload_failed",  ERROR,   "file reason")                                         \
    LOG_EVENT(DRAINING,       "draining",       INFO,    "connections timeout")                                 \
    LOG_EVENT(STOPPED,        "stopped",        INFO,    "reason")                                              \
    LOG_EVENT(NOTICE,         "notice",         INFO,    "service reason")                                      \
    LOG_EVENT(WARN,           "warning",        WARNING, "service reason")                                      \
    LOG_EVENT(ERROR,          "error",          ERROR,   "service reason")                                      \
    LOG_EVENT(DETAIL,         "detail",         DEBUG,   "service id reason")
/* clang-format on */

#define LOG_EVENT_ENUM(symbol, name, level, fields) EVENT_##symbol,
enum log_event {
    LOG_EVENTS(LOG_EVENT_ENUM) EVENT_COUNT
};
#undef LOG_EVENT_ENUM

#endif
