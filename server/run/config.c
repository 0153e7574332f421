/* The configuration: defaults, below helenus.yaml, below the command line; then what the values mean (struct config).
 *
 * Every option is known by its row in options.def; this file only says how the few that act become fields of struct config. */
#include "server/run/config.h"

#include "server/run/config_address.h"
#include "server/run/config_values.h"

#include <stdio.h>

/* --- Values ----------------------------------------------------------------------------------- */

void config_values_init(struct config_values *v, struct arena *a, struct fail *fail)
{
    *v = (struct config_values){.a = a, .fail = fail};
    for (int i = 0; i < OPTIONS_COUNT; i++)
        if (options[i].fallback)
            ensure(option_parse(&options[i], bytes_str(options[i].fallback), a, &v->of[i], NULL) ==
                   OK);
}

err_t config_set(struct config_values *v, int index, const struct option_alias *alias,
                 struct bytes text, const char *at, const char *name)
{
    struct option_value *value = &v->of[index];
    const char *given = NULL;
    bool same = !strcmp(at, name); /* the command line: the place is the name */
    err_t err = OK;
    if (alias)
        err = option_alias_text(alias, text, v->a, &given, v->fail);
    else
        given = arena_cstr(v->a, text);
    if (err == OK && given == NULL) { /* an older name's -1: none */
        *value = (struct option_value){.where = at};
        return OK;
    }
    if (err == OK)
        err = option_parse(&options[index], bytes_str(given), v->a, value, v->fail);
    if (err != OK)
        return fail_set(v->fail, err, "%s%s%s: %.*s", at, same ? "" : ": ", same ? "" : name,
                        BYTES_FMT(v->fail->message));
    value->where = at;
    return OK;
}

/* --- Command line ----------------------------------------------------------------------------- */

struct command_line {
    const char *config;
    bool help, version, print;
};

/* "--name" as an option's name: dashes are underscores. */
static const char *undashed(struct arena *a, struct bytes name)
{
    char *s = arena_cstr(a, name);
    for (char *p = s; *p; p++)
        if (*p == '-')
            *p = '_';
    return s;
}

static err_t unknown_argument(struct config_values *v, const char *at, const char *name)
{
    char *nearest = arena_cstr(v->a, bytes_str(option_nearest(bytes_str(name))));
    for (char *p = nearest; *p; p++)
        if (*p == '_')
            *p = '-';
    return fail_set(v->fail, ERR_CONFIG, "%s: unknown option; did you mean --%s?", at, nearest);
}

static bool is_bool_word(const char *s)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; s && i < sizeof words / sizeof *words; i++)
        if (bytes_equal_nocase(bytes_str(s), bytes_str(words[i])))
            return true;
    return false;
}

static err_t set_argument(struct config_values *v, int index, const struct option_alias *alias,
                          const char *value, const char *at)
{
    const struct option *o = &options[index];
    bool brackets = o->type == OPTION_MAP || (o->type == OPTION_LIST && *value == '[');
    if (brackets)
        return config_yaml_value(v, index, bytes_str(value), at, at);
    return config_set(v, index, alias, bytes_str(value), at, at);
}

/* One argument that begins with "--"; *i moves over its value when that is a word of its own. */
static err_t take_argument(struct config_values *v, int argc, char **argv, int *i,
                           struct command_line *line)
{
    const char *equals = strchr(argv[*i], '=');
    size_t n = equals ? (size_t)(equals - argv[*i]) : strlen(argv[*i]);
    const char *at = arena_cstr(v->a, bytes_of(argv[*i], n));
    const char *name = undashed(v->a, bytes_of(at + 2, n - 2));
    const struct option_alias *alias;
    int index = option_find(bytes_str(name), &alias);
    if (index < 0)
        index = option_find(arena_printf(v->a, "%s.class_name", name), &alias);
    bool is_config = !strcmp(name, "config");
    if (index < 0 && !is_config)
        return unknown_argument(v, at, name);
    const char *value = equals ? equals + 1 : NULL;
    const char *next = *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) ? argv[*i + 1] : NULL;
    bool is_bool = !is_config && options[index].type == OPTION_BOOL;
    if (value == NULL && is_bool && !is_bool_word(next)) {
        value = "true";
    } else if (value == NULL) {
        if (next == NULL)
            return fail_set(v->fail, ERR_CONFIG, "%s: a value is missing%s%s", at,
                            is_config ? "" : "; allowed: ",
                            is_config ? "" : option_allowed(&options[index], v->a));
        value = next;
        ++*i;
    }
    if (is_config) {
        line->config = value;
        return OK;
    }
    return set_argument(v, index, alias, value, at);
}

