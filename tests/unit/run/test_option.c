// The list of options: every row is sound and takes its own default; names, units, older names, what is refused.
#include "server/run/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct fail fail;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    fail = (struct fail){.arena = &arena};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct option_value value;

static err_t parse(const char *name, const char *text)
{
    value = (struct option_value){0};
    return option_parse(&options[option_index(name)], bytes_str(text), &arena, &value, &fail);
}

static void test_every_row_takes_its_default(void **state)
{
    (void)state;
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        const struct option *o = &options[i];
        assert_true(*o->help != 0);
        assert_true(strlen(option_allowed(o, &arena)) > 3);
        assert_null(strstr(o->help, "\n"));
        if (o->fallback == NULL)
            continue;
        assert_int_equal(parse(o->name, o->fallback), OK);
        if (o->type != OPTION_ENUM && o->type != OPTION_BOOL)
            assert_string_equal(value.text, o->fallback);
        // What is printed is taken again.
        struct option_value first = value;
        assert_int_equal(parse(o->name, first.text), OK);
        assert_string_equal(value.text, first.text);
        assert_int_equal(value.number, first.number);
    }
}

static void test_names_are_unique(void **state)
{
    (void)state;
    size_t total = OPTIONS_COUNT + option_aliases_count + option_shown_count;
    const char **names = arena_array(&arena, const char *, total);
    for (size_t i = 0; i < total; i++) {
        size_t k = i - OPTIONS_COUNT;
        names[i] = i < OPTIONS_COUNT          ? options[i].name
                   : k < option_aliases_count ? option_aliases[k].name
                                              : option_shown[k - option_aliases_count].name;
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
    assert_true(OPTIONS_COUNT > 500);
}

static void test_older_names_lead_to_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < option_aliases_count; i++) {
        const struct option_alias *found, *x = &option_aliases[i];
        int index = option_find(bytes_str(x->name), &found);
        assert_int_equal(index, option_index(x->option));
        assert_ptr_equal(found, x);
        if (*x->unit == 0)
            continue;
        // A number of the older name is the new name's number of that unit, and shown as it was.
        const char *text, *number = strcmp(x->unit, "B") ? "16" : "2097152";
        assert_int_equal(option_alias_text(x, bytes_str(number), &arena, &text, &fail), OK);
        assert_int_equal(option_parse(&options[index], bytes_str(text), &arena, &value, &fail), OK);
        assert_true(bytes_equal_str(option_alias_shown(x, &value, &arena), number));
        assert_int_equal(option_alias_text(x, bytes_str("16ms"), &arena, &text, &fail), ERR_CONFIG);
        assert_int_equal(option_alias_text(x, bytes_str("-1"), &arena, &text, &fail), OK);
        assert_null(text);
    }
    for (size_t i = 0; i < option_shown_count; i++)
        assert_true(option_index(option_shown[i].option) >= 0);
    const struct option_alias *found;
    assert_int_equal(option_find(bytes_str("no_such_option"), &found), -1);
}

static void test_nearest_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"comitlog_sync", "commitlog_sync"},
        {"native_transport_prot", "native_transport_port"},
        {"clustername", "cluster_name"},
        {"read_request_timeout_in_sm", "read_request_timeout_in_ms"},
        {"audit_logging_options.enabeld", "audit_logging_options.enabled"},
        {"", "rack"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(option_nearest(bytes_str(cases[i][0])), cases[i][1]);
    char long_name[4096];
    memset(long_name, 'x', sizeof long_name);
    assert_non_null(option_nearest(bytes_of(long_name, sizeof long_name)));
}

struct number {
    const char *option, *text;
    bool good;
    int64_t number;
};

