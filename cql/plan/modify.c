/* One execution of INSERT, UPDATE, DELETE or BATCH.
 *
 *   modify_begin()  for each statement: keys, clustering keys or ranges, timestamp, TTL; the reads that list operations need
 *   modify_build()  for each key and row: operations → cells → body; all changes → mutations (modify_merge.c)
 *
 * The usual statement names one row by single values: then keys are taken from their terms without the machinery of restrictions, and
 * body and mutation are each written once into memory of the right size. All memory is in env->arena. */
#include "cql/plan/modify_priv.h"

#include "cql/types/value.h"

struct existing_row {
    struct bytes ck, body;
};

/* What one partition's read gave. */
struct existing_rows {
    struct bytes static_body; /* null when there is none */
    struct existing_row *items;
    size_t count;
};

/* One statement's part of the run. */
struct work {
    const struct modify *modify;
    struct exec_env env; /* with the values of this part */
    int64_t timestamp;
    int32_t ttl;
    struct bytes *keys;
    size_t keys_count;
    struct bytes *cks; /* rows; NULL when no row is meant */
    size_t cks_count;
    size_t ck_bytes;      /* of the clustering columns of a single row */
    struct slice *slices; /* ranges of a DELETE */
    size_t slices_count;
    size_t reads_first; /* a read for each key, when it needs any */
};

struct modify_run {
    struct exec_env *env;
    enum modify_batch batch;
    struct work *works;
    size_t works_count;
    struct read_command *reads;
    struct existing_rows *answers;
    size_t reads_count, reads_cap;
};

/* --- Keys --------------------------------------------------------------------------------------- */

static err_t check_key_value(struct exec_env *env, const struct column *c, struct bytes v)
{
    if (bytes_is_null(v))
        return fail_set(env->fail, ERR_INVALID, "Invalid null value in condition for column %.*s",
                        BYTES_FMT(c->name));
    if (bytes_is_unset(v))
        return fail_set(env->fail, ERR_INVALID, "Invalid unset value for column %.*s",
                        BYTES_FMT(c->name));
    return OK;
}

static err_t check_key_bytes(struct exec_env *env, size_t n)
{
    if (n > MUTATION_PK_MAX)
        return fail_set(env->fail, ERR_INVALID, "Key length of %zu is longer than maximum of %d", n,
                        MUTATION_PK_MAX);
    return OK;
}

/* The partition key of single values: components of a composite carry three bytes each of framing. */
static err_t eval_single_pk(struct work *w)
{
    const struct table *t = w->modify->table;
    struct exec_env *env = &w->env;
    struct bytes one,
        *components = t->pk_count == 1 ? &one : arena_array(env->arena, struct bytes, t->pk_count);
    size_t total = t->pk_count == 1 ? 0 : (size_t)3 * t->pk_count;
    for (uint16_t i = 0; i < t->pk_count; i++) {
        TRY(term_eval(w->modify->pk_terms[i], env, &components[i]));
        TRY(check_key_value(env, table_pk(t, i), components[i]));
        total += components[i].n;
    }
    if (total == 0)
        return fail_set(env->fail, ERR_INVALID, "Key may not be empty");
    TRY(check_key_bytes(env, total));
    w->keys = arena_array(env->arena, struct bytes, 1);
    w->keys_count = 1;
    if (t->pk_count == 1) {
        w->keys[0] = components[0];
        return OK;
    }
    struct buf key = buf_in(env->arena);
    buf_reserve(&key, total);
    pk_encode(&key, components, t->pk_count);
    w->keys[0] = buf_bytes(&key);
    return OK;
}

static err_t eval_single_ck(struct work *w)
{
    const struct table *t = w->modify->table;
    struct exec_env *env = &w->env;
    struct buf key = buf_in(env->arena);
    size_t total = 0;
    for (uint16_t i = 0; i < t->ck_count; i++) {
        struct bytes v;
        const struct column *c = table_ck(t, i);
        TRY(term_eval(w->modify->ck_terms[i], env, &v));
        TRY(check_key_value(env, c, v));
        total += v.n;
        TRY(check_key_bytes(env, total));
        buf_reserve(&key, v.n + 16);
        type_key_encode(c->type, v, c->desc, &key);
    }
    w->cks = arena_array(env->arena, struct bytes, 1);
    w->cks[0] = buf_bytes(&key);
    w->cks_count = 1;
    w->ck_bytes = total;
    return OK;
}

