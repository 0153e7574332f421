/* Reading: the merge of memtables and level into the stream of cql/data/read.h.
 *
 * A partition is read by one cursor a source, rows in step by clustering key. Of a row only what some source has is looked at, so a
 * partition of any size is read in the memory of one row. Tombstones of every source act on the rows of all. What the level stores is
 * canonical: its own tombstones need not be asked about its own rows, and are only looked up where a memtable has a part of the
 * partition too, or where the caller wants the tombstones themselves. */
#include "storage/store_priv.h"

enum { SOURCES_MAX = 3, RANGES_MAX = 1024 };

static const uint8_t top[1] = {0xFF};
#define TOP    bytes_of(top, 1)
#define BOTTOM bytes_of("", 0)

struct source {
    const struct memtable *memtable; /* NULL: the level */
    bool in;                         /* has a part of the partition in hand */
    /* The next partition of a range read. */
    bool has_next;
    struct memtable_cursor cursor;
    struct memtable_partition next_mem;
    struct level_partition next_level;
    /* The partition in hand. */
    struct memtable_partition mem;
    struct level_partition level;
    /* Its next row. */
    bool has_row;
    struct bytes ck, body;
    uint64_t seq;
    struct memtable_rows rows;
    struct level_iter it;
};

struct reader {
    struct read_sources *from;
    const struct read_command *cmd;
    struct read_position *pos;
    const struct read_budget *budget;
    struct arena *arena;
    struct buf *out;
    size_t out_start;
    uint64_t seq_used;
    uint32_t rows, scanned, steps; /* by this call; a step is what moves the position on */
    struct source sources[SOURCES_MAX];
    size_t sources_count;
    bool (*keep)(const void *, uint32_t, int64_t);

    /* The partition in hand. */
    struct token token;
    struct bytes pk;
    bool begun;        /* its head is in out */
    bool any_memtable; /* a memtable has a part of it */
    struct deletion deletion;
    struct bytes last_ck; /* the last row looked at; null: none */
    uint32_t live_rows;
};

void read_scratch_free(struct read_scratch *s)
{
    buf_free(&s->merged);
    buf_free(&s->other);
    buf_free(&s->cleaned);
    buf_free(&s->rows);
}

static bool used_up(const struct reader *r)
{
    return r->rows >= r->budget->rows_max || r->scanned >= r->budget->scanned_max ||
           r->out->n - r->out_start + r->from->scratch->rows.n >= r->budget->bytes_max;
}

static void use_seq(struct reader *r, uint64_t seq)
{
    if (seq > r->seq_used)
        r->seq_used = seq;
}

static void begin_partition(struct reader *r)
{
    if (!r->begun)
        result_begin_partition(r->out, r->pk);
    r->begun = true;
}

static bool level_has(const struct reader *r, const struct source *s, enum level_kind kind)
{
    const struct level_table *t = r->from->level->table;
    if (s->level.first_kind > kind)
        return false;
    switch (kind) {
    case LEVEL_HEADER: return t->deletions > 0;
    case LEVEL_STATIC: return t->statics > 0;
    case LEVEL_RANGE: return t->ranges > 0;
    case LEVEL_ROW: return t->rows > 0;
    }
    return true;
}

/* Does anything need the level's own tombstones. */
static bool level_tombstones_matter(const struct reader *r)
{
    return r->any_memtable || r->cmd->with_tombstones;
}

static err_t find_deletion(struct reader *r)
{
    r->deletion = DELETION_NONE;
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        if (!s->in)
            continue;
        if (s->memtable) {
            r->deletion = deletion_max(r->deletion, s->mem.deletion);
            use_seq(r, s->mem.seq);
        } else if (level_has(r, s, LEVEL_HEADER) && level_tombstones_matter(r)) {
            struct level_header h;
            err_t err = level_header_get(r->from->level, &s->level.prefix, &h);
            if (err == OK)
                r->deletion = deletion_max(r->deletion, h.deletion);
            else if (err != ERR_NOT_FOUND)
                return err;
        }
    }
    return OK;
}

