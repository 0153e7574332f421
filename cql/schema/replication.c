/* Replication options of keyspaces: from what a statement says to what is kept, with Cassandra's rules and messages.
 *
 * NetworkTopologyStrategy expands replication_factor to every known datacenter when the statement is executed and keeps only
 * the result; datacenters with factor 0 are left out. */
#include "cql/schema/replication_priv.h"

#include "cql/schema/options_priv.h"

#define LOCATOR "org.apache.cassandra.locator."
static const char *const class_names[] = {
    [REPLICATION_LOCAL] = LOCATOR "LocalStrategy",
    [REPLICATION_SIMPLE] = LOCATOR "SimpleStrategy",
    [REPLICATION_NETWORK_TOPOLOGY] = LOCATOR "NetworkTopologyStrategy",
};

static const char *short_name(enum replication_class class)
{
    return class_names[class] + strlen(LOCATOR);
}

/* A replication factor as Cassandra reads it; transient replicas ("3/1") are refused as they are off by default. */
static err_t parse_factor(struct bytes text, int32_t *out, struct fail *fail)
{
    const uint8_t *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    struct bytes total = slash ? bytes_of(text.p, (size_t)(slash - text.p)) : text;
    if (slash && memchr(slash + 1, '/', (size_t)(text.p + text.n - slash - 1)))
        return fail_set(fail, ERR_CONFIG,
                        "Replication factor format is <replicas> or <replicas>/<transient>");
    if (!option_int(total, out))
        return fail_set(fail, ERR_CONFIG, "For input string: \"%.*s\"", BYTES_FMT(total));
    if (slash) {
        int32_t transient;
        struct bytes rest = bytes_skip(text, total.n + 1);
        if (!option_int(rest, &transient))
            return fail_set(fail, ERR_CONFIG, "For input string: \"%.*s\"", BYTES_FMT(rest));
        if (transient != 0)
            return fail_set(fail, ERR_CONFIG, "Transient replication is not enabled on this node");
    }
    if (*out < 0)
        return fail_set(fail, ERR_CONFIG, "Replication factor must be non-negative, found %d",
                        *out);
    return OK;
}

static err_t parse_class(struct bytes name, enum replication_class *out, struct fail *fail)
{
    for (int i = 0; i < 3; i++)
        if (bytes_equal_str(name, class_names[i]) || bytes_equal_str(name, short_name(i))) {
            *out = (enum replication_class)i;
            return OK;
        }
    bool qualified = name.n && memchr(name.p, '.', name.n);
    return fail_set(fail, ERR_CONFIG, "Unable to find replication strategy class '%s%.*s'",
                    qualified ? "" : LOCATOR, BYTES_FMT(name));
}

err_t replication_parse(struct arena *a, struct replication *r, struct fail *fail)
{
    TRY(parse_class(option_map_get_str(&r->options, "class"), &r->class, fail));
    r->factor = 0;
    r->dcs = arena_array(a, struct replication_dc, r->options.count);
    r->dcs_count = 0;
    for (size_t i = 0; i < r->options.count; i++) {
        const struct option_pair *o = &r->options.items[i];
        if (bytes_equal_str(o->key, "class") || r->class == REPLICATION_LOCAL)
            continue;
        int32_t factor;
        TRY(parse_factor(o->value, &factor, fail));
        if (r->class == REPLICATION_SIMPLE)
            r->factor = factor;
        else
            r->dcs[r->dcs_count++] = (struct replication_dc){o->key, factor};
    }
    return OK;
}

static void set_class(struct arena *a, struct keyspace *ks, enum replication_class class)
{
    ks->replication = (struct replication){.class = class};
    option_map_put_str(a, &ks->replication.options, "class", class_names[class]);
}

void keyspace_set_local(struct arena *a, struct keyspace *ks)
{
    set_class(a, ks, REPLICATION_LOCAL);
}

void keyspace_set_simple(struct arena *a, struct keyspace *ks, int32_t factor)
{
    set_class(a, ks, REPLICATION_SIMPLE);
    ks->replication.factor = factor;
    struct bytes text = arena_printf(a, "%d", factor);
    option_map_put(a, &ks->replication.options, bytes_str("replication_factor"), text);
}

static bool has(const struct option_map *m, struct bytes key)
{
    return option_map_get(m, key).p != NULL;
}

static bool is_factor_or_class(struct bytes key)
{
    return bytes_equal_str(key, "replication_factor") || bytes_equal_str(key, "class");
}

/* replication_factor → every known datacenter that is not named; an ALTER leaves the datacenters that it does not name. The class alone
 * means the datacenters of before, or for a new keyspace Cassandra's default_keyspace_rf, 1, in every datacenter. */
static void expand(struct arena *a, struct option_map *m, const struct option_map *previous,
                   const struct schema_env *env)
{
    struct bytes key = bytes_str("replication_factor");
    struct bytes factor = option_map_get(m, key);
    if (factor.p)
        option_map_del(m, key);
    else if (m->count == 1) { /* only the class */
        factor = previous ? option_map_get(previous, key) : BYTES_NULL;
        if (!factor.p)
            factor = bytes_str("1");
    }
    if (factor.p && previous)
        for (size_t i = 0; i < previous->count; i++)
            if (!is_factor_or_class(previous->items[i].key) && !has(m, previous->items[i].key))
                option_map_put(a, m, previous->items[i].key, previous->items[i].value);
    int32_t checked;
    /* Cassandra swallows what is wrong with the factor here: nothing is expanded then. */
    if (factor.p && parse_factor(factor, &checked, NULL) == OK) {
        struct bytes text = arena_printf(a, "%d", checked);
        for (size_t i = 0; i < env->datacenters_count; i++)
            if (!has(m, env->datacenters[i]))
                option_map_put(a, m, env->datacenters[i], text);
    }
    for (size_t i = m->count; i-- > 0;)
        if (bytes_equal_str(m->items[i].value, "0"))
            option_map_del(m, m->items[i].key);
}