/* Rows, ranges or nothing but the partition and its static row. */
static err_t eval_clusterings(struct work *w)
{
    const struct modify *m = w->modify;
    if (m->table->ck_count > 0 && m->where->ck_count == 0)
        return OK;
    if (m->ck_terms)
        return eval_single_ck(w);
    if (m->kind == MODIFY_DELETE && !restrict_names_rows(m->where))
        return restrict_eval_slices(m->where, &w->env, &w->slices, &w->slices_count);
    return restrict_eval_clusterings(m->where, &w->env, &w->cks, &w->cks_count);
}

/* --- USING -------------------------------------------------------------------------------------- */

/* A timestamp term's value over *timestamp; unset leaves it. */
static err_t eval_timestamp(const struct term *t, struct exec_env *env, int64_t *timestamp)
{
    struct bytes v;
    if (t == NULL)
        return OK;
    TRY(term_eval(t, env, &v));
    if (bytes_is_unset(v))
        return OK;
    if (v.n != 8)
        return fail_set(env->fail, ERR_INVALID, "Invalid null value of timestamp");
    *timestamp = value_i64(v);
    return OK;
}

static err_t check_timestamp(struct exec_env *env, int64_t timestamp)
{
    if (timestamp == TIMESTAMP_NONE)
        return fail_set(env->fail, ERR_INVALID, "Out of bound timestamp, must be in [%lld, %lld]",
                        (long long)(INT64_MIN + 1), (long long)INT64_MAX);
    return OK;
}

static err_t eval_ttl(struct work *w)
{
    struct exec_env *env = &w->env;
    struct bytes v;
    w->ttl = w->modify->table->options.default_time_to_live;
    if (w->modify->kind == MODIFY_DELETE || w->modify->ttl == NULL)
        return OK;
    TRY(term_eval(w->modify->ttl, env, &v));
    if (bytes_is_unset(v))
        return OK;
    w->ttl = v.n == 4 ? value_i32(v) : 0; /* null and empty: no TTL, not even the table's */
    if (w->ttl < 0)
        return fail_set(env->fail, ERR_INVALID, "A TTL must be greater or equal to 0, but was %d",
                        w->ttl);
    if (w->ttl > MODIFY_TTL_MAX)
        return fail_set(env->fail, ERR_INVALID, "ttl is too large. requested (%d) maximum (%d)",
                        w->ttl, MODIFY_TTL_MAX);
    return OK;
}

/* --- Beginning ---------------------------------------------------------------------------------- */

static bool needs_read(const struct modify *m)
{
    return m->regular.needs_read || m->statics.needs_read;
}

static struct bytes after(struct bytes prefix, struct arena *a)
{
    uint8_t *p = arena_alloc(a, prefix.n + 1);
    if (prefix.n)
        memcpy(p, prefix.p, prefix.n);
    p[prefix.n] = 0xFF;
    return bytes_of(p, prefix.n + 1);
}

/* A read of the rows (and static row) whose lists must be known, for each key. */
static void add_reads(struct modify_run *r, struct work *w)
{
    const struct modify *m = w->modify;
    struct arena *a = w->env.arena;
    bool rows = m->regular.needs_read && w->cks_count;
    size_t slices_count = rows ? w->cks_count : 1;
    struct slice *slices = arena_array(a, struct slice, slices_count);
    slices[0] = (struct slice){bytes_str(""), after(BYTES_NULL, a)};
    for (size_t i = 0; rows && i < w->cks_count; i++)
        slices[i] = (struct slice){w->cks[i], after(w->cks[i], a)};
    w->reads_first = r->reads_count;
    for (size_t i = 0; i < w->keys_count; i++) {
        if (r->reads_count == r->reads_cap) {
            size_t cap = r->reads_cap ? r->reads_cap * 2 : w->keys_count;
            struct read_command *reads = arena_array(a, struct read_command, cap);
            if (r->reads_count)
                memcpy(reads, r->reads, r->reads_count * sizeof *reads);
            r->reads = reads;
            r->reads_cap = cap;
        }
        r->reads[r->reads_count++] = (struct read_command){
            .table = m->table,
            .now_s = w->env.now_s,
            .keys = &w->keys[i],
            .keys_count = 1,
            .slices = slices,
            .slices_count = slices_count,
            .static_only = !rows,
            .want_static = m->statics.needs_read,
        };
    }
}