/* Merges bodies under a covering deletion and drops what the reader is not to see. *result: BYTES_NULL when nothing is left. */
static err_t merge_bodies(struct reader *r, const struct bytes *bodies, size_t count,
                          struct deletion covering, struct bytes *result)
{
    struct read_scratch *s = r->from->scratch;
    struct bytes body = bodies[0];
    bool empty = false;
    *result = BYTES_NULL;
    if (count > 1 || !deletion_is_none(covering)) {
        s->merged.n = 0;
        TRY(row_merge(body, count > 1 ? bodies[1] : BYTES_NULL, covering, &s->merged, &empty));
        body = empty ? BYTES_NULL : buf_bytes(&s->merged);
        if (count > 2) {
            s->other.n = 0;
            TRY(row_merge(bodies[2], body, covering, &s->other, &empty));
            body = buf_bytes(&s->other);
        }
        if (empty)
            return OK;
    }
    if (!r->cmd->with_tombstones || r->keep) {
        struct row_filter f = {.now_s = r->cmd->now_s,
                               .purge_before_s = INT64_MIN,
                               .live_only = !r->cmd->with_tombstones,
                               .keep = r->keep,
                               .ctx = r->cmd->table};
        s->cleaned.n = 0;
        TRY(row_clean(body, &f, &s->cleaned, &empty));
        if (empty)
            return OK;
        body = buf_bytes(&s->cleaned);
    }
    *result = body;
    return OK;
}

static err_t read_static(struct reader *r, bool *is_live)
{
    struct bytes bodies[SOURCES_MAX], body;
    size_t count = 0;
    *is_live = false;
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        if (s->in && s->memtable && s->mem.static_row.n > 0) {
            bodies[count++] = s->mem.static_row;
        } else if (s->in && !s->memtable && level_has(r, s, LEVEL_STATIC)) {
            err_t err = level_static_get(r->from->level, &s->level.prefix, &bodies[count]);
            if (err == OK)
                count++;
            else if (err != ERR_NOT_FOUND)
                return err;
        }
    }
    if (count == 0)
        return OK;
    TRY(merge_bodies(r, bodies, count, r->deletion, &body));
    if (bytes_is_null(body))
        return OK;
    if (r->cmd->with_tombstones)
        TRY(row_is_live(body, r->cmd->now_s, is_live));
    else
        *is_live = true;
    begin_partition(r);
    op_put_static_row(r->out, body);
    return OK;
}

/* --- Rows ----------------------------------------------------------------------------------- */

static err_t next_row(struct reader *r, struct source *s)
{
    if (s->memtable) {
        struct memtable_row row;
        s->has_row = memtable_rows_next(&s->rows, &row);
        if (s->has_row) {
            s->ck = row.ck;
            s->body = row.body;
            s->seq = row.seq;
        }
        return OK;
    }
    struct level_entry e;
    err_t err = level_iter_next(&s->it, &e);
    s->has_row = err == OK;
    if (err == ERR_NOT_FOUND)
        return OK;
    TRY(err);
    s->ck = e.ck;
    s->body = e.payload;
    s->seq = 0;
    (void)r;
    return OK;
}

static err_t begin_slice(struct reader *r, struct bytes lower, struct bytes upper)
{
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        s->has_row = false;
        if (!s->in)
            continue;
        if (s->memtable) {
            memtable_rows_begin(&s->mem, lower, upper, r->cmd->reversed, &s->rows);
        } else {
            if (!level_has(r, s, LEVEL_ROW))
                continue;
            level_iter_begin(&s->it, r->from->level, r->from->level->cursor, &s->level.prefix,
                             LEVEL_ROW, lower, upper, r->cmd->reversed, &s->level);
            s->level.at_cursor = false;
        }
        TRY(next_row(r, s));
    }
    return OK;
}

