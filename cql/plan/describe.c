/* DESCRIBE in all its forms. The order of rows and the texts of errors are Cassandra's (DescribeStatement). */
#include "cql/plan/describe.h"

#include "cql/schema/describe.h"
#include "cql/types/value.h"

#include <stdlib.h>

static const char *const element_columns[] = {"keyspace_name", "type", "name", "create_statement"};
static const char *const cluster_columns[] = {"cluster", "partitioner", "snitch",
                                              "range_ownership"};

struct describe {
    const struct schema *schema;
    struct bytes session_keyspace;
    const struct ast_describe *ast;
    struct arena *arena;
    struct fail *fail;
    struct buf rows; /* struct bytes each */
    uint16_t columns_count;
};

static void put_value(struct describe *d, struct bytes v)
{
    buf_put(&d->rows, &v, sizeof v);
}

static struct bytes quoted(struct describe *d, struct bytes name)
{
    struct buf b = buf_in(d->arena);
    identifier_print(name, &b);
    return buf_bytes(&b);
}

static void put_element(struct describe *d, struct bytes keyspace, const char *type,
                        struct bytes name)
{
    put_value(d, quoted(d, keyspace));
    put_value(d, bytes_str(type));
    put_value(d, quoted(d, name));
}

static void put_keyspace(struct describe *d, const struct keyspace *ks)
{
    struct buf text = buf_in(d->arena);
    describe_keyspace(ks, &text);
    put_element(d, ks->name, "keyspace", ks->name);
    put_value(d, buf_bytes(&text));
}

static void put_table(struct describe *d, const struct table *t)
{
    struct buf text = buf_in(d->arena);
    describe_table(t, d->ast->with_internals, &text);
    put_element(d, t->keyspace, "table", t->name);
    put_value(d, buf_bytes(&text));
}

static void put_type(struct describe *d, const struct user_type *ut)
{
    struct buf text = buf_in(d->arena);
    describe_type(ut, &text);
    put_element(d, ut->keyspace, "type", ut->name);
    put_value(d, buf_bytes(&text));
}

/* --- Order ------------------------------------------------------------------------------------------ */

/* Java's compareToIgnoreCase; names are words, or anything for types. */
static int compare_nocase(struct bytes a, struct bytes b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        uint8_t x = a.p[i], y = b.p[i];
        if (x >= 'A' && x <= 'Z')
            x = (uint8_t)(x - 'A' + 'a');
        if (y >= 'A' && y <= 'Z')
            y = (uint8_t)(y - 'A' + 'a');
        if (x != y)
            return x < y ? -1 : 1;
    }
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return bytes_compare(a, b);
}

static int table_order(const void *a, const void *b)
{
    return compare_nocase((*(struct table *const *)a)->name, (*(struct table *const *)b)->name);
}

static int type_order(const void *a, const void *b)
{
    return compare_nocase((*(struct user_type *const *)a)->name,
                          (*(struct user_type *const *)b)->name);
}

static int keyspace_order(const void *a, const void *b)
{
    return compare_nocase((*(struct keyspace *const *)a)->name,
                          (*(struct keyspace *const *)b)->name);
}

static void *sorted(struct describe *d, const void *items, size_t count,
                    int (*order)(const void *, const void *))
{
    void *copy = arena_alloc(d->arena, count * sizeof(void *));
    if (count)
        memcpy(copy, items, count * sizeof(void *));
    if (count > 1)
        qsort(copy, count, sizeof(void *), order);
    return copy;
}

static struct keyspace **sorted_keyspaces(struct describe *d)
{
    return sorted(d, d->schema->keyspaces, d->schema->keyspaces_count, keyspace_order);
}

static struct table **sorted_tables(struct describe *d, const struct keyspace *ks)
{
    return sorted(d, ks->tables, ks->tables_count, table_order);
}

/* --- Forms ------------------------------------------------------------------------------------------ */

static err_t find_keyspace(struct describe *d, struct bytes name, const struct keyspace **out)
{
    *out = schema_keyspace(d->schema, name);
    return *out ? OK
                : fail_set(d->fail, ERR_INVALID, "'%.*s' not found in keyspaces", BYTES_FMT(name));
}

/* The keyspace of the name, or the session's. */
static err_t keyspace_of_name(struct describe *d, const struct keyspace **out)
{
    struct ast_name given = d->ast->name.keyspace;
    struct bytes name = ast_name_present(given) ? given.text : d->session_keyspace;
    if (!name.p)
        return fail_set(d->fail, ERR_INVALID, "No keyspace specified and no current keyspace");
    return find_keyspace(d, name, out);
}

