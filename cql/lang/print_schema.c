/* Schema, access and DESCRIBE statements as canonical CQL. See print.c. */
#include "cql/lang/print_priv.h"

static void put(struct buf *out, const char *text)
{
    buf_put_str(out, text);
}

/* Names of fields, arguments and so on follow the same rule as columns'. */
static void put_role(struct buf *out, struct ast_name name)
{
    buf_u8(out, '"');
    for (size_t i = 0; i < name.text.n; i++) {
        if (name.text.p[i] == '"') {
            buf_u8(out, '"');
        }
        buf_u8(out, name.text.p[i]);
    }
    buf_u8(out, '"');
}

/* "" is no quoted name in the grammar: such a role is written as a string. */
static void print_role_name(struct buf *out, struct ast_name name)
{
    if (name.text.n == 0) {
        put(out, "''");
    } else if (name.quoted) {
        put_role(out, name);
    } else {
        print_name(out, name);
    }
}

/* --- Properties ------------------------------------------------------------------------------- */

static void put_entries(struct buf *out, const struct ast_property_entry *items, size_t count)
{
    buf_u8(out, '{');
    for (size_t i = 0; i < count; i++) {
        put(out, i ? ", " : "");
        print_literal(out, &items[i].key);
        put(out, ": ");
        print_literal(out, &items[i].value);
    }
    buf_u8(out, '}');
}

static void print_with(struct buf *out, const struct ast_properties *with)
{
    const char *join = " WITH ";
    for (size_t i = 0; i < with->items_count; i++, join = " AND ") {
        const struct ast_property *x = &with->items[i];
        put(out, join);
        print_name(out, x->name);
        put(out, " = ");
        if (x->is_map) {
            put_entries(out, x->entries, x->entries_count);
        } else if (x->is_keyword) {
            buf_put_bytes(out, x->value.text);
        } else {
            print_literal(out, &x->value);
        }
    }
    if (with->compact_storage) {
        put(out, join);
        put(out, "COMPACT STORAGE");
        join = " AND ";
    }
    if (with->clustering_order_count) {
        put(out, join);
        put(out, "CLUSTERING ORDER BY (");
        for (size_t i = 0; i < with->clustering_order_count; i++) {
            put(out, i ? ", " : "");
            print_name(out, with->clustering_order[i].column);
            put(out, with->clustering_order[i].descending ? " DESC" : " ASC");
        }
        buf_u8(out, ')');
    }
}

/* --- Tables, types, indexes, views ------------------------------------------------------------ */

static void print_mask(struct buf *out, const struct ast_mask *m)
{
    put(out, " MASKED WITH ");
    if (m->is_default) {
        put(out, "DEFAULT");
    } else {
        print_function_name(out, &m->function);
        buf_u8(out, '(');
        print_terms(out, &m->args);
        buf_u8(out, ')');
    }
}

static void print_column(struct buf *out, const struct ast_column_def *c)
{
    print_name(out, c->name);
    buf_u8(out, ' ');
    ast_print_type(out, c->type);
    put(out, c->is_static ? " STATIC" : "");
    if (c->mask) {
        print_mask(out, c->mask);
    }
    put(out, c->primary_key ? " PRIMARY KEY" : "");
}

static void print_primary_key(struct buf *out, const struct ast_primary_key *k)
{
    put(out, "PRIMARY KEY ((");
    print_names(out, k->partition, k->partition_count);
    buf_u8(out, ')');
    for (size_t i = 0; i < k->clustering_count; i++) {
        put(out, ", ");
        print_name(out, k->clustering[i]);
    }
    buf_u8(out, ')');
}

static void print_create_table(struct buf *out, const struct ast_create_table *t)
{
    put(out, t->if_not_exists ? "CREATE TABLE IF NOT EXISTS " : "CREATE TABLE ");
    print_qualified(out, &t->name);
    const char *join = " (";
    for (size_t i = 0; i < t->columns_count; i++, join = ", ") {
        put(out, join);
        print_column(out, &t->columns[i]);
    }
    for (size_t i = 0; i < t->primary_keys_count; i++) {
        if (!t->primary_keys[i].inline_column) {
            put(out, join);
            print_primary_key(out, &t->primary_keys[i]);
            join = ", ";
        }
    }
    buf_u8(out, ')');
    print_with(out, &t->with);
}

