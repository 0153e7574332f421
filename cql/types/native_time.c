/* timestamp (milliseconds), date (days around 2^31), time (nanoseconds of the day) and duration (months, days, nanoseconds). */
#include "cql/types/calendar.h"
#include "cql/types/ops.h"

static bool is_integer_text(struct bytes text)
{
    size_t at = text.n > 0 && text.p[0] == '-';
    if (at == text.n)
        return false;
    for (; at < text.n; at++)
        if (text.p[at] < '0' || text.p[at] > '9')
            return false;
    return true;
}

/* --- timestamp --------------------------------------------------------------------------------- */

err_t timestamp_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n == 8 || v.n == 0)
        return OK;
    return fail_set(fail, ERR_INVALID, "Expected 8 or 0 byte long for date (%zu)", v.n);
}

int timestamp_compare(const struct type *t, struct bytes a, struct bytes b)
{
    return integer_compare(t, a, b);
}

void timestamp_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    timestamp_print(integer_load(v), out);
}

void timestamp_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_u8(out, '"');
    timestamp_print_json(integer_load(v), out);
    buf_u8(out, '"');
}

/* "now" is not known here, as nothing here reads a clock: who parses statements replaces it. */
err_t timestamp_from_text(const struct type *t, struct bytes text, struct arena *a,
                          struct bytes *out, struct fail *fail)
{
    (void)t;
    int64_t ms;
    if (is_integer_text(text)) {
        if (!integer_parse(text, INT64_MIN, INT64_MAX, &ms))
            return fail_set(fail, ERR_INVALID, "Unable to make long (for date) from: '%.*s'",
                            BYTES_FMT(text));
    } else if (!timestamp_parse(text, &ms)) {
        return fail_set(fail, ERR_INVALID, "Unable to parse a date/time from '%.*s'",
                        BYTES_FMT(text));
    }
    *out = value_of_i64(a, ms);
    return OK;
}

/* --- date -------------------------------------------------------------------------------------- */

err_t date_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n == 4)
        return OK;
    return fail_set(fail, ERR_INVALID, "Expected 4 byte long for date (%zu)", v.n);
}

int date_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return bytes_compare(a, b);
}

void date_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    date_print((uint32_t)integer_load(v), out);
}

err_t date_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    (void)t;
    if (is_integer_text(text)) {
        int64_t days;
        if (!integer_parse(text, 0, UINT32_MAX, &days))
            return fail_set(fail, ERR_INVALID,
                            "Unable to make unsigned int (for date) from: '%.*s'", BYTES_FMT(text));
        *out = value_of_i32(a, (int32_t)(uint32_t)days);
        return OK;
    }
    uint32_t date;
    switch (date_parse(text, &date)) {
    case DATE_PARSE_OK: *out = value_of_i32(a, (int32_t)date); return OK;
    case DATE_PARSE_TOO_EARLY:
        return fail_set(fail, ERR_INVALID,
                        "Input date %.*s is less than min supported date -5877641-06-23T00:00Z",
                        BYTES_FMT(text));
    case DATE_PARSE_TOO_LATE:
        return fail_set(fail, ERR_INVALID,
                        "Input date %.*s is greater than max supported date +5881580-07-11T00:00Z",
                        BYTES_FMT(text));
    default:
        return fail_set(fail, ERR_INVALID, "Unable to coerce '%.*s' to a formatted date (long)",
                        BYTES_FMT(text));
    }
}

/* --- time -------------------------------------------------------------------------------------- */

err_t time_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n == 8)
        return OK;
    return fail_set(fail, ERR_INVALID, "Expected 8 byte long for time (%zu)", v.n);
}

int time_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return bytes_compare(a, b);
}

void time_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    time_print(integer_load(v), out);
}

err_t time_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    (void)t;
    int64_t nanos;
    if (is_integer_text(text)) {
        if (!integer_parse(text, 0, NANOS_PER_DAY - 1, &nanos))
            return fail_set(fail, ERR_INVALID, "Unable to make long (for time) from: '%.*s'",
                            BYTES_FMT(text));
    } else if (!time_parse(text, &nanos)) {
        return fail_set(fail, ERR_INVALID,
                        "(TimeType) Unable to coerce '%.*s' to a formatted time (long)",
                        BYTES_FMT(text));
    }
    *out = value_of_i64(a, nanos);
    return OK;
}

/* --- duration ---------------------------------------------------------------------------------- */