static void keyspace_with_parts(struct describe *d, const struct keyspace *ks)
{
    put_keyspace(d, ks);
    struct user_type **types = describe_types_order(ks, d->arena);
    for (size_t i = 0; i < ks->types_count; i++)
        put_type(d, types[i]);
    struct table **tables = sorted_tables(d, ks);
    for (size_t i = 0; i < ks->tables_count; i++)
        put_table(d, tables[i]);
}

static err_t describe_one_keyspace(struct describe *d)
{
    const struct keyspace *ks;
    TRY(keyspace_of_name(d, &ks));
    if (d->ast->only)
        put_keyspace(d, ks);
    else
        keyspace_with_parts(d, ks);
    return OK;
}

static err_t describe_whole_schema(struct describe *d)
{
    struct keyspace **keyspaces = sorted_keyspaces(d);
    for (size_t i = 0; i < d->schema->keyspaces_count; i++)
        if (d->ast->full || !keyspaces[i]->is_system)
            keyspace_with_parts(d, keyspaces[i]);
    return OK;
}

static void list_keyspace(struct describe *d, const struct keyspace *ks)
{
    if (d->ast->kind == AST_DESCRIBE_TABLES) {
        struct table **tables = sorted_tables(d, ks);
        for (size_t i = 0; i < ks->tables_count; i++)
            put_element(d, ks->name, "table", tables[i]->name);
    } else if (d->ast->kind == AST_DESCRIBE_TYPES) {
        struct user_type **types = sorted(d, ks->types, ks->types_count, type_order);
        for (size_t i = 0; i < ks->types_count; i++)
            put_element(d, ks->name, "type", types[i]->name);
    } else if (d->ast->kind == AST_DESCRIBE_KEYSPACES) {
        put_element(d, ks->name, "keyspace", ks->name);
    }
}

/* TABLES, TYPES, FUNCTIONS, AGGREGATES of the session's keyspace, or of all; KEYSPACES. */
static err_t list(struct describe *d)
{
    if (d->session_keyspace.p && d->ast->kind != AST_DESCRIBE_KEYSPACES) {
        const struct keyspace *ks;
        TRY(find_keyspace(d, d->session_keyspace, &ks));
        list_keyspace(d, ks);
        return OK;
    }
    struct keyspace **keyspaces = sorted_keyspaces(d);
    for (size_t i = 0; i < d->schema->keyspaces_count; i++)
        list_keyspace(d, keyspaces[i]);
    return OK;
}

static err_t describe_in_keyspace(struct describe *d)
{
    const struct keyspace *ks;
    struct bytes name = d->ast->name.name.text;
    TRY(keyspace_of_name(d, &ks));
    const struct table *t = keyspace_table(ks, name);
    const struct user_type *ut = keyspace_type(ks, name);
    switch (d->ast->kind) {
    case AST_DESCRIBE_TABLE:
        if (!t)
            return fail_set(d->fail, ERR_INVALID, "Table '%.*s' not found in keyspace '%.*s'",
                            BYTES_FMT(name), BYTES_FMT(ks->name));
        put_table(d, t);
        return OK;
    case AST_DESCRIBE_TYPE:
        if (!ut)
            return fail_set(d->fail, ERR_INVALID, "User defined type '%.*s' not found in '%.*s'",
                            BYTES_FMT(name), BYTES_FMT(ks->name));
        put_type(d, ut);
        return OK;
    case AST_DESCRIBE_INDEX:
        return fail_set(d->fail, ERR_INVALID, "Table for existing index '%.*s' not found in '%.*s'",
                        BYTES_FMT(name), BYTES_FMT(ks->name));
    case AST_DESCRIBE_VIEW:
        return fail_set(d->fail, ERR_INVALID, "Materialized view '%.*s' not found in '%.*s'",
                        BYTES_FMT(name), BYTES_FMT(ks->name));
    case AST_DESCRIBE_FUNCTION:
        return fail_set(d->fail, ERR_INVALID, "User defined function '%.*s' not found in '%.*s'",
                        BYTES_FMT(name), BYTES_FMT(ks->name));
    default:
        return fail_set(d->fail, ERR_INVALID, "User defined aggregate '%.*s' not found in '%.*s'",
                        BYTES_FMT(name), BYTES_FMT(ks->name));
    }
}

/* A keyspace or a table, in this order. */
static err_t describe_name(struct describe *d)
{
    struct bytes name = d->ast->name.name.text;
    const struct keyspace *ks;
    if (ast_name_present(d->ast->name.keyspace)) {
        TRY(find_keyspace(d, d->ast->name.keyspace.text, &ks));
    } else {
        ks = schema_keyspace(d->schema, name);
        if (ks) {
            keyspace_with_parts(d, ks);
            return OK;
        }
        TRY(find_keyspace(d, d->session_keyspace.p ? d->session_keyspace : name, &ks));
    }
    const struct table *t = keyspace_table(ks, name);
    if (!t)
        return fail_set(d->fail, ERR_INVALID, "'%.*s' not found in keyspace '%.*s'",
                        BYTES_FMT(name), BYTES_FMT(ks->name));
    put_table(d, t);
    return OK;
}

