/* Changes to tables. Source of rules and texts: Apache Cassandra 5.0's behaviour. */
#include "cql/schema/change_priv.h"
#include "cql/schema/options_priv.h"

#define TABLE_NAME_BYTES_MAX 222
/* Indexes of columns are 16 bits wide, with room for marks. */
#define COLUMNS_MAX 32000

/* What Cassandra prints for a column or a type in most messages: without quotes around what needs them. */
static struct bytes printed(const struct type *t, struct arena *a)
{
    return type_name(t, a);
}

static err_t check_table_name(struct bytes keyspace, struct bytes name, struct fail *fail)
{
    if (!change_is_word(name))
        return fail_set(fail, ERR_CONFIG,
                        "%.*s.%.*s: Table name must not be empty or not contain "
                        "non-alphanumeric-underscore characters (got "
                        "\"%.*s\")",
                        BYTES_FMT(keyspace), BYTES_FMT(name), BYTES_FMT(name));
    if (name.n > TABLE_NAME_BYTES_MAX)
        return fail_set(fail, ERR_CONFIG,
                        "%.*s.%.*s: Table name must not be more than %d characters long (got %zu "
                        "characters for \"%.*s\")",
                        BYTES_FMT(keyspace), BYTES_FMT(name), TABLE_NAME_BYTES_MAX, name.n,
                        BYTES_FMT(name));
    return OK;
}

err_t schema_table_create_begin(const struct schema *s, struct bytes keyspace, struct bytes name,
                                bool if_not_exists, const struct schema_properties *with,
                                bool *exists, struct fail *fail)
{
    *exists = false;
    TRY(change_check_modifiable(keyspace, "CREATE", change_resource_all_tables(keyspace, fail),
                                fail));
    struct arena scratch;
    arena_init(&scratch, 0);
    struct table_options o = table_options_default(&scratch);
    err_t err = table_options_apply(&scratch, with, true, &o, fail);
    const struct keyspace *ks = schema_keyspace(s, keyspace);
    if (err == OK && !ks)
        err = fail_set(fail, ERR_INVALID, "Keyspace '%.*s' doesn't exist", BYTES_FMT(keyspace));
    if (err == OK && keyspace_table(ks, name)) {
        *exists = true;
        if (!if_not_exists) {
            err = fail_set(fail, ERR_ALREADY_EXISTS,
                           "Cannot add already existing table \"%.*s\" to keyspace \"%.*s\"",
                           BYTES_FMT(name), BYTES_FMT(keyspace));
            if (fail) {
                fail->keyspace = keyspace;
                fail->name = name;
            }
        }
    }
    if (err == OK && !*exists)
        err = table_options_check(with, &o, fail);
    arena_free(&scratch);
    return err;
}

/* --- CREATE TABLE --------------------------------------------------------------------------------- */

static const struct schema_column_def *def_column(const struct schema_table_def *def,
                                                  struct bytes name)
{
    for (size_t i = 0; i < def->columns_count; i++)
        if (bytes_equal(def->columns[i].name, name))
            return &def->columns[i];
    return NULL;
}

static bool contains_name(const struct bytes *names, size_t count, struct bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(names[i], name))
            return true;
    return false;
}

static err_t check_udt_fields(const struct type *t, const char *suffix, struct bytes column,
                              struct fail *fail)
{
    if (t->id != TYPE_UDT || t->frozen)
        return OK;
    for (size_t i = 0; i < t->params_count; i++)
        if (type_is_multicell(t->params[i]))
            return fail_set(
                fail, ERR_INVALID,
                "Non-frozen UDTs with nested non-frozen collections are not supported%s%.*s",
                suffix, BYTES_FMT(column));
    return OK;
}

