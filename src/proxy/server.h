/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process: everything that lives as long as it does, signals, reload and
 * the end.
 */
#ifndef PROXY_SERVER_H
#define PROXY_SERVER_H

/*
 * Runs the file's tunnels until SIGTERM or SIGINT.  Returns the exit status of
 * the process: 0 after an orderly end, 1 when something failed, 2 for a bad
 * configuration.  What it has to say goes to the log, or to standard error
 * before there is one.
 */
int server_run(const char *path);

struct config;

/* How many descriptors max_connections of them need. */
unsigned server_descriptors(const struct config *config);

#endif
