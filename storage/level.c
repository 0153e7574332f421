/* Reading the level: keys, partitions, entries. See level.h and README.md. */
#include "storage/level_priv.h"

#include "cql/base/hash.h"

#include <stdlib.h>
#include <xxhash.h>

enum { AT_LENGTH = 8, AT_PK = 10, LONG_HASH = 16, LONG_NUMBER = 2 };

void level_value_encode(struct buf *out, struct bytes key, struct bytes payload, bool damaged)
{
    uint8_t *p = buf_extend(out, LEVEL_VALUE_HEADER + payload.n);
    p[4] = damaged ? LEVEL_DAMAGED : 0;
    if (payload.n)
        memcpy(p + LEVEL_VALUE_HEADER, payload.p, payload.n);
    store_be32(p, crc32c(crc32c(0, key.p, key.n), p + 4, 1 + payload.n));
}

err_t level_value_decode(struct bytes key, struct bytes value, struct bytes *payload)
{
    if (value.n < LEVEL_VALUE_HEADER ||
        load_be32(value.p) != crc32c(crc32c(0, key.p, key.n), value.p + 4, value.n - 4) ||
        value.p[4] != 0)
        return ERR_CORRUPT;
    *payload = bytes_skip(value, LEVEL_VALUE_HEADER);
    return OK;
}

/* The prefix of a short key, or of the first long one with this hash. */
static void prefix_make(struct level_prefix *out, uint64_t hash_seed, struct token token,
                        struct bytes pk)
{
    ensure(pk.n <= UINT16_MAX);
    token_store(token, out->b);
    store_be16(out->b + AT_LENGTH, (uint16_t)pk.n);
    out->is_long = pk.n > LEVEL_PK_INLINE_MAX;
    size_t n = out->is_long ? LEVEL_PK_PREFIX : pk.n;
    if (n)
        memcpy(out->b + AT_PK, pk.p, n);
    out->n = (uint16_t)(AT_PK + n);
    if (out->is_long) {
        XXH128_canonical_t hash;
        XXH128_canonicalFromHash(&hash, XXH3_128bits_withSeed(pk.p, pk.n, hash_seed));
        memcpy(out->b + out->n, hash.digest, LONG_HASH);
        memset(out->b + out->n + LONG_HASH, 0, LONG_NUMBER);
        out->n += LONG_HASH + LONG_NUMBER;
    }
}

/* The partition that an LMDB key belongs to. */
static bool prefix_of_key(struct bytes key, struct level_prefix *out)
{
    if (key.n < AT_PK)
        return false;
    size_t length = load_be16(key.p + AT_LENGTH);
    out->is_long = length > LEVEL_PK_INLINE_MAX;
    size_t n = AT_PK + (out->is_long ? LEVEL_PK_PREFIX + LONG_HASH + LONG_NUMBER : length);
    if (key.n <= n)
        return false;
    memcpy(out->b, key.p, n);
    out->n = (uint16_t)n;
    return true;
}

static err_t header_decode(struct bytes payload, struct level_header *out)
{
    struct cur c = cur_of(payload);
    *out = (struct level_header){.deletion = DELETION_NONE, .pk = BYTES_NULL};
    uint8_t flags = cur_u8(&c);
    if (flags & 1) {
        out->deletion.timestamp = cur_zigzag(&c);
        out->deletion.local_deletion_s = (int64_t)cur_varint(&c);
    }
    if (flags & 2)
        out->pk = cur_lstr(&c);
    return cur_ok(&c) && cur_at_end(&c) ? OK : ERR_CORRUPT;
}

err_t level_header_get(const struct level_view *v, const struct level_prefix *p,
                       struct level_header *out)
{
    struct bytes payload;
    TRY(level_get(v, p, LEVEL_HEADER, BYTES_NULL, &payload));
    return header_decode(payload, out);
}

err_t level_static_get(const struct level_view *v, const struct level_prefix *p, struct bytes *body)
{
    return level_get(v, p, LEVEL_STATIC, BYTES_NULL, body);
}

