/* CREATE, ALTER and DROP TABLE: what the syntax tree says, with its types resolved, for cql/schema/change.h. */
#include "cql/plan/ddl_priv.h"
#include "cql/plan/type_resolve.h"

#include <errno.h>
#include <stdlib.h>

/* Columns of a key, and those that a statement names, are compared with each other one by one: Cassandra has no limit, but no table
 * has that many. */
#define KEY_COLUMNS_MAX   1024
#define NAMED_COLUMNS_MAX 32000

static err_t check_key_count(struct ddl *d, size_t count)
{
    if (count <= KEY_COLUMNS_MAX)
        return OK;
    return fail_set(d->fail, ERR_INVALID, "A PRIMARY KEY may have at most %d columns",
                    KEY_COLUMNS_MAX);
}

static err_t check_named_count(struct ddl *d, size_t count)
{
    if (count <= NAMED_COLUMNS_MAX)
        return OK;
    return fail_set(d->fail, ERR_INVALID, "A statement may name at most %d columns",
                    NAMED_COLUMNS_MAX);
}

/* The name as written, for messages. */
static struct bytes written_name(struct ddl *d, const struct ast_qualified_name *n)
{
    if (!ast_name_present(n->keyspace))
        return n->name.text;
    return arena_printf(d->arena, "%.*s.%.*s", BYTES_FMT(n->keyspace.text),
                        BYTES_FMT(n->name.text));
}

static err_t masking(struct ddl *d)
{
    return fail_set(d->fail, ERR_INVALID, "Dynamic data masking is not implemented yet");
}

/* --- CREATE TABLE ----------------------------------------------------------------------------------- */

static err_t check_declarations(struct ddl *d, const struct ast_create_table *ct)
{
    struct map seen = {0};
    err_t err = OK;
    for (size_t i = 0; i < ct->columns_count && err == OK; i++)
        if (map_put(&seen, ct->columns[i].name.text, &ct->columns[i]))
            err = fail_set(
                d->fail, ERR_INVALID, "Duplicate column '%.*s' declaration for table '%.*s'",
                BYTES_FMT(ct->columns[i].name.text), BYTES_FMT(written_name(d, &ct->name)));
    map_free(&seen);
    TRY(err);
    if (ct->primary_keys_count == 0)
        return fail_set(d->fail, ERR_INVALID,
                        "No PRIMARY KEY specifed for table '%.*s' (exactly one required)",
                        BYTES_FMT(written_name(d, &ct->name)));
    if (ct->primary_keys_count > 1)
        return fail_set(d->fail, ERR_INVALID,
                        "Multiple PRIMARY KEY specified for table '%.*s' (exactly one required)",
                        BYTES_FMT(written_name(d, &ct->name)));
    TRY(check_key_count(d, ct->with.clustering_order_count));
    for (size_t i = 0; i < ct->with.clustering_order_count; i++)
        for (size_t j = 0; j < i; j++)
            if (bytes_equal(ct->with.clustering_order[i].column.text,
                            ct->with.clustering_order[j].column.text))
                return fail_set(
                    d->fail, ERR_INVALID,
                    "Duplicate column '%.*s' in CLUSTERING ORDER BY clause for table '%.*s'",
                    BYTES_FMT(ct->with.clustering_order[i].column.text),
                    BYTES_FMT(written_name(d, &ct->name)));
    return OK;
}

static struct bytes *names_of(struct ddl *d, const struct ast_name *names, size_t count)
{
    struct bytes *out = arena_array(d->arena, struct bytes, count);
    for (size_t i = 0; i < count; i++)
        out[i] = names[i].text;
    return out;
}

static err_t table_def(struct ddl *d, const struct ast_create_table *ct, struct bytes keyspace,
                       struct schema_table_def *def)
{
    const struct ast_primary_key *key = &ct->primary_keys[0];
    struct schema_column_def *columns =
        arena_array(d->arena, struct schema_column_def, ct->columns_count);
    TRY(check_key_count(d, key->partition_count + key->clustering_count));
    for (size_t i = 0; i < ct->columns_count; i++) {
        const struct ast_column_def *c = &ct->columns[i];
        if (c->mask)
            return masking(d);
        columns[i] = (struct schema_column_def){.name = c->name.text, .is_static = c->is_static};
        TRY(plan_resolve_type(c->type, d->schema, keyspace, d->arena, &columns[i].type, d->fail));
    }
    struct schema_clustering_order *order =
        arena_array(d->arena, struct schema_clustering_order, ct->with.clustering_order_count);
    for (size_t i = 0; i < ct->with.clustering_order_count; i++)
        order[i] = (struct schema_clustering_order){ct->with.clustering_order[i].column.text,
                                                    ct->with.clustering_order[i].descending};
    def->keyspace = keyspace;
    def->name = ct->name.name.text;
    def->columns = columns;
    def->columns_count = ct->columns_count;
    def->pk = names_of(d, key->partition, key->partition_count);
    def->pk_count = key->partition_count;
    def->ck = names_of(d, key->clustering, key->clustering_count);
    def->ck_count = key->clustering_count;
    def->order = order;
    def->order_count = ct->with.clustering_order_count;
    def->compact_storage = ct->with.compact_storage;
    return OK;
}