static err_t covering_at(const struct reader *r, struct bytes ck, struct deletion *out)
{
    *out = r->deletion;
    if (!r->any_memtable)
        return OK; /* then the level alone has it, and is canonical */
    for (size_t i = 0; i < r->sources_count; i++) {
        const struct source *s = &r->sources[i];
        struct deletion d = DELETION_NONE;
        if (!s->in)
            continue;
        if (s->memtable) {
            if (s->mem.ranges->count)
                d = range_list_at(s->mem.ranges, ck);
        } else if (level_has(r, s, LEVEL_RANGE)) {
            TRY(level_range_at(r->from->level, &s->level.prefix, ck, &d));
        }
        *out = deletion_max(*out, d);
    }
    return OK;
}

/* The next row of all sources into r->last_ck and bodies; the sources that have it move on only in take_row(). */
static bool pick_row(struct reader *r, struct bytes *ck)
{
    bool found = false;
    for (size_t i = 0; i < r->sources_count; i++) {
        const struct source *s = &r->sources[i];
        if (!s->has_row)
            continue;
        if (found) {
            int c = bytes_compare(s->ck, *ck);
            if (r->cmd->reversed ? c <= 0 : c >= 0)
                continue;
        }
        *ck = s->ck;
        found = true;
    }
    return found;
}

static err_t take_row(struct reader *r, struct bytes ck, struct bytes *body)
{
    struct bytes bodies[SOURCES_MAX];
    size_t count = 0;
    struct deletion covering;
    struct source *having[SOURCES_MAX];
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        if (s->has_row && bytes_equal(s->ck, ck)) {
            use_seq(r, s->seq);
            having[count] = s;
            bodies[count++] = s->body;
        }
    }
    TRY(covering_at(r, ck, &covering));
    TRY(merge_bodies(r, bodies, count, covering, body));
    for (size_t i = 0; i < count; i++)
        TRY(next_row(r, having[i]));
    return OK;
}

enum rows_end { ROWS_ALL, ROWS_BUDGET };

/* Reads the rows of one slice. Rows go to `to`. */
static err_t read_slice(struct reader *r, struct bytes lower, struct bytes upper, struct buf *to,
                        bool *limit_reached, enum rows_end *end)
{
    const struct read_command *cmd = r->cmd;
    struct bytes ck, body;
    TRY(begin_slice(r, lower, upper));
    while (pick_row(r, &ck)) {
        if (used_up(r) && r->steps > 0) {
            *end = ROWS_BUDGET;
            return OK;
        }
        TRY(take_row(r, ck, &body));
        r->last_ck = ck;
        r->scanned++;
        r->steps++;
        if (bytes_is_null(body)) {
            r->from->tombstones_read++;
            continue;
        }
        bool is_live = true;
        if (cmd->with_tombstones)
            TRY(row_is_live(body, cmd->now_s, &is_live));
        begin_partition(r);
        op_put_row(to, ck, body);
        r->rows++;
        r->from->rows_read++;
        r->live_rows += is_live;
        if (is_live &&
            (cmd->static_only || (cmd->partition_limit && r->live_rows >= cmd->partition_limit))) {
            *limit_reached = true;
            return OK;
        }
    }
    return OK;
}

/* --- Range tombstones, where the caller wants them ------------------------------------------- */

struct ranges_wanted {
    struct bytes lower,
        upper; /* the span this call answers for; narrowed where there are too many */
    bool narrowed;
    struct range_list list;
};

static struct bytes just_after(struct arena *a, struct bytes ck)
{
    uint8_t *p = arena_alloc(a, ck.n + 1);
    if (ck.n)
        memcpy(p, ck.p, ck.n);
    p[ck.n] = 0;
    return bytes_of(p, ck.n + 1);
}

static void narrow(struct reader *r, struct ranges_wanted *w, struct bytes at)
{
    /* Of the last range tombstone its first point still belongs to the span, as a row may stand there. */
    if (r->cmd->reversed) {
        if (bytes_compare(at, w->lower) > 0) {
            w->lower = arena_dup(r->arena, at);
            w->narrowed = true;
        }
    } else {
        struct bytes after = just_after(r->arena, at);
        if (bytes_compare(after, w->upper) < 0) {
            w->upper = after;
            w->narrowed = true;
        }
    }
}