static err_t check_key_column(const struct schema_table_def *def, struct bytes name,
                              const struct bytes *before, size_t before_count, struct fail *fail)
{
    const struct schema_column_def *c = def_column(def, name);
    if (!c)
        return fail_set(fail, ERR_INVALID,
                        "Unknown column '%.*s' referenced in PRIMARY KEY for table '%.*s'",
                        BYTES_FMT(name), BYTES_FMT(def->name));
    if (contains_name(before, before_count, name))
        return fail_set(fail, ERR_INVALID,
                        "Duplicate column '%.*s' in PRIMARY KEY clause for table '%.*s'",
                        BYTES_FMT(name), BYTES_FMT(def->name));
    if (type_is_multicell(c->type)) {
        if (c->type->id == TYPE_UDT)
            return fail_set(
                fail, ERR_INVALID,
                "Invalid non-frozen user-defined type \"%.*s.%.*s\" for PRIMARY KEY column '%.*s'",
                BYTES_FMT(c->type->keyspace), BYTES_FMT(c->type->name), BYTES_FMT(name));
        return fail_set(fail, ERR_INVALID,
                        "Invalid non-frozen collection type %.*s for PRIMARY KEY column '%.*s'",
                        BYTES_FMT(fail ? printed(c->type, fail->arena) : BYTES_NULL),
                        BYTES_FMT(name));
    }
    if (c->type->id == TYPE_COUNTER)
        return fail_set(fail, ERR_INVALID,
                        "counter type is not supported for PRIMARY KEY column '%.*s'",
                        BYTES_FMT(name));
    if (type_contains(c->type, TYPE_DURATION))
        return fail_set(fail, ERR_INVALID,
                        "duration type is not supported for PRIMARY KEY column '%.*s'",
                        BYTES_FMT(name));
    if (c->is_static)
        return fail_set(fail, ERR_INVALID, "Static column '%.*s' cannot be part of the PRIMARY KEY",
                        BYTES_FMT(name));
    return OK;
}

static err_t check_keys(const struct schema_table_def *def, struct arena *scratch,
                        struct fail *fail)
{
    size_t count = def->pk_count + def->ck_count;
    struct bytes *names = arena_array(scratch, struct bytes, count);
    for (size_t i = 0; i < count; i++) {
        names[i] = i < def->pk_count ? def->pk[i] : def->ck[i - def->pk_count];
        TRY(check_key_column(def, names[i], names, i, fail));
    }
    return OK;
}

static err_t check_order(const struct schema_table_def *def, struct arena *scratch,
                         struct fail *fail)
{
    struct buf others = buf_in(scratch);
    for (size_t i = 0; i < def->order_count; i++) {
        if (contains_name(def->ck, def->ck_count, def->order[i].name))
            continue;
        if (others.n)
            buf_put_str(&others, ", ");
        buf_put_bytes(&others, def->order[i].name);
    }
    if (others.n)
        return fail_set(fail, ERR_INVALID,
                        "Only clustering key columns can be defined in CLUSTERING ORDER directive: "
                        "[%.*s] are not clustering "
                        "columns",
                        BYTES_FMT(buf_bytes(&others)));
    for (size_t i = 0; i < def->order_count; i++) {
        if (bytes_equal(def->order[i].name, def->ck[i]))
            continue;
        for (size_t j = 0; j < def->order_count; j++)
            if (bytes_equal(def->order[j].name, def->ck[i]))
                return fail_set(fail, ERR_INVALID,
                                "The order of columns in the CLUSTERING ORDER directive must match "
                                "that of the clustering "
                                "columns (%.*s must appear before %.*s)",
                                BYTES_FMT(def->ck[i]), BYTES_FMT(def->order[i].name));
        return fail_set(fail, ERR_INVALID, "Missing CLUSTERING ORDER for column %.*s",
                        BYTES_FMT(def->ck[i]));
    }
    return OK;
}

static bool is_key(const struct schema_table_def *def, struct bytes name)
{
    return contains_name(def->pk, def->pk_count, name) ||
           contains_name(def->ck, def->ck_count, name);
}

