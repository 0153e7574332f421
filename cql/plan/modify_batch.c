/* Batches: which statements may stand together, and warnings of batches that cost more than they seem to. The words are those of
 * Cassandra's BatchStatement. */
#include "cql/plan/modify_priv.h"

#include "cql/types/value.h"

err_t modify_check_batch(struct modify *const *modifies, size_t count, enum modify_batch batch,
                         bool has_timestamp, struct fail *fail)
{
    bool counters = false, others = false;
    if (has_timestamp && batch == MODIFY_BATCH_COUNTER)
        return fail_set(fail, ERR_INVALID, "Cannot provide custom timestamp for counter BATCH");
    for (size_t i = 0; i < count; i++) {
        if (has_timestamp && modifies[i]->timestamp)
            return fail_set(fail, ERR_INVALID,
                            "Timestamp must be set either on BATCH or individual statements");
        counters |= modifies[i]->table->is_counter;
        others |= !modifies[i]->table->is_counter;
    }
    if (has_timestamp && counters)
        return fail_set(fail, ERR_INVALID,
                        "Cannot provide custom timestamp for a BATCH containing counters");
    if (batch == MODIFY_BATCH_COUNTER && others)
        return fail_set(fail, ERR_INVALID,
                        "Cannot include non-counter statement in a counter batch");
    if (counters && others)
        return fail_set(fail, ERR_INVALID,
                        "Counter and non-counter mutations cannot exist in the same batch");
    if (batch == MODIFY_BATCH_LOGGED && counters)
        return fail_set(fail, ERR_INVALID, "Cannot include a counter statement in a logged batch");
    return OK;
}

static void warn(struct exec_env *env, struct bytes text)
{
    if (env->warnings)
        value_put(env->warnings, text);
}

/* "[ks.a, ks.b]", each once, in order of appearance. *tables_count: how many. */
struct table_names {
    const struct table **items;
    size_t count;
    struct buf text;
};

static void table_names_add(struct table_names *names, const struct table *t)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i] == t)
            return;
    if (names->count)
        buf_put_str(&names->text, ", ");
    buf_put_bytes(&names->text, t->keyspace);
    buf_u8(&names->text, '.');
    buf_put_bytes(&names->text, t->name);
    names->items[names->count++] = t;
}

static struct table_names table_names_of(const struct built_mutation *mutations, size_t count,
                                         struct arena *a)
{
    struct table_names names = {.items = arena_array(a, const struct table *, count),
                                .text = buf_in(a)};
    buf_u8(&names.text, '[');
    for (size_t i = 0; i < count; i++)
        table_names_add(&names, mutations[i].table);
    buf_u8(&names.text, ']');
    return names;
}

static int compare_partitions(const void *a, const void *b)
{
    const struct token *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* Keys are told apart by token: enough for a warning. */
static size_t count_partitions(const struct built_mutation *mutations, size_t count,
                               struct arena *a)
{
    struct token *tokens = arena_array(a, struct token, count);
    for (size_t i = 0; i < count; i++)
        tokens[i] = mutations[i].token;
    qsort(tokens, count, sizeof *tokens, compare_partitions);
    size_t different = count ? 1 : 0;
    for (size_t i = 1; i < count; i++)
        different += tokens[i].value != tokens[i - 1].value;
    return different;
}

err_t modify_check_batch_size(const struct built_mutation *mutations, size_t count,
                              enum modify_batch batch, struct exec_env *env)
{
    size_t partitions = count_partitions(mutations, count, env->arena);
    if (partitions <= 1)
        return OK;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += mutations[i].data_bytes;
    if (bytes > MODIFY_BATCH_BYTES_FAIL)
        return fail_set(env->fail, ERR_INVALID, "Batch too large");
    if (bytes > MODIFY_BATCH_BYTES_WARN) {
        struct table_names names = table_names_of(mutations, count, env->arena);
        warn(env, arena_printf(
                      env->arena,
                      "Batch for %.*s is of size %zu, exceeding specified threshold of %d by %zu.",
                      BYTES_FMT(buf_bytes(&names.text)), bytes, MODIFY_BATCH_BYTES_WARN,
                      bytes - MODIFY_BATCH_BYTES_WARN));
    }
    if (batch != MODIFY_BATCH_LOGGED && partitions > MODIFY_BATCH_PARTITIONS_WARN) {
        struct table_names names = table_names_of(mutations, count, env->arena);
        warn(env, arena_printf(
                      env->arena,
                      "Unlogged batch covering %zu partitions detected against table%s %.*s. You "
                      "should use a "
                      "logged batch for atomicity, or asynchronous writes for performance.",
                      partitions, names.count == 1 ? "" : "s", BYTES_FMT(buf_bytes(&names.text))));
    }
    return OK;
}

void modify_warn_gc_grace(struct modify *const *modifies, size_t count, enum modify_batch batch,
                          struct exec_env *env)
{
    if (batch != MODIFY_BATCH_LOGGED)
        return;
    struct table_names names = {.items = arena_array(env->arena, const struct table *, count + 1),
                                .text = buf_in(env->arena)};
    for (size_t i = 0; i < count; i++)
        if (modifies[i]->table->options.gc_grace_seconds == 0)
            table_names_add(&names, modifies[i]->table);
    if (names.count == 0)
        return;
    warn(env, arena_printf(env->arena,
                           "Executing a LOGGED BATCH on table%s [%.*s], configured with a "
                           "gc_grace_seconds of 0. The "
                           "gc_grace_seconds is used to TTL batchlog entries, so setting "
                           "gc_grace_seconds too low on tables "
                           "involved in an atomic batch might cause batchlog entries to expire "
                           "before being replayed.",
                           names.count == 1 ? "" : "s", BYTES_FMT(buf_bytes(&names.text))));
}