err_t ddl_create_table(struct ddl *d, const struct ast_create_table *ct)
{
    struct schema_table_def def = {0};
    struct bytes keyspace;
    bool exists;
    TRY(plan_keyspace_of(&ct->name, d->keyspace, &keyspace, d->fail));
    TRY(check_declarations(d, ct));
    TRY(ddl_properties(d, &ct->with, &def.with));
    TRY(schema_table_create_begin(d->schema, keyspace, ct->name.name.text, ct->if_not_exists,
                                  &def.with, &exists, d->fail));
    if (exists)
        return OK;
    TRY(table_def(d, ct, keyspace, &def));
    return schema_create_table(d->schema, &def, d->env, d->change, d->fail);
}

/* --- ALTER TABLE ------------------------------------------------------------------------------------ */

static err_t add_columns(struct ddl *d, const struct ast_alter_table *at, const struct table *t)
{
    struct schema_column_def *columns =
        arena_array(d->arena, struct schema_column_def, at->columns_count);
    for (size_t i = 0; i < at->columns_count; i++) {
        const struct ast_column_def *c = &at->columns[i];
        if (c->mask)
            return masking(d);
        columns[i] = (struct schema_column_def){.name = c->name.text, .is_static = c->is_static};
        TRY(plan_resolve_type(c->type, d->schema, t->keyspace, d->arena, &columns[i].type,
                              d->fail));
    }
    return schema_add_columns(d->schema, t, columns, at->columns_count, at->if_column, d->change,
                              d->fail);
}

static err_t drop_timestamp(struct ddl *d, const struct ast_term *term, int64_t *out)
{
    *out = d->env->now.us;
    if (!term)
        return OK;
    struct bytes text = term->literal.text;
    errno = 0;
    *out = strtoll(arena_cstr(d->arena, text), NULL, 10);
    if (errno)
        return fail_set(d->fail, ERR_SYNTAX, "Invalid timestamp value: %.*s", BYTES_FMT(text));
    return OK;
}

static err_t drop_columns(struct ddl *d, const struct ast_alter_table *at, const struct table *t)
{
    int64_t dropped_us;
    TRY(drop_timestamp(d, at->timestamp, &dropped_us));
    return schema_drop_columns(d->schema, t, names_of(d, at->names, at->names_count),
                               at->names_count, at->if_column, dropped_us, d->change, d->fail);
}

static err_t rename_columns(struct ddl *d, const struct ast_alter_table *at, const struct table *t)
{
    struct schema_rename *renames = arena_array(d->arena, struct schema_rename, at->renames_count);
    for (size_t i = 0; i < at->renames_count; i++)
        renames[i] = (struct schema_rename){at->renames[i].from.text, at->renames[i].to.text};
    return schema_rename_columns(d->schema, t, renames, at->renames_count, d->change, d->fail);
}

err_t ddl_alter_table(struct ddl *d, const struct ast_alter_table *at)
{
    struct bytes keyspace;
    struct schema_properties with;
    const struct table *t;
    TRY(plan_keyspace_of(&at->name, d->keyspace, &keyspace, d->fail));
    TRY(schema_table_to_change(d->schema, keyspace, at->name.name.text, at->if_exists, "ALTER", &t,
                               d->fail));
    if (!t)
        return OK;
    TRY(check_named_count(d, at->columns_count));
    TRY(check_named_count(d, at->names_count));
    TRY(check_named_count(d, at->renames_count));
    switch (at->kind) {
    case AST_ALTER_TABLE_ADD: return add_columns(d, at, t);
    case AST_ALTER_TABLE_DROP: return drop_columns(d, at, t);
    case AST_ALTER_TABLE_RENAME: return rename_columns(d, at, t);
    case AST_ALTER_TABLE_TYPE:
        return fail_set(d->fail, ERR_INVALID, "Altering column types is no longer supported");
    case AST_ALTER_TABLE_MASK:
    case AST_ALTER_TABLE_DROP_MASK: return masking(d);
    case AST_ALTER_TABLE_DROP_COMPACT:
        return schema_drop_compact_storage(d->schema, t, d->change, d->fail);
    case AST_ALTER_TABLE_WITH:
        TRY(ddl_properties(d, &at->with, &with));
        return schema_alter_table_options(d->schema, t, &with, d->change, d->fail);
    }
    ensure(!"a kind of ALTER TABLE");
    return ERR_SERVER;
}

err_t ddl_drop_table(struct ddl *d, const struct ast_drop *drop)
{
    struct bytes keyspace;
    const struct table *t;
    TRY(plan_keyspace_of(&drop->name, d->keyspace, &keyspace, d->fail));
    TRY(schema_table_to_change(d->schema, keyspace, drop->name.name.text, drop->if_exists, "DROP",
                               &t, d->fail));
    return t ? schema_drop_table(d->schema, t, d->change, d->fail) : OK;
}
