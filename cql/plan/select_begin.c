/* The start of an execution: everything that depends on bound values is evaluated and checked here, so that reading can begin. */
#include "cql/plan/restrict_priv.h"
#include "cql/plan/select_priv.h"
#include "cql/plan/term_priv.h"

#include "cql/types/value.h"

#define NO_LIMIT UINT64_MAX

static err_t eval_limit(const struct term *t, struct exec_env *env, uint64_t *out)
{
    struct bytes v;
    *out = NO_LIMIT;
    if (t == NULL)
        return OK;
    TRY(term_eval(t, env, &v));
    if (bytes_is_null(v))
        return fail_set(env->fail, ERR_INVALID, "Invalid null value of limit");
    if (bytes_is_unset(v))
        return OK;
    if (v.n != 4)
        return fail_set(env->fail, ERR_INVALID, "Invalid limit value");
    int32_t limit = value_i32(v);
    if (limit <= 0)
        return fail_set(env->fail, ERR_INVALID, "LIMIT must be strictly positive");
    *out = limit == INT32_MAX ? NO_LIMIT : (uint64_t)limit;
    return OK;
}

static err_t eval_slots(struct select_run *r)
{
    const struct select *q = r->select;
    if (q->terms_count)
        r->slots = arena_array(r->env->arena, struct bytes, q->terms_count);
    for (uint16_t i = 0; i < q->terms_count; i++) {
        const struct select_term *t = &q->terms[i];
        TRY(term_eval(t->term, r->env, &r->slots[i]));
        bool null = bytes_is_null(r->slots[i]), unset = bytes_is_unset(r->slots[i]);
        if (unset && t->use == SELECT_TERM_ARGUMENT)
            return fail_set(r->env->fail, ERR_INVALID,
                            "Invalid unset value for argument in call to function %.*s",
                            BYTES_FMT(t->on));
        if ((null || unset) && t->use == SELECT_TERM_ELEMENT)
            return fail_set(r->env->fail, ERR_INVALID,
                            "Invalid %s value for element selection on %.*s",
                            null ? "null" : "unset", BYTES_FMT(t->on));
        if (null && t->use == SELECT_TERM_SLICE)
            return fail_set(r->env->fail, ERR_INVALID,
                            "Invalid null value for slice selection on %.*s", BYTES_FMT(t->on));
    }
    return OK;
}

static void warn(struct exec_env *env, const char *text)
{
    if (env->warnings)
        value_put(env->warnings, bytes_str(text));
}

static void warn_about_aggregates(struct select_run *r)
{
    const struct restrictions *w = r->select->where;
    if (r->select->aggregates_count == 0 && !r->select->groups)
        return;
    if (w->pk_count == 0 && w->token == NULL)
        warn(r->env, "Aggregation query used without partition key");
    else if (w->pk_has_in && !w->is_key_range)
        warn(r->env, "Aggregation query used on multiple partition keys (IN restriction)");
}

static err_t invalid_state(struct exec_env *env)
{
    return fail_set(env->fail, ERR_PROTOCOL, "Invalid value for the paging state");
}

static bool in_range(struct token t, const struct read_command *c)
{
    if (c->start_inclusive ? t.value < c->start.value : t.value <= c->start.value)
        return false;
    return c->end_exclusive ? t.value < c->end.value : t.value <= c->end.value;
}

/* Leaves the keys out that earlier pages are done with. */
static err_t skip_keys(struct select_run *r, struct page_state *page)
{
    struct read_command *c = &r->command;
    while (c->keys_count && !bytes_equal(c->keys[0], page->position.pk)) {
        c->keys++;
        c->keys_count--;
    }
    if (c->keys_count == 0)
        return invalid_state(r->env);
    if (page->position.partition_done) {
        c->keys++;
        c->keys_count--;
        page->position = (struct read_position){
            .partition_done = true, .pk = bytes_str(""), .ck = bytes_str("")};
    }
    r->nothing |= c->keys_count == 0;
    return OK;
}

/* Takes the paging state over; it must name a partition that the statement reads. */
static err_t resume(struct select_run *r, struct bytes state)
{
    struct page_state page;
    struct read_command *c = &r->command;
    if (bytes_is_null(state) || r->select->is_aggregate || r->select->post_order)
        return OK;
    TRY(page_state_decode(state, r->select, &page, r->env->fail));
    if (c->is_range && !in_range(token_of_key(page.position.pk), c))
        return invalid_state(r->env);
    if (!c->is_range)
        TRY(skip_keys(r, &page));
    buf_put_bytes(&r->position_pk, page.position.pk);
    buf_put_bytes(&r->position_ck, page.position.ck);
    r->position = page.position;
    r->position.pk = buf_bytes(&r->position_pk);
    r->position.ck = buf_bytes(&r->position_ck);
    if (page.limited && page.remaining < r->limit_left)
        r->limit_left = page.remaining;
    if (page.position.partition_done)
        return OK;
    r->position.static_again = c->want_static;
    r->position.partition_rows = c->partition_limit ? (uint32_t)page.partition_done : 0;
    buf_put_bytes(&r->pk_copy, page.position.pk);
    r->pk = buf_bytes(&r->pk_copy);
    r->in_partition = true;
    r->partition_rows = page.position.rows_begun;
    r->partition_emitted = page.partition_done;
    return row_view_partition(&r->view, r->pk) == OK ? OK : invalid_state(r->env);
}

