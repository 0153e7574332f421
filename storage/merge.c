/* See merge.h. */
#include "storage/merge.h"

#include "storage/store_priv.h"

#include <stdlib.h>

enum { RANGES_AT_ONCE = 1024 };

static const uint8_t top[1] = {0xFF};
#define TOP    bytes_of(top, 1)
#define BOTTOM bytes_of("", 0)

void merge_position_copy(struct merge_position *to, const struct merge_position *from)
{
    struct buf ck = to->ck;
    ck.n = 0;
    buf_put_bytes(&ck, buf_bytes(&from->ck));
    *to = *from;
    to->ck = ck;
}

static void position_set_ck(struct merge_position *pos, struct bytes ck)
{
    pos->has_ck = true;
    pos->ck.n = 0;
    buf_put_bytes(&pos->ck, ck);
}

/* What the merge of one partition needs at hand; made anew by each call. */
struct merge {
    struct level_writer *w;
    const struct merge_rules *rules;
    const struct memtable_partition *mem; /* NULL when purging */
    struct level_prefix prefix;
    struct level_header header; /* as stored */
    bool has_header, header_damaged;
    struct deletion deletion; /* of the partition: stored or new, whichever is stronger */
    bool walk_all;            /* the new one is: every stored row must be looked at */
    struct buf merged, cleaned;
    uint64_t work, *corrupt;
};

static bool covers(struct deletion d, struct deletion other)
{
    return !deletion_is_none(d) && other.timestamp <= d.timestamp;
}

static bool is_purged(const struct merge_rules *r, struct deletion d)
{
    return !deletion_is_none(d) && d.local_deletion_s <= r->purge_before_s;
}

static err_t merge_init(struct merge *m, struct token token, struct bytes pk)
{
    struct level_table *t = m->w->table;
    m->deletion = DELETION_NONE;
    m->header.deletion = DELETION_NONE;
    bool found;
    err_t err = level_prefix_find(&m->w->view, token, pk, &m->prefix, &found);
    if (err == ERR_CORRUPT) {
        /* The header of a long key: taken for ours, and kept damaged. */
        m->header_damaged = m->has_header = true;
        ++*m->corrupt;
        err = OK;
    } else if (err == OK && (m->prefix.is_long || t->deletions > 0)) {
        err = level_header_get(&m->w->view, &m->prefix, &m->header);
        if (err == OK)
            m->has_header = true;
        if (err == ERR_CORRUPT) {
            m->header_damaged = m->has_header = true;
            ++*m->corrupt;
        }
        if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
            err = OK;
    }
    TRY(err);
    if (m->header_damaged)
        m->header = (struct level_header){.deletion = DELETION_NONE, .pk = pk};
    m->deletion = m->header.deletion;
    if (m->mem && !deletion_is_none(m->mem->deletion)) {
        m->walk_all = m->mem->deletion.timestamp > m->header.deletion.timestamp;
        m->deletion = deletion_max(m->mem->deletion, m->header.deletion);
    }
    return OK;
}

static void merge_free(struct merge *m)
{
    buf_free(&m->merged);
    buf_free(&m->cleaned);
}

static struct row_filter filter_of(const struct merge_rules *r)
{
    return (struct row_filter){.now_s = r->now_s,
                               .purge_before_s = r->purge_before_s,
                               .keep = r->table->dropped_count ? store_keep_cell : NULL,
                               .ctx = r->table};
}

/* Writes what is left of a stored and a new body under a covering deletion. The stored one (NULL when is_new) may point into the
 * transaction. */
static err_t write_body(struct merge *m, enum level_kind kind, struct bytes ck, struct bytes stored,
                        struct bytes added, bool is_new, bool damaged, struct deletion covering)
{
    bool empty = false;
    struct bytes body;
    m->merged.n = m->cleaned.n = 0;
    TRY(row_merge(stored, added, covering, &m->merged, &empty));
    if (!empty) {
        struct row_filter f = filter_of(m->rules);
        TRY(row_clean(buf_bytes(&m->merged), &f, &m->cleaned, &empty));
    }
    if (damaged)
        return level_put(m->w, &m->prefix, kind, ck, empty ? BOTTOM : buf_bytes(&m->cleaned), false,
                         true);
    if (empty)
        return is_new ? OK : level_del(m->w, &m->prefix, kind, ck);
    body = buf_bytes(&m->cleaned);
    if (!is_new && bytes_equal(body, stored))
        return OK;
    return level_put(m->w, &m->prefix, kind, ck, body, is_new, false);
}

