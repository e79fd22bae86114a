/* SPDX-License-Identifier: BSD-2-Clause */
/* page.html as the build has put it into the program. */
#ifndef PROXY_PAGE_H
#define PROXY_PAGE_H

#include <stddef.h>

const char *page_text(size_t *size_out);

#endif