static err_t begin_work(struct modify_run *r, struct work *w)
{
    const struct modify *m = w->modify;
    struct exec_env *env = &w->env;
    TRY(m->pk_terms ? eval_single_pk(w)
                    : restrict_eval_keys(m->where, env, &w->keys, &w->keys_count));
    TRY(eval_clusterings(w));
    bool nothing = m->where->ck_count > 0 && w->cks_count == 0 && w->slices_count == 0;
    if (nothing)
        w->keys_count = 0;
    TRY(eval_timestamp(m->timestamp, env, &w->timestamp));
    TRY(eval_ttl(w));
    TRY(check_timestamp(env, w->timestamp));
    if (w->keys_count == 0)
        return OK;
    if (m->kind == MODIFY_DELETE && m->regular.count && w->cks_count == 0)
        return fail_set(env->fail, ERR_INVALID,
                        "Range deletions are not supported for specific columns");
    if (m->kind == MODIFY_DELETE && m->statics.count && w->slices_count)
        return fail_set(env->fail, ERR_INVALID,
                        "Range deletions are not supported for specific columns");
    size_t rows = w->cks_count + w->slices_count;
    if (rows > MODIFY_ROWS_MAX / w->keys_count)
        return fail_set(env->fail, ERR_INVALID, "The statement names more than %d rows",
                        MODIFY_ROWS_MAX);
    if (needs_read(m))
        add_reads(r, w);
    return OK;
}

static size_t count_modifies(const struct modify_part *parts, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += parts[i].statement->modifies_count;
    return n;
}

static err_t check_parts(const struct modify_part *parts, size_t count, enum modify_batch batch,
                         struct exec_env *env)
{
    for (size_t i = 0; i < count; i++) {
        const struct statement *s = parts[i].statement;
        if (batch != MODIFY_ALONE && s->kind != STATEMENT_MODIFY)
            return fail_set(env->fail, ERR_INVALID,
                            "Invalid statement in batch: only UPDATE, INSERT and DELETE statements "
                            "are allowed.");
        ensure(s->kind == STATEMENT_MODIFY || s->kind == STATEMENT_BATCH);
        if (parts[i].values_count != s->binds_count)
            return fail_set(
                env->fail, ERR_INVALID, "%s were %u markers(?) in CQL but %u bound variables",
                batch == MODIFY_ALONE ? "there" : "There", s->binds_count, parts[i].values_count);
    }
    return OK;
}

static err_t begin_part(struct modify_run *r, const struct modify_part *part, struct exec_env *env)
{
    struct exec_env part_env = *env;
    part_env.values = part->values;
    part_env.values_count = part->values_count;
    int64_t timestamp = env->timestamp_us;
    TRY(eval_timestamp(part->statement->batch_timestamp, &part_env, &timestamp));
    for (uint16_t i = 0; i < part->statement->modifies_count; i++) {
        struct work *w = &r->works[r->works_count++];
        *w = (struct work){
            .modify = part->statement->modifies[i], .env = part_env, .timestamp = timestamp};
        TRY(begin_work(r, w));
    }
    return OK;
}

