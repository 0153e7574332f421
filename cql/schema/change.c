/* What all changes share, and those to keyspaces. Source of rules and texts: Apache Cassandra 5.0's behaviour. */
#include "cql/schema/change_priv.h"
#include "cql/schema/options_priv.h"
#include "cql/schema/replication_priv.h"

#define KEYSPACE_NAME_BYTES_MAX 48

static bool is_replicated_system(struct bytes keyspace)
{
    return bytes_equal_str(keyspace, "system_auth") ||
           bytes_equal_str(keyspace, "system_distributed") ||
           bytes_equal_str(keyspace, "system_traces");
}

err_t change_check_modifiable(struct bytes keyspace, const char *permission, struct bytes resource,
                              struct fail *fail)
{
    if (is_replicated_system(keyspace))
        return fail_set(fail, ERR_UNAUTHORIZED, "Cannot %s %.*s", permission, BYTES_FMT(resource));
    if (schema_is_builtin_keyspace(keyspace))
        return fail_set(fail, ERR_UNAUTHORIZED, "%.*s keyspace is not user-modifiable.",
                        BYTES_FMT(keyspace));
    return OK;
}

struct bytes change_resource_all_tables(struct bytes keyspace, struct fail *fail)
{
    if (!fail)
        return BYTES_NULL;
    return arena_printf(fail->arena, "<all tables in %.*s>", BYTES_FMT(keyspace));
}

bool change_is_word(struct bytes name)
{
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return name.n > 0;
}

void change_done(const struct schema *s, struct schema *next, enum schema_event_kind kind,
                 enum schema_target target, struct bytes keyspace, struct bytes name,
                 struct schema_change *change)
{
    schema_finish(next);
    *change = (struct schema_change){next, {kind, target, keyspace, name}};
    if (memcmp(&next->version, &s->version, sizeof next->version) == 0) {
        schema_unref(next);
        change->schema = NULL;
    }
}

struct keyspace *change_keyspace(struct schema *next, struct bytes keyspace)
{
    struct keyspace *ks = schema_find_keyspace(next, keyspace);
    ensure(ks != NULL);
    return ks;
}

struct table *change_table(struct schema *next, const struct table *t)
{
    struct table *copy = keyspace_find_table(change_keyspace(next, t->keyspace), t->name);
    ensure(copy != NULL);
    return copy;
}

/* --- Keyspaces ---------------------------------------------------------------------------------- */

static err_t check_keyspace_name(struct bytes name, struct fail *fail)
{
    if (!change_is_word(name))
        return fail_set(fail, ERR_INVALID,
                        "Keyspace name must not be empty and must contain alphanumeric or "
                        "underscore characters only (got \"%.*s\")",
                        BYTES_FMT(name));
    if (name.n > KEYSPACE_NAME_BYTES_MAX)
        return fail_set(fail, ERR_INVALID,
                        "Keyspace name must not be more than %d characters long (got %zu "
                        "characters for \"%.*s\")",
                        KEYSPACE_NAME_BYTES_MAX, name.n, BYTES_FMT(name));
    return OK;
}

/* *replication is NULL when it is not given. */
static err_t check_properties(const struct schema_properties *with,
                              const struct option_map **replication, struct fail *fail)
{
    for (size_t i = 0; i < with->count; i++)
        if (!bytes_equal_str(with->items[i].name, "replication") &&
            !bytes_equal_str(with->items[i].name, "durable_writes"))
            return fail_set(fail, ERR_SYNTAX, "Unknown property '%.*s'",
                            BYTES_FMT(with->items[i].name));
    TRY(properties_map(with, "replication", replication, fail));
    if (*replication && (*replication)->count && !option_map_get_str(*replication, "class").p)
        return fail_set(fail, ERR_CONFIG, "Missing replication strategy class");
    return OK;
}

static err_t already_exists(struct bytes keyspace, struct fail *fail)
{
    err_t err = fail_set(fail, ERR_ALREADY_EXISTS, "Cannot add existing keyspace \"%.*s\"",
                         BYTES_FMT(keyspace));
    if (fail) {
        fail->keyspace = keyspace;
        fail->name = bytes_str("");
    }
    return err;
}