/* --- CLUSTER ---------------------------------------------------------------------------------------- */

/* Only of a keyspace of the user's. */
static bool tells_ranges(const struct schema *schema, struct bytes keyspace)
{
    const struct keyspace *ks = keyspace.p ? schema_keyspace(schema, keyspace) : NULL;
    return ks && !ks->is_system;
}

static int range_order(const void *a, const void *b)
{
    return bytes_compare(((const struct describe_range *)a)->end,
                         ((const struct describe_range *)b)->end);
}

/* map<text, list<text>>, by key. */
static struct bytes range_ownership(struct describe *d, const struct describe_env *env)
{
    struct describe_range *ranges = NULL;
    size_t count = 0;
    if (env->ranges)
        env->ranges(env->ctx, d->session_keyspace, d->arena, &ranges, &count);
    if (count > 1)
        qsort(ranges, count, sizeof *ranges, range_order);
    struct buf b = buf_in(d->arena);
    collection_begin(&b, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct buf endpoints = buf_in(d->arena);
        collection_begin(&endpoints, (uint32_t)ranges[i].endpoints_count);
        for (size_t j = 0; j < ranges[i].endpoints_count; j++)
            value_put(&endpoints, ranges[i].endpoints[j]);
        value_put(&b, ranges[i].end);
        value_put(&b, buf_bytes(&endpoints));
    }
    return buf_bytes(&b);
}

static err_t describe_cluster(struct describe *d, const struct describe_env *env)
{
    put_value(d, env->cluster_name);
    put_value(d, env->partitioner);
    put_value(d, env->snitch);
    if (d->columns_count == 4)
        put_value(d, range_ownership(d, env));
    return OK;
}

/* --- Entry ------------------------------------------------------------------------------------------ */

static uint16_t make_columns(const struct ast_describe *d, const struct schema *schema,
                             struct bytes keyspace, struct arena *arena,
                             const struct column_spec **columns)
{
    bool cluster = d->kind == AST_DESCRIBE_CLUSTER;
    uint16_t count = 4;
    switch (d->kind) {
    case AST_DESCRIBE_CLUSTER: count = tells_ranges(schema, keyspace) ? 4 : 3; break;
    case AST_DESCRIBE_KEYSPACES:
    case AST_DESCRIBE_TABLES:
    case AST_DESCRIBE_TYPES:
    case AST_DESCRIBE_FUNCTIONS:
    case AST_DESCRIBE_AGGREGATES: count = 3; break;
    default: break;
    }
    struct column_spec *specs = arena_array(arena, struct column_spec, count);
    for (uint16_t i = 0; i < count; i++)
        specs[i] = (struct column_spec){
            bytes_str("system"), bytes_str("describe"),
            bytes_str(cluster ? cluster_columns[i] : element_columns[i]), type_native(TYPE_TEXT)};
    if (cluster && count == 4)
        specs[3].type = type_map(arena, type_native(TYPE_TEXT),
                                 type_list(arena, type_native(TYPE_TEXT), false), false);
    *columns = specs;
    return count;
}

err_t plan_describe(const struct ast_statement *st, const struct schema *schema,
                    struct bytes keyspace, const struct describe_env *env, struct arena *arena,
                    struct describe_result *out, struct fail *fail)
{
    struct describe d = {.schema = schema,
                         .session_keyspace = keyspace,
                         .ast = &st->describe,
                         .arena = arena,
                         .fail = fail};
    d.rows = buf_in(arena);
    d.columns_count = make_columns(d.ast, schema, keyspace, arena, &out->columns);
    err_t err;
    switch (d.ast->kind) {
    case AST_DESCRIBE_CLUSTER: err = describe_cluster(&d, env); break;
    case AST_DESCRIBE_SCHEMA: err = describe_whole_schema(&d); break;
    case AST_DESCRIBE_KEYSPACE: err = describe_one_keyspace(&d); break;
    case AST_DESCRIBE_KEYSPACES:
    case AST_DESCRIBE_TABLES:
    case AST_DESCRIBE_TYPES:
    case AST_DESCRIBE_FUNCTIONS:
    case AST_DESCRIBE_AGGREGATES: err = list(&d); break;
    case AST_DESCRIBE_NAME: err = describe_name(&d); break;
    default: err = describe_in_keyspace(&d); break;
    }
    TRY(err);
    size_t row_bytes = sizeof(struct bytes) * d.columns_count;
    ensure(d.rows.n % row_bytes == 0);
    out->columns_count = d.columns_count;
    out->rows_count = d.rows.n / row_bytes;
    out->values = (struct bytes *)d.rows.p;
    return OK;
}