static err_t check_compact(const struct schema_table_def *def, struct arena *scratch,
                           struct fail *fail)
{
    size_t others = 0;
    struct buf names = buf_in(scratch);
    for (size_t i = 0; i < def->columns_count; i++) {
        const struct schema_column_def *c = &def->columns[i];
        if (is_key(def, c->name))
            continue;
        if (type_is_multicell(c->type))
            return fail_set(
                fail, ERR_INVALID,
                "Non-frozen collections and UDTs are not supported with COMPACT STORAGE");
        if (others++)
            buf_put_str(&names, ", ");
        buf_put_bytes(&names, c->name);
    }
    for (size_t i = 0; i < def->columns_count; i++)
        if (def->columns[i].is_static)
            return fail_set(fail, ERR_INVALID,
                            "Static columns are not supported in COMPACT STORAGE tables");
    if (def->ck_count == 0 && others == 0)
        return fail_set(fail, ERR_INVALID,
                        "No definition found that is not part of the PRIMARY KEY");
    if (def->ck_count > 0 && others > 1)
        return fail_set(fail, ERR_INVALID,
                        "COMPACT STORAGE with composite PRIMARY KEY allows no more than one column "
                        "not part of the PRIMARY KEY "
                        "(got: %.*s)",
                        BYTES_FMT(buf_bytes(&names)));
    return OK;
}

static err_t check_columns(const struct schema_table_def *def, const struct table_options *o,
                           bool *is_counter, struct fail *fail)
{
    bool has_static = false, has_counter = false, has_other = false;
    for (size_t i = 0; i < def->columns_count; i++) {
        const struct schema_column_def *c = &def->columns[i];
        has_static |= c->is_static;
        if (is_key(def, c->name))
            continue;
        if (c->type->id == TYPE_COUNTER)
            has_counter = true;
        else
            has_other = true;
    }
    if (!def->compact_storage && has_static && def->ck_count == 0)
        return fail_set(fail, ERR_INVALID,
                        "Static columns are only useful (and thus allowed) if the table has at "
                        "least one clustering column");
    *is_counter = has_counter;
    if (has_counter && has_other)
        return fail_set(fail, ERR_INVALID,
                        "Cannot mix counter and non counter columns in the same table");
    if (has_counter && o->default_time_to_live > 0)
        return fail_set(fail, ERR_INVALID,
                        "Cannot set default_time_to_live on a table with counters");
    return OK;
}

static err_t table_id(const struct schema *s, const struct schema_table_def *def,
                      const struct schema_env *env, struct uuid *id, struct fail *fail)
{
    struct bytes text;
    *id = env->new_table_id;
    TRY(properties_text(&def->with, "id", &text, fail));
    if (text.p && !uuid_parse(text, id->b))
        return fail_set(fail, ERR_CONFIG, "Invalid table id");
    const struct table *other = schema_table_by_id(s, id);
    if (other) /* Cassandra answers with an exception of Java's */
        return fail_set(fail, ERR_CONFIG, "Invalid table id: it is that of %.*s.%.*s",
                        BYTES_FMT(other->keyspace), BYTES_FMT(other->name));
    return OK;
}

static void add_columns(struct schema *next, struct table *t, const struct schema_table_def *def)
{
    struct arena *a = &next->arena;
    for (size_t i = 0; i < def->pk_count + def->ck_count; i++) {
        bool pk = i < def->pk_count;
        size_t position = pk ? i : i - def->pk_count;
        const struct schema_column_def *c =
            def_column(def, pk ? def->pk[position] : def->ck[position]);
        table_add_column(next, t,
                         (struct column){.name = arena_dup(a, c->name),
                                         .type = type_copy(a, c->type),
                                         .kind = pk ? COLUMN_PARTITION_KEY : COLUMN_CLUSTERING,
                                         .position = (uint16_t)position,
                                         .desc = !pk && position < def->order_count &&
                                                 def->order[position].desc});
    }
    for (size_t i = 0; i < def->columns_count; i++) {
        const struct schema_column_def *c = &def->columns[i];
        if (is_key(def, c->name))
            continue;
        table_add_column(next, t,
                         (struct column){.name = arena_dup(a, c->name),
                                         .type = type_copy(a, c->type),
                                         .kind = c->is_static ? COLUMN_STATIC : COLUMN_REGULAR});
    }
}