static err_t take_arguments(struct config_values *v, int argc, char **argv,
                            struct command_line *line)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            line->help = true;
        else if (!strcmp(argv[i], "--version"))
            line->version = true;
        else if (!strcmp(argv[i], "--print-config"))
            line->print = true;
        else if (!strncmp(argv[i], "--", 2) && argv[i][2])
            TRY(take_argument(v, argc, argv, &i, line));
        else
            return fail_set(v->fail, ERR_CONFIG, "%s: an option (--name) is expected", argv[i]);
    }
    return OK;
}

/* --- Meaning ---------------------------------------------------------------------------------- */

static const struct option_value *value_of(const struct config_values *v, const char *name)
{
    return &v->of[option_index(name)];
}

static const char *text_of(const struct config_values *v, const char *name)
{
    return value_of(v, name)->text;
}

static int64_t number_of(const struct config_values *v, const char *name)
{
    return value_of(v, name)->number;
}

/* -1, "no bound", is 0 in struct config; a bound of 0 would refuse everybody, and Cassandra takes it as none too. */
static uint32_t bound_of(const struct config_values *v, const char *name)
{
    int64_t n = number_of(v, name);
    return n < 0 ? 0 : (uint32_t)n;
}

static err_t wrong(struct config_values *v, const char *name, const char *what)
{
    const char *at = value_of(v, name)->where;
    if (at == NULL || !strncmp(at, "--", 2))
        return fail_set(v->fail, ERR_CONFIG, "%s: %s", at ? at : name, what);
    return fail_set(v->fail, ERR_CONFIG, "%s: %s: %s", at, name, what);
}

static void show(struct config_values *v, const char *name, const char *text)
{
    v->of[option_index(name)].shown = text;
}

/* directory, or the only one of data_file_directories. */
static err_t set_directory(struct config_values *v, struct config *c)
{
    c->directory = text_of(v, "directory");
    struct option_value *list = &v->of[option_index("data_file_directories")];
    if (c->directory == NULL && list->where) {
        size_t n = strlen(list->shown);
        if (n <= 2 || strchr(list->shown, ','))
            return wrong(v, "data_file_directories",
                         "one directory is expected (Helenus keeps all data in one)");
        c->directory = arena_cstr(v->a, bytes_of(list->shown + 1, n - 2));
        show(v, "directory", c->directory);
    }
    if (c->directory == NULL || *c->directory == 0)
        return fail_set(v->fail, ERR_CONFIG, "--directory DIR is required: where the data is kept");
    show(v, "data_file_directories", arena_cstr(v->a, arena_printf(v->a, "[%s]", c->directory)));
    show(v, "commitlog_directory",
         arena_cstr(v->a, arena_printf(v->a, "%s/commitlog", c->directory)));
    return OK;
}