err_t modify_begin(const struct modify_part *parts, size_t count, enum modify_batch batch,
                   struct exec_env *env, struct modify_run **out)
{
    struct modify_run *r = arena_new(env->arena, struct modify_run);
    TRY(check_parts(parts, count, batch, env));
    r->env = env;
    r->batch = batch;
    size_t works = count_modifies(parts, count);
    r->works = arena_array(env->arena, struct work, works + 1);
    if (batch != MODIFY_ALONE) {
        struct modify **modifies = arena_array(env->arena, struct modify *, works + 1);
        for (size_t i = 0, n = 0; i < count; i++)
            modifies[n++] = parts[i].statement->modifies[0];
        TRY(modify_check_batch(modifies, works, batch, false, env->fail));
    } else if (count == 1 && parts[0].statement->kind == STATEMENT_BATCH) {
        r->batch = MODIFY_BATCH_LOGGED + (enum modify_batch)parts[0].statement->batch_type;
    }
    for (size_t i = 0; i < count; i++)
        TRY(begin_part(r, &parts[i], env));
    if (r->reads_count)
        r->answers = arena_array(env->arena, struct existing_rows, r->reads_count);
    *out = r;
    return OK;
}

/* --- Reads -------------------------------------------------------------------------------------- */

size_t modify_reads(const struct modify_run *r, const struct read_command **commands)
{
    *commands = r->reads;
    return r->reads_count;
}

static err_t keep_rows(struct existing_rows *rows, struct cur *ops, struct arena *a)
{
    struct op op;
    size_t cap = 0;
    for (;;) {
        TRY(op_next(ops, &op));
        if (op.kind == OP_END)
            return OK;
        if (op.kind == OP_STATIC_ROW)
            rows->static_body = op.body;
        if (op.kind != OP_ROW)
            continue;
        if (rows->count == cap) {
            cap = cap ? cap * 2 : 4;
            struct existing_row *items = arena_array(a, struct existing_row, cap);
            if (rows->count)
                memcpy(items, rows->items, rows->count * sizeof *items);
            rows->items = items;
        }
        rows->items[rows->count++] = (struct existing_row){op.ck, op.body};
    }
}

err_t modify_read_answer(struct modify_run *r, size_t index, struct bytes result)
{
    ensure(index < r->reads_count);
    struct existing_rows *rows = &r->answers[index];
    *rows = (struct existing_rows){0};
    struct result_iter it = result_iter(arena_dup(r->env->arena, result));
    struct bytes pk;
    struct cur ops;
    if (!result_next(&it, &pk, &ops))
        return it.cur.bad ? ERR_CORRUPT : OK;
    return keep_rows(rows, &ops, r->env->arena);
}

/* The row as it was read; null when there is none. Rows come in order. */
static struct bytes existing_row(const struct existing_rows *rows, struct bytes ck)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = bytes_compare(rows->items[mid].ck, ck);
        if (order == 0)
            return rows->items[mid].body;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return BYTES_NULL;
}

/* --- Building ----------------------------------------------------------------------------------- */

static struct bytes body_of(const struct work *w, const struct modify_cells *cells,
                            struct liveness marker, struct deletion deletion)
{
    struct buf body = buf_in(w->env.arena);
    size_t bytes = modify_cells_bytes(cells);
    body.p = arena_alloc(w->env.arena, bytes);
    body.cap = bytes;
    struct row_builder b;
    row_begin(&b, &body, w->timestamp, marker, deletion);
    for (size_t i = 0; i < cells->count; i++)
        row_put_cell(&b, &cells->items[i]);
    return buf_bytes(&body);
}

static struct liveness marker_of(const struct work *w)
{
    if (w->modify->kind != MODIFY_INSERT)
        return LIVENESS_NONE;
    return (struct liveness){
        .timestamp = w->timestamp,
        .ttl = w->ttl,
        .local_deletion_s = w->ttl ? w->env.now_s + w->ttl : LOCAL_DELETION_NEVER,
    };
}

struct builder {
    struct modify_changes changes;
    struct modify_cells cells;
};