static void print_renames(struct buf *out, const struct ast_rename *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(out, i ? " AND " : "");
        print_name(out, items[i].from);
        put(out, " TO ");
        print_name(out, items[i].to);
    }
}

static void print_alter_table(struct buf *out, const struct ast_alter_table *t)
{
    put(out, t->if_exists ? "ALTER TABLE IF EXISTS " : "ALTER TABLE ");
    print_qualified(out, &t->name);
    switch (t->kind) {
    case AST_ALTER_TABLE_ADD:
        put(out, t->if_column ? " ADD IF NOT EXISTS (" : " ADD (");
        for (size_t i = 0; i < t->columns_count; i++) {
            put(out, i ? ", " : "");
            print_column(out, &t->columns[i]);
        }
        buf_u8(out, ')');
        return;
    case AST_ALTER_TABLE_DROP:
        put(out, t->if_column ? " DROP IF EXISTS (" : " DROP (");
        print_names(out, t->names, t->names_count);
        buf_u8(out, ')');
        if (t->timestamp) {
            put(out, " USING TIMESTAMP ");
            ast_print_term(out, t->timestamp);
        }
        return;
    case AST_ALTER_TABLE_RENAME:
        put(out, t->if_column ? " RENAME IF EXISTS " : " RENAME ");
        print_renames(out, t->renames, t->renames_count);
        return;
    case AST_ALTER_TABLE_TYPE:
        put(out, " ALTER ");
        print_name(out, t->names[0]);
        put(out, " TYPE ");
        ast_print_type(out, t->type);
        return;
    case AST_ALTER_TABLE_MASK:
    case AST_ALTER_TABLE_DROP_MASK:
        put(out, t->if_column ? " ALTER IF EXISTS " : " ALTER ");
        print_name(out, t->names[0]);
        if (t->mask) {
            print_mask(out, t->mask);
        } else {
            put(out, " DROP MASKED");
        }
        return;
    case AST_ALTER_TABLE_DROP_COMPACT: put(out, " DROP COMPACT STORAGE"); return;
    case AST_ALTER_TABLE_WITH: print_with(out, &t->with); return;
    }
}

static void print_fields(struct buf *out, const struct ast_field_def *items, size_t count)
{
    buf_u8(out, '(');
    for (size_t i = 0; i < count; i++) {
        put(out, i ? ", " : "");
        print_name(out, items[i].name);
        buf_u8(out, ' ');
        ast_print_type(out, items[i].type);
    }
    buf_u8(out, ')');
}

static void print_alter_type(struct buf *out, const struct ast_alter_type *t)
{
    put(out, t->if_exists ? "ALTER TYPE IF EXISTS " : "ALTER TYPE ");
    print_type_name(out, &t->name);
    switch (t->kind) {
    case AST_ALTER_TYPE_ADD: put(out, t->if_field ? " ADD IF NOT EXISTS " : " ADD "); break;
    case AST_ALTER_TYPE_TYPE: put(out, " ALTER "); break;
    case AST_ALTER_TYPE_RENAME:
        put(out, t->if_field ? " RENAME IF EXISTS " : " RENAME ");
        print_renames(out, t->renames, t->renames_count);
        return;
    }
    print_name(out, t->field.name);
    put(out, t->kind == AST_ALTER_TYPE_TYPE ? " TYPE " : " ");
    ast_print_type(out, t->field.type);
}

