/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From findings to candidates: the last judging, and the SPN of each that
 * passes.  Private to the lookup.
 */
#ifndef DIRECTORY_VERDICTS_H
#define DIRECTORY_VERDICTS_H

#include "base/error.h"
#include "directory/discovery.h"
#include "directory/judge.h"
#include "directory/spn.h"
#include "directory/survey.h"

/* Adds the candidates of all findings, by the names of their SCPs. */
MUST_CHECK bool verdicts_give(struct discovery *discovery,
                              struct findings *findings,
                              const struct judge_rules *rules,
                              enum spn_format format, struct error *err);

#endif