/* The address that an option, or the option of an interface, gives; NULL: neither is set. */
static err_t address_of(struct config_values *v, const char *option, const char *interface,
                        const char *prefer_ipv6, const char **out)
{
    const struct option_value *name = value_of(v, option);
    *out = NULL;
    if (name->text && address_resolve(name->text, v->a, out) != OK)
        return wrong(v, option,
                     (const char *)arena_printf(
                         v->a, "\"%s\" is not an address and not the name of a host", name->text)
                         .p);
    if (interface == NULL || text_of(v, interface) == NULL)
        return OK;
    if (name->text)
        return wrong(
            v, interface,
            (const char *)arena_printf(v->a, "%s is given too: only one may be", option).p);
    if (address_of_interface(text_of(v, interface), number_of(v, prefer_ipv6) != 0, v->a, out) !=
        OK)
        return wrong(v, interface, "no interface of that name with an address");
    return OK;
}

static err_t check_open(struct config_values *v, const char *name, const char *interface,
                        const char *address)
{
    if (number_of(v, "allow_open_access") || address_is_loopback(address))
        return OK;
    const char *given = value_of(v, name)->text ? name : value_of(v, interface)->text ? interface : name;
    return wrong(v, given,
                 (const char *)arena_printf(
                     v->a,
                     "%s is not a loopback address, and there is no authentication yet: add "
                     "--allow-open-access to let everybody in who reaches it",
                     address)
                     .p);
}

static err_t set_addresses(struct config_values *v, struct config *c)
{
    TRY(address_of(v, "listen_address", "listen_interface", "listen_interface_prefer_ipv6",
                   &c->listen_address));
    TRY(address_of(v, "rpc_address", "rpc_interface", "rpc_interface_prefer_ipv6",
                   &c->rpc_address));
    TRY(address_of(v, "broadcast_address", NULL, NULL, &c->broadcast_address));
    TRY(address_of(v, "broadcast_rpc_address", NULL, NULL, &c->broadcast_rpc_address));
    if (c->rpc_address == NULL)
        c->rpc_address = c->listen_address ? c->listen_address : "127.0.0.1";
    bool wild = address_is_wildcard(c->rpc_address);
    if (c->listen_address && address_is_wildcard(c->listen_address))
        return wrong(v, "listen_address", "an address of this machine is expected, not a wildcard");
    if (c->broadcast_address && address_is_wildcard(c->broadcast_address))
        return wrong(v, "broadcast_address",
                     "an address of this machine is expected, not a wildcard");
    if (c->broadcast_rpc_address && address_is_wildcard(c->broadcast_rpc_address))
        return wrong(v, "broadcast_rpc_address",
                     "an address of this machine is expected, not a wildcard");
    TRY(check_open(v, "rpc_address", "rpc_interface", c->rpc_address));
    if (wild && c->broadcast_rpc_address == NULL && c->listen_address == NULL)
        return wrong(v, "rpc_address",
                     "with a wildcard, broadcast_rpc_address must say what clients are to be told");
    if (c->broadcast_rpc_address == NULL)
        c->broadcast_rpc_address = wild ? c->listen_address : c->rpc_address;
    if (c->listen_address == NULL)
        c->listen_address = c->broadcast_rpc_address;
    TRY(check_open(v, "listen_address", "listen_interface", c->listen_address));
    if (c->broadcast_address == NULL)
        c->broadcast_address = c->listen_address;
    show(v, "listen_address", c->listen_address);
    show(v, "rpc_address", c->rpc_address);
    show(v, "broadcast_address", c->broadcast_address);
    show(v, "broadcast_rpc_address", c->broadcast_rpc_address);
    return OK;
}

static err_t set_ports(struct config_values *v, struct config *c)
{
    c->native_transport_port = (uint16_t)number_of(v, "native_transport_port");
    c->storage_port = (uint16_t)number_of(v, "storage_port");
    const char *aware = "native_shard_aware_transport_port";
    if (text_of(v, aware))
        c->native_shard_aware_transport_port = (uint16_t)number_of(v, aware);
    else
        c->native_shard_aware_transport_port = c->native_transport_port == 9042 ? 19042 : 0;
    show(v, aware, (const char *)arena_printf(v->a, "%u", c->native_shard_aware_transport_port).p);
    if (c->native_shard_aware_transport_port == c->native_transport_port)
        return wrong(v, aware, "it is the same as native_transport_port");
    return OK;
}