static void print_create_index(struct buf *out, const struct ast_create_index *x)
{
    static const char *const targets[] = {
        [AST_INDEX_TARGET_VALUES] = "VALUES(",
        [AST_INDEX_TARGET_KEYS] = "KEYS(",
        [AST_INDEX_TARGET_ENTRIES] = "ENTRIES(",
        [AST_INDEX_TARGET_FULL] = "FULL(",
    };
    put(out, x->custom ? "CREATE CUSTOM INDEX " : "CREATE INDEX ");
    put(out, x->if_not_exists ? "IF NOT EXISTS " : "");
    if (ast_name_present(x->name)) {
        print_name(out, x->name);
        buf_u8(out, ' ');
    }
    put(out, "ON ");
    print_qualified(out, &x->table);
    put(out, " (");
    for (size_t i = 0; i < x->targets_count; i++) {
        const struct ast_index_target *t = &x->targets[i];
        put(out, i ? ", " : "");
        put(out, t->kind == AST_INDEX_TARGET_SIMPLE ? "" : targets[t->kind]);
        print_name(out, t->column);
        put(out, t->kind == AST_INDEX_TARGET_SIMPLE ? "" : ")");
    }
    buf_u8(out, ')');
    if (x->using_class.p) {
        put(out, " USING ");
        cql_quote_string(out, x->using_class);
    }
    print_with(out, &x->with);
}

static void print_create_view(struct buf *out, const struct ast_create_view *v)
{
    put(out,
        v->if_not_exists ? "CREATE MATERIALIZED VIEW IF NOT EXISTS " : "CREATE MATERIALIZED VIEW ");
    print_qualified(out, &v->name);
    put(out, " AS SELECT ");
    print_selectors(out, v->selectors, v->selectors_count);
    put(out, " FROM ");
    print_qualified(out, &v->base);
    print_where(out, v->where, v->where_count);
    buf_u8(out, ' ');
    print_primary_key(out, &v->primary_key);
    print_with(out, &v->with);
}

/* --- Functions -------------------------------------------------------------------------------- */

static void print_create_function(struct buf *out, const struct ast_create_function *f)
{
    put(out, f->or_replace ? "CREATE OR REPLACE FUNCTION " : "CREATE FUNCTION ");
    put(out, f->if_not_exists ? "IF NOT EXISTS " : "");
    print_function_name(out, &f->name);
    buf_u8(out, ' ');
    print_fields(out, (const struct ast_field_def *)f->args, f->args_count);
    put(out, f->called_on_null_input ? " CALLED" : " RETURNS NULL");
    put(out, " ON NULL INPUT RETURNS ");
    ast_print_type(out, f->returns);
    put(out, " LANGUAGE ");
    buf_put_bytes(out, f->language);
    put(out, " AS ");
    cql_quote_string(out, f->body);
}

static void print_function(struct buf *out, struct ast_name name)
{
    print_function_name(out, &(struct ast_qualified_name){.name = name});
}

static void print_create_aggregate(struct buf *out, const struct ast_create_aggregate *g)
{
    put(out, g->or_replace ? "CREATE OR REPLACE AGGREGATE " : "CREATE AGGREGATE ");
    put(out, g->if_not_exists ? "IF NOT EXISTS " : "");
    print_function_name(out, &g->name);
    put(out, " (");
    print_types(out, &g->args);
    put(out, ") SFUNC ");
    print_function(out, g->sfunc);
    put(out, " STYPE ");
    ast_print_type(out, g->stype);
    if (ast_name_present(g->finalfunc)) {
        put(out, " FINALFUNC ");
        print_function(out, g->finalfunc);
    }
    if (g->initcond) {
        put(out, " INITCOND ");
        ast_print_term(out, g->initcond);
    }
}

/* --- Roles and permissions -------------------------------------------------------------------- */

static void put_texts(struct buf *out, const char *words, const char *what,
                      const struct ast_role_option *o)
{
    put(out, words);
    if (o->texts_count == 0) {
        put(out, " ALL");
    }
    put(out, what);
    for (size_t i = 0; i < o->texts_count; i++) {
        put(out, i ? ", " : " {");
        cql_quote_string(out, o->texts[i]);
    }
    put(out, o->texts_count ? "}" : "");
}

static void print_role_option(struct buf *out, const struct ast_role_option *o, bool user)
{
    switch (o->kind) {
    case AST_ROLE_PASSWORD:
    case AST_ROLE_HASHED_PASSWORD:
        put(out, o->kind == AST_ROLE_PASSWORD ? "PASSWORD " : "HASHED PASSWORD ");
        put(out, user ? "" : "= ");
        cql_quote_string(out, o->text);
        return;
    case AST_ROLE_OPTIONS:
        put(out, "OPTIONS = ");
        put_entries(out, o->entries, o->entries_count);
        return;
    case AST_ROLE_SUPERUSER:
    case AST_ROLE_LOGIN:
        put(out, o->kind == AST_ROLE_SUPERUSER ? "SUPERUSER = " : "LOGIN = ");
        put(out, o->flag ? "true" : "false");
        return;
    case AST_ROLE_DATACENTERS: put_texts(out, "ACCESS TO", " DATACENTERS", o); return;
    case AST_ROLE_CIDRS: put_texts(out, "ACCESS FROM", " CIDRS", o); return;
    }
}