err_t duration_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n < 3)
        return fail_set(fail, ERR_INVALID, "Expected at least 3 bytes for a duration (%zu)", v.n);
    int64_t part[3] = {0};
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        uint64_t u;
        size_t used = vint_read(v.p + at, v.n - at, &u);
        if (used == 0)
            return fail_set(fail, ERR_INVALID, "Not enough bytes to read a duration");
        part[i] = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
        at += used;
    }
    for (int i = 0; i < 2; i++)
        if (part[i] != (int32_t)part[i])
            return fail_set(fail, ERR_INVALID,
                            "The duration %s must be a 32 bits integer but was: %lld",
                            i == 0 ? "months" : "days", (long long)part[i]);
    bool any_positive = part[0] > 0 || part[1] > 0 || part[2] > 0;
    bool any_negative = part[0] < 0 || part[1] < 0 || part[2] < 0;
    if (any_positive && any_negative)
        return fail_set(fail, ERR_INVALID,
                        "The duration months, days and nanoseconds must be all of the same sign "
                        "(%lld, %lld, %lld)",
                        (long long)part[0], (long long)part[1], (long long)part[2]);
    return OK;
}

int duration_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return bytes_compare(a, b);
}

struct unit {
    const char *name;
    uint64_t size;
};

static const struct unit time_units[] = {
    {"h", UINT64_C(3600000000000)}, {"m", UINT64_C(60000000000)}, {"s", UINT64_C(1000000000)},
    {"ms", UINT64_C(1000000)},      {"us", UINT64_C(1000)},       {"ns", UINT64_C(1)},
};

static uint64_t print_unit(uint64_t x, struct unit unit, struct buf *out)
{
    if (x < unit.size)
        return x;
    buf_printf(out, "%llu%s", (unsigned long long)(x / unit.size), unit.name);
    return x % unit.size;
}

void duration_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    int32_t months, days;
    int64_t nanos;
    if (!value_duration(v, &months, &days, &nanos))
        return;
    if (months < 0 || days < 0 || nanos < 0)
        buf_u8(out, '-');
    uint64_t m = (uint64_t)(months < 0 ? -(int64_t)months : months);
    m = print_unit(m, (struct unit){"y", 12}, out);
    print_unit(m, (struct unit){"mo", 1}, out);
    print_unit((uint64_t)(days < 0 ? -(int64_t)days : days), (struct unit){"d", 1}, out);
    uint64_t n = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
    for (size_t i = 0; i < sizeof time_units / sizeof time_units[0]; i++)
        n = print_unit(n, time_units[i], out);
}

/* The units in the order in which they must appear. */
enum { YEARS = 1, MONTHS, WEEKS, DAYS, HOURS, MINUTES, SECONDS, MILLIS, MICROS, NANOS };
static const char *const unit_names[] = {
    "",        "years",   "months",       "weeks",        "days",        "hours",
    "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds",
};

struct builder {
    int64_t months, days, nanos;
    int last_unit;
};

static err_t builder_add(struct builder *b, int unit, int64_t x, struct fail *fail)
{
    if (unit == b->last_unit)
        return fail_set(fail, ERR_INVALID, "Invalid duration. The %s are specified multiple times",
                        unit_names[unit]);
    if (unit < b->last_unit)
        return fail_set(fail, ERR_INVALID, "Invalid duration. The %s should be after %s",
                        unit_names[b->last_unit], unit_names[unit]);
    b->last_unit = unit;
    int64_t *total = unit <= MONTHS ? &b->months : unit <= DAYS ? &b->days : &b->nanos;
    int64_t max = unit <= DAYS ? INT32_MAX : INT64_MAX;
    int64_t size = unit == YEARS   ? 12
                   : unit == WEEKS ? 7
                   : unit >= HOURS ? (int64_t)time_units[unit - HOURS].size
                                   : 1;
    if (x > (max - *total) / size)
        return fail_set(
            fail, ERR_INVALID,
            "Invalid duration. The total number of %s must be less or equal to 2147483647",
            unit <= MONTHS ? "months"
            : unit <= DAYS ? "days"
                           : "nanoseconds");
    *total += x * size;
    return OK;
}

static bool take_number(struct bytes *s, int64_t *x)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    if (!integer_parse(bytes_of(s->p, n), 0, INT64_MAX, x))
        return false;
    *s = bytes_skip(*s, n);
    return true;
}

static bool take_nocase(struct bytes *s, const char *word)
{
    size_t n = strlen(word);
    if (s->n < n || !bytes_equal_nocase(bytes_of(s->p, n), bytes_str(word)))
        return false;
    *s = bytes_skip(*s, n);
    return true;
}