static err_t create_table(const struct schema *s, struct schema *next,
                          const struct schema_table_def *def, const struct schema_env *env,
                          struct fail *fail)
{
    struct arena *a = &next->arena;
    struct table *t = arena_new(a, struct table);
    t->options = table_options_default(a);
    TRY(table_options_apply(a, &def->with, true, &t->options, fail));
    for (size_t i = 0; i < def->columns_count; i++)
        TRY(check_udt_fields(def->columns[i].type, "", BYTES_NULL, fail));
    TRY(check_keys(def, a, fail));
    TRY(check_order(def, a, fail));
    if (def->compact_storage)
        TRY(check_compact(def, a, fail));
    TRY(check_columns(def, &t->options, &t->is_counter, fail));
    TRY(table_id(s, def, env, &t->id, fail));
    TRY(check_table_name(def->keyspace, def->name, fail));
    if (def->columns_count > COLUMNS_MAX)
        return fail_set(fail, ERR_INVALID, "A table may have at most %d columns (got %zu)",
                        COLUMNS_MAX, def->columns_count);
    if (next->next_slot == UINT32_MAX)
        return fail_set(fail, ERR_INVALID, "No more tables can be created");
    t->name = arena_dup(a, def->name);
    t->is_compact = def->compact_storage;
    t->slot = next->next_slot++;
    struct keyspace *ks = change_keyspace(next, def->keyspace);
    t->keyspace = ks->name;
    add_columns(next, t, def);
    keyspace_add_table(next, ks, t);
    return OK;
}