/* The stored body of kind at ck. */
static err_t stored_body(struct merge *m, enum level_kind kind, struct bytes ck, struct bytes *body,
                         bool *is_new, bool *damaged)
{
    *body = BYTES_NULL;
    *is_new = *damaged = false;
    err_t err = level_get(&m->w->view, &m->prefix, kind, ck, body);
    if (err == ERR_NOT_FOUND) {
        *is_new = true;
        return OK;
    }
    if (err != ERR_CORRUPT)
        return err;
    ++*m->corrupt;
    *body = BYTES_NULL;
    if (ck.n > KV_KEY_MAX - m->prefix.n - 1u - 8u) {
        /* A damaged chunk stays as it is; the new row goes beside it. */
        *is_new = true;
        return OK;
    }
    *damaged = true;
    err = level_get_damaged(&m->w->view, &m->prefix, kind, ck, body);
    return err == ERR_NOT_FOUND ? OK : err;
}

static err_t merge_static(struct merge *m)
{
    struct bytes added = m->mem ? m->mem->static_row : BYTES_NULL;
    if (added.n == 0 && (m->w->table->statics == 0 || (m->mem && !m->walk_all)))
        return OK;
    struct bytes stored = BYTES_NULL;
    bool is_new = true, damaged = false;
    if (m->w->table->statics > 0)
        TRY(stored_body(m, LEVEL_STATIC, BYTES_NULL, &stored, &is_new, &damaged));
    if (is_new && added.n == 0)
        return OK;
    m->work++;
    return write_body(m, LEVEL_STATIC, BYTES_NULL, stored, added, is_new, damaged, m->deletion);
}

/* --- Rows ----------------------------------------------------------------------------------- */

static struct deletion mem_range_at(const struct merge *m, struct bytes ck)
{
    return m->mem && m->mem->ranges->count ? range_list_at(m->mem->ranges, ck) : DELETION_NONE;
}

static err_t covering_of(const struct merge *m, struct bytes ck, struct deletion *out)
{
    struct deletion stored;
    if (!m->mem) {
        /* The level is canonical: what it stores is not covered by what it stores. */
        *out = DELETION_NONE;
        return OK;
    }
    TRY(level_range_at(&m->w->view, &m->prefix, ck, &stored));
    *out = deletion_max(deletion_max(m->deletion, mem_range_at(m, ck)), stored);
    return OK;
}

/* The first stored row after `after` (from the start when it is null) in one of the walked intervals, i.e. covered by a tombstone that
 * the level does not have. ERR_NOT_FOUND: none. */
static err_t next_walked(struct merge *m, struct bytes after, struct level_entry *out)
{
    size_t intervals = !m->mem || m->walk_all ? 1 : m->mem->ranges->count;
    if (m->w->table->rows == 0)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < intervals; i++) {
        struct bytes lower = BOTTOM, upper = TOP;
        if (m->mem && !m->walk_all) {
            /* The list is ordered: pass over what ends before `after` by bisection. */
            size_t low = i, high = intervals;
            while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (!bytes_is_null(after) &&
                    bytes_compare(m->mem->ranges->items[middle].upper, after) <= 0)
                    low = middle + 1;
                else
                    high = middle;
            }
            i = low;
            if (i == intervals)
                break;
            lower = m->mem->ranges->items[i].lower;
            upper = m->mem->ranges->items[i].upper;
        }
        if (!bytes_is_null(after) && bytes_compare(lower, after) < 0)
            lower = after;
        struct level_iter it = {0};
        level_iter_begin(&it, &m->w->view, m->w->view.cursor, &m->prefix, LEVEL_ROW, lower, upper,
                         false, NULL);
        err_t err;
        bool again;
        do {
            err = level_iter_next(&it, out);
            m->work++;
            again = err == OK && !bytes_is_null(after) && bytes_compare(out->ck, after) <= 0;
            if (err == ERR_CORRUPT) {
                /* It stays as it is. */
                ++*m->corrupt;
                again = !it.done;
                err = ERR_NOT_FOUND;
            }
        } while (again);
        level_iter_end(&it);
        if (err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_NOT_FOUND;
}

