/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of single values, for the option table: is what was written usable?
 */
#ifndef CONFIG_CHECKS_H
#define CONFIG_CHECKS_H

#include <stdbool.h>

#include "base/error.h"

/* Letters, digits, '.', '_' and '-'; at most 64 of them. */
bool check_class(const char *value, struct error *err);

/* An engine that this build has and this processor can run. */
bool check_engine(const char *value, struct error *err);

/* What a HELLO carries as tunnel label. */
bool check_label(const char *value, struct error *err);

/* stderr, syslog, file:PATH */
bool check_log_target(const char *value, struct error *err);

/* An endpoint of this machine, with a port or path that can be known. */
bool check_status(const char *value, struct error *err);

/* CLASS/HOST, with whatever follows. */
bool check_spn(const char *value, struct error *err);

/* ldap://HOST[:PORT] */
bool check_uri(const char *value, struct error *err);

/* A DNS name; with stars in it, for check_host_pattern. */
bool check_host(const char *value, struct error *err);
bool check_host_pattern(const char *value, struct error *err);

/* A distinguished name; or that or an objectGUID, for check_scp. */
bool check_dn(const char *value, struct error *err);
bool check_scp(const char *value, struct error *err);

/* An address to connect to, not one to be handed over. */
bool check_connect(const char *value, struct error *err);

/* USER or USER:GROUP; whether they exist is for start. */
bool check_owner(const char *value, struct error *err);

/* The NAME of a [server NAME] or [client NAME]. */
bool check_service_name(const char *value, struct error *err);

#endif