err_t level_prefix_find(const struct level_view *v, struct token token, struct bytes pk,
                        struct level_prefix *out, bool *found)
{
    prefix_make(out, v->hash_seed, token, pk);
    if (found)
        *found = true;
    if (!out->is_long)
        return OK;
    if (found)
        *found = false;
    /* Keys that hash alike are numbered; the first number without a header is free. */
    for (uint32_t number = 0; number <= UINT16_MAX; number++) {
        store_be16(out->b + out->n - LONG_NUMBER, (uint16_t)number);
        struct level_header h;
        err_t err = level_header_get(v, out, &h);
        if (err == ERR_NOT_FOUND) {
            bool empty;
            TRY(level_partition_is_empty(v, out, &empty));
            return empty ? OK : ERR_CORRUPT;
        }
        TRY(err);
        if (bytes_equal(h.pk, pk)) {
            if (found)
                *found = true;
            return OK;
        }
    }
    return ERR_FULL;
}

err_t level_get(const struct level_view *v, const struct level_prefix *p, enum level_kind kind,
                struct bytes ck, struct bytes *payload)
{
    if (!level_ck_is_long(p, ck)) {
        struct level_key key;
        struct bytes value;
        level_key_make(&key, p, kind, ck);
        TRY(kv_get(v->txn, v->table->kv_slot, level_key_bytes(&key), &value));
        return level_value_decode(level_key_bytes(&key), value, payload);
    }
    struct level_chunk chunk;
    TRY(level_chunk_find(v, v->cursor2, p, kind, ck, false, &chunk));
    struct cur c = cur_of(chunk.payload);
    while (!cur_at_end(&c)) {
        struct bytes at = cur_lstr(&c), content = cur_lstr(&c);
        if (!cur_ok(&c))
            return ERR_CORRUPT;
        if (bytes_equal(at, ck)) {
            *payload = content;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

err_t level_get_damaged(const struct level_view *v, const struct level_prefix *p,
                        enum level_kind kind, struct bytes ck, struct bytes *payload)
{
    struct level_key key;
    struct bytes value;
    level_key_make(&key, p, kind, ck);
    TRY(kv_get(v->txn, v->table->kv_slot, level_key_bytes(&key), &value));
    if (value.n < LEVEL_VALUE_HEADER || value.p[4] != LEVEL_DAMAGED ||
        load_be32(value.p) != crc32c(crc32c(0, key.b, key.n), value.p + 4, value.n - 4))
        return ERR_NOT_FOUND;
    *payload = bytes_skip(value, LEVEL_VALUE_HEADER);
    return OK;
}

err_t level_partition_is_empty(const struct level_view *v, const struct level_prefix *p, bool *out)
{
    struct level_key key;
    struct bytes found, value, rest;
    enum level_kind kind;
    level_key_make(&key, p, LEVEL_STATIC, BYTES_NULL);
    err_t err = kv_seek(v->cursor2, level_key_bytes(&key), &found, &value);
    *out = err == ERR_NOT_FOUND || (err == OK && !level_key_parse(found, p, &kind, &rest));
    return err == ERR_NOT_FOUND ? OK : err;
}

/* --- Partitions ----------------------------------------------------------------------------- */

/* Long keys with the same token, length and first bytes are stored in hash order: they are a group, searched as a whole for the
 * least key above `after` (all are above BYTES_NULL). Groups of more than one need colliding tokens. */
static err_t group_least(const struct level_view *v, struct level_prefix group, struct bytes after,
                         struct level_partition *out)
{
    struct bytes key, value, best = BYTES_NULL;
    struct level_prefix at = group;
    size_t common = AT_PK + LEVEL_PK_PREFIX;
    err_t err = kv_seek(v->cursor, bytes_of(group.b, common), &key, &value);
    while (err == OK && key.n > common && memcmp(key.p, group.b, common) == 0) {
        struct level_header h;
        if (!prefix_of_key(key, &at))
            return ERR_CORRUPT;
        err = level_header_get(v, &at, &h);
        if (err == ERR_NOT_FOUND || (err == OK && h.pk.n != load_be16(group.b + AT_LENGTH)))
            return ERR_CORRUPT;
        TRY(err);
        if ((bytes_is_null(after) || bytes_compare(h.pk, after) > 0) &&
            (bytes_is_null(best) || bytes_compare(h.pk, best) < 0)) {
            best = h.pk;
            out->prefix = at;
        }
        at.b[at.n] = 0xFF;
        err = kv_seek(v->cursor, bytes_of(at.b, at.n + 1u), &key, &value);
    }
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    if (bytes_is_null(best))
        return ERR_NOT_FOUND;
    out->pk = best;
    out->token = token_load(group.b);
    out->first_kind = LEVEL_HEADER;
    out->at_cursor = false;
    return OK;
}

/* The partition of the key that the cursor stands on, as the first of its group. */
err_t level_partition_here(const struct level_view *v, struct bytes key,
                           struct level_partition *out)
{
    if (!prefix_of_key(key, &out->prefix))
        return ERR_CORRUPT;
    if (out->prefix.is_long)
        return group_least(v, out->prefix, BYTES_NULL, out);
    out->token = token_load(out->prefix.b);
    out->pk = bytes_of(out->prefix.b + AT_PK, out->prefix.n - (size_t)AT_PK);
    out->first_kind = (enum level_kind)key.p[out->prefix.n];
    out->at_cursor = true;
    return OK;
}

err_t level_partition_seek(const struct level_view *v, struct token from,
                           struct level_partition *out)
{
    uint8_t at[8];
    struct bytes key, value;
    token_store(from, at);
    TRY(kv_seek(v->cursor, bytes_of(at, sizeof at), &key, &value));
    return level_partition_here(v, key, out);
}

err_t level_partition_after(const struct level_view *v, struct token token, struct bytes pk,
                            struct level_partition *out)
{
    struct level_prefix p;
    struct bytes key, value;
    prefix_make(&p, v->hash_seed, token, pk);
    if (p.is_long) {
        err_t err = group_least(v, p, pk, out);
        if (err != ERR_NOT_FOUND)
            return err;
        /* Behind the group: nothing of it sorts above prefix and eighteen 0xFF bytes. */
        memset(p.b + AT_PK + LEVEL_PK_PREFIX, 0xFF, LONG_HASH + LONG_NUMBER);
    }
    p.b[p.n] = 0xFF;
    TRY(kv_seek(v->cursor, bytes_of(p.b, p.n + 1u), &key, &value));
    return level_partition_here(v, key, out);
}

/* --- Entries -------------------------------------------------------------------------------- */

void level_iter_begin(struct level_iter *it, const struct level_view *v, struct kv_cursor *cursor,
                      const struct level_prefix *p, enum level_kind kind, struct bytes lower,
                      struct bytes upper, bool reversed, const struct level_partition *at)
{
    struct level_entry *chunk = it->chunk;
    size_t cap = it->chunk_cap;
    *it = (struct level_iter){.view = v,
                              .cursor = cursor,
                              .prefix = p,
                              .kind = kind,
                              .lower = lower,
                              .upper = upper,
                              .reversed = reversed,
                              .chunk = chunk,
                              .chunk_cap = cap,
                              .at_first = at && at->at_cursor && !reversed && lower.n == 0 &&
                                          at->first_kind == kind};
}

void level_iter_end(struct level_iter *it)
{
    free(it->chunk);
    *it = (struct level_iter){.done = true};
}

static err_t first_position(struct level_iter *it, struct bytes *key, struct bytes *value)
{
    struct level_key k;
    struct bytes bound = it->reversed ? it->upper : it->lower;
    if (!level_ck_is_long(it->prefix, bound)) {
        level_key_make(&k, it->prefix, it->kind, bound);
        if (it->reversed)
            return kv_seek_before(it->cursor, level_key_bytes(&k), key, value);
        return kv_seek(it->cursor, level_key_bytes(&k), key, value);
    }
    struct level_chunk chunk;
    err_t err =
        level_chunk_find(it->view, it->cursor, it->prefix, it->kind, bound, it->reversed, &chunk);
    if (err == OK) {
        level_chunk_key_make(&k, it->prefix, it->kind, bound, chunk.ordinal);
        return kv_seek(it->cursor, level_key_bytes(&k), key, value);
    }
    if (err != ERR_NOT_FOUND)
        return err;
    level_chunk_key_make(&k, it->prefix, it->kind, bound, 0);
    if (it->reversed)
        return kv_seek_before(it->cursor, level_key_bytes(&k), key, value);
    return kv_seek(it->cursor, level_key_bytes(&k), key, value);
}

static bool below(struct bytes a, struct bytes b)
{
    return bytes_compare(a, b) < 0;
}

/* The next entry of the chunk in hand that is within the bounds. */
static bool from_chunk(struct level_iter *it, struct level_entry *out)
{
    while (it->chunk_at < it->chunk_count) {
        size_t i = it->reversed ? it->chunk_count - 1 - it->chunk_at : it->chunk_at;
        it->chunk_at++;
        const struct level_entry *e = &it->chunk[i];
        if (below(e->ck, it->lower)) {
            if (it->reversed)
                it->done = true;
            continue;
        }
        if (!below(e->ck, it->upper)) {
            if (!it->reversed)
                it->done = true;
            continue;
        }
        *out = *e;
        return true;
    }
    return false;
}

static err_t move(struct level_iter *it, struct bytes *key, struct bytes *value)
{
    if (!it->begun) {
        it->begun = true;
        if (it->at_first)
            return kv_current(it->cursor, key, value);
        return first_position(it, key, value);
    }
    return it->reversed ? kv_prev(it->cursor, key, value) : kv_next(it->cursor, key, value);
}

err_t level_iter_next(struct level_iter *it, struct level_entry *out)
{
    for (;;) {
        if (from_chunk(it, out))
            return OK;
        if (it->done)
            return ERR_NOT_FOUND;
        struct bytes key, value, rest;
        enum level_kind kind;
        err_t err = move(it, &key, &value);
        if (err != OK) {
            it->done = true;
            return err;
        }
        if (!level_key_parse(key, it->prefix, &kind, &rest) || kind != it->kind) {
            it->done = true;
            if (!it->reversed)
                it->beyond = key;
            return ERR_NOT_FOUND;
        }
        if (level_rest_is_chunk(it->prefix, rest)) {
            struct bytes payload;
            /* A chunk wholly out of bounds need not be readable; its common first bytes can tell. */
            struct bytes common = bytes_of(rest.p, rest.n - LEVEL_ORDINAL_BYTES);
            if (it->reversed ? below(common, it->lower) && !bytes_starts_with(it->lower, common)
                             : !below(common, it->upper)) {
                it->done = true;
                return ERR_NOT_FOUND;
            }
            TRY(level_value_decode(key, value, &payload));
            it->chunk_count = it->chunk_at = 0;
            TRY(level_chunk_parse(payload, &it->chunk, &it->chunk_count, &it->chunk_cap));
            continue;
        }
        if (it->reversed ? below(rest, it->lower) : !below(rest, it->upper)) {
            it->done = true;
            return ERR_NOT_FOUND;
        }
        out->ck = rest;
        return level_value_decode(key, value, &out->payload);
    }
}

err_t level_range_decode(struct bytes lower, struct bytes payload, struct range_tombstone *out)
{
    struct cur c = cur_of(payload);
    out->lower = lower;
    out->upper = cur_lstr(&c);
    out->deletion.timestamp = cur_zigzag(&c);
    out->deletion.local_deletion_s = (int64_t)cur_varint(&c);
    return cur_ok(&c) && cur_at_end(&c) ? OK : ERR_CORRUPT;
}

err_t level_range_at(const struct level_view *v, const struct level_prefix *p, struct bytes ck,
                     struct deletion *out)
{
    *out = DELETION_NONE;
    if (v->table->ranges == 0)
        return OK;
    /* The last one whose lower bound is <= ck. The bound of the search lives on the stack or, rarely, the heap. */
    uint8_t small[512];
    uint8_t *upper = ck.n < sizeof small ? small : malloc(ck.n + 1);
    ensure(upper != NULL);
    if (ck.n)
        memcpy(upper, ck.p, ck.n);
    upper[ck.n] = 0;
    struct level_iter it = {0};
    struct level_entry e;
    level_iter_begin(&it, v, v->cursor2, p, LEVEL_RANGE, bytes_of("", 0), bytes_of(upper, ck.n + 1),
                     true, NULL);
    err_t err = level_iter_next(&it, &e);
    struct range_tombstone r;
    if (err == OK)
        err = level_range_decode(e.ck, e.payload, &r);
    if (err == OK && below(ck, r.upper))
        *out = r.deletion;
    level_iter_end(&it);
    if (upper != small)
        free(upper);
    return err == ERR_NOT_FOUND ? OK : err;
}