static err_t merge_rows(struct merge *m, struct merge_position *pos, uint64_t work_max, bool *done)
{
    struct memtable_rows rows;
    struct memtable_row row = {0};
    bool walk = !m->mem || m->walk_all || m->mem->ranges->count > 0, has_row = false;
    struct buf walked = {0}, walked_body = {0};
    bool has_walked = false;
    err_t err = OK;
    if (m->mem) {
        memtable_rows_begin(m->mem, pos->has_ck ? buf_bytes(&pos->ck) : BOTTOM, TOP, false, &rows);
        has_row = memtable_rows_next(&rows, &row);
        if (has_row && pos->has_ck && bytes_equal(row.ck, buf_bytes(&pos->ck)))
            has_row = memtable_rows_next(&rows, &row);
    }
    /* The bounds above point into pos->ck, which changes: they are only looked at by the calls before this line, as the upper
     * bound, which memtable_rows_next() compares with, is TOP. */
    *done = false;
    while (m->work < work_max) {
        if (walk && !has_walked) {
            struct level_entry e;
            err = next_walked(m, pos->has_ck ? buf_bytes(&pos->ck) : BYTES_NULL, &e);
            if (err == OK) {
                walked.n = walked_body.n = 0;
                buf_put_bytes(&walked, e.ck);
                buf_put_bytes(&walked_body, e.payload);
                has_walked = true;
            } else if (err == ERR_NOT_FOUND) {
                walk = false;
                err = OK;
            } else {
                goto out;
            }
        }
        if (!has_walked && !has_row)
            break;
        int order = !has_row ? 1 : !has_walked ? -1 : bytes_compare(row.ck, buf_bytes(&walked));
        struct bytes ck = order <= 0 ? row.ck : buf_bytes(&walked);
        struct bytes stored = BYTES_NULL;
        bool is_new = false, damaged = false;
        struct deletion covering;
        err = covering_of(m, ck, &covering);
        if (err == OK && order >= 0)
            stored = buf_bytes(&walked_body);
        else if (err == OK && m->w->table->rows == 0)
            is_new = true;
        else if (err == OK)
            err = stored_body(m, LEVEL_ROW, ck, &stored, &is_new, &damaged);
        if (err == OK)
            err = write_body(m, LEVEL_ROW, ck, stored, order <= 0 ? row.body : BYTES_NULL, is_new,
                             damaged, covering);
        if (err != OK)
            goto out;
        m->work++;
        position_set_ck(pos, ck);
        if (order >= 0)
            has_walked = false;
        if (order <= 0)
            has_row = memtable_rows_next(&rows, &row);
    }
    *done = !has_row && !has_walked && !walk;
out:
    buf_free(&walked);
    buf_free(&walked_body);
    return err;
}

/* --- Range tombstones ----------------------------------------------------------------------- */

/* Deletes stored range tombstones from pos on that the partition's deletion covers or that are purged. */
static err_t clean_ranges(struct merge *m, struct merge_position *pos, uint64_t work_max,
                          bool *done)
{
    *done = m->w->table->ranges == 0;
    while (!*done && m->work < work_max) {
        struct level_iter it = {0};
        struct level_entry e;
        struct range_tombstone r;
        level_iter_begin(&it, &m->w->view, m->w->view.cursor, &m->prefix, LEVEL_RANGE,
                         pos->has_ck ? buf_bytes(&pos->ck) : BOTTOM, TOP, false, NULL);
        err_t err = level_iter_next(&it, &e);
        if (err == OK && pos->has_ck && bytes_equal(e.ck, buf_bytes(&pos->ck)))
            err = level_iter_next(&it, &e);
        if (err == OK)
            err = level_range_decode(e.ck, e.payload, &r);
        m->work++;
        if (err == OK) {
            position_set_ck(pos, e.ck);
            if (covers(m->deletion, r.deletion) || is_purged(m->rules, r.deletion))
                err = level_del(m->w, &m->prefix, LEVEL_RANGE, buf_bytes(&pos->ck));
        } else if (err == ERR_NOT_FOUND) {
            *done = true;
            err = OK;
        } else if (err == ERR_CORRUPT) {
            /* Stays as it is, and everything read through it says so. */
            ++*m->corrupt;
            *done = true;
            err = OK;
        }
        level_iter_end(&it);
        TRY(err);
    }
    return OK;
}