static bool is_known_dc(const struct schema_env *env, struct bytes dc)
{
    for (size_t i = 0; i < env->datacenters_count; i++)
        if (bytes_equal(env->datacenters[i], dc))
            return true;
    return false;
}

static err_t check_network_topology(const struct replication *r, struct bytes keyspace,
                                    const struct schema_env *env, struct fail *fail)
{
    if (r->dcs_count == 0)
        return fail_set(fail, ERR_CONFIG,
                        "Configuration for at least one datacenter must be present");
    for (size_t i = 0; i < r->dcs_count; i++)
        if (!is_known_dc(env, r->dcs[i].dc))
            return fail_set(fail, ERR_CONFIG,
                            "Unrecognized strategy option {%.*s} passed to NetworkTopologyStrategy "
                            "for keyspace %.*s",
                            BYTES_FMT(r->dcs[i].dc), BYTES_FMT(keyspace));
    if (bytes_equal_str(keyspace, "system_auth"))
        for (size_t i = 0; i < env->datacenters_count; i++)
            if (!has(&r->options, env->datacenters[i]))
                return fail_set(fail, ERR_CONFIG,
                                "Following datacenters have active nodes and must be present in "
                                "replication options for "
                                "keyspace system_auth: [%.*s]",
                                BYTES_FMT(env->datacenters[i]));
    return OK;
}

static err_t check_simple(const struct option_map *m, struct bytes keyspace, struct fail *fail)
{
    for (size_t i = 0; i < m->count; i++)
        if (!is_factor_or_class(m->items[i].key))
            return fail_set(
                fail, ERR_CONFIG,
                "Unrecognized strategy option {%.*s} passed to SimpleStrategy for keyspace %.*s",
                BYTES_FMT(m->items[i].key), BYTES_FMT(keyspace));
    return OK;
}

err_t replication_make(struct arena *a, const struct option_map *given,
                       const struct replication *previous, struct bytes keyspace,
                       const struct schema_env *env, struct replication *out, struct fail *fail)
{
    struct bytes class = option_map_get_str(given, "class");
    if (!class.p)
        return fail_set(fail, ERR_CONFIG, "Missing replication strategy class");
    *out = (struct replication){.options = option_map_copy(a, given)};
    TRY(parse_class(class, &out->class, fail));
    option_map_put_str(a, &out->options, "class", class_names[out->class]);
    if (out->class == REPLICATION_LOCAL)
        return fail_set(
            fail, ERR_INVALID,
            "Unable to use given strategy class: LocalStrategy is reserved for internal use.");
    if (out->class == REPLICATION_SIMPLE) {
        struct bytes key = bytes_str("replication_factor");
        struct bytes factor = previous ? option_map_get(&previous->options, key) : BYTES_NULL;
        if (!has(&out->options, key))
            option_map_put(a, &out->options, key, factor.p ? factor : bytes_str("1"));
        /* Only the factor is a number: an unknown option is reported before it is read as one. */
        int32_t checked;
        TRY(parse_factor(option_map_get(&out->options, key), &checked, fail));
        TRY(check_simple(&out->options, keyspace, fail));
        return replication_parse(a, out, fail);
    }
    expand(a, &out->options, previous ? &previous->options : NULL, env);
    for (size_t i = 0; i < out->options.count; i++)
        if (bytes_equal_nocase(out->options.items[i].key, bytes_str("replication_factor")))
            return fail_set(
                fail, ERR_CONFIG,
                "replication_factor should not appear as an option at construction time for "
                "NetworkTopologyStrategy");
    TRY(replication_parse(a, out, fail));
    return check_network_topology(out, keyspace, env, fail);
}

static void warn(const struct schema_env *env, struct bytes text)
{
    if (env->warnings)
        value_put(env->warnings, text);
}

void replication_warn(struct arena *a, const struct replication *r, struct bytes keyspace,
                      const struct schema_env *env)
{
    static const char format[] =
        "Your replication factor %d for keyspace %.*s is higher than the number of nodes %d";
    if (r->class == REPLICATION_SIMPLE && r->factor > env->nodes_count && env->nodes_count > 0)
        warn(env, arena_printf(a, format, r->factor, BYTES_FMT(keyspace), env->nodes_count));
    if (r->class != REPLICATION_NETWORK_TOPOLOGY || !env->datacenters_nodes)
        return;
    for (size_t i = 0; i < r->dcs_count; i++)
        for (size_t j = 0; j < env->datacenters_count; j++) {
            int nodes = env->datacenters_nodes[j];
            if (!bytes_equal(env->datacenters[j], r->dcs[i].dc) || nodes == 0 ||
                r->dcs[i].factor <= nodes)
                continue;
            struct bytes text =
                arena_printf(a, format, r->dcs[i].factor, BYTES_FMT(keyspace), nodes);
            warn(env, arena_printf(a, "%.*s for datacenter %.*s", BYTES_FMT(text),
                                   BYTES_FMT(r->dcs[i].dc)));
        }
}

struct bytes replication_class_name(enum replication_class class)
{
    return bytes_str(class_names[class]);
}

int replication_factor_total(const struct replication *r)
{
    int total = r->factor;
    for (size_t i = 0; i < r->dcs_count; i++)
        total += r->dcs[i].factor;
    return r->class == REPLICATION_LOCAL ? 1 : total;
}