static void print_role(struct buf *out, const struct ast_statement *s)
{
    const struct ast_role *r = &s->role;
    bool user = s->kind == AST_CREATE_USER || s->kind == AST_ALTER_USER || s->kind == AST_DROP_USER;
    bool create = s->kind == AST_CREATE_USER || s->kind == AST_CREATE_ROLE;
    buf_printf(out, "%s %s", ast_statement_text(s->kind),
               r->if_exists ? create ? "IF NOT EXISTS " : "IF EXISTS " : "");
    if (user) {
        cql_quote_string(out, r->name.text);
    } else {
        print_role_name(out, r->name);
    }
    for (size_t i = 0; i < r->options_count; i++) {
        if (user && r->options[i].kind == AST_ROLE_SUPERUSER) {
            put(out, r->options[i].flag ? " SUPERUSER" : " NOSUPERUSER");
        } else {
            put(out, i ? " AND " : " WITH ");
            print_role_option(out, &r->options[i], user);
        }
    }
}

static void put_in_keyspace(struct buf *out, const char *words, struct ast_name keyspace)
{
    put(out, words);
    print_name(out, keyspace);
}

static void print_resource(struct buf *out, const struct ast_resource *r)
{
    switch (r->kind) {
    case AST_RESOURCE_NONE: return;
    case AST_RESOURCE_ALL_KEYSPACES: put(out, "ALL KEYSPACES"); return;
    case AST_RESOURCE_KEYSPACE: put_in_keyspace(out, "KEYSPACE ", r->name.keyspace); return;
    case AST_RESOURCE_TABLE:
        put(out, "TABLE ");
        print_qualified(out, &r->name);
        return;
    case AST_RESOURCE_ALL_TABLES_IN:
        put_in_keyspace(out, "ALL TABLES IN KEYSPACE ", r->name.keyspace);
        return;
    case AST_RESOURCE_ALL_ROLES: put(out, "ALL ROLES"); return;
    case AST_RESOURCE_ROLE:
        put(out, "ROLE ");
        print_role_name(out, r->name.name);
        return;
    case AST_RESOURCE_ALL_FUNCTIONS: put(out, "ALL FUNCTIONS"); return;
    case AST_RESOURCE_ALL_FUNCTIONS_IN:
        put_in_keyspace(out, "ALL FUNCTIONS IN KEYSPACE ", r->name.keyspace);
        return;
    case AST_RESOURCE_FUNCTION:
        put(out, "FUNCTION ");
        print_function_name(out, &r->name);
        buf_u8(out, '(');
        print_types(out, &r->args);
        buf_u8(out, ')');
        return;
    case AST_RESOURCE_ALL_MBEANS: put(out, "ALL MBEANS"); return;
    case AST_RESOURCE_MBEAN:
    case AST_RESOURCE_MBEANS:
        put(out, r->kind == AST_RESOURCE_MBEAN ? "MBEAN " : "MBEANS ");
        cql_quote_string(out, r->text);
        return;
    }
}

static void print_permissions(struct buf *out, const struct ast_statement *s)
{
    const struct ast_permissions *g = &s->permissions;
    put(out, s->kind == AST_GRANT_PERMISSIONS    ? "GRANT "
             : s->kind == AST_REVOKE_PERMISSIONS ? "REVOKE "
                                                 : "LIST ");
    if (g->all) {
        put(out, "ALL PERMISSIONS");
    } else {
        const char *join = "";
        for (int i = 0; i < AST_PERMISSION_COUNT; i++) {
            if (g->permissions & 1u << i) {
                put(out, join);
                put(out, ast_permission_text((enum ast_permission)i));
                join = ", ";
            }
        }
    }
    put(out, g->resource.kind == AST_RESOURCE_NONE ? "" : " ON ");
    print_resource(out, &g->resource);
    if (ast_name_present(g->role)) {
        put(out, s->kind == AST_GRANT_PERMISSIONS    ? " TO "
                 : s->kind == AST_REVOKE_PERMISSIONS ? " FROM "
                                                     : " OF ");
        print_role_name(out, g->role);
    }
    put(out, g->norecursive ? " NORECURSIVE" : "");
}