/* Takes one; false when that is enough. */
static bool want_range(struct reader *r, struct ranges_wanted *w, const struct range_tombstone *t,
                       size_t *count)
{
    range_list_add(&w->list, r->arena, *t);
    if (++*count < RANGES_MAX)
        return true;
    narrow(r, w, t->lower);
    return false;
}

static void ranges_of_memtable(struct reader *r, const struct range_list *l,
                               struct ranges_wanted *w)
{
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct range_tombstone *t = &l->items[r->cmd->reversed ? l->count - 1 - i : i];
        if (bytes_compare(t->upper, w->lower) <= 0 || bytes_compare(t->lower, w->upper) >= 0)
            continue;
        if (!want_range(r, w, t, &count))
            return;
    }
}

static err_t ranges_of_level(struct reader *r, struct source *s, struct ranges_wanted *w)
{
    const struct level_view *v = r->from->level;
    struct level_iter it = {0};
    struct level_entry e;
    struct range_tombstone t;
    size_t count = 0;
    /* Those that begin before the span: only the last of them can reach into it. */
    level_iter_begin(&it, v, v->cursor2, &s->level.prefix, LEVEL_RANGE, BOTTOM, w->lower, true,
                     NULL);
    err_t err = level_iter_next(&it, &e);
    if (err == OK)
        err = level_range_decode(e.ck, e.payload, &t);
    if (err == OK && bytes_compare(t.upper, w->lower) > 0)
        range_list_add(&w->list, r->arena, t);
    if (err == OK || err == ERR_NOT_FOUND) {
        level_iter_begin(&it, v, v->cursor2, &s->level.prefix, LEVEL_RANGE, w->lower, w->upper,
                         r->cmd->reversed, NULL);
        do {
            err = level_iter_next(&it, &e);
            if (err == OK)
                err = level_range_decode(e.ck, e.payload, &t);
        } while (err == OK && want_range(r, w, &t, &count));
    }
    level_iter_end(&it);
    return err == ERR_NOT_FOUND ? OK : err;
}

static err_t collect_ranges(struct reader *r, struct ranges_wanted *w)
{
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        if (!s->in)
            continue;
        if (s->memtable)
            ranges_of_memtable(r, s->mem.ranges, w);
        else if (level_has(r, s, LEVEL_RANGE))
            TRY(ranges_of_level(r, s, w));
    }
    return OK;
}

static void put_ranges(struct reader *r, const struct ranges_wanted *w)
{
    for (size_t i = 0; i < w->list.count; i++) {
        struct range_tombstone t = w->list.items[i];
        if (!deletion_is_none(r->deletion) && t.deletion.timestamp <= r->deletion.timestamp)
            continue;
        if (bytes_compare(t.lower, w->lower) < 0)
            t.lower = w->lower;
        if (bytes_compare(t.upper, w->upper) > 0)
            t.upper = w->upper;
        if (bytes_compare(t.lower, t.upper) >= 0)
            continue;
        begin_partition(r);
        op_put_range_tombstone(r->out, t.lower, t.upper, t.deletion);
        r->scanned++;
    }
}

/* --- One partition -------------------------------------------------------------------------- */

static void stop_inside(struct reader *r, struct bytes ck)
{
    *r->pos = (struct read_position){.set = true,
                                     .pk = arena_dup(r->arena, r->pk),
                                     .rows_begun = !bytes_is_null(ck),
                                     .ck = arena_dup(r->arena, ck),
                                     .partition_rows = r->live_rows};
}

static void stop_behind(struct reader *r)
{
    *r->pos = (struct read_position){
        .set = true, .pk = arena_dup(r->arena, r->pk), .partition_done = true};
}

/* Reads the slices within the span. */
static err_t read_slices(struct reader *r, struct bytes lower, struct bytes upper, struct buf *to,
                         bool *limit_reached, enum rows_end *end)
{
    const struct read_command *cmd = r->cmd;
    for (size_t i = 0; i < cmd->slices_count && !*limit_reached && *end == ROWS_ALL; i++) {
        struct slice s = cmd->slices[cmd->reversed ? cmd->slices_count - 1 - i : i];
        if (bytes_compare(s.lower, lower) < 0)
            s.lower = lower;
        if (bytes_compare(s.upper, upper) > 0)
            s.upper = upper;
        if (bytes_compare(s.lower, s.upper) < 0)
            TRY(read_slice(r, s.lower, s.upper, to, limit_reached, end));
    }
    return OK;
}