/* 0 when s starts with no unit. The longer ones come before their prefixes. */
static int take_unit(struct bytes *s)
{
    static const struct {
        const char *name;
        int unit;
    } units[] = {{"y", YEARS},  {"mo", MONTHS},        {"w", WEEKS},   {"d", DAYS},
                 {"h", HOURS},  {"s", SECONDS},        {"ms", MILLIS}, {"us", MICROS},
                 {"ns", NANOS}, {"\xC2\xB5s", MICROS}, {"m", MINUTES}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (take_nocase(s, units[i].name))
            return units[i].unit;
    return 0;
}

static err_t malformed(struct bytes source, struct fail *fail)
{
    return fail_set(fail, ERR_INVALID, "Unable to convert '%.*s' to a duration", BYTES_FMT(source));
}

/* 1y2mo3w4d5h6m7s8ms9us10ns */
static err_t parse_standard(struct bytes source, struct builder *b, struct fail *fail)
{
    struct bytes s = source;
    do {
        int64_t x;
        int unit = 0;
        if (take_number(&s, &x))
            unit = take_unit(&s);
        if (unit == 0)
            return malformed(source, fail);
        TRY(builder_add(b, unit, x, fail));
    } while (s.n > 0);
    return OK;
}

/* P1Y2M3DT4H5M6S; PnW on its own. */
static err_t parse_iso(struct bytes source, struct builder *b, struct fail *fail)
{
    static const char date_units[] = "YMD", time_letters[] = "HMS";
    static const int date_ids[] = {YEARS, MONTHS, DAYS}, time_ids[] = {HOURS, MINUTES, SECONDS};
    struct bytes s = bytes_skip(source, 1);
    bool weeks = source.p[source.n - 1] == 'W', in_time = false;
    int next = 0;
    while (s.n > 0) {
        int64_t x;
        if (!weeks && !in_time && s.p[0] == 'T') {
            in_time = true;
            next = 0;
            s = bytes_skip(s, 1);
            continue;
        }
        if (!take_number(&s, &x) || s.n == 0)
            return malformed(source, fail);
        uint8_t letter = s.p[0];
        s = bytes_skip(s, 1);
        if (weeks) {
            if (letter != 'W' || s.n > 0)
                return malformed(source, fail);
            return builder_add(b, WEEKS, x, fail);
        }
        const char *letters = in_time ? time_letters : date_units;
        while (next < 3 && (uint8_t)letters[next] != letter)
            next++;
        if (next == 3)
            return malformed(source, fail);
        TRY(builder_add(b, in_time ? time_ids[next] : date_ids[next], x, fail));
        next++;
    }
    return weeks ? malformed(source, fail) : OK;
}

/* P0001-02-03T04:05:06 */
static err_t parse_iso_alternative(struct bytes source, struct builder *b, struct fail *fail)
{
    static const char shape[] = "Pdddd-dd-ddTdd:dd:dd";
    static const struct {
        int at, n, unit;
    } parts[] = {{1, 4, YEARS},  {6, 2, MONTHS},   {9, 2, DAYS},
                 {12, 2, HOURS}, {15, 2, MINUTES}, {18, 2, SECONDS}};
    bool good = source.n == sizeof shape - 1;
    for (size_t i = 0; good && i < source.n; i++)
        good = shape[i] == 'd' ? source.p[i] >= '0' && source.p[i] <= '9'
                               : source.p[i] == (uint8_t)shape[i];
    if (!good)
        return malformed(source, fail);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int64_t x = 0;
        for (int k = 0; k < parts[i].n; k++)
            x = x * 10 + (source.p[parts[i].at + k] - '0');
        TRY(builder_add(b, parts[i].unit, x, fail));
    }
    return OK;
}

err_t duration_from_text(const struct type *t, struct bytes text, struct arena *a,
                         struct bytes *out, struct fail *fail)
{
    (void)t;
    bool negative = text.n > 0 && text.p[0] == '-';
    struct bytes source = negative ? bytes_skip(text, 1) : text;
    struct builder b = {0};
    if (source.n > 0 && source.p[0] == 'P') {
        bool alternative = source.p[source.n - 1] != 'W' && memchr(source.p, '-', source.n) != NULL;
        TRY(alternative ? parse_iso_alternative(source, &b, fail) : parse_iso(source, &b, fail));
    } else {
        TRY(parse_standard(source, &b, fail));
    }
    if (negative)
        b = (struct builder){-b.months, -b.days, -b.nanos, 0};
    *out = value_of_duration(a, (int32_t)b.months, (int32_t)b.days, b.nanos);
    return OK;
}