/* --- DESCRIBE --------------------------------------------------------------------------------- */

static void print_describe(struct buf *out, const struct ast_describe *d)
{
    static const char *const words[] = {
        [AST_DESCRIBE_CLUSTER] = "CLUSTER",
        [AST_DESCRIBE_SCHEMA] = "SCHEMA",
        [AST_DESCRIBE_KEYSPACES] = "KEYSPACES",
        [AST_DESCRIBE_KEYSPACE] = "KEYSPACE",
        [AST_DESCRIBE_TABLES] = "TABLES",
        [AST_DESCRIBE_TABLE] = "TABLE ",
        [AST_DESCRIBE_INDEX] = "INDEX ",
        [AST_DESCRIBE_VIEW] = "MATERIALIZED VIEW ",
        [AST_DESCRIBE_TYPES] = "TYPES",
        [AST_DESCRIBE_TYPE] = "TYPE ",
        [AST_DESCRIBE_FUNCTIONS] = "FUNCTIONS",
        [AST_DESCRIBE_FUNCTION] = "FUNCTION ",
        [AST_DESCRIBE_AGGREGATES] = "AGGREGATES",
        [AST_DESCRIBE_AGGREGATE] = "AGGREGATE ",
        [AST_DESCRIBE_NAME] = "",
    };
    put(out, "DESCRIBE ");
    put(out, d->full ? "FULL " : d->only ? "ONLY " : "");
    put(out, words[d->kind]);
    switch (d->kind) {
    case AST_DESCRIBE_KEYSPACE:
        if (ast_name_present(d->name.keyspace)) {
            buf_u8(out, ' ');
            print_name(out, d->name.keyspace);
        }
        break;
    case AST_DESCRIBE_TABLE:
    case AST_DESCRIBE_INDEX:
    case AST_DESCRIBE_VIEW:
    case AST_DESCRIBE_NAME: print_qualified(out, &d->name); break;
    case AST_DESCRIBE_TYPE: print_type_name(out, &d->name); break;
    case AST_DESCRIBE_FUNCTION:
    case AST_DESCRIBE_AGGREGATE: print_function_name(out, &d->name); break;
    default: break;
    }
    put(out, d->with_internals ? " WITH INTERNALS" : "");
}

/* --- Statements ------------------------------------------------------------------------------- */

static void print_keyspace(struct buf *out, const struct ast_statement *s)
{
    const char *exists = s->kind == AST_CREATE_KEYSPACE ? "IF NOT EXISTS " : "IF EXISTS ";
    buf_printf(out, "%s %s", ast_statement_text(s->kind), s->keyspace.if_exists ? exists : "");
    print_name(out, s->keyspace.name);
    print_with(out, &s->keyspace.with);
}

static void print_drop(struct buf *out, const struct ast_statement *s)
{
    buf_printf(out, "%s %s", ast_statement_text(s->kind), s->drop.if_exists ? "IF EXISTS " : "");
    if (s->kind == AST_DROP_TYPE) {
        print_type_name(out, &s->drop.name);
    } else if (s->kind == AST_DROP_FUNCTION || s->kind == AST_DROP_AGGREGATE) {
        print_function_name(out, &s->drop.name);
    } else {
        print_qualified(out, &s->drop.name);
    }
    if (s->drop.args_given) {
        buf_u8(out, '(');
        print_types(out, &s->drop.args);
        buf_u8(out, ')');
    }
}

static void print_trigger(struct buf *out, const struct ast_statement *s)
{
    const char *exists = s->kind == AST_CREATE_TRIGGER ? "IF NOT EXISTS " : "IF EXISTS ";
    buf_printf(out, "%s %s", ast_statement_text(s->kind), s->trigger.if_exists ? exists : "");
    print_name(out, s->trigger.name);
    put(out, " ON ");
    print_qualified(out, &s->trigger.table);
    if (s->trigger.using_class.p) {
        put(out, " USING ");
        cql_quote_string(out, s->trigger.using_class);
    }
}

