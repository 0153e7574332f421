/* Shared by level.c, level_chunk.c and level_write.c: how entries become LMDB keys. */
#ifndef STORAGE_LEVEL_PRIV_H
#define STORAGE_LEVEL_PRIV_H

#include "storage/level.h"

enum { LEVEL_ORDINAL_BYTES = 8, LEVEL_VALUE_HEADER = 5, LEVEL_DAMAGED = 1 };

struct level_key {
    size_t n;
    uint8_t b[KV_KEY_MAX];
};

static inline struct bytes level_key_bytes(const struct level_key *k)
{
    return bytes_of(k->b, k->n);
}

/* The longest clustering key that is stored in the LMDB key itself, for this partition. */
static inline size_t level_ck_inline_max(const struct level_prefix *p)
{
    return KV_KEY_MAX - p->n - 1 - LEVEL_ORDINAL_BYTES;
}

static inline bool level_ck_is_long(const struct level_prefix *p, struct bytes ck)
{
    return ck.n > level_ck_inline_max(p);
}

/* prefix, kind, and as much of ck as an LMDB key takes. */
static inline void level_key_make(struct level_key *k, const struct level_prefix *p,
                                  enum level_kind kind, struct bytes ck)
{
    size_t n = ck.n < level_ck_inline_max(p) ? ck.n : level_ck_inline_max(p);
    memcpy(k->b, p->b, p->n);
    k->b[p->n] = (uint8_t)kind;
    if (n)
        memcpy(k->b + p->n + 1, ck.p, n);
    k->n = p->n + 1 + n;
}

static inline void level_chunk_key_make(struct level_key *k, const struct level_prefix *p,
                                        enum level_kind kind, struct bytes ck, uint64_t ordinal)
{
    level_key_make(k, p, kind, ck);
    store_be64(k->b + k->n, ordinal);
    k->n += LEVEL_ORDINAL_BYTES;
}

/* Of a key that begins with the prefix: the kind, and what follows it. */
static inline bool level_key_parse(struct bytes key, const struct level_prefix *p,
                                   enum level_kind *kind, struct bytes *rest)
{
    if (key.n <= p->n || memcmp(key.p, p->b, p->n) != 0)
        return false;
    *kind = (enum level_kind)key.p[p->n];
    *rest = bytes_skip(key, p->n + 1u);
    return true;
}

static inline bool level_rest_is_chunk(const struct level_prefix *p, struct bytes rest)
{
    return rest.n > level_ck_inline_max(p);
}

/* A chunk: entries of clustering keys with the same first bytes, ascending. */
struct level_chunk {
    uint64_t ordinal;
    struct bytes key, payload;
};
/* Appends the chunk's entries to the malloc'ed array. ERR_CORRUPT. */
err_t level_chunk_parse(struct bytes payload, struct level_entry **entries, size_t *count,
                        size_t *cap) MUST_USE;
/* The chunk of ck's group where ck belongs: the last one whose first key is <= ck (or < ck when `before`). ERR_NOT_FOUND: all begin behind
 * it, or there is none. The cursor then stands on it. ERR_CORRUPT: a chunk on the way is damaged. */
err_t level_chunk_find(const struct level_view *v, struct kv_cursor *cursor,
                       const struct level_prefix *p, enum level_kind kind, struct bytes ck,
                       bool before, struct level_chunk *out) MUST_USE;
/* Put and del of entries with long keys. */
err_t level_chunk_put(struct level_writer *w, const struct level_prefix *p, enum level_kind kind,
                      struct bytes ck, struct bytes payload) MUST_USE;
err_t level_chunk_del(struct level_writer *w, const struct level_prefix *p, enum level_kind kind,
                      struct bytes ck) MUST_USE;

#endif