static void test_numbers_and_units(void **state)
{
    (void)state;
    static const struct number cases[] = {
        {"native_transport_port", "1", true, 1},
        {"native_transport_port", "65535", true, 65535},
        {"native_transport_port", "0", false, 0},
        {"native_transport_port", "65536", false, 0},
        {"native_transport_port", "99999999999999999999", false, 0},
        {"native_transport_port", "-1", false, 0},
        {"native_transport_port", "", false, 0},
        {"native_transport_port", "1 ", false, 0},
        {"native_transport_port", "0x10", false, 0},
        {"concurrent_reads", "-2147483648", true, INT32_MIN},
        {"concurrent_reads", "2147483648", false, 0},
        {"partition_tombstones_warn_threshold", "-9223372036854775808", true, INT64_MIN},
        {"partition_tombstones_warn_threshold", "9223372036854775807", true, INT64_MAX},
        {"partition_tombstones_warn_threshold", "9223372036854775808", false, 0},
        {"read_request_timeout", "5ms", true, 5000},
        {"read_request_timeout", "5s", true, 5000000},
        {"read_request_timeout", "2m", true, 120000000},
        {"read_request_timeout", "1h", true, 3600000000},
        {"read_request_timeout", "1d", true, 86400000000},
        {"read_request_timeout", "2d", false, 0},
        {"read_request_timeout", "0ms", false, 0},
        {"read_request_timeout", "5", false, 0},
        {"read_request_timeout", "5us", false, 0}, // below its smallest unit
        {"read_request_timeout", "5 ms", false, 0},
        {"read_request_timeout", "5MS", false, 0},
        {"read_request_timeout", "-5ms", false, 0},
        {"read_request_timeout", "1.5s", false, 0},
        {"max_hint_window", "9223372036854775807d", false, 0},
        {"repair_state_expires", "3000ns", true, 3},
        {"repair_state_expires", "3d", true, 259200000000},
        {"key_cache_save_period", "7200", true, 7200000000},
        {"key_cache_save_period", "2h", true, 7200000000},
        {"native_transport_max_frame_size", "8MiB", true, 8 << 20},
        {"native_transport_max_frame_size", "1GiB", true, 1 << 30},
        {"native_transport_max_frame_size", "2GiB", false, 0},
        {"native_transport_max_frame_size", "8MB", false, 0},
        {"native_transport_max_frame_size", "8192KiB", false, 0}, // below its smallest unit
        {"column_value_size_warn_threshold", "12B", true, 12},
        {"column_value_size_warn_threshold", "9999999999999GiB", false, 0},
        {"compaction_throughput", "64MiB/s", true, 64 << 20},
        {"compaction_throughput", "1KiB/s", true, 1024},
        {"compaction_throughput", "64MiB", false, 0},
        {"allow_open_access", "yes", true, 1},
        {"allow_open_access", "OFF", true, 0},
        {"allow_open_access", "1", false, 0},
        {"commitlog_sync", "periodic", true, 1},
        {"commitlog_sync", "Batch", true, 2},
        {"commitlog_sync", "group|", false, 0},
        {"commitlog_sync", "", false, 0},
        {"phi_convict_threshold", "8.5", true, 0},
        {"phi_convict_threshold", "1e3", true, 0},
        {"phi_convict_threshold", "nan", false, 0},
        {"phi_convict_threshold", "0x8", false, 0},
        {"phi_convict_threshold", "8.5.1", false, 0},
        {"cluster_name", "a\nb", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct number *c = &cases[i];
        err_t err = parse(c->option, c->text);
        if ((err == OK) != c->good || (c->good && value.number != c->number))
            fail_msg("%s: \"%s\" gave %d, %lld", c->option, c->text, err, (long long)value.number);
        if (err != OK) // one line that says what is allowed
            assert_non_null(strstr(arena_cstr(&arena, fail.message), "allowed: "));
    }
    assert_int_equal(parse("commitlog_sync", "BATCH"), OK);
    assert_string_equal(value.text, "batch");
}

static void test_lists(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"[]", "[]", "[]"},
        {"", "[]", "[]"},
        {"a", "[a]", "[a]"},
        {" a ,b c", "[a, b c]", "[a, b c]"},
        {"[x, {y}]", "[x, '{y}']", "[x, {y}]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse("table_properties_warned", cases[i][0]), OK);
        assert_string_equal(value.text, cases[i][1]);
        assert_string_equal(value.shown, cases[i][2]);
    }
}

static void test_scalars_are_quoted_where_needed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"Test Cluster", "Test Cluster"},
        {"", "''"},
        {"null", "'null'"},
        {"~", "'~'"},
        {"it's", "'it''s'"},
        {"a: b", "'a: b'"},
        {"a:b", "a:b"},
        {"#c", "'#c'"},
        {"a #c", "'a #c'"},
        {"-1", "-1"},
        {"- a", "'- a'"},
        {"/var/lib", "/var/lib"},
        {"*", "'*'"},
        {"a ", "'a '"},
        {"---", "'---'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = buf_in(&arena);
        option_put_scalar(&b, bytes_str(cases[i][0]));
        assert_true(bytes_equal_str(buf_bytes(&b), cases[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_row_takes_its_default, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_are_unique, setup, teardown),
        cmocka_unit_test_setup_teardown(test_older_names_lead_to_options, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nearest_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_and_units, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scalars_are_quoted_where_needed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