/* Reads what the sources that are `in` have of (r->token, r->pk). resume: the position to go on from, or NULL.
 * *stopped: the budget ended inside it and r->pos says where. */
static err_t read_partition(struct reader *r, const struct read_position *resume, bool *stopped)
{
    const struct read_command *cmd = r->cmd;
    struct ranges_wanted ranges = {.lower = BOTTOM, .upper = TOP};
    struct buf *to = r->out;
    bool limit_reached = false, static_is_live = false;
    enum rows_end end = ROWS_ALL;
    r->begun = *stopped = false;
    r->last_ck = BYTES_NULL;
    r->live_rows = resume ? resume->partition_rows : 0;
    r->any_memtable = false;
    for (size_t i = 0; i < r->sources_count; i++)
        r->any_memtable |= r->sources[i].in && r->sources[i].memtable;
    r->scanned++;
    r->steps += !resume;
    TRY(find_deletion(r));
    if (cmd->with_tombstones && !deletion_is_none(r->deletion)) {
        begin_partition(r);
        op_put_partition_deletion(r->out, r->deletion);
    }
    if ((!resume || resume->static_again) && (cmd->want_static || cmd->static_only))
        TRY(read_static(r, &static_is_live));
    if (resume && resume->rows_begun) {
        if (cmd->reversed)
            ranges.upper = resume->ck;
        else
            ranges.lower = just_after(r->arena, resume->ck);
    }
    if (cmd->with_tombstones) {
        struct bytes first = cmd->slices[0].lower, last = cmd->slices[cmd->slices_count - 1].upper;
        if (bytes_compare(first, ranges.lower) > 0)
            ranges.lower = first;
        if (bytes_compare(last, ranges.upper) < 0)
            ranges.upper = last;
        TRY(collect_ranges(r, &ranges));
        to = &r->from->scratch->rows;
        to->n = 0;
    }
    if (!(cmd->static_only && static_is_live) &&
        !(cmd->partition_limit && r->live_rows >= cmd->partition_limit)) {
        TRY(read_slices(r, ranges.lower, ranges.upper, to, &limit_reached, &end));
    }
    if (cmd->with_tombstones) {
        if ((end == ROWS_BUDGET || limit_reached) && !bytes_is_null(r->last_ck)) {
            if (cmd->reversed)
                ranges.lower = r->last_ck;
            else
                ranges.upper = just_after(r->arena, r->last_ck);
        }
        if (end != ROWS_BUDGET || !bytes_is_null(r->last_ck))
            put_ranges(r, &ranges);
        buf_put_bytes(r->out, buf_bytes(to));
        to->n = 0;
    }
    if (r->begun)
        op_put_end(r->out);
    if (end == ROWS_BUDGET) {
        stop_inside(r, bytes_is_null(r->last_ck) && resume && resume->rows_begun ? resume->ck
                                                                                 : r->last_ck);
        *stopped = true;
    } else if (ranges.narrowed && !limit_reached) {
        /* pos is "after" this clustering key, so the span's last point is what to say. */
        stop_inside(r, cmd->reversed ? ranges.lower : bytes_of(ranges.upper.p, ranges.upper.n - 1));
        *stopped = true;
    }
    return OK;
}

/* --- Many partitions ------------------------------------------------------------------------ */

static err_t find_partition(struct reader *r, struct bytes pk, bool *any)
{
    r->pk = pk;
    r->token = token_of_key(pk);
    *any = false;
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        if (s->memtable) {
            s->in = memtable_find(s->memtable, r->cmd->table->slot, r->token, pk, &s->mem);
        } else {
            TRY(level_prefix_find(r->from->level, r->token, pk, &s->level.prefix, &s->in));
            s->level.first_kind = LEVEL_HEADER;
            s->level.at_cursor = false;
        }
        *any |= s->in;
    }
    return OK;
}