static void print_identity(struct buf *out, const struct ast_statement *s)
{
    const char *exists = s->kind == AST_ADD_IDENTITY ? "IF NOT EXISTS " : "IF EXISTS ";
    buf_printf(out, "%s %s", ast_statement_text(s->kind), s->identity.if_exists ? exists : "");
    cql_quote_string(out, s->identity.identity);
    if (s->kind == AST_ADD_IDENTITY) {
        put(out, " TO ROLE ");
        cql_quote_string(out, s->identity.role);
    }
}

void print_schema(struct buf *out, const struct ast_statement *s)
{
    switch (s->kind) {
    case AST_CREATE_KEYSPACE:
    case AST_ALTER_KEYSPACE:
    case AST_DROP_KEYSPACE: print_keyspace(out, s); return;
    case AST_CREATE_TABLE: print_create_table(out, &s->create_table); return;
    case AST_ALTER_TABLE: print_alter_table(out, &s->alter_table); return;
    case AST_CREATE_TYPE:
        put(out, s->create_type.if_not_exists ? "CREATE TYPE IF NOT EXISTS " : "CREATE TYPE ");
        print_type_name(out, &s->create_type.name);
        buf_u8(out, ' ');
        print_fields(out, s->create_type.fields, s->create_type.fields_count);
        return;
    case AST_ALTER_TYPE: print_alter_type(out, &s->alter_type); return;
    case AST_CREATE_INDEX: print_create_index(out, &s->create_index); return;
    case AST_CREATE_VIEW: print_create_view(out, &s->create_view); return;
    case AST_ALTER_VIEW:
        put(out, s->alter_view.if_exists ? "ALTER MATERIALIZED VIEW IF EXISTS "
                                         : "ALTER MATERIALIZED VIEW ");
        print_qualified(out, &s->alter_view.name);
        print_with(out, &s->alter_view.with);
        return;
    case AST_CREATE_FUNCTION: print_create_function(out, &s->create_function); return;
    case AST_CREATE_AGGREGATE: print_create_aggregate(out, &s->create_aggregate); return;
    case AST_DROP_TABLE:
    case AST_DROP_TYPE:
    case AST_DROP_INDEX:
    case AST_DROP_VIEW:
    case AST_DROP_FUNCTION:
    case AST_DROP_AGGREGATE: print_drop(out, s); return;
    case AST_CREATE_TRIGGER:
    case AST_DROP_TRIGGER: print_trigger(out, s); return;
    case AST_CREATE_ROLE:
    case AST_ALTER_ROLE:
    case AST_DROP_ROLE:
    case AST_CREATE_USER:
    case AST_ALTER_USER:
    case AST_DROP_USER: print_role(out, s); return;
    case AST_ADD_IDENTITY:
    case AST_DROP_IDENTITY: print_identity(out, s); return;
    case AST_GRANT_PERMISSIONS:
    case AST_REVOKE_PERMISSIONS:
    case AST_LIST_PERMISSIONS: print_permissions(out, s); return;
    case AST_GRANT_ROLE:
    case AST_REVOKE_ROLE:
        put(out, s->kind == AST_GRANT_ROLE ? "GRANT " : "REVOKE ");
        print_role_name(out, s->grant_role.role);
        put(out, s->kind == AST_GRANT_ROLE ? " TO " : " FROM ");
        print_role_name(out, s->grant_role.grantee);
        return;
    case AST_LIST_ROLES:
        put(out, "LIST ROLES");
        if (ast_name_present(s->list_roles.of)) {
            put(out, " OF ");
            print_role_name(out, s->list_roles.of);
        }
        put(out, s->list_roles.norecursive ? " NORECURSIVE" : "");
        return;
    case AST_LIST_USERS: put(out, "LIST USERS"); return;
    case AST_DESCRIBE: print_describe(out, &s->describe); return;
    default: ensure(!"a statement that ast_print prints itself");
    }
}