static err_t set_storage(struct config_values *v, struct config *c)
{
    static const enum sync_mode modes[] = {SYNC_GROUP, SYNC_PERIODIC, SYNC_BATCH};
    c->shards = (uint32_t)number_of(v, "shards");
    c->shards_ignore_msb = (uint32_t)number_of(v, "shards_ignore_msb");
    c->num_tokens = (uint32_t)number_of(v, "num_tokens");
    c->loops = (uint32_t)number_of(v, "loops");
    int64_t heap = number_of(v, "memtable_heap_space"),
            offheap = number_of(v, "memtable_offheap_space"), sum;
    if (__builtin_add_overflow(heap, offheap, &sum) || sum < 1 << 20)
        return wrong(v, "memtable_heap_space",
                     "together with memtable_offheap_space at least 1MiB is needed");
    c->memtable_bytes = (size_t)sum;
    c->level_map_bytes = (size_t)number_of(v, "level_map_size");
    c->commitlog_segment_bytes = (size_t)number_of(v, "commitlog_segment_size");
    c->commitlog_total_bytes = (size_t)number_of(v, "commitlog_total_space");
    if (c->commitlog_total_bytes < 2 * c->commitlog_segment_bytes)
        return wrong(
            v,
            value_of(v, "commitlog_total_space")->where ? "commitlog_total_space"
                                                        : "commitlog_segment_size",
            "commitlog_total_space must have room for two segments of commitlog_segment_size");
    c->commitlog_sync = modes[number_of(v, "commitlog_sync")];
    c->commitlog_sync_period_us = number_of(v, "commitlog_sync_period");
    return OK;
}

static void set_limits(const struct config_values *v, struct config *c)
{
    enum { PREPARED_BYTES = 4096 };
    c->request_memory_bytes = (size_t)number_of(v, "native_transport_max_request_data_in_flight");
    c->frame_bytes_max = (uint32_t)number_of(v, "native_transport_max_frame_size");
    c->output_bytes_max = (uint32_t)number_of(v, "native_transport_max_output_size");
    c->requests_per_connection_max =
        (uint32_t)number_of(v, "native_transport_max_requests_per_connection");
    c->prepared_statements_max =
        (uint32_t)(number_of(v, "prepared_statements_cache_size") / PREPARED_BYTES);
    c->connections_max = bound_of(v, "native_transport_max_concurrent_connections");
    c->connections_per_ip_max = bound_of(v, "native_transport_max_concurrent_connections_per_ip");
    c->read_timeout_us = number_of(v, "read_request_timeout");
    c->range_timeout_us = number_of(v, "range_request_timeout");
    c->write_timeout_us = number_of(v, "write_request_timeout");
    c->truncate_timeout_us = number_of(v, "truncate_request_timeout");
    c->request_timeout_us = number_of(v, "request_timeout");
    c->idle_timeout_us = number_of(v, "native_transport_idle_timeout");
}

static err_t set_names(struct config_values *v, struct config *c)
{
    static const char *const names[] = {"cluster_name", "data_center", "rack"};
    const char **fields[] = {&c->cluster_name, &c->data_center, &c->rack};
    for (size_t i = 0; i < 3; i++) {
        *fields[i] = text_of(v, names[i]);
        if (**fields[i] == 0)
            return wrong(v, names[i], "it must not be empty");
    }
    return OK;
}