/* Which partitions and which rows of them. */
static err_t make_command(struct select_run *r)
{
    const struct select *q = r->select;
    struct read_command *c = &r->command;
    struct exec_env *env = r->env;
    *c = (struct read_command){.table = q->table, .now_s = env->now_s, .reversed = q->reversed};
    if (q->where->is_key_range) {
        struct token_range range;
        bool any;
        TRY(restrict_eval_tokens(q->where, env, &range, &any));
        r->nothing = !any;
        c->is_range = true;
        c->start = range.start;
        c->end = range.end;
        c->start_inclusive = range.start_inclusive;
        c->end_exclusive = range.end_exclusive;
    } else {
        struct bytes *keys;
        TRY(restrict_eval_keys(q->where, env, &keys, &c->keys_count));
        c->keys = keys;
        r->nothing = c->keys_count == 0;
    }
    struct slice *slices;
    TRY(restrict_eval_slices(q->where, env, &slices, &c->slices_count));
    c->slices = slices;
    r->nothing |= c->slices_count == 0;
    c->static_only = q->distinct;
    c->want_static = q->table->static_count > 0 && (q->needs_static || q->static_rows);
    if (q->distinct)
        c->partition_limit = 1;
    else if (r->per_partition <= INT32_MAX && !q->where->filters && !q->groups)
        c->partition_limit = (uint32_t)r->per_partition;
    return filters_make(q->where, env, &r->filters);
}

static void init_buffers(struct select_run *r)
{
    struct buf *const all[] = {&r->position_pk, &r->position_ck, &r->pk_copy,
                               &r->static_copy, &r->group_key,   &r->group_pk,
                               &r->group_ck,    &r->group_body,  &r->group_static};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = buf_in(r->env->arena);
    select_scratch_reset(r);
    r->func_env = func_env_of(r->env, &r->scratch, &r->ticks);
    r->aggregate_env = func_env_of(r->env, r->env->arena, &r->ticks);
}

err_t select_begin(const struct statement *s, struct exec_env *env, const struct select_options *o,
                   struct buf *rows, struct select_run **out)
{
    const struct select *q = s->select;
    struct select_run *r = arena_alloc(env->arena, sizeof *r + SELECT_SCRATCH_BYTES);
    memset(r, 0, sizeof *r);
    r->scratch_block = (uint8_t *)(r + 1);
    r->statement = s;
    r->select = q;
    r->env = env;
    r->rows = rows;
    r->rows_start = rows->n;
    TRY(eval_limit(q->limit, env, &r->limit_left));
    TRY(eval_limit(q->per_partition_limit, env, &r->per_partition));
    r->paged = o->page_size > 0 && !q->is_aggregate;
    r->page_left = r->paged ? (uint64_t)o->page_size : NO_LIMIT;
    init_buffers(r);
    row_view_init(&r->view, q, env->now_s, env->arena);
    TRY(eval_slots(r));
    TRY(make_command(r));
    warn_about_aggregates(r);
    if (o->page_size > 0 && q->post_order)
        return fail_set(
            env->fail, ERR_INVALID,
            "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you "
            "must either remove "
            "the ORDER BY or the IN and sort client side, or disable paging for this query");
    TRY(resume(r, o->paging_state));
    if (q->aggregates_count) {
        r->states = arena_array(env->arena, void *, q->aggregates_count);
        r->aggregate_values = arena_array(env->arena, struct bytes, q->aggregates_count);
        aggregates_reset(r);
    }
    r->finished = r->nothing || r->limit_left == 0;
    *out = r;
    return OK;
}

const struct read_command *select_command(const struct select_run *r)
{
    return r->finished ? NULL : &r->command;
}

const struct read_position *select_position(const struct select_run *r)
{
    return &r->position;
}

uint32_t select_rows_wanted(const struct select_run *r)
{
    const struct select *q = r->select;
    if (q->is_aggregate || q->groups || q->post_order)
        return 4096;
    uint64_t wanted = r->page_left < r->limit_left ? r->page_left : r->limit_left;
    if (q->where->filters && wanted < 256)
        wanted = 256; /* many will not match */
    return wanted < 4096 ? (uint32_t)wanted : 4096;
}
