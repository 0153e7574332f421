/* Chunks: rows whose clustering keys are too long for an LMDB key (README.md, "Long clustering keys").
 *
 * The chunks of a group (same partition, kind and first bytes of the clustering key) are in the order of their keys, told apart by a
 * 64-bit ordinal with gaps. A chunk that grows over LEVEL_CHUNK_BYTES is split, the new part getting an ordinal in the gap beside it; when
 * there is no gap the neighbours are renumbered, as few as give room. */
#include "storage/level_priv.h"

#include <stdlib.h>

#define ORDINAL_FIRST (1ull << 63)
#define ORDINAL_STEP  (1ull << 32)

err_t level_chunk_parse(struct bytes payload, struct level_entry **entries, size_t *count,
                        size_t *cap)
{
    struct cur c = cur_of(payload);
    while (!cur_at_end(&c)) {
        if (*count == *cap) {
            *cap = *cap ? *cap * 2 : 64;
            *entries = realloc(*entries, *cap * sizeof **entries);
            ensure(*entries != NULL);
        }
        struct level_entry *e = &(*entries)[(*count)++];
        e->ck = cur_lstr(&c);
        e->payload = cur_lstr(&c);
        if (!cur_ok(&c))
            return ERR_CORRUPT;
    }
    return *count > 0 ? OK : ERR_CORRUPT;
}

/* Is key a chunk of the group; then *out is it, checked. */
static err_t chunk_of(const struct level_prefix *p, enum level_kind kind, struct bytes ck,
                      struct bytes key, struct bytes value, bool *is_chunk, struct level_chunk *out)
{
    struct level_key group;
    level_key_make(&group, p, kind, ck);
    *is_chunk = key.n == KV_KEY_MAX && memcmp(key.p, group.b, group.n) == 0;
    if (!*is_chunk)
        return OK;
    out->key = key;
    out->ordinal = load_be64(key.p + group.n);
    return level_value_decode(key, value, &out->payload);
}

static err_t first_ck(const struct level_chunk *chunk, struct bytes *out)
{
    struct cur c = cur_of(chunk->payload);
    *out = cur_lstr(&c);
    return cur_ok(&c) ? OK : ERR_CORRUPT;
}

/* Does ck belong into this chunk or one after it. */
static err_t not_above(const struct level_chunk *chunk, struct bytes ck, bool before, bool *out)
{
    struct bytes first;
    TRY(first_ck(chunk, &first));
    int c = bytes_compare(first, ck);
    *out = before ? c < 0 : c <= 0;
    return OK;
}

err_t level_chunk_find(const struct level_view *v, struct kv_cursor *cursor,
                       const struct level_prefix *p, enum level_kind kind, struct bytes ck,
                       bool before, struct level_chunk *out)
{
    (void)v;
    struct level_key k;
    struct bytes key, value;
    struct level_chunk low, high, at;
    bool is_chunk, yes;

    /* The last chunk of the group, the usual answer; then the first. */
    level_chunk_key_make(&k, p, kind, ck, UINT64_MAX);
    err_t err = kv_seek(cursor, level_key_bytes(&k), &key, &value);
    if (err == ERR_NOT_FOUND)
        err = kv_last(cursor, &key, &value);
    else if (err == OK && !bytes_equal(key, level_key_bytes(&k)))
        err = kv_prev(cursor, &key, &value);
    TRY(err);
    TRY(chunk_of(p, kind, ck, key, value, &is_chunk, &high));
    if (!is_chunk)
        return ERR_NOT_FOUND;
    TRY(not_above(&high, ck, before, &yes));
    if (yes) {
        *out = high;
        return OK;
    }
    level_chunk_key_make(&k, p, kind, ck, 0);
    TRY(kv_seek(cursor, level_key_bytes(&k), &key, &value));
    TRY(chunk_of(p, kind, ck, key, value, &is_chunk, &low));
    if (!is_chunk)
        return ERR_CORRUPT;
    TRY(not_above(&low, ck, before, &yes));
    if (!yes)
        return ERR_NOT_FOUND;
    /* low is not above ck, high is: bisect the ordinals, and go by neighbours where that gives nothing new. */
    while (true) {
        uint64_t middle = low.ordinal + (high.ordinal - low.ordinal) / 2;
        level_chunk_key_make(&k, p, kind, ck, middle);
        TRY(kv_seek(cursor, level_key_bytes(&k), &key, &value));
        TRY(chunk_of(p, kind, ck, key, value, &is_chunk, &at));
        if (at.ordinal == high.ordinal) {
            TRY(kv_prev(cursor, &key, &value));
            TRY(chunk_of(p, kind, ck, key, value, &is_chunk, &at));
        }
        if (at.ordinal == low.ordinal) {
            /* Either high follows low, or middle was low itself and what follows it is to be looked at. */
            TRY(kv_next(cursor, &key, &value));
            TRY(chunk_of(p, kind, ck, key, value, &is_chunk, &at));
            if (at.ordinal == high.ordinal)
                break;
        }
        TRY(not_above(&at, ck, before, &yes));
        if (yes)
            low = at;
        else
            high = at;
    }
    level_chunk_key_make(&k, p, kind, ck, low.ordinal);
    TRY(kv_seek(cursor, level_key_bytes(&k), &key, &value));
    *out = low;
    return OK;
}

