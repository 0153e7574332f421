/* Compiling a statement: parse, dispatch by kind, describe its bind variables. See statement.h.
 *
 * Everything a statement needs lives in its own arena; what it points to in the schema is kept alive by the reference it holds. */
#include "cql/plan/statement.h"
#include "cql/plan/ddl.h"
#include "cql/plan/modify_priv.h"
#include "cql/plan/select_priv.h"
#include "cql/plan/statement_priv.h"

#include "cql/lang/parse.h"
#include "cql/types/value.h"

#include <stdlib.h>

#define BINDS_MAX 65535

struct statement *statement_ref(struct statement *s)
{
    __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void statement_unref(struct statement *s)
{
    if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    schema_unref(s->schema);
    arena_free(&s->arena);
    free(s);
}

err_t statement_find_table(struct compile *c, const struct ast_qualified_name *name,
                           const struct table **out)
{
    struct bytes ks_name = ast_name_present(name->keyspace) ? name->keyspace.text : c->keyspace;
    if (bytes_is_null(ks_name))
        return fail_set(c->fail, ERR_INVALID,
                        "No keyspace has been specified. USE a keyspace, or explicitly specify "
                        "keyspace.tablename");
    const struct keyspace *ks = schema_keyspace(c->schema, ks_name);
    if (ks == NULL)
        return fail_set(c->fail, ERR_INVALID, "keyspace %.*s does not exist", BYTES_FMT(ks_name));
    *out = keyspace_table(ks, name->name.text);
    if (*out == NULL)
        return fail_set(c->fail, ERR_INVALID, "table %.*s does not exist",
                        BYTES_FMT(name->name.text));
    return OK;
}

/* --- USING CONSISTENCY, USING TIMEOUT ------------------------------------------------------------- */

static err_t check_timeout(struct bytes v, struct fail *fail, int64_t *us)
{
    int32_t months, days;
    int64_t nanos;
    *us = 0;
    if (bytes_is_null(v) || bytes_is_unset(v))
        return OK;
    if (!value_duration(v, &months, &days, &nanos))
        return fail_set(fail, ERR_INVALID, "Invalid timeout value");
    if (months || days)
        return fail_set(fail, ERR_INVALID, "Timeout values cannot be expressed in days/months");
    if (nanos < 0)
        return fail_set(fail, ERR_INVALID, "Timeout values must be non-negative");
    if (nanos % 1000000)
        return fail_set(fail, ERR_INVALID,
                        "Timeout values cannot have granularity finer than milliseconds");
    *us = nanos / 1000;
    return OK;
}

err_t statement_compile_using(struct compile *c, const struct table *t,
                              const struct ast_using *using, struct statement *s)
{
    struct bytes name = using->consistency.text;
    if (ast_name_present(using->consistency) && !consistency_parse(name, &s->consistency)) {
        struct buf allowed = buf_in(c->arena);
        for (int cl = CL_ANY; cl <= CL_NODE_LOCAL; cl++)
            buf_printf(&allowed, "%s%s", cl ? ", " : "", consistency_name((enum consistency)cl));
        return fail_set(c->fail, ERR_INVALID, "Unknown consistency level %.*s; allowed are %.*s",
                        BYTES_FMT(name), BYTES_FMT(buf_bytes(&allowed)));
    }
    if (using->timeout == NULL)
        return OK;
    struct receiver r = receiver_named(t, "[timeout]", TYPE_DURATION);
    int64_t us;
    TRY(term_compile(c, using->timeout, &r, &s->timeout));
    return term_is_constant(s->timeout) ? check_timeout(term_constant(s->timeout), c->fail, &us)
                                        : OK;
}

err_t statement_timeout_us(const struct statement *s, struct exec_env *env, int64_t *out)
{
    struct bytes v;
    *out = 0;
    if (s->timeout == NULL)
        return OK;
    TRY(term_eval(s->timeout, env, &v));
    return check_timeout(v, env->fail, out);
}

/* --- Compiling ------------------------------------------------------------------------------------ */

/* Which bind variables are the components of the partition key, when all of them are bind variables. As in Cassandra only where every
 * variable is the table's: the [timestamp] of a batch is nobody's. */
static void find_pk_binds(struct compile *c, struct statement *s)
{
    const struct table *t = s->table;
    if (t == NULL || c->binds_count == 0)
        return;
    for (uint16_t i = 0; i < c->binds_count;
         i++) /* as Cassandra: none when the bind variables are not all of one table */
        if (!bytes_equal(c->binds[i].keyspace, t->keyspace) ||
            !bytes_equal(c->binds[i].table, t->name))
            return;
    uint16_t *indexes = arena_array(c->arena, uint16_t, t->pk_count), found = 0;
    bool *seen = arena_array(c->arena, bool, t->pk_count);
    for (uint16_t i = 0; i < c->binds_count; i++) {
        const struct column *column = c->bind_columns[i];
        if (!bytes_equal(c->binds[i].table, t->name) ||
            !bytes_equal(c->binds[i].keyspace, t->keyspace))
            return;
        if (column == NULL || column->kind != COLUMN_PARTITION_KEY)
            continue;
        found += !seen[column->position];
        seen[column->position] = true;
        indexes[column->position] = i;
    }
    if (found == t->pk_count) {
        s->pk_bind_indexes = indexes;
        s->pk_bind_count = t->pk_count;
    }
}

static err_t compile_use(struct compile *c, struct statement *s)
{
    s->kind = STATEMENT_USE;
    s->use_keyspace = s->ast->use.text;
    if (schema_keyspace(c->schema, s->use_keyspace) == NULL)
        return fail_set(c->fail, ERR_INVALID, "Keyspace '%.*s' does not exist",
                        BYTES_FMT(s->use_keyspace));
    return OK;
}

static err_t compile_kind(struct compile *c, struct statement *s)
{
    switch (s->ast->kind) {
    case AST_SELECT: return select_compile(c, s->ast, s);
    case AST_INSERT:
    case AST_UPDATE:
    case AST_DELETE:
    case AST_BATCH: return modify_compile(c, s->ast, s);
    case AST_USE: return compile_use(c, s);
    case AST_TRUNCATE:
        s->kind = STATEMENT_TRUNCATE;
        return plan_truncate_table(s->ast, c->schema, c->keyspace, &s->table, c->fail);
    case AST_DESCRIBE: /* PREPARE tells no result columns, as in Cassandra */
        s->kind = STATEMENT_DESCRIBE;
        return OK;
    default: break;
    }
    if (!plan_is_ddl(s->ast->kind))
        return plan_unimplemented(s->ast, c->fail);
    s->kind = STATEMENT_DDL;
    return OK;
}

static err_t compile(struct statement *s, struct bytes text, struct bytes keyspace,
                     struct fail *fail)
{
    struct ast_statement *ast;
    TRY(cql_parse(text, &s->arena, &ast, fail));
    s->ast = ast;
    if (ast->markers_count > BINDS_MAX)
        return fail_set(fail, ERR_INVALID,
                        "Too many markers(?). %zu markers exceed the allowed maximum of %d",
                        ast->markers_count, BINDS_MAX);
    struct compile c = {
        .arena = &s->arena,
        .schema = s->schema,
        .keyspace = arena_dup(&s->arena, keyspace),
        .binds = arena_array(&s->arena, struct column_spec, ast->markers_count),
        .binds_count = (uint16_t)ast->markers_count,
        .bind_columns = arena_array(&s->arena, const struct column *, ast->markers_count),
        .fail = fail,
    };
    err_t err = compile_kind(&c, s);
    map_free(&c.calls);
    TRY(err);
    s->binds = c.binds;
    s->binds_count = c.binds_count;
    for (uint16_t i = 0; i < c.binds_count; i++)
        if (c.binds[i].type == NULL)
            return fail_set(fail, ERR_INVALID, "Bind variables cannot be used here");
    find_pk_binds(&c, s);
    return OK;
}

/* What the message says may lie in the statement, which is about to go. */
static void keep_message(struct fail *fail)
{
    if (fail == NULL || fail->arena == NULL)
        return;
    fail->message = arena_dup(fail->arena, fail->message);
    fail->keyspace = arena_dup(fail->arena, fail->keyspace);
    fail->name = arena_dup(fail->arena, fail->name);
}

err_t statement_compile(struct bytes text, struct schema *schema, struct bytes keyspace,
                        struct statement **out, struct fail *fail)
{
    struct statement *s = calloc(1, sizeof *s);
    ensure(s != NULL);
    arena_init(&s->arena, 0);
    s->refs = 1;
    s->schema = schema_ref(schema);
    s->consistency = CL_UNSET;
    err_t err = compile(s, text, keyspace, fail);
    if (err != OK) {
        keep_message(fail);
        statement_unref(s);
        return err;
    }
    *out = s;
    return OK;
}
