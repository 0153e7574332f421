// helenus.yaml and the command line: what they set, how they stand over one another, and the one line that says what is wrong.
#include "server/run/config.h"

#include "server/run/config_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena arena;
static struct fail fail;
static struct config_values *values;
static struct config config;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    fail = (struct fail){.arena = &arena};
    values = arena_new(&arena, struct config_values);
    config_values_init(values, &arena, &fail);
    log_set_level(LOG_LEVEL_ERROR);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static err_t yaml(const char *text)
{
    config_values_init(values, &arena, &fail);
    return config_yaml(values, "h.yaml", bytes_str(text));
}

static const struct option_value *given(const char *name)
{
    return &values->of[option_index(name)];
}

static void wants_failure(err_t err, const char *message)
{
    assert_int_equal(err, ERR_CONFIG);
    assert_string_equal(arena_cstr(&arena, fail.message), message);
}

// The words are arguments behind "helenusd".
static err_t load(const char *words)
{
    char *argv[32] = {(char *)"helenusd", (char *)"--log-level=error"},
         *copy = arena_cstr(&arena, bytes_str(words)), *rest;
    int argc = 2;
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    bool exit_now;
    return config_load(argc, argv, &arena, &config, &exit_now, &fail);
}

/* --- The file --------------------------------------------------------------------------------- */

static void test_yaml_sets_options(void **state)
{
    (void)state;
    assert_int_equal(yaml("# comment\n"
                          "cluster_name: 'of our own'\n"
                          "read_request_timeout: 7s\n"
                          "native_transport_max_frame_size_in_mb: 8\n"
                          "concurrent_reads: 32\n"
                          "hints_directory:\n"
                          "hinted_handoff_disabled_datacenters:\n    - DC1\n    - DC 2\n"
                          "enable_materialized_views: yes\n"
                          "audit_logging_options:\n    enabled: true\n    logger:\n      - "
                          "class_name: FileLogger\n"
                          "startup_checks:\n    check_x: {enabled: true, excluded: [a, 'b: c']}\n"),
                     OK);
    assert_string_equal(given("cluster_name")->text, "of our own");
    assert_string_equal(given("cluster_name")->where, "h.yaml:2");
    assert_int_equal(given("read_request_timeout")->number, 7000000);
    assert_string_equal(given("native_transport_max_frame_size")->text, "8MiB");
    assert_null(given("hints_directory")->where);
    assert_string_equal(given("hinted_handoff_disabled_datacenters")->shown, "[DC1, DC 2]");
    assert_int_equal(given("materialized_views_enabled")->number, 1);
    assert_string_equal(given("audit_logging_options.logger.class_name")->text, "FileLogger");
    assert_string_equal(given("audit_logging_options.logger.class_name")->where, "h.yaml:14");
    assert_string_equal(given("startup_checks")->text,
                        "{check_x: {enabled: true, excluded: [a, 'b: c']}}");
    assert_string_equal(given("startup_checks")->shown,
                        "{check_x={enabled=true, excluded=[a, b: c]}}");
}

static void test_classes_in_their_three_forms(void **state)
{
    (void)state;
    assert_int_equal(
        yaml("authenticator: AllowAllAuthenticator\n"
             "authorizer:\n  class_name: AllowAllAuthorizer\n"
             "seed_provider:\n  - class_name: org.apache.cassandra.locator.SimpleSeedProvider\n"
             "    parameters:\n      - seeds: \"127.0.0.1:7000\"\n"
             "hints_compression:\n  - class_name: LZ4Compressor\n    parameters:\n      -\n"),
        OK);
    assert_string_equal(given("authenticator.class_name")->text, "AllowAllAuthenticator");
    assert_string_equal(given("authorizer.class_name")->text, "AllowAllAuthorizer");
    assert_string_equal(given("seed_provider.class_name")->text,
                        "org.apache.cassandra.locator.SimpleSeedProvider");
    assert_string_equal(given("seed_provider.parameters")->shown, "{seeds=127.0.0.1:7000}");
    assert_string_equal(given("hints_compression.parameters")->shown, "{}");
}

