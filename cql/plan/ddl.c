/* Schema statements: dispatch, keyspaces, types, and what does not exist yet. Tables are in ddl_table.c. */
#include "cql/plan/ddl_priv.h"
#include "cql/plan/type_resolve.h"

bool plan_is_ddl(enum ast_statement_kind kind)
{
    return kind >= AST_CREATE_KEYSPACE && kind <= AST_DROP_TRIGGER;
}

err_t plan_keyspace_of(const struct ast_qualified_name *name, struct bytes keyspace,
                       struct bytes *out, struct fail *fail)
{
    *out = ast_name_present(name->keyspace) ? name->keyspace.text : keyspace;
    if (out->p)
        return OK;
    return fail_set(
        fail, ERR_INVALID,
        "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
}

static int compare_pairs(const struct option_pair *a, const struct option_pair *b)
{
    return bytes_compare(a->key, b->key);
}

/* A map's entries by key; of equal keys the last counts, as in a Java map. */
static struct option_map sorted_map(struct arena *a, const struct ast_property *p)
{
    struct option_map m = {arena_array(a, struct option_pair, p->entries_count), 0};
    for (size_t i = 0; i < p->entries_count; i++) {
        struct option_pair pair = {p->entries[i].key.text, p->entries[i].value.text};
        size_t at = 0;
        while (at < m.count && compare_pairs(&m.items[at], &pair) < 0)
            at++;
        if (at == m.count || compare_pairs(&m.items[at], &pair) != 0) {
            memmove(m.items + at + 1, m.items + at, (m.count - at) * sizeof *m.items);
            m.count++;
        }
        m.items[at] = pair;
    }
    return m;
}

/* Far more than there are options and sub-options, and little enough to sort by insertion. */
#define PROPERTIES_MAX 256

err_t ddl_properties(struct ddl *d, const struct ast_properties *with,
                     struct schema_properties *out)
{
    struct schema_property *items =
        arena_array(d->arena, struct schema_property, with->items_count);
    if (with->items_count > PROPERTIES_MAX)
        return fail_set(d->fail, ERR_INVALID, "A statement may have at most %d properties",
                        PROPERTIES_MAX);
    for (size_t i = 0; i < with->items_count; i++) {
        const struct ast_property *p = &with->items[i];
        items[i] = (struct schema_property){
            .name = p->name.text, .text = p->value.text, .is_map = p->is_map};
        if (p->entries_count > PROPERTIES_MAX)
            return fail_set(d->fail, ERR_INVALID, "A property may have at most %d entries",
                            PROPERTIES_MAX);
        if (p->is_map)
            items[i].map = sorted_map(d->arena, p);
    }
    *out = (struct schema_properties){items, with->items_count};
    return OK;
}

/* --- Keyspaces ------------------------------------------------------------------------------------ */

static err_t keyspace_statement(struct ddl *d, const struct ast_statement *st)
{
    const struct ast_keyspace *k = &st->keyspace;
    struct schema_properties with;
    TRY(ddl_properties(d, &k->with, &with));
    switch (st->kind) {
    case AST_CREATE_KEYSPACE:
        return schema_create_keyspace(d->schema, k->name.text, k->if_exists, &with, d->env,
                                      d->change, d->fail);
    case AST_ALTER_KEYSPACE:
        return schema_alter_keyspace(d->schema, k->name.text, k->if_exists, &with, d->env,
                                     d->change, d->fail);
    default: return schema_drop_keyspace(d->schema, k->name.text, k->if_exists, d->change, d->fail);
    }
}

/* --- Types ---------------------------------------------------------------------------------------- */

static err_t check_field_type(struct ddl *d, const struct ast_type *type)
{
    if (plan_raw_type_is_counter(type))
        return fail_set(d->fail, ERR_INVALID, "A user type cannot contain counters");
    if (type->kind == AST_TYPE_USER)
        return fail_set(d->fail, ERR_INVALID, "A user type cannot contain non-frozen UDTs");
    return OK;
}

static err_t create_type(struct ddl *d, const struct ast_create_type *ct)
{
    struct bytes keyspace, name = ct->name.name.text;
    bool exists;
    TRY(plan_keyspace_of(&ct->name, d->keyspace, &keyspace, d->fail));
    TRY(schema_type_create_begin(d->schema, keyspace, name, ct->if_not_exists, &exists, d->fail));
    if (exists)
        return OK;
    struct bytes *names = arena_array(d->arena, struct bytes, ct->fields_count);
    const struct type **types = arena_array(d->arena, const struct type *, ct->fields_count);
    struct map seen = {0};
    err_t err = OK;
    for (size_t i = 0; i < ct->fields_count && err == OK; i++) {
        names[i] = ct->fields[i].name.text;
        if (map_put(&seen, names[i], &names[i]))
            err = fail_set(d->fail, ERR_INVALID, "Duplicate field name '%.*s' in type '%.*s'",
                           BYTES_FMT(names[i]), BYTES_FMT(name));
    }
    map_free(&seen);
    TRY(err);
    for (size_t i = 0; i < ct->fields_count; i++)
        TRY(check_field_type(d, ct->fields[i].type));
    for (size_t i = 0; i < ct->fields_count; i++)
        TRY(plan_resolve_type(ct->fields[i].type, d->schema, keyspace, d->arena, &types[i],
                              d->fail));
    return schema_create_type(d->schema, keyspace, name, names, types, ct->fields_count, d->change,
                              d->fail);
}

static err_t add_field(struct ddl *d, const struct ast_alter_type *at, const struct user_type *ut)
{
    TRY(check_field_type(d, at->field.type));
    struct bytes name = at->field.name.text;
    for (size_t i = 0; i < ut->type->params_count; i++)
        if (bytes_equal(ut->type->field_names[i], name))
            return at->if_field ? OK
                                : fail_set(d->fail, ERR_INVALID,
                                           "Cannot add field %.*s to type %.*s.%.*s: a field with "
                                           "name %.*s already exists",
                                           BYTES_FMT(name), BYTES_FMT(ut->keyspace),
                                           BYTES_FMT(ut->name), BYTES_FMT(name));
    const struct type *type;
    TRY(plan_resolve_type(at->field.type, d->schema, ut->keyspace, d->arena, &type, d->fail));
    struct buf raw = buf_in(d->arena);
    plan_print_raw_type(at->field.type, ut->keyspace, &raw);
    return schema_add_field(d->schema, ut, name, type, buf_bytes(&raw), d->change, d->fail);
}

static struct schema_rename *renames_of(struct ddl *d, const struct ast_rename *renames,
                                        size_t count)
{
    struct schema_rename *out = arena_array(d->arena, struct schema_rename, count);
    for (size_t i = 0; i < count; i++)
        out[i] = (struct schema_rename){renames[i].from.text, renames[i].to.text};
    return out;
}

static err_t alter_type(struct ddl *d, const struct ast_alter_type *at)
{
    struct bytes keyspace;
    const struct user_type *ut;
    TRY(plan_keyspace_of(&at->name, d->keyspace, &keyspace, d->fail));
    TRY(schema_type_to_change(d->schema, keyspace, at->name.name.text, at->if_exists, "ALTER", &ut,
                              d->fail));
    if (!ut)
        return OK;
    switch (at->kind) {
    case AST_ALTER_TYPE_ADD: return add_field(d, at, ut);
    case AST_ALTER_TYPE_RENAME:
        return schema_rename_fields(d->schema, ut, renames_of(d, at->renames, at->renames_count),
                                    at->renames_count, at->if_field, d->change, d->fail);
    case AST_ALTER_TYPE_TYPE:
        return fail_set(d->fail, ERR_INVALID, "Altering field types is no longer supported");
    }
    ensure(!"a kind of ALTER TYPE");
    return ERR_SERVER;
}

static err_t drop_type(struct ddl *d, const struct ast_drop *drop)
{
    struct bytes keyspace;
    const struct user_type *ut;
    TRY(plan_keyspace_of(&drop->name, d->keyspace, &keyspace, d->fail));
    TRY(schema_type_to_change(d->schema, keyspace, drop->name.name.text, drop->if_exists, "DROP",
                              &ut, d->fail));
    return ut ? schema_drop_type(d->schema, ut, d->change, d->fail) : OK;
}

/* --- What does not exist yet ---------------------------------------------------------------------- */

/* Nothing of the kind can have been created, so dropping or altering it is answered as for any absent one. */
static err_t absent(struct ddl *d, const char *kind, const struct ast_qualified_name *name,
                    bool if_exists, const struct ast_types *args, const char *suffix)
{
    struct bytes keyspace;
    TRY(plan_keyspace_of(name, d->keyspace, &keyspace, d->fail));
    if (if_exists)
        return OK;
    struct buf b = buf_in(d->arena);
    buf_printf(&b, "%s '%.*s.%.*s", kind, BYTES_FMT(keyspace), BYTES_FMT(name->name.text));
    for (size_t i = 0; args && i < args->items_count; i++) {
        buf_put_str(&b, i ? ", " : "(");
        plan_print_raw_type(args->items[i], BYTES_NULL, &b);
    }
    if (args)
        buf_put_str(&b, args->items_count ? ")" : "()");
    return fail_set(d->fail, ERR_INVALID, "%.*s' doesn't exist%s", BYTES_FMT(buf_bytes(&b)),
                    suffix);
}

static err_t absent_trigger(struct ddl *d, const struct ast_trigger *t)
{
    struct bytes keyspace;
    TRY(plan_keyspace_of(&t->table, d->keyspace, &keyspace, d->fail));
    if (t->if_exists)
        return OK;
    return fail_set(d->fail, ERR_INVALID, "Trigger '%.*s' on '%.*s.%.*s' doesn't exist",
                    BYTES_FMT(t->name.text), BYTES_FMT(keyspace), BYTES_FMT(t->table.name.text));
}

static err_t drop_absent(struct ddl *d, const struct ast_statement *st)
{
    const struct ast_drop *drop = &st->drop;
    const struct ast_types *args = drop->args_given ? &drop->args : NULL;
    switch (st->kind) {
    case AST_DROP_INDEX: return absent(d, "Index", &drop->name, drop->if_exists, NULL, "'");
    case AST_DROP_VIEW:
        return absent(d, "Materialized view", &drop->name, drop->if_exists, NULL, "");
    case AST_DROP_FUNCTION: return absent(d, "Function", &drop->name, drop->if_exists, args, "");
    default: return absent(d, "Aggregate", &drop->name, drop->if_exists, args, "");
    }
}

err_t plan_unimplemented(const struct ast_statement *st, struct fail *fail)
{
    if (st->kind >= AST_CREATE_ROLE && st->kind <= AST_LIST_USERS)
        return fail_set(fail, ERR_UNAUTHORIZED,
                        "You have to be logged in and not anonymous to perform this request");
    return fail_set(fail, ERR_INVALID, "%s is not implemented yet", ast_statement_text(st->kind));
}

/* --- Entry ------------------------------------------------------------------------------------------ */

err_t plan_ddl(const struct ast_statement *st, const struct schema *schema, struct bytes keyspace,
               const struct schema_env *env, struct arena *arena, struct schema_change *change,
               struct fail *fail)
{
    struct ddl d = {schema, keyspace, env, arena, change, fail};
    *change = (struct schema_change){0};
    switch (st->kind) {
    case AST_CREATE_KEYSPACE:
    case AST_ALTER_KEYSPACE:
    case AST_DROP_KEYSPACE: return keyspace_statement(&d, st);
    case AST_CREATE_TABLE: return ddl_create_table(&d, &st->create_table);
    case AST_ALTER_TABLE: return ddl_alter_table(&d, &st->alter_table);
    case AST_DROP_TABLE: return ddl_drop_table(&d, &st->drop);
    case AST_CREATE_TYPE: return create_type(&d, &st->create_type);
    case AST_ALTER_TYPE: return alter_type(&d, &st->alter_type);
    case AST_DROP_TYPE: return drop_type(&d, &st->drop);
    case AST_DROP_INDEX:
    case AST_DROP_VIEW:
    case AST_DROP_FUNCTION:
    case AST_DROP_AGGREGATE: return drop_absent(&d, st);
    case AST_ALTER_VIEW:
        return absent(&d, "Materialized view", &st->alter_view.name, st->alter_view.if_exists, NULL,
                      "");
    case AST_DROP_TRIGGER: return absent_trigger(&d, &st->trigger);
    default: return plan_unimplemented(st, fail);
    }
}

err_t plan_truncate_table(const struct ast_statement *st, const struct schema *schema,
                          struct bytes keyspace, const struct table **out, struct fail *fail)
{
    struct bytes name = st->truncate.name.text;
    TRY(plan_keyspace_of(&st->truncate, keyspace, &keyspace, fail));
    const struct keyspace *ks = schema_keyspace(schema, keyspace);
    if (!ks)
        return fail_set(fail, ERR_INVALID, "keyspace %.*s does not exist", BYTES_FMT(keyspace));
    *out = keyspace_table(ks, name);
    if (!*out)
        return fail_set(fail, ERR_INVALID, "table %.*s does not exist", BYTES_FMT(name));
    if (ks->is_virtual)
        return fail_set(fail, ERR_INVALID, "Truncation is not supported by table %.*s.%.*s",
                        BYTES_FMT(keyspace), BYTES_FMT(name));
    if (ks->is_system && ks->replication.class == REPLICATION_LOCAL)
        return fail_set(fail, ERR_UNAUTHORIZED, "%.*s keyspace is not user-modifiable.",
                        BYTES_FMT(keyspace));
    return OK;
}