/* --- Writing -------------------------------------------------------------------------------- */

struct group {
    struct level_writer *w;
    const struct level_prefix *prefix;
    enum level_kind kind;
    struct bytes ck; /* any of the group */
};

static err_t put_chunk(const struct group *g, uint64_t ordinal, struct bytes payload, bool damaged)
{
    struct level_writer *w = g->w;
    struct level_key k;
    level_chunk_key_make(&k, g->prefix, g->kind, g->ck, ordinal);
    w->value.n = 0;
    level_value_encode(&w->value, level_key_bytes(&k), payload, damaged);
    w->puts++;
    w->put_bytes += w->value.n;
    return kv_put(w->view.txn, w->table->kv_slot, level_key_bytes(&k), buf_bytes(&w->value));
}

static err_t put_entries(const struct group *g, uint64_t ordinal, const struct level_entry *entries,
                         size_t count)
{
    struct buf payload = {0};
    for (size_t i = 0; i < count; i++) {
        buf_lstr(&payload, entries[i].ck);
        buf_lstr(&payload, entries[i].payload);
    }
    err_t err = put_chunk(g, ordinal, buf_bytes(&payload), false);
    buf_free(&payload);
    return err;
}

/* The ordinal of the chunk after (or before) the one with this ordinal; false at the end of the group. */
static err_t neighbour(const struct group *g, uint64_t ordinal, bool after, uint64_t *out,
                       bool *found)
{
    struct level_key k;
    struct bytes key, value;
    level_chunk_key_make(&k, g->prefix, g->kind, g->ck, ordinal);
    struct kv_cursor *c = g->w->view.cursor2;
    err_t err;
    if (after) {
        err = kv_seek(c, level_key_bytes(&k), &key, &value);
        if (err == OK && bytes_equal(key, level_key_bytes(&k)))
            err = kv_next(c, &key, &value);
    } else {
        err = kv_seek_before(c, level_key_bytes(&k), &key, &value);
    }
    *found = false;
    if (err == ERR_NOT_FOUND)
        return OK;
    TRY(err);
    size_t common = k.n - LEVEL_ORDINAL_BYTES;
    if (key.n == KV_KEY_MAX && memcmp(key.p, k.b, common) == 0) {
        *found = true;
        *out = load_be64(key.p + common);
    }
    return OK;
}

struct moved {
    struct buf payload;
    uint64_t ordinal;
    bool damaged;
};

static err_t take_chunk(const struct group *g, uint64_t ordinal, struct moved *out)
{
    struct level_key k;
    struct bytes value, payload;
    level_chunk_key_make(&k, g->prefix, g->kind, g->ck, ordinal);
    TRY(kv_get(g->w->view.txn, g->w->table->kv_slot, level_key_bytes(&k), &value));
    *out = (struct moved){.ordinal = ordinal};
    /* A damaged chunk must not get a good checksum by being moved. */
    out->damaged = level_value_decode(level_key_bytes(&k), value, &payload) != OK;
    if (out->damaged)
        payload = bytes_skip(value, value.n < LEVEL_VALUE_HEADER ? value.n : LEVEL_VALUE_HEADER);
    buf_put_bytes(&out->payload, payload);
    return kv_del(g->w->view.txn, g->w->table->kv_slot, level_key_bytes(&k));
}