static err_t read_keys(struct reader *r, bool *more)
{
    const struct read_command *cmd = r->cmd;
    size_t i = 0;
    struct read_position from = *r->pos;
    *more = false;
    if (from.set) {
        while (i < cmd->keys_count && !bytes_equal(cmd->keys[i], from.pk))
            i++;
        if (from.partition_done && i < cmd->keys_count)
            i++;
    }
    for (bool first = true; i < cmd->keys_count; i++, first = false) {
        bool any, stopped;
        if (!first && used_up(r)) {
            *more = true;
            stop_behind(r);
            return OK;
        }
        TRY(find_partition(r, cmd->keys[i], &any));
        if (!any)
            continue;
        bool resume = first && from.set && !from.partition_done;
        TRY(read_partition(r, resume ? &from : NULL, &stopped));
        if (stopped) {
            *more = true;
            return OK;
        }
    }
    return OK;
}

static err_t level_seek(struct reader *r, struct source *s, struct token token, struct bytes pk,
                        bool after)
{
    const struct level_view *v = r->from->level;
    err_t err;
    if (after) {
        err = level_partition_after(v, token, pk, &s->next_level);
    } else {
        err = level_partition_seek(v, token, &s->next_level);
        while (err == OK && !bytes_is_null(pk) &&
               partition_compare(s->next_level.token, s->next_level.pk, token, pk) < 0) {
            struct level_partition at = s->next_level;
            struct bytes at_pk = at.prefix.is_long ? at.pk : bytes_of(at.prefix.b + 10, at.pk.n);
            err = level_partition_after(v, at.token, at_pk, &s->next_level);
        }
    }
    s->has_next = err == OK;
    return err == ERR_NOT_FOUND ? OK : err;
}

/* Every source stands before its first partition of the range. */
static err_t seek_all(struct reader *r, bool *none)
{
    const struct read_command *cmd = r->cmd;
    struct token token = cmd->start;
    struct bytes pk = BYTES_NULL;
    *none = false;
    if (r->pos->set) {
        pk = r->pos->pk;
        token = token_of_key(pk);
    } else if (!cmd->start_inclusive) {
        *none = token.value == INT64_MAX;
        if (!*none)
            token.value++;
    }
    if (*none)
        return OK;
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        bool after = r->pos->set && r->pos->partition_done;
        if (!s->memtable) {
            TRY(level_seek(r, s, token, pk, after));
            continue;
        }
        if (r->pos->set)
            memtable_seek_partition(s->memtable, cmd->table->slot, token, pk, after, &s->cursor);
        else
            memtable_seek(s->memtable, cmd->table->slot, token, &s->cursor);
        s->has_next = memtable_next(&s->cursor, &s->next_mem);
    }
    return OK;
}

static struct token next_token(const struct source *s, struct bytes *pk)
{
    *pk = s->memtable ? s->next_mem.pk : s->next_level.pk;
    return s->memtable ? s->next_mem.token : s->next_level.token;
}

/* The least next partition of all sources; those that have it are `in`. */
static bool pick_partition(struct reader *r)
{
    struct source *best = NULL;
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        s->in = false;
        if (!s->has_next)
            continue;
        struct bytes pk;
        struct token token = next_token(s, &pk);
        int c = best ? partition_compare(token, pk, r->token, r->pk) : -1;
        if (c > 0)
            continue;
        if (c < 0)
            for (size_t k = 0; k < i; k++)
                r->sources[k].in = false;
        best = s;
        r->token = token;
        r->pk = pk;
        s->in = true;
    }
    return best != NULL;
}

/* The partition in hand is what was next; memory of its key stays as it is until the next call. */
static void take_partition(struct reader *r)
{
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        if (!s->in)
            continue;
        if (s->memtable) {
            s->mem = s->next_mem;
            r->pk = s->mem.pk;
        } else {
            s->level = s->next_level;
            if (!s->level.prefix.is_long)
                s->level.pk = bytes_of(s->level.prefix.b + 10, s->level.pk.n);
            r->pk = s->level.pk;
        }
    }
}

