/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows' functions, for the table.  Private to src/doctor. */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

#include "doctor/visit.h"

/* checks_machine.c */
void examine_krb5_conf(struct visit *visit);
void examine_limits(struct visit *visit);
void examine_engine(struct visit *visit);
void examine_state_dir(struct visit *visit);
void examine_runtime_dir(struct visit *visit);
void examine_log_target(struct visit *visit);
bool has_state_dir(const struct patient *patient);
bool has_runtime_dir(const struct patient *patient);
bool has_log_file(const struct patient *patient);

/* checks_user.c */
void examine_user(struct visit *visit);
bool has_user(const struct patient *patient);

/* checks_kerberos.c */
void examine_kdc(struct visit *visit);
void examine_clock(struct visit *visit);
void examine_client_login(struct visit *visit);
void examine_server_login(struct visit *visit);
void examine_client_credential(struct visit *visit);

/* checks_keytab.c */
void examine_keytab(struct visit *visit);
void examine_names(struct visit *visit);
void examine_keys(struct visit *visit);

/* checks_local.c: what is on this machine */
void examine_accept(struct visit *visit);
void examine_status(struct visit *visit);
void examine_application(struct visit *visit);
void examine_replay_cache(struct visit *visit);
void examine_rules(struct visit *visit);
bool has_status(const struct patient *patient);
bool has_replay_cache(const struct patient *patient);
bool has_principal(const struct patient *patient);

/* checks_tunnel.c: the way to a server sidecar */
void examine_own_name(struct visit *visit);
void examine_own_handshake(struct visit *visit);
void examine_name(struct visit *visit);
void examine_ticket(struct visit *visit);
void examine_reach(struct visit *visit);
void examine_handshake(struct visit *visit);
bool has_published_name(const struct patient *patient);

/* checks_directory.c */
void examine_directory(struct visit *visit);
void examine_spns(struct visit *visit);
void examine_scp(struct visit *visit);
void examine_servers(struct visit *visit);
bool has_directory(const struct patient *patient);
bool has_scp(const struct patient *patient);

/* The name of this machine in the network: "web1", with the domain of
 * [directory] behind it. */
void name_this_machine(const struct patient *patient, char name[HOST_SIZE]);

#endif
