/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks, in the order in which they are tried: each builds on what those
 * before it found sound. */
#include "doctor/exam.h"

#include "doctor/checks.h"

/* clang-format off */
const struct check exam_checks[] = {
    {"krb5.conf",     OF_MACHINE,     0, FACT_KRB5_CONF, PATIENCE_LOCAL, NULL, examine_krb5_conf,
     "reading krb5.conf", "correct /etc/krb5.conf, or the file that KRB5_CONFIG names"},
    {"limits",        OF_MACHINE,     0, 0, PATIENCE_LOCAL, NULL, examine_limits,
     "reading limits", "raise LimitNOFILE= of the unit or `ulimit -n`, or lower max_connections"},
    {"engine",        OF_MACHINE,     0, 0, PATIENCE_LOCAL, NULL, examine_engine,
     "looking for engines", "set engine = auto"},
    {"state_dir",     OF_MACHINE,     0, 0, PATIENCE_LOCAL, has_state_dir, examine_state_dir,
     "looking at state_dir", "create it for the user kerbwrap runs as, or set state_dir"},
    {"runtime_dir",   OF_MACHINE,     0, 0, PATIENCE_LOCAL, has_runtime_dir, examine_runtime_dir,
     "looking at runtime_dir", "create it for the user kerbwrap runs as, or set runtime_dir"},
    {"log_target",    OF_MACHINE,     0, 0, PATIENCE_LOCAL, has_log_file, examine_log_target,
     "looking at log_target", "create its directory for the user kerbwrap runs as, or set log_target"},
    {"user",          OF_MACHINE,     0, 0, PATIENCE_NAMES, has_user, examine_user,
     "looking for user and group", "create the user (useradd --system), or correct user and group"},
    {"status",        OF_MACHINE,     0, 0, PATIENCE_NAMES, has_status, examine_status,
     "looking at the status address", "end the other program, or set status"},

    {"keytab",        OF_SERVERS,     FACT_KRB5_CONF, FACT_KEYTAB, PATIENCE_LOCAL, NULL, examine_keytab,
     "reading the keytab", "export the service's keys into it (ktadd, msktutil, ktpass), readable for the user kerbwrap runs as"},
    {"credential",    OF_CLIENTS,     FACT_KRB5_CONF, FACT_KEYTAB, PATIENCE_LOCAL, NULL, examine_client_credential,
     "reading the credential", "correct keytab, principal or ccache; klist -k shows whose keys a keytab holds"},
    {"names",         OF_SERVERS,     FACT_KEYTAB, FACT_NAMES, PATIENCE_LOCAL, NULL, examine_names,
     "looking for the service's names", "export the keys of that name into the keytab, or correct spn and service_class"},
    {"KDC",           OF_SERVERS | OF_CLIENTS, FACT_KEYTAB, FACT_KDC, PATIENCE_KDC, NULL, examine_kdc,
     "asking a KDC", "see that a KDC runs, that krb5.conf or DNS names it, and that no firewall stops port 88"},
    {"clock",         OF_SERVERS | OF_CLIENTS, FACT_KDC, FACT_CLOCK, PATIENCE_LOCAL, NULL, examine_clock,
     "comparing clocks", "set the clocks of this machine and of the KDC (NTP)"},
    {"login",         OF_CLIENTS,     FACT_KDC | FACT_CLOCK, FACT_LOGIN, PATIENCE_KDC, NULL, examine_client_login,
     "getting a first ticket from a KDC", "export a new keytab of the principal (ktadd, msktutil, ktpass), and see to its account"},
    {"login",         OF_SERVERS,     FACT_NAMES | FACT_KDC | FACT_CLOCK, FACT_LOGIN, PATIENCE_KDC, NULL, examine_server_login,
     "getting a first ticket from a KDC", "export the account's keys into the keytab again (ktadd, msktutil, ktpass), and see to the account"},
    {"key",           OF_SERVERS,     FACT_LOGIN, FACT_KEYS, PATIENCE_KDC, NULL, examine_keys,
     "getting a ticket for this service from a KDC", "export the key of that name into the keytab again (ktadd, msktutil, ktpass)"},
    {"DNS",           OF_SERVERS,     0, 0, PATIENCE_NAMES, has_published_name, examine_own_name,
     "asking the name service", "give the name an address in DNS, or set dns_name"},
    {"accept",        OF_SERVERS | OF_CLIENTS, 0, FACT_ACCEPT, PATIENCE_NAMES, NULL, examine_accept,
     "looking at the listener", "end the other program, or choose another address with accept"},
    {"application",   OF_SERVERS,     0, 0, PATIENCE_NAMES, NULL, examine_application,
     "looking for the application", "start the application, correct connect, or give the user kerbwrap runs as rights to its socket"},
    {"replay cache",  OF_SERVERS,     0, 0, PATIENCE_LOCAL, has_replay_cache, examine_replay_cache,
     "looking at the replay cache", "give the file to the user kerbwrap runs as, or remove it"},
    {"rules",         OF_SERVERS,     0, 0, PATIENCE_NAMES, has_principal, examine_rules,
     "reading the rules", "add the principal to allow, or take away what denies it"},
    {"directory",     OF_SERVERS,     FACT_KRB5_CONF, FACT_DIRECTORY, PATIENCE_DIRECTORY, has_directory, examine_directory,
     "asking the directory", "see that the directory's servers run, and that uri of [directory] or DNS names them"},
    {"SPN",           OF_SERVERS,     FACT_DIRECTORY, 0, PATIENCE_DIRECTORY, has_directory, examine_spns,
     "looking for the names in the directory", "kerbwrap publish, kerbwrap spn add, or setspn -S"},
    {"SCP",           OF_SERVERS,     FACT_DIRECTORY, 0, PATIENCE_DIRECTORY, has_scp, examine_scp,
     "looking for the service connection point", "kerbwrap publish"},
    {"handshake",     OF_SERVERS,     FACT_ACCEPT | FACT_LOGIN | FACT_KEYS, 0, PATIENCE_HANDSHAKE, NULL, examine_own_handshake,
     "trying a handshake with the running kerbwrap", "see the log of the running kerbwrap; restart it when its configuration is older than the file"},

    {"servers",       OF_CLIENTS,     FACT_KRB5_CONF, FACT_SERVERS, PATIENCE_DIRECTORY, NULL, examine_servers,
     "asking the directory for servers", "kerbwrap discover shows each candidate and its verdict"},
    {"DNS",           OF_EACH_SERVER, 0, FACT_NAME, PATIENCE_NAMES, NULL, examine_name,
     "asking the name service", "give the name an address in DNS or /etc/hosts, or correct connect"},
    {"ticket",        OF_EACH_SERVER, FACT_LOGIN, FACT_TICKET, PATIENCE_KDC, NULL, examine_ticket,
     "getting a ticket for the server from a KDC", "register the server's SPN (kerbwrap publish, setspn -S, addprinc), with AES keys, or correct spn and spn_format"},
    {"reach",         OF_EACH_SERVER, FACT_NAME, FACT_REACH, PATIENCE_CONNECT, NULL, examine_reach,
     "connecting to the server", "see that kerbwrap runs there, that its port is the one here, and that no firewall is between"},
    {"handshake",     OF_EACH_SERVER, FACT_TICKET | FACT_REACH, 0, PATIENCE_HANDSHAKE, NULL, examine_handshake,
     "trying a handshake with the server", "run kerbwrap doctor beside the server, and see its log"},
};
/* clang-format on */

const size_t exam_check_count = sizeof exam_checks / sizeof exam_checks[0];