static err_t advance(struct reader *r)
{
    for (size_t i = 0; i < r->sources_count; i++) {
        struct source *s = &r->sources[i];
        if (!s->in)
            continue;
        if (s->memtable) {
            s->has_next = memtable_next(&s->cursor, &s->next_mem);
            continue;
        }
        err_t err;
        /* Long keys are stored in another order than theirs. */
        if (s->it.done && s->it.beyond.n && !s->level.prefix.is_long)
            err = level_partition_here(r->from->level, s->it.beyond, &s->next_level);
        else
            err = level_partition_after(r->from->level, r->token, r->pk, &s->next_level);
        s->it.beyond = BYTES_NULL;
        s->has_next = err == OK;
        if (err != OK && err != ERR_NOT_FOUND)
            return err;
    }
    return OK;
}

static bool past_end(const struct reader *r)
{
    int64_t end = r->cmd->end.value;
    return r->cmd->end_exclusive ? r->token.value >= end : r->token.value > end;
}

static err_t read_range(struct reader *r, bool *more)
{
    struct read_position from = *r->pos;
    bool none, first = true;
    *more = false;
    TRY(seek_all(r, &none));
    while (!none) {
        if (!first && used_up(r)) {
            stop_behind(r);
            *more = pick_partition(r) && !past_end(r);
            return OK;
        }
        if (!pick_partition(r) || past_end(r))
            return OK;
        take_partition(r);
        bool stopped;
        bool resume = first && from.set && !from.partition_done && bytes_equal(from.pk, r->pk);
        TRY(read_partition(r, resume ? &from : NULL, &stopped));
        if (stopped) {
            *more = true;
            return OK;
        }
        TRY(advance(r));
        first = false;
    }
    return OK;
}

err_t read_sources(struct read_sources *sources, const struct read_command *cmd,
                   struct read_position *pos, const struct read_budget *budget, struct arena *a,
                   struct buf *out, bool *more, uint64_t *seq_used)
{
    struct reader r;
    r.from = sources;
    r.cmd = cmd;
    r.pos = pos;
    r.budget = budget;
    r.arena = a;
    r.out = out;
    r.out_start = out->n;
    r.seq_used = 0;
    r.rows = r.scanned = r.steps = 0;
    r.sources_count = 0;
    r.keep = cmd->table->dropped_count ? store_keep_cell : NULL;
    sources->scratch->rows.n = 0;
    for (size_t i = 0; i < 2; i++) {
        struct memtable_table t;
        const struct memtable *m = sources->memtables[i];
        if (m && memtable_table_find(m, cmd->table->slot, &t) &&
            t.incarnation == cmd->table->incarnation) {
            struct source *s = &r.sources[r.sources_count++];
            s->memtable = m;
            s->in = s->has_next = s->has_row = false;
            s->it = (struct level_iter){0};
        }
    }
    if (sources->level) {
        struct source *s = &r.sources[r.sources_count++];
        s->memtable = NULL;
        s->in = s->has_next = s->has_row = false;
        s->it = (struct level_iter){0};
    }
    *more = false;
    err_t err = OK;
    if (r.sources_count > 0 && cmd->slices_count > 0)
        err = cmd->is_range ? read_range(&r, more) : read_keys(&r, more);
    for (size_t i = 0; i < r.sources_count; i++)
        level_iter_end(&r.sources[i].it);
    *seq_used = r.seq_used;
    return err;
}

err_t read_memtable(const struct memtable *m, const struct read_command *cmd,
                    struct read_position *pos, const struct read_budget *budget, struct arena *a,
                    struct buf *out, bool *more, uint64_t *seq_used)
{
    struct read_scratch scratch = {0};
    struct read_sources sources = {.memtables = {m, NULL}, .scratch = &scratch};
    err_t err = read_sources(&sources, cmd, pos, budget, a, out, more, seq_used);
    read_scratch_free(&scratch);
    return err;
}