static void test_wrong_files_name_line_option_and_what_is_allowed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a: 1\n", NULL},
        {"rack: r\n\ncomitlog_sync: x\n",
         "h.yaml:3: unknown option \"comitlog_sync\"; did you mean \"commitlog_sync\"?"},
        {"native_transport_port: many\n", "h.yaml:1: native_transport_port: \"many\" is not "
                                          "allowed; allowed: a whole number, from 1 to 65535"},
        {"read_request_timeout_in_ms: 5s\n", "h.yaml:1: read_request_timeout_in_ms: \"5s\" is not "
                                             "allowed; allowed: a whole number, in ms"},
        {"commitlog_sync: sometimes\n", "h.yaml:1: commitlog_sync: \"sometimes\" is not allowed; "
                                        "allowed: one of group, periodic, batch"},
        {"cluster_name: [a, b]\n", "h.yaml:1: cluster_name: a list is not allowed; allowed: a text "
                                   "without control characters"},
        {"cluster_name: {a: b}\n", "h.yaml:1: cluster_name: a map is not allowed; allowed: a text "
                                   "without control characters"},
        {"startup_checks: 5\n",
         "h.yaml:1: startup_checks: a single value is not allowed; allowed: a map"},
        {"cluster_name: a\ncluster_name: b\n",
         "h.yaml:2: cluster_name: given twice; first at h.yaml:1"},
        {"read_request_timeout: 5s\nread_request_timeout_in_ms: 5\n",
         "h.yaml:2: read_request_timeout_in_ms: given twice; first at h.yaml:1"},
        {"native_transport_port:\n", "h.yaml:1: native_transport_port: a value is missing; "
                                     "allowed: a whole number, from 1 to 65535"},
        {"audit_logging_options:\n  enabeld: true\n",
         "h.yaml:2: unknown option \"audit_logging_options.enabeld\"; did you mean "
         "\"audit_logging_options.enabled\"?"},
        {"audit_logging_options: 5\n", "h.yaml:1: audit_logging_options: a map is expected"},
        {"[a, b]\n", "h.yaml:1: lines of the form \"option: value\" are expected"},
        {"just words\n", "h.yaml:1: lines of the form \"option: value\" are expected"},
        {"{[a]: b}\n", "h.yaml:1: the name of an option is expected"},
        {"rack: a\n---\nrack: b\n", "h.yaml:3: a second document is not allowed"},
        {"rack: a\n  bad: [indent\n", NULL},
        {"rack: \"a\\nb\"\n", NULL},
        {"rack: \xff\n", NULL},
        {"&a startup_checks: *a\n", NULL},
        {"startup_checks: &a {x: *a}\n", NULL}, // endless
        {"startup_checks: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: "
         "1}}}}}}}}}}}}}}}}}}\n",
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err_t err = yaml(cases[i][0]);
        if (err == OK)
            fail_msg("taken: %s", cases[i][0]);
        assert_int_equal(err, ERR_CONFIG);
        assert_true(bytes_starts_with(fail.message, bytes_str("h.yaml:")));
        assert_null(memchr(fail.message.p, '\n', fail.message.n));
        if (cases[i][1])
            wants_failure(err, cases[i][1]);
    }
    assert_int_equal(yaml(""), OK);
    assert_int_equal(yaml("# nothing\n---\n"), OK);
}