/* Makes a gap after the chunk with this ordinal by moving chunks behind it, as few as give each a gap of 2^16. */
static err_t make_gap(const struct group *g, uint64_t ordinal)
{
    struct moved *items = NULL;
    size_t count = 0;
    uint64_t at = ordinal, end = UINT64_MAX;
    err_t err = OK;
    for (;;) {
        bool found;
        uint64_t next;
        err = neighbour(g, at, true, &next, &found);
        if (err != OK)
            goto out;
        end = found ? next : UINT64_MAX;
        if (!found || (end - ordinal) / (count + 2) >= 1 << 16)
            break;
        items = realloc(items, (count + 1) * sizeof *items);
        ensure(items != NULL);
        err = take_chunk(g, next, &items[count]);
        if (err != OK)
            goto out;
        count++;
        at = next;
    }
    uint64_t step = (end - ordinal) / (count + 2);
    if (step > ORDINAL_STEP)
        step = ORDINAL_STEP;
    if (step == 0)
        err = ERR_FULL;
    for (size_t i = 0; i < count && err == OK; i++)
        err =
            put_chunk(g, ordinal + (i + 2) * step, buf_bytes(&items[i].payload), items[i].damaged);
out:
    for (size_t i = 0; i < count; i++)
        buf_free(&items[i].payload);
    free(items);
    return err;
}

/* An ordinal between this chunk and the next. */
static err_t ordinal_after(const struct group *g, uint64_t ordinal, uint64_t *out)
{
    for (int tries = 0; tries < 2; tries++) {
        uint64_t next;
        bool found;
        TRY(neighbour(g, ordinal, true, &next, &found));
        if (!found) {
            if (ordinal < UINT64_MAX - ORDINAL_STEP) {
                *out = ordinal + ORDINAL_STEP;
                return OK;
            }
            next = UINT64_MAX;
        }
        if (next - ordinal >= 2) {
            *out = ordinal + (next - ordinal) / 2;
            return OK;
        }
        TRY(make_gap(g, ordinal));
    }
    return ERR_FULL;
}

static size_t entry_bytes(const struct level_entry *e)
{
    return e->ck.n + e->payload.n + 8;
}

/* Writes entries as one chunk, or as two where they are too many. at: where the new one was put in. */
static err_t write_split(const struct group *g, uint64_t ordinal, const struct level_entry *entries,
                         size_t count, size_t at)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += entry_bytes(&entries[i]);
    if (bytes <= LEVEL_CHUNK_BYTES || count == 1)
        return put_entries(g, ordinal, entries, count);
    uint64_t other;
    bool found;
    TRY(neighbour(g, ordinal, false, &other, &found));
    if (at == 0 && !found && ordinal > ORDINAL_STEP) {
        /* Descending inserts: the old chunk stays full. */
        TRY(put_entries(g, ordinal, entries + 1, count - 1));
        return put_entries(g, ordinal - ORDINAL_STEP, entries, 1);
    }
    size_t left = count - 1;
    TRY(neighbour(g, ordinal, true, &other, &found));
    if (at != count - 1 || found) {
        size_t half = 0;
        for (left = 0; left < count - 1 && (left == 0 || half < bytes / 2); left++)
            half += entry_bytes(&entries[left]);
    }
    TRY(ordinal_after(g, ordinal, &other));
    TRY(put_entries(g, ordinal, entries, left));
    return put_entries(g, other, entries + left, count - left);
}

/* Where ck belongs although chunks on the way are damaged: the last readable one that begins at or before it. */
static err_t find_past_damage(const struct group *g, struct bytes ck, struct level_chunk *out)
{
    struct level_key k;
    struct bytes key, value;
    struct kv_cursor *c = g->w->view.cursor2;
    level_chunk_key_make(&k, g->prefix, g->kind, ck, 0);
    bool found = false, yes;
    uint64_t ordinal = 0;
    err_t err = kv_seek(c, level_key_bytes(&k), &key, &value);
    for (; err == OK; err = kv_next(c, &key, &value)) {
        struct level_chunk at;
        bool is_chunk;
        err_t damaged = chunk_of(g->prefix, g->kind, ck, key, value, &is_chunk, &at);
        if (!is_chunk)
            break;
        ordinal = at.ordinal;
        if (damaged != OK)
            continue;
        TRY(not_above(&at, ck, false, &yes));
        if (yes) {
            *out = at;
            found = true;
        }
    }
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    if (!found)
        out->ordinal = ordinal; /* of the last, damaged or not */
    return found ? OK : ERR_NOT_FOUND;
}

