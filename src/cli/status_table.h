/* SPDX-License-Identifier: BSD-2-Clause */
/* The document /status.json as tables for people. */
#ifndef CLI_STATUS_TABLE_H
#define CLI_STATUS_TABLE_H

#include "base/json_read.h"

void status_table_print(const struct json_value *document);

#endif
