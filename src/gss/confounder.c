/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call of RAND_bytes costs as much for 16 bytes as for a thousand, and about
 * as much as sealing a small record.
 */
#include "gss/confounder.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "gss/token_keys.h"

enum {
    STOCK_SIZE = 64 * TOKEN_CONFOUNDER_SIZE
};

/* The thread's own, so that no lock guards it. */
static _Thread_local uint8_t stock[STOCK_SIZE];
static _Thread_local size_t left;

bool
confounder_take(uint8_t bytes[TOKEN_CONFOUNDER_SIZE], struct error *err)
{
    if (left == 0) {
        if (RAND_bytes(stock, sizeof stock) != 1) {
            openssl_error(err, "cannot get random bytes");
            return false;
        }
        left = sizeof stock;
    }
    left -= TOKEN_CONFOUNDER_SIZE;
    memcpy(bytes, stock + left, TOKEN_CONFOUNDER_SIZE);
    OPENSSL_cleanse(stock + left, TOKEN_CONFOUNDER_SIZE);
    return true;
}