/* Stored runs taken out of the level to be merged. */
struct taken {
    struct arena arena;
    struct range_list runs;
    struct bytes *lowers; /* their keys */
    size_t count, cap;
    bool damaged; /* there are some that cannot be read */
};

static void take_range(struct taken *t, const struct range_tombstone *r)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 16;
        t->lowers = realloc(t->lowers, t->cap * sizeof *t->lowers);
        ensure(t->lowers != NULL);
    }
    t->lowers[t->count++] = arena_dup(&t->arena, r->lower);
    range_list_add(&t->runs, &t->arena, *r);
}

/* Collects stored runs that touch [lower, *end], at most RANGES_AT_ONCE; *end is lowered to where the first one left out begins. */
static err_t take_ranges(struct merge *m, struct taken *t, struct bytes lower, struct bytes *end)
{
    struct level_iter it = {0};
    struct level_entry e;
    struct range_tombstone r;
    if (m->w->table->ranges == 0)
        return OK;
    /* The one before may reach to lower or over it. */
    level_iter_begin(&it, &m->w->view, m->w->view.cursor, &m->prefix, LEVEL_RANGE, BOTTOM, lower,
                     true, NULL);
    err_t err = level_iter_next(&it, &e);
    if (err == OK)
        err = level_range_decode(e.ck, e.payload, &r);
    if (err == OK && bytes_compare(r.upper, lower) >= 0)
        take_range(t, &r);
    t->damaged = err == ERR_CORRUPT;
    if (err != OK && err != ERR_NOT_FOUND && err != ERR_CORRUPT)
        goto out;
    level_iter_begin(&it, &m->w->view, m->w->view.cursor, &m->prefix, LEVEL_RANGE, lower, TOP,
                     false, NULL);
    for (;;) {
        err = level_iter_next(&it, &e);
        if (err == OK)
            err = level_range_decode(e.ck, e.payload, &r);
        if (err == ERR_CORRUPT && !it.done) {
            t->damaged = true;
            continue;
        }
        if (err != OK || bytes_compare(r.lower, *end) > 0)
            break;
        if (t->count >= RANGES_AT_ONCE && bytes_compare(r.lower, *end) < 0) {
            *end = arena_dup(&t->arena, r.lower);
            break;
        }
        m->work++;
        take_range(t, &r);
    }
out:
    level_iter_end(&it);
    if (err == ERR_CORRUPT)
        t->damaged = true;
    return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

static err_t put_range(struct merge *m, const struct range_tombstone *r, bool look)
{
    struct bytes payload;
    bool damaged =
        look && level_get(&m->w->view, &m->prefix, LEVEL_RANGE, r->lower, &payload) == ERR_CORRUPT;
    if (damaged)
        ++*m->corrupt;
    return level_range_put(m->w, &m->prefix, r, damaged);
}

/* Merges one new range tombstone, from pos->ck on, with the stored runs around it. */
static err_t merge_range(struct merge *m, const struct range_tombstone *r,
                         struct merge_position *pos, bool *done)
{
    struct taken t = {0};
    arena_init(&t.arena, 0);
    struct bytes lower = r->lower, end = r->upper;
    if (pos->has_ck && bytes_compare(buf_bytes(&pos->ck), lower) > 0)
        lower = arena_dup(&t.arena, buf_bytes(&pos->ck));
    err_t err = take_ranges(m, &t, lower, &end);
    if (err == OK && !covers(m->deletion, r->deletion))
        range_list_add(&t.runs, &t.arena, (struct range_tombstone){lower, end, r->deletion});
    for (size_t i = 0; i < t.count && err == OK; i++)
        err = level_del(m->w, &m->prefix, LEVEL_RANGE, t.lowers[i]);
    for (size_t i = 0; i < t.runs.count && err == OK; i++) {
        const struct range_tombstone *run = &t.runs.items[i];
        if (!covers(m->deletion, run->deletion) && !is_purged(m->rules, run->deletion))
            err = put_range(m, run, t.damaged);
    }
    m->work++;
    *done = bytes_compare(end, r->upper) >= 0;
    if (!*done)
        position_set_ck(pos, end);
    free(t.lowers);
    arena_free(&t.arena);
    return err;
}

static err_t merge_ranges(struct merge *m, struct merge_position *pos, uint64_t work_max,
                          bool *done)
{
    size_t count = m->mem ? m->mem->ranges->count : 0;
    /* First what is stored and falls, then what is new. */
    if (pos->range == 0) {
        bool cleaned = true;
        if (!m->mem || m->walk_all)
            TRY(clean_ranges(m, pos, work_max, &cleaned));
        *done = false;
        if (!cleaned)
            return OK;
        pos->range = 1;
        pos->has_ck = false;
    }
    while (pos->range <= count && m->work < work_max) {
        bool range_done;
        TRY(merge_range(m, &m->mem->ranges->items[pos->range - 1], pos, &range_done));
        if (range_done) {
            pos->range++;
            pos->has_ck = false;
        }
    }
    *done = pos->range > count;
    return OK;
}

/* --- The partition -------------------------------------------------------------------------- */

static err_t merge_header(struct merge *m, struct bytes pk)
{
    struct level_header h = {.deletion = m->deletion, .pk = m->prefix.is_long ? pk : BYTES_NULL};
    if (is_purged(m->rules, h.deletion))
        h.deletion = DELETION_NONE;
    if (m->header_damaged)
        return level_header_put(m->w, &m->prefix, &h, &m->header, true);
    bool empty = deletion_is_none(h.deletion);
    if (empty && m->prefix.is_long)
        TRY(level_partition_is_empty(&m->w->view, &m->prefix, &empty));
    if (empty)
        return m->has_header ? level_header_del(m->w, &m->prefix, &m->header) : OK;
    if (m->has_header && h.deletion.timestamp == m->header.deletion.timestamp &&
        h.deletion.local_deletion_s == m->header.deletion.local_deletion_s)
        return OK;
    return level_header_put(m->w, &m->prefix, &h, m->has_header ? &m->header : NULL, false);
}

static err_t merge_run(struct merge *m, struct token token, struct bytes pk,
                       struct merge_position *pos, uint64_t work_max, bool *done)
{
    bool phase_done = false;
    *done = false;
    TRY(merge_init(m, token, pk));
    if (pos->phase == MERGE_BEGIN) {
        /* A long key is found by its header, so that comes first. */
        if (m->prefix.is_long && !m->has_header) {
            struct level_header h = {.deletion = DELETION_NONE, .pk = pk};
            TRY(level_header_put(m->w, &m->prefix, &h, NULL, false));
            m->header = h;
            m->has_header = true;
        }
        pos->phase = MERGE_ROWS;
        pos->has_ck = false;
    }
    if (pos->phase == MERGE_ROWS) {
        TRY(merge_rows(m, pos, work_max, &phase_done));
        if (!phase_done)
            return OK;
        pos->phase = MERGE_RANGES;
        pos->has_ck = false;
        pos->range = 0;
    }
    if (pos->phase == MERGE_RANGES) {
        TRY(merge_ranges(m, pos, work_max, &phase_done));
        if (!phase_done)
            return OK;
        pos->phase = MERGE_END;
    }
    TRY(merge_static(m));
    /* The header's pk may have pointed into what this transaction has changed since. */
    if (m->prefix.is_long)
        m->header.pk = pk;
    TRY(merge_header(m, pk));
    *done = true;
    return OK;
}

err_t merge_partition(struct level_writer *w, const struct merge_rules *rules,
                      const struct memtable_partition *p, struct merge_position *pos,
                      uint64_t work_max, uint64_t *work, uint64_t *corrupt_count, bool *done)
{
    struct merge m = {.w = w, .rules = rules, .mem = p, .work = *work, .corrupt = corrupt_count};
    err_t err = merge_run(&m, p->token, p->pk, pos, work_max, done);
    *work = m.work + 1;
    merge_free(&m);
    return err;
}

err_t purge_partition(struct level_writer *w, const struct merge_rules *rules,
                      const struct level_partition *p, struct merge_position *pos,
                      uint64_t work_max, uint64_t *work, bool *done)
{
    uint64_t corrupt = 0;
    struct merge m = {.w = w, .rules = rules, .mem = NULL, .work = *work, .corrupt = &corrupt};
    err_t err = merge_run(&m, p->token, p->pk, pos, work_max, done);
    *work = m.work + 1;
    merge_free(&m);
    return err;
}