/* The change of one row (or of the static row when ck is null): nothing when there is nothing to say. */
static err_t build_row(struct builder *b, struct work *w, struct bytes pk, struct bytes ck,
                       struct bytes existing)
{
    const struct modify *m = w->modify;
    bool is_static = bytes_is_null(ck);
    const struct modify_ops *ops = is_static ? &m->statics : &m->regular;
    struct liveness marker = is_static ? LIVENESS_NONE : marker_of(w);
    struct deletion deletion = DELETION_NONE;
    if (m->kind == MODIFY_DELETE && ops->count == 0)
        deletion = (struct deletion){w->timestamp, w->env.now_s};
    b->cells.existing = existing;
    TRY(modify_cells_eval(&b->cells, ops));
    /* Cassandra counts an empty static row with every partition */
    size_t row_bytes = is_static ? 0 : MODIFY_DATA_ROW + w->ck_bytes;
    if (b->cells.count == 0 && marker.timestamp == TIMESTAMP_NONE && deletion_is_none(deletion))
        return OK;
    return modify_changes_add(&b->changes, &w->env,
                              &(struct modify_change){
                                  .table = m->table,
                                  .pk = pk,
                                  .kind = is_static ? OP_STATIC_ROW : OP_ROW,
                                  .ck = ck,
                                  .body = body_of(w, &b->cells, marker, deletion),
                                  .data_bytes = row_bytes + b->cells.data_bytes,
                              });
}

/* DELETE of the partition or of ranges in it. */
static err_t build_deletions(struct builder *b, struct work *w, struct bytes pk)
{
    struct modify_change change = {
        .table = w->modify->table,
        .pk = pk,
        .kind = OP_PARTITION_DELETION,
        .deletion = {w->timestamp, w->env.now_s},
    };
    if (w->modify->where->ck_count == 0)
        return modify_changes_add(&b->changes, &w->env, &change);
    change.kind = OP_RANGE_TOMBSTONE;
    for (size_t i = 0; i < w->slices_count; i++) {
        change.lower = w->slices[i].lower;
        change.upper = w->slices[i].upper;
        change.data_bytes = MODIFY_DATA_RANGE + change.lower.n + change.upper.n;
        if (bytes_compare(change.lower, change.upper) < 0)
            TRY(modify_changes_add(&b->changes, &w->env, &change));
    }
    return OK;
}

static err_t build_partition(struct builder *b, struct work *w, struct bytes pk,
                             const struct existing_rows *existing)
{
    const struct modify *m = w->modify;
    bool whole = m->kind == MODIFY_DELETE && m->regular.count == 0 && m->statics.count == 0;
    if (whole && m->where->ck_count == 0)
        return build_deletions(b, w, pk);
    if (w->slices_count)
        return build_deletions(b, w, pk);
    bool rows = m->kind == MODIFY_INSERT || m->regular.count || whole;
    for (size_t i = 0; rows && i < w->cks_count; i++)
        TRY(build_row(b, w, pk, w->cks[i],
                      existing ? existing_row(existing, w->cks[i]) : BYTES_NULL));
    if (m->statics.count)
        TRY(build_row(b, w, pk, BYTES_NULL, existing ? existing->static_body : BYTES_NULL));
    return OK;
}

static err_t build_work(struct modify_run *r, struct builder *b, struct work *w)
{
    b->cells.arena = w->env.arena;
    b->cells.env = &w->env;
    b->cells.timestamp = w->timestamp;
    b->cells.ttl = w->ttl;
    bool reads = needs_read(w->modify);
    for (size_t i = 0; i < w->keys_count; i++)
        TRY(build_partition(b, w, w->keys[i], reads ? &r->answers[w->reads_first + i] : NULL));
    return OK;
}

err_t modify_build(struct modify_run *r, struct built_mutation **out, size_t *count)
{
    struct builder b = {0};
    for (size_t i = 0; i < r->works_count; i++)
        TRY(build_work(r, &b, &r->works[i]));
    TRY(modify_merge(&b.changes, r->env, out, count));
    if (r->batch == MODIFY_ALONE)
        return OK;
    struct modify **modifies = arena_array(r->env->arena, struct modify *, r->works_count + 1);
    for (size_t i = 0; i < r->works_count; i++)
        modifies[i] = (struct modify *)r->works[i].modify;
    modify_warn_gc_grace(modifies, r->works_count, r->batch, r->env);
    return modify_check_batch_size(*out, *count, r->batch, r->env);
}
