/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two directions of a channel_rfc4121 share.  Private to them. */
#ifndef GSS_CHANNEL_RFC4121_PARTS_H
#define GSS_CHANNEL_RFC4121_PARTS_H

#include "gss/channel_rfc4121.h"
#include "gss/rfc4121.h"

struct channel_rfc4121 {
    struct channel channel; /* first */
    /* owned */
    struct channel_ops ops; /* ours, with the engine's traits */
    struct seal *seal;
    /* plain */
    const struct token_profile *profile;
    uint8_t flags[2];     /* of every token, by enum token_sense */
    uint64_t sequence[2]; /* the next */
    bool dead;
};

/* Some sealed tokens as the engine sees them. */
struct token_group {
    struct text_span texts[SEAL_COUNT_MAX];  /* what is encrypted */
    struct text_span hashed[SEAL_COUNT_MAX]; /* what the checksum is over */
    uint8_t *macs[SEAL_COUNT_MAX];           /* where it is, or will be */
    uint8_t headers[SEAL_COUNT_MAX][TOKEN_HEADER_SIZE]; /* with RRC 0 */
    size_t count;
};

/* Adds a token whose encrypted part is text_size bytes long. */
void token_group_add(struct token_group *group,
                     const struct channel_rfc4121 *self,
                     const struct token_header *header, uint8_t *token,
                     size_t text_size);

/* The checksum of a token that is only signed. */
MUST_CHECK bool token_sign(struct channel_rfc4121 *self, enum token_sense sense,
                           struct token_header header, struct text_span plain,
                           uint8_t *mac, struct error *err);

/* At most SEAL_COUNT_MAX records, all of one kind. */
MUST_CHECK bool token_seal_group(struct channel_rfc4121 *self,
                                 const struct seal_record *records,
                                 size_t count, struct error *err);
MUST_CHECK bool token_sign_group(struct channel_rfc4121 *self,
                                 const struct seal_record *records,
                                 size_t count, struct error *err);

/* How many of the first records there are that belong together by their
 * headers; 0: err says what is wrong with the first.  *opened_out: how many of
 * them are good. */
size_t token_open_group(struct channel_rfc4121 *self,
                        struct unseal_record *records, size_t count,
                        size_t *opened_out, struct error *err);

#endif