err_t schema_create_keyspace(const struct schema *s, struct bytes name, bool if_not_exists,
                             const struct schema_properties *with, const struct schema_env *env,
                             struct schema_change *change, struct fail *fail)
{
    const struct option_map *given;
    *change = (struct schema_change){0};
    if (schema_is_builtin_keyspace(name) && !is_replicated_system(name))
        return fail_set(fail, ERR_INVALID, "System keyspace '%.*s' is not user-modifiable",
                        BYTES_FMT(name));
    TRY(check_keyspace_name(name, fail));
    TRY(check_properties(with, &given, fail));
    if (!given)
        return fail_set(fail, ERR_INVALID, "Missing mandatory option 'replication'");
    if (schema_keyspace(s, name))
        return if_not_exists ? OK : already_exists(name, fail);
    struct schema *next = schema_clone(s);
    struct keyspace *ks = arena_new(&next->arena, struct keyspace);
    ks->name = arena_dup(&next->arena, name);
    ks->durable_writes = true;
    err_t err = properties_bool(with, "durable_writes", &ks->durable_writes, fail);
    if (err == OK)
        err = replication_make(&next->arena, given, NULL, name, env, &ks->replication, fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    replication_warn(&next->arena, &ks->replication, name, env);
    schema_add_keyspace(next, ks);
    change_done(s, next, SCHEMA_CREATED, SCHEMA_TARGET_KEYSPACE, name, BYTES_NULL, change);
    return OK;
}

static void warn_of_more_replicas(const struct keyspace *before, const struct keyspace *after,
                                  const struct schema_env *env)
{
    static const char text[] = "When increasing replication factor you need to run a full (-full) "
                               "repair to distribute the "
                               "data.";
    if (env->warnings && replication_factor_total(&after->replication) >
                             replication_factor_total(&before->replication))
        value_put(env->warnings, bytes_str(text));
}

err_t schema_alter_keyspace(const struct schema *s, struct bytes name, bool if_exists,
                            const struct schema_properties *with, const struct schema_env *env,
                            struct schema_change *change, struct fail *fail)
{
    const struct option_map *given;
    *change = (struct schema_change){0};
    if (!is_replicated_system(name))
        TRY(change_check_modifiable(name, "ALTER", BYTES_NULL, fail));
    TRY(check_keyspace_name(name, fail));
    TRY(check_properties(with, &given, fail));
    const struct keyspace *before = schema_keyspace(s, name);
    if (!before)
        return if_exists
                   ? OK
                   : fail_set(fail, ERR_INVALID, "Keyspace '%.*s' doesn't exist", BYTES_FMT(name));
    struct schema *next = schema_clone(s);
    struct keyspace *ks = change_keyspace(next, name);
    err_t err = properties_bool(with, "durable_writes", &ks->durable_writes, fail);
    if (err == OK && given && given->count)
        err = replication_make(&next->arena, given, &before->replication, name, env,
                               &ks->replication, fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    if (!ks->is_system)
        replication_warn(&next->arena, &ks->replication, name, env);
    warn_of_more_replicas(before, ks, env);
    change_done(s, next, SCHEMA_UPDATED, SCHEMA_TARGET_KEYSPACE, name, BYTES_NULL, change);
    return OK;
}

err_t schema_drop_keyspace(const struct schema *s, struct bytes name, bool if_exists,
                           struct schema_change *change, struct fail *fail)
{
    *change = (struct schema_change){0};
    struct bytes resource =
        fail ? arena_printf(fail->arena, "<keyspace %.*s>", BYTES_FMT(name)) : BYTES_NULL;
    TRY(change_check_modifiable(name, "DROP", resource, fail));
    TRY(check_keyspace_name(name, fail));
    if (!schema_keyspace(s, name))
        return if_exists
                   ? OK
                   : fail_set(fail, ERR_INVALID, "Keyspace '%.*s' doesn't exist", BYTES_FMT(name));
    struct schema *next = schema_clone(s);
    schema_remove_keyspace(next, change_keyspace(next, name));
    change_done(s, next, SCHEMA_DROPPED, SCHEMA_TARGET_KEYSPACE, name, BYTES_NULL, change);
    return OK;
}