static void test_aliases_of_yaml_cannot_grow_without_bound(void **state)
{
    (void)state;
    struct buf b = buf_in(&arena);
    buf_put_str(&b, "startup_checks:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++)
        buf_printf(&b, "  a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                   i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    size_t before = arena_bytes(&arena);
    assert_int_equal(config_yaml(values, "h.yaml", buf_bytes(&b)), ERR_CONFIG);
    assert_true(arena_bytes(&arena) - before < 4 << 20);
    struct buf deep = buf_in(&arena);
    buf_put_str(&deep, "startup_checks: ");
    memset(buf_extend(&deep, 500000), '[', 500000);
    assert_int_equal(config_yaml(values, "h.yaml", buf_bytes(&deep)), ERR_CONFIG);
    struct buf large = buf_in(&arena);
    memset(buf_extend(&large, 2 << 20), '#', 2 << 20);
    assert_int_equal(config_yaml(values, "h.yaml", buf_bytes(&large)), ERR_CONFIG);
}

/* --- The command line ------------------------------------------------------------------------- */

static void test_directory_is_enough(void **state)
{
    (void)state;
    assert_int_equal(load("--directory /d"), OK);
    assert_string_equal(config.directory, "/d");
    assert_string_equal(config.listen_address, "127.0.0.1");
    assert_string_equal(config.rpc_address, "127.0.0.1");
    assert_string_equal(config.broadcast_rpc_address, "127.0.0.1");
    assert_int_equal(config.native_transport_port, 9042);
    assert_int_equal(config.native_shard_aware_transport_port, 19042);
    assert_int_equal(config.commitlog_sync, SYNC_GROUP);
    assert_int_equal(config.memtable_bytes, 512 << 20);
    assert_int_equal(config.connections_max, 0);
    assert_int_equal(config.read_timeout_us, 5000000);
    assert_int_equal(config.idle_timeout_us, 0);
    wants_failure(load(""), "--directory DIR is required: where the data is kept");
}

static void test_command_line(void **state)
{
    (void)state;
    assert_int_equal(
        load("--directory=/d --native-transport-port 9043 --commitlog-sync=periodic "
             "--allow-open-access "
             "--write-request-timeout-in-ms 77 --memtable-heap-space 4MiB --commitlog_sync_period "
             "5s "
             "--authenticator AllowAllAuthenticator --hinted-handoff-disabled-datacenters a,b "
             "--seed-provider.parameters {seeds:127.0.0.1} --rack r1 --rack r2 "
             "--native-transport-max-concurrent-connections 5"),
        OK);
    assert_int_equal(config.native_transport_port, 9043);
    assert_int_equal(config.native_shard_aware_transport_port, 0);
    assert_int_equal(config.commitlog_sync, SYNC_PERIODIC);
    assert_int_equal(config.commitlog_sync_period_us, 5000000);
    assert_true(config.allow_open_access);
    assert_int_equal(config.write_timeout_us, 77000);
    assert_int_equal(config.memtable_bytes, 4 << 20);
    assert_int_equal(config.connections_max, 5);
    assert_string_equal(config.rack, "r2");
}

static void test_wrong_command_lines(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"--directory",
         "--directory: a value is missing; allowed: a text without control characters"},
        {"--directory --rack r",
         "--directory: a value is missing; allowed: a text without control characters"},
        {"--comitlog-sync x", "--comitlog-sync: unknown option; did you mean --commitlog-sync?"},
        {"--config", "--config: a value is missing"},
        {"--directory /d --config /nonexistent/x",
         "cannot read /nonexistent/x: No such file or directory"},
        {"word", "word: an option (--name) is expected"},
        {"--", "--: an option (--name) is expected"},
        {"--allow-open-access=maybe",
         "--allow-open-access: \"maybe\" is not allowed; allowed: true or false"},
        {"--directory /d --native-transport-port=0",
         "--native-transport-port: \"0\" is not allowed; allowed: a whole number, from 1 to 65535"},
        {"--directory /d --native-shard-aware-transport-port 9042",
         "--native-shard-aware-transport-port: it is the same as native_transport_port"},
        {"--directory /d --commitlog-segment-size 1000MiB",
         "--commitlog-segment-size: commitlog_total_space must have room for two segments of "
         "commitlog_segment_size"},
        {"--directory /d --memtable-heap-space 0MiB",
         "--memtable-heap-space: together with memtable_offheap_space at least 1MiB is needed"},
        {"--data-file-directories /a,/b",
         "--data-file-directories: one directory is expected (Helenus keeps all data in one)"},
        {"--seed-provider.parameters 5",
         "--seed-provider.parameters: --seed-provider.parameters: a single value is not "
         "allowed; allowed: a map"},
        {"--partitioner RandomPartitioner",
         "--partitioner: \"RandomPartitioner\" is not allowed; allowed: one of Murmur3Partitioner, "
         "org.apache.cassandra.dht.Murmur3Partitioner"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        wants_failure(load(cases[i][0]), cases[i][1]);
}

static const char *write_file(const char *text)
{
    static char path[] = "/tmp/test_config.XXXXXX";
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void test_command_line_wins_over_the_file(void **state)
{
    (void)state;
    const char *path =
        write_file("directory: /from-file\nrack: r1\ndata_center: dc9\nconcurrent_reads: 5\n");
    err_t err = load((const char *)arena_printf(&arena, "--rack r2 --config %s", path).p);
    unlink(path);
    assert_int_equal(err, OK);
    assert_string_equal(config.directory, "/from-file");
    assert_string_equal(config.rack, "r2");
    assert_string_equal(config.data_center, "dc9");
    path = write_file("data_file_directories:\n  - /only/one\n");
    err = load((const char *)arena_printf(&arena, "--config %s", path).p);
    unlink(path);
    assert_int_equal(err, OK);
    assert_string_equal(config.directory, "/only/one");
    assert_int_equal(load("--directory /d --config /"), ERR_CONFIG); // no file
}

static void test_addresses_default_to_one_another(void **state)
{
    (void)state;
    static const char *const cases[][5] = {
        // arguments, listen, rpc, broadcast, broadcast_rpc
        {"--rpc-address 127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2"},
        {"--listen-address 127.0.0.3", "127.0.0.3", "127.0.0.3", "127.0.0.3", "127.0.0.3"},
        {"--listen-address 127.0.0.3 --rpc-address ::1", "127.0.0.3", "::1", "127.0.0.3", "::1"},
        {"--rpc-address localhost", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
        {"--allow-open-access --rpc-address 0.0.0.0 --listen-address 10.1.2.3", "10.1.2.3",
         "0.0.0.0", "10.1.2.3", "10.1.2.3"},
        {"--allow-open-access --rpc-address :: --broadcast-rpc-address 10.1.2.3", "10.1.2.3",
         "::", "10.1.2.3", "10.1.2.3"},
        {"--broadcast-rpc-address 10.1.2.3 --broadcast-address 10.1.2.4 --rpc-address 127.0.0.1 "
         "--listen-address 127.0.0.1",
         "127.0.0.1", "127.0.0.1", "10.1.2.4", "10.1.2.3"},
        {"--rpc-interface lo", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err_t err = load((const char *)arena_printf(&arena, "--directory /d %s", cases[i][0]).p);
        if (err != OK)
            fail_msg("%s: %.*s", cases[i][0], BYTES_FMT(fail.message));
        assert_string_equal(config.listen_address, cases[i][1]);
        assert_string_equal(config.rpc_address, cases[i][2]);
        assert_string_equal(config.broadcast_address, cases[i][3]);
        assert_string_equal(config.broadcast_rpc_address, cases[i][4]);
    }
}

static void test_open_access_must_be_asked_for(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "--rpc-address 0.0.0.0",        "--rpc-address ::",        "--rpc-address 10.0.0.1",
        "--listen-address 192.168.1.1", "--rpc-address 128.0.0.1", "--rpc-address ::ffff:10.0.0.1",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(
            load((const char *)arena_printf(&arena, "--directory /d %s", refused[i]).p),
            ERR_CONFIG);
        assert_non_null(strstr(arena_cstr(&arena, fail.message), "--allow-open-access"));
    }
    assert_int_equal(load("--directory /d --rpc-address 10.0.0.1 --allow-open-access"), OK);
    assert_int_equal(load("--directory /d --rpc-address ::ffff:127.0.0.1"), OK);
    static const char *const wrong[] = {
        "--rpc-address not_an_address!",
        "--rpc-address 127.0.0.256",
        "--rpc-address=",
        "--allow-open-access --rpc-address 0.0.0.0",
        "--allow-open-access --listen-address 0.0.0.0",
        "--allow-open-access --broadcast-rpc-address ::",
        "--rpc-interface nosuch0",
        "--rpc-interface lo --rpc-address 127.0.0.1",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (load((const char *)arena_printf(&arena, "--directory /d %s", wrong[i]).p) != ERR_CONFIG)
            fail_msg("taken: %s", wrong[i]);
}

/* --- What comes out --------------------------------------------------------------------------- */

static const char *setting(const char *name)
{
    for (size_t i = 0; i < config.settings_count; i++)
        if (bytes_equal_str(config.settings[i].name, name))
            return config.settings[i].value.p ? arena_cstr(&arena, config.settings[i].value) : NULL;
    fail_msg("no setting %s", name);
    return NULL;
}

static void test_settings_tell_what_is_in_force(void **state)
{
    (void)state;
    assert_int_equal(
        load("--directory /d --read-request-timeout 7s --native-transport-port 1234 "
             "--client-encryption-options.keystore-password secret --hints-directory /x"),
        OK);
    assert_true(config.settings_count > 600);
    assert_string_equal(setting("read_request_timeout"), "7s");
    assert_string_equal(setting("read_request_timeout_in_ms"), "7000");
    assert_string_equal(setting("native_transport_port"), "1234");
    assert_string_equal(setting("rpc_address"), "127.0.0.1");
    assert_string_equal(setting("commitlog_sync"), "group");
    assert_string_equal(setting("hints_directory"), "/x");
    assert_string_equal(setting("data_file_directories"), "[/d]");
    assert_string_equal(setting("audit_logging_options_enabled"), "false");
    assert_string_equal(setting("client_encryption_options.keystore_password"), "<REDACTED>");
    assert_null(setting("initial_token"));
}

static void test_print_config_is_a_configuration(void **state)
{
    (void)state;
    assert_int_equal(
        yaml("directory: /d\nrack: 'null'\naudit_logging_options:\n  enabled: true\n"
             "seed_provider:\n  - class_name: X\n    parameters: [{seeds: '127.0.0.1,::1'}]\n"
             "table_properties_warned: [a, 'b, c']\n"),
        OK);
    struct bytes printed = config_print(values, &arena);
    struct config_values *again = arena_new(&arena, struct config_values);
    config_values_init(again, &arena, &fail);
    err_t err = config_yaml(again, "h.yaml", printed);
    if (err != OK)
        fail_msg("%.*s", BYTES_FMT(fail.message));
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        const char *a = values->of[i].text, *b = again->of[i].text;
        assert_true((a == NULL) == (b == NULL));
        if (a)
            assert_string_equal(a, b);
    }
    assert_true(bytes_equal(printed, config_print(again, &arena)));
    // Every comment, uncommented, is an option with its default: the whole list is written rightly.
    struct buf all = buf_in(&arena);
    for (struct bytes rest = printed; rest.n;) {
        const uint8_t *end = memchr(rest.p, '\n', rest.n);
        struct bytes line = bytes_of(rest.p, (size_t)(end - rest.p) + 1);
        rest = bytes_skip(rest, line.n);
        const uint8_t *colon = memchr(line.p, ':', line.n);
        bool option = line.n > 3 && line.p[0] == '#' && line.p[1] == ' ' && colon;
        for (const uint8_t *p = line.p + 2; option && p < colon; p++)
            option = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_' ||
                     *p == '.' || *p == ' ';
        if (option && colon + 1 < end && memchr(line.p + 2, ' ', (size_t)(colon - line.p) - 2) &&
            line.p[2] != ' ')
            option = false; // a sentence with a colon
        buf_put_bytes(&all, option ? bytes_skip(line, 2) : line);
    }
    config_values_init(again, &arena, &fail);
    err = config_yaml(again, "h.yaml", buf_bytes(&all));
    if (err != OK)
        fail_msg("%.*s", BYTES_FMT(fail.message));
    for (int i = 0; i < OPTIONS_COUNT; i++)
        if (options[i].fallback && again->of[i].where == NULL)
            fail_msg("not written: %s", options[i].name);
}

static void test_help_names_every_option(void **state)
{
    (void)state;
    const char *help = arena_cstr(&arena, config_help(&arena));
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        char *name = arena_cstr(&arena, arena_printf(&arena, "--%s", options[i].name));
        for (char *p = name; *p; p++)
            if (*p == '_')
                *p = '-';
        assert_non_null(strstr(help, name));
    }
}

/* Accepting these without effect would leave a node open that its owner believes closed. */
static void test_promises_of_safety_are_refused(void **state)
{
    (void)state;
    wants_failure(
        load("--directory /d --authenticator PasswordAuthenticator"),
        "--authenticator: there is no authentication yet; only the AllowAll class is accepted");
    wants_failure(
        load("--directory /d --authorizer org.apache.cassandra.auth.CassandraAuthorizer"),
        "--authorizer: there is no authentication yet; only the AllowAll class is accepted");
    wants_failure(load("--directory /d --client-encryption-options.enabled true"),
                  "--client-encryption-options.enabled: there is no encryption yet");
    assert_int_equal(
        load("--directory /d --authenticator org.apache.cassandra.auth.AllowAllAuthenticator"), OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_yaml_sets_options),
        T(test_classes_in_their_three_forms),
        T(test_wrong_files_name_line_option_and_what_is_allowed),
        T(test_aliases_of_yaml_cannot_grow_without_bound),
        T(test_directory_is_enough),
        T(test_command_line),
        T(test_wrong_command_lines),
        T(test_command_line_wins_over_the_file),
        T(test_addresses_default_to_one_another),
        T(test_open_access_must_be_asked_for),
        T(test_settings_tell_what_is_in_force),
        T(test_print_config_is_a_configuration),
        T(test_help_names_every_option),
        T(test_promises_of_safety_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