err_t schema_create_table(const struct schema *s, const struct schema_table_def *def,
                          const struct schema_env *env, struct schema_change *change,
                          struct fail *fail)
{
    *change = (struct schema_change){0};
    struct schema *next = schema_clone(s);
    err_t err = create_table(s, next, def, env, fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    change_done(s, next, SCHEMA_CREATED, SCHEMA_TARGET_TABLE, def->keyspace, def->name, change);
    return OK;
}

/* --- ALTER TABLE ---------------------------------------------------------------------------------- */

err_t schema_table_to_change(const struct schema *s, struct bytes keyspace, struct bytes name,
                             bool if_exists, const char *what, const struct table **out,
                             struct fail *fail)
{
    struct bytes resource =
        fail ? arena_printf(fail->arena, "<table %.*s.%.*s>", BYTES_FMT(keyspace), BYTES_FMT(name))
             : BYTES_NULL;
    TRY(change_check_modifiable(keyspace, what, resource, fail));
    *out = schema_table(s, keyspace, name);
    if (*out || if_exists)
        return OK;
    return fail_set(fail, ERR_INVALID, "Table '%.*s.%.*s' doesn't exist", BYTES_FMT(keyspace),
                    BYTES_FMT(name));
}

static const struct dropped_column *find_dropped(const struct table *t, struct bytes name)
{
    for (size_t i = 0; i < t->dropped_count; i++)
        if (bytes_equal(t->dropped[i].name, name))
            return &t->dropped[i];
    return NULL;
}

/* Cassandra's isSerializationCompatibleWith. */
static bool can_replace(const struct type *dropped, const struct type *added)
{
    return type_value_compatible(added, dropped) &&
           type_fixed_length(added) == type_fixed_length(dropped) &&
           type_is_multicell(added) == type_is_multicell(dropped);
}

static err_t check_readded(const struct table *t, const struct schema_column_def *c,
                           struct fail *fail)
{
    const struct dropped_column *d = find_dropped(t, c->name);
    if (!d)
        return OK;
    if (!can_replace(d->type, c->type))
        return fail_set(
            fail, ERR_INVALID,
            "Cannot add a column '%.*s' of type %.*s, incompatible with previously dropped column "
            "'%.*s' of type "
            "%.*s",
            BYTES_FMT(c->name), BYTES_FMT(fail ? printed(c->type, fail->arena) : BYTES_NULL),
            BYTES_FMT(c->name), BYTES_FMT(fail ? printed(d->type, fail->arena) : BYTES_NULL));
    if ((d->kind == COLUMN_STATIC) != c->is_static)
        return fail_set(fail, ERR_INVALID,
                        "Cannot re-add previously dropped column '%.*s' of kind %s, incompatible "
                        "with previous kind %s",
                        BYTES_FMT(c->name), c->is_static ? "STATIC" : "REGULAR",
                        d->kind == COLUMN_STATIC ? "STATIC" : "REGULAR");
    if (t->is_counter)
        return fail_set(fail, ERR_INVALID, "Cannot re-add previously dropped counter column %.*s",
                        BYTES_FMT(c->name));
    return OK;
}

static bool has_column(const struct table *t, struct bytes name)
{
    for (size_t i = 0; i < t->columns_count; i++)
        if (bytes_equal(t->columns[i].name, name))
            return true;
    return false;
}

static err_t add_column(struct schema *next, struct table *t, const struct schema_column_def *c,
                        bool if_not_exists, struct fail *fail)
{
    if (has_column(t, c->name))
        return if_not_exists ? OK
                             : fail_set(fail, ERR_INVALID, "Column with name '%.*s' already exists",
                                        BYTES_FMT(c->name));
    if (t->is_compact)
        return fail_set(fail, ERR_INVALID, "Cannot add new column to a COMPACT STORAGE table");
    if (c->is_static && t->ck_count == 0)
        return fail_set(fail, ERR_INVALID,
                        "Static columns are only useful (and thus allowed) if the table has at "
                        "least one clustering column");
    TRY(check_udt_fields(c->type, " for column ", c->name, fail));
    TRY(check_readded(t, c, fail));
    if (t->columns_count >= COLUMNS_MAX)
        return fail_set(fail, ERR_INVALID, "A table may have at most %d columns (got %d)",
                        COLUMNS_MAX, t->columns_count + 1);
    if (t->next_column_id >= SCHEMA_COLUMN_ID_MAX)
        return fail_set(fail, ERR_INVALID,
                        "Table %.*s.%.*s has had %u columns and can have no more",
                        BYTES_FMT(t->keyspace), BYTES_FMT(t->name), SCHEMA_COLUMN_ID_MAX);
    table_add_column(next, t,
                     (struct column){.name = arena_dup(&next->arena, c->name),
                                     .type = type_copy(&next->arena, c->type),
                                     .kind = c->is_static ? COLUMN_STATIC : COLUMN_REGULAR});
    return OK;
}

static err_t check_counters(const struct table *t, struct fail *fail)
{
    for (size_t i = 0; i < t->columns_count; i++) {
        const struct column *c = &t->columns[i];
        if (c->kind == COLUMN_PARTITION_KEY || c->kind == COLUMN_CLUSTERING)
            continue;
        if ((c->type->id == TYPE_COUNTER) == t->is_counter)
            continue;
        return fail_set(fail, ERR_CONFIG,
                        "%.*s.%.*s: Cannot have a %scounter column (\"%.*s\") in a %scounter table",
                        BYTES_FMT(t->keyspace), BYTES_FMT(t->name), t->is_counter ? "non " : "",
                        BYTES_FMT(c->name), t->is_counter ? "" : "non ");
    }
    return OK;
}

static void table_updated(const struct schema *s, struct schema *next, const struct table *t,
                          struct schema_change *change)
{
    change_done(s, next, SCHEMA_UPDATED, SCHEMA_TARGET_TABLE, t->keyspace, t->name, change);
}

err_t schema_add_columns(const struct schema *s, const struct table *t,
                         const struct schema_column_def *columns, size_t count, bool if_not_exists,
                         struct schema_change *change, struct fail *fail)
{
    *change = (struct schema_change){0};
    struct schema *next = schema_clone(s);
    struct table *copy = change_table(next, t);
    err_t err = OK;
    for (size_t i = 0; i < count && err == OK; i++)
        err = add_column(next, copy, &columns[i], if_not_exists, fail);
    if (err == OK)
        err = check_counters(copy, fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    table_updated(s, next, t, change);
    return OK;
}

/* t with each user type, at any depth, as the tuple of its fields: system_schema.dropped_columns must be readable when the
 * user type is no more. */
static const struct type *expand_udts(struct arena *a, const struct type *t)
{
    if (t->params_count == 0)
        return t;
    const struct type **params = arena_array(a, const struct type *, t->params_count);
    for (size_t i = 0; i < t->params_count; i++)
        params[i] = expand_udts(a, t->params[i]);
    if (t->id == TYPE_UDT)
        return type_tuple(a, params, t->params_count);
    struct type *copy = arena_new(a, struct type);
    *copy = *t;
    copy->params = params;
    return copy;
}

static void record_drop(struct schema *next, struct table *t, const struct column *c,
                        int64_t dropped_us)
{
    struct arena *a = &next->arena;
    struct dropped_column d = {c->name, expand_udts(a, c->type), c->kind, dropped_us, c->id};
    for (size_t i = 0; i < t->dropped_count; i++)
        if (bytes_equal(t->dropped[i].name, d.name)) {
            t->dropped[i] = d;
            return;
        }
    struct dropped_column *grown = arena_array(a, struct dropped_column, t->dropped_count + 1);
    size_t at = 0;
    while (at < t->dropped_count && bytes_compare(t->dropped[at].name, d.name) < 0)
        at++;
    if (at)
        memcpy(grown, t->dropped, at * sizeof *grown);
    grown[at] = d;
    if (t->dropped_count > at)
        memcpy(grown + at + 1, t->dropped + at, (t->dropped_count - at) * sizeof *grown);
    t->dropped = grown;
    t->dropped_count++;
}

static err_t drop_column(struct schema *next, struct table *t, struct bytes name, bool if_exists,
                         int64_t dropped_us, struct fail *fail)
{
    size_t i = 0;
    while (i < t->columns_count && !bytes_equal(t->columns[i].name, name))
        i++;
    if (i == t->columns_count)
        return if_exists
                   ? OK
                   : fail_set(fail, ERR_INVALID, "Column %.*s was not found in table '%.*s.%.*s'",
                              BYTES_FMT(name), BYTES_FMT(t->keyspace), BYTES_FMT(t->name));
    const struct column *c = &t->columns[i];
    if (c->kind == COLUMN_PARTITION_KEY || c->kind == COLUMN_CLUSTERING)
        return fail_set(fail, ERR_INVALID, "Cannot drop PRIMARY KEY column %.*s", BYTES_FMT(name));
    if (c->type->id == TYPE_UDT && !c->type->frozen)
        return fail_set(fail, ERR_INVALID, "Cannot drop non-frozen column %.*s of user type %.*s",
                        BYTES_FMT(name), BYTES_FMT(c->type->name));
    record_drop(next, t, c, dropped_us);
    memmove(t->columns + i, t->columns + i + 1, (t->columns_count - i - 1) * sizeof *t->columns);
    t->columns_count--;
    return OK;
}

err_t schema_drop_columns(const struct schema *s, const struct table *t, const struct bytes *names,
                          size_t count, bool if_exists, int64_t dropped_us,
                          struct schema_change *change, struct fail *fail)
{
    *change = (struct schema_change){0};
    struct schema *next = schema_clone(s);
    struct table *copy = change_table(next, t);
    err_t err = OK;
    for (size_t i = 0; i < count && err == OK; i++)
        if (!contains_name(names, i, names[i]))
            err = drop_column(next, copy, names[i], if_exists, dropped_us, fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    table_updated(s, next, t, change);
    return OK;
}

static struct column *find_column(struct table *t, struct bytes name)
{
    for (size_t i = 0; i < t->columns_count; i++)
        if (bytes_equal(t->columns[i].name, name))
            return &t->columns[i];
    return NULL;
}

static err_t rename_column(const struct table *t, struct schema *next, struct table *copy,
                           const struct schema_rename *r, struct fail *fail)
{
    const struct column *before = table_column(t, r->from);
    if (!before)
        return table_fail_undefined(t, r->from, fail);
    if (before->kind != COLUMN_PARTITION_KEY && before->kind != COLUMN_CLUSTERING)
        return fail_set(fail, ERR_INVALID, "Cannot rename non PRIMARY KEY column %.*s",
                        BYTES_FMT(r->from));
    struct column *c = find_column(copy, r->from);
    if (table_column(t, r->to) || find_column(copy, r->to) || !c)
        return fail_set(fail, ERR_INVALID,
                        "Cannot rename column %.*s to %.*s in table '%.*s.%.*s'; another column "
                        "with that name already exists",
                        BYTES_FMT(r->from), BYTES_FMT(r->to), BYTES_FMT(t->keyspace),
                        BYTES_FMT(t->name));
    c->name = arena_dup(&next->arena, r->to);
    return OK;
}

err_t schema_rename_columns(const struct schema *s, const struct table *t,
                            const struct schema_rename *renames, size_t count,
                            struct schema_change *change, struct fail *fail)
{
    *change = (struct schema_change){0};
    struct schema *next = schema_clone(s);
    struct table *copy = change_table(next, t);
    err_t err = OK;
    for (size_t i = 0; i < count && err == OK; i++)
        err = rename_column(t, next, copy, &renames[i], fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    table_updated(s, next, t, change);
    return OK;
}

static err_t alter_options(struct schema *next, struct table *t,
                           const struct schema_properties *with, struct fail *fail)
{
    struct table_options fresh = table_options_default(&next->arena);
    TRY(table_options_apply(&next->arena, with, true, &fresh, fail));
    TRY(table_options_check(with, &fresh, fail));
    struct bytes id;
    TRY(properties_text(with, "id", &id, fail));
    if (id.p) {
        uint8_t parsed[16];
        if (!uuid_parse(id, parsed))
            return fail_set(fail, ERR_CONFIG, "Invalid table id");
        return fail_set(fail, ERR_CONFIG, "Cannot alter table id.");
    }
    TRY(table_options_apply(&next->arena, with, false, &t->options, fail));
    if (t->is_counter && t->options.default_time_to_live > 0)
        return fail_set(fail, ERR_INVALID,
                        "Cannot set default_time_to_live on a table with counters");
    return OK;
}

err_t schema_alter_table_options(const struct schema *s, const struct table *t,
                                 const struct schema_properties *with, struct schema_change *change,
                                 struct fail *fail)
{
    *change = (struct schema_change){0};
    struct schema *next = schema_clone(s);
    err_t err = alter_options(next, change_table(next, t), with, fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    table_updated(s, next, t, change);
    return OK;
}

err_t schema_drop_compact_storage(const struct schema *s, const struct table *t,
                                  struct schema_change *change, struct fail *fail)
{
    *change = (struct schema_change){0};
    if (!t->is_compact)
        return fail_set(fail, ERR_INVALID,
                        "Cannot DROP COMPACT STORAGE on table without COMPACT STORAGE");
    struct schema *next = schema_clone(s);
    change_table(next, t)->is_compact = false;
    table_updated(s, next, t, change);
    return OK;
}

err_t schema_drop_table(const struct schema *s, const struct table *t, struct schema_change *change,
                        struct fail *fail)
{
    (void)fail;
    struct schema *next = schema_clone(s);
    struct table *copy = change_table(next, t);
    keyspace_remove_table(copy->ks, copy);
    change_done(s, next, SCHEMA_DROPPED, SCHEMA_TARGET_TABLE, t->keyspace, t->name, change);
    return OK;
}

err_t schema_truncate_table(const struct schema *s, const struct uuid *id, struct schema **out,
                            struct fail *fail)
{
    const struct table *t = schema_table_by_id(s, id);
    if (!t)
        return fail_set(fail, ERR_INVALID, "The table to truncate does not exist any more");
    if (t->is_virtual)
        return fail_set(fail, ERR_INVALID, "Truncation is not supported by table %.*s.%.*s",
                        BYTES_FMT(t->keyspace), BYTES_FMT(t->name));
    struct schema *next = schema_clone(s);
    change_table(next, t)->incarnation++;
    schema_finish(next);
    *out = next;
    return OK;
}