static err_t chunk_for_write(const struct group *g, struct bytes ck, struct level_chunk *out,
                             bool *is_new)
{
    struct level_writer *w = g->w;
    *is_new = false;
    err_t err = level_chunk_find(&w->view, w->view.cursor2, g->prefix, g->kind, ck, false, out);
    if (err == ERR_CORRUPT) {
        err = find_past_damage(g, ck, out);
        if (err == ERR_NOT_FOUND) {
            TRY(ordinal_after(g, out->ordinal, &out->ordinal));
            *is_new = true;
            return OK;
        }
        return err;
    }
    if (err != ERR_NOT_FOUND)
        return err;
    /* All begin behind it: the first one takes it, if there is one. */
    struct level_key k;
    struct bytes key, value;
    level_chunk_key_make(&k, g->prefix, g->kind, ck, 0);
    err = kv_seek(w->view.cursor2, level_key_bytes(&k), &key, &value);
    bool is_chunk = false;
    if (err == OK)
        TRY(chunk_of(g->prefix, g->kind, ck, key, value, &is_chunk, out));
    else if (err != ERR_NOT_FOUND)
        return err;
    if (!is_chunk) {
        *is_new = true;
        out->ordinal = ORDINAL_FIRST;
    }
    return OK;
}

err_t level_chunk_put(struct level_writer *w, const struct level_prefix *p, enum level_kind kind,
                      struct bytes ck, struct bytes payload)
{
    struct group g = {w, p, kind, ck};
    struct level_entry added = {ck, payload};
    struct level_chunk chunk;
    bool is_new;
    TRY(chunk_for_write(&g, ck, &chunk, &is_new));
    if (is_new)
        return put_entries(&g, chunk.ordinal, &added, 1);
    /* A copy, as the first put may move what the transaction gave out. */
    w->chunk.n = 0;
    buf_put_bytes(&w->chunk, chunk.payload);
    struct level_entry *entries = NULL;
    size_t count = 0, cap = 0, at = 0;
    err_t err = level_chunk_parse(buf_bytes(&w->chunk), &entries, &count, &cap);
    if (err == OK) {
        while (at < count && bytes_compare(entries[at].ck, ck) < 0)
            at++;
        if (at == count || !bytes_equal(entries[at].ck, ck)) {
            entries = realloc(entries, (count + 1) * sizeof *entries);
            ensure(entries != NULL);
            memmove(entries + at + 1, entries + at, (count - at) * sizeof *entries);
            count++;
        }
        entries[at] = added;
        err = write_split(&g, chunk.ordinal, entries, count, at);
    }
    free(entries);
    return err;
}

err_t level_chunk_del(struct level_writer *w, const struct level_prefix *p, enum level_kind kind,
                      struct bytes ck)
{
    struct group g = {w, p, kind, ck};
    struct level_chunk chunk;
    TRY(level_chunk_find(&w->view, w->view.cursor2, p, kind, ck, false, &chunk));
    w->chunk.n = 0;
    buf_put_bytes(&w->chunk, chunk.payload);
    struct level_entry *entries = NULL;
    size_t count = 0, cap = 0, at = 0;
    err_t err = level_chunk_parse(buf_bytes(&w->chunk), &entries, &count, &cap);
    while (err == OK && at < count && !bytes_equal(entries[at].ck, ck))
        at++;
    if (err == OK && at == count)
        err = ERR_NOT_FOUND;
    if (err == OK && count == 1) {
        struct level_key k;
        level_chunk_key_make(&k, p, kind, ck, chunk.ordinal);
        err = kv_del(w->view.txn, w->table->kv_slot, level_key_bytes(&k));
    } else if (err == OK) {
        memmove(entries + at, entries + at + 1, (count - at - 1) * sizeof *entries);
        err = put_entries(&g, chunk.ordinal, entries, count - 1);
    }
    free(entries);
    return err;
}
