/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distinguished names as text, RFC 4514.  All comparing is done on a canonical
 * form, in which a bare ',' is always the end of an RDN, so that no escaping
 * trick moves a name below a container it is not in.
 */
#ifndef DIRECTORY_DN_H
#define DIRECTORY_DN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * The canonical form, to be freed: types and ASCII letters in lower case, blanks
 * around separators gone, escapes resolved and written anew as \xx wherever a
 * byte is not a letter, digit or one of "-._ $@/" or part of UTF-8, the parts of
 * an RDN with '+' sorted.  NULL for what is not a DN.  Two names that a server
 * takes for one but that differ in more (OID or alias for a type, case of letters
 * outside ASCII) stay different: the answer errs on the strict side.
 */
MUST_CHECK char *dn_canonical(const char *text, struct error *err);

/* On canonical forms.  parent: NULL for a name of one RDN or none. */
const char *dn_parent(const char *canonical);
bool dn_is_below(const char *canonical, const char *ancestor);

/* The text of the parent within text itself, spelled as it is; NULL when it has
 * none. text must be a DN. */
const char *dn_parent_text(const char *text);

/* The DNS name that the DC= parts of a canonical DN spell ("corp.example.test");
 * false when it has none, or too long. */
MUST_CHECK bool dn_domain(const char *canonical, char *domain, size_t size);

/* "corp.example.test" to "DC=corp,DC=example,DC=test". */
MUST_CHECK bool dn_of_domain(const char *domain, char *dn, size_t size);

/*
 * Writes value, any bytes, so that it can stand behind "CN=".  Returns the bytes
 * needed without terminator, like snprintf.
 */
size_t dn_escape(const void *value, size_t length, char *out, size_t size);

#endif