/* Every option under every name of it. Paths of keys and passwords are not shown, as in Cassandra. */
static void set_settings(const struct config_values *v, struct config *c)
{
    size_t count = OPTIONS_COUNT + option_aliases_count + option_shown_count;
    struct setting *s = arena_array(v->a, struct setting, count);
    size_t n = 0;
    for (size_t i = 0; i < OPTIONS_COUNT; i++) {
        const char *shown = v->of[i].shown;
        if (strstr(options[i].name, "keystore") || strstr(options[i].name, "truststore"))
            shown = "<REDACTED>";
        s[n++] =
            (struct setting){bytes_str(options[i].name), shown ? bytes_str(shown) : BYTES_NULL};
    }
    for (size_t i = 0; i < option_aliases_count; i++) {
        const struct option_alias *x = &option_aliases[i];
        s[n++] = (struct setting){bytes_str(x->name),
                                  option_alias_shown(x, value_of(v, x->option), v->a)};
    }
    for (size_t i = 0; i < option_shown_count; i++) {
        const char *shown = value_of(v, option_shown[i].option)->shown;
        s[n++] = (struct setting){bytes_str(option_shown[i].name),
                                  shown ? bytes_str(shown) : BYTES_NULL};
    }
    c->settings = s;
    c->settings_count = n;
}

/* A promise of safety is refused, not accepted without effect. */
static err_t refuse_unbuilt(struct config_values *v)
{
    static const char *const classes[][2] = {
        {"authenticator.class_name", "AllowAllAuthenticator"},
        {"authorizer.class_name", "AllowAllAuthorizer"},
    };
    for (size_t i = 0; i < 2; i++) {
        const char *text = text_of(v, classes[i][0]);
        const char *name = text ? strrchr(text, '.') : NULL;
        if (text && *text && strcmp(name ? name + 1 : text, classes[i][1]) != 0)
            return wrong(v, classes[i][0],
                         "there is no authentication yet; only the AllowAll class is accepted");
    }
    if (number_of(v, "client_encryption_options.enabled"))
        return wrong(v, "client_encryption_options.enabled", "there is no encryption yet");
    return OK;
}

static err_t set_config(struct config_values *v, struct config *c)
{
    TRY(refuse_unbuilt(v));
    *c = (struct config){.allow_open_access = number_of(v, "allow_open_access") != 0,
                         .log_level = (enum log_level)number_of(v, "log_level")};
    TRY(set_names(v, c));
    TRY(set_addresses(v, c));
    TRY(set_ports(v, c));
    TRY(set_storage(v, c));
    set_limits(v, c);
    TRY(set_directory(v, c));
    set_settings(v, c);
    return OK;
}

/* One line for each option that was given and does nothing. */
static void warn_without_effect(const struct config_values *v)
{
    for (int i = 0; i < OPTIONS_COUNT; i++)
        if (v->of[i].where && !options[i].works)
            log_warn("config", "%s: %s is accepted without effect: %s", v->of[i].where,
                     options[i].name, options[i].help);
    const struct option_value *list = value_of(v, "data_file_directories");
    if (list->where && text_of(v, "directory"))
        log_warn("config",
                 "%s: data_file_directories is accepted without effect: directory is given",
                 list->where);
}

static void say(struct bytes text)
{
    fwrite(text.p, 1, text.n, stdout);
    fflush(stdout);
}

err_t config_load(int argc, char **argv, struct arena *a, struct config *out, bool *exit_now,
                  struct fail *fail)
{
    struct config_values *v = arena_new(a, struct config_values),
                         *file = arena_new(a, struct config_values);
    struct command_line line = {0};
    config_values_init(v, a, fail);
    TRY(take_arguments(v, argc, argv, &line));
    *exit_now = line.help || line.version || line.print;
    if (line.help || line.version) {
        say(line.help ? config_help(a) : bytes_str("helenusd " HELENUS_VERSION "\n"));
        return OK;
    }
    if (line.config) {
        config_values_init(file, a, fail);
        TRY(config_file(file, line.config));
        for (int i = 0; i < OPTIONS_COUNT; i++)
            if (v->of[i].where == NULL)
                v->of[i] = file->of[i];
    }
    TRY(set_config(v, out));
    if (line.print) {
        say(config_print(v, a));
        return OK;
    }
    log_set_level(out->log_level);
    log_set_node(out->listen_address);
    warn_without_effect(v);
    return OK;
}
