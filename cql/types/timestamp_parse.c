/* Dates, times and timestamps from text. Cassandra tries a list of java.time patterns in turn (TimestampSerializer):
 *
 *     y-M-d'T'H:m[:s][.fraction]  or with a blank for the T, followed by nothing, " z", " zzzz", " X", "X" or "XXX"
 *     yyyy-MM-dd                  followed by the same zones
 *     ISO date                    with an optional offset
 *
 * resolved in java.time's SMART style: a day past the month's end becomes its last, 24:00 the next day's midnight. */
#include "cql/types/calendar.h"
#include "cql/types/ops.h"

struct scan {
    const uint8_t *p, *end;
};

static bool scan_end(const struct scan *s)
{
    return s->p == s->end;
}

static bool scan_char(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != (uint8_t)c)
        return false;
    s->p++;
    return true;
}

/* min to max digits; more digits are left unread. */
static bool scan_digits(struct scan *s, int min, int max, int64_t *out)
{
    int n = 0;
    int64_t x = 0;
    while (n < max && s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        if (x > INT64_MAX / 10 - 1)
            return false;
        x = x * 10 + (*s->p++ - '0');
        n++;
    }
    *out = x;
    return n >= min;
}

/* A year of at least four digits; of more only after a sign. */
static bool scan_iso_year(struct scan *s, int digits_max, int64_t *out)
{
    bool negative = scan_char(s, '-'), plus = !negative && scan_char(s, '+');
    const uint8_t *start = s->p;
    if (!scan_digits(s, 4, digits_max, out))
        return false;
    bool wide = s->p - start > 4;
    if (wide != plus && !negative)
        return false;
    if (negative && *out == 0)
        return false;
    if (negative)
        *out = -*out;
    return true;
}

/* ±hh:mm[:ss], ±hhmm or ±hh, or Z; seconds east of Greenwich. */
static bool scan_offset(struct scan *s, int64_t *seconds)
{
    *seconds = 0;
    if (scan_char(s, 'Z'))
        return true;
    bool negative = scan_char(s, '-');
    if (!negative && !scan_char(s, '+'))
        return false;
    int64_t hour, minute = 0, second = 0;
    if (!scan_digits(s, 2, 2, &hour))
        return false;
    bool colon = scan_char(s, ':');
    struct scan before = *s;
    if (!scan_digits(s, 2, 2, &minute)) {
        if (colon)
            return false;
        *s = before;
        minute = 0;
    } else if (colon && scan_char(s, ':') && !scan_digits(s, 2, 2, &second)) {
        return false;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    if (minute > 59 || second > 59 || *seconds > 18 * 3600)
        return false;
    if (negative)
        *seconds = -*seconds;
    return true;
}

/* UTC, GMT or UT, alone or before an offset with minutes. */
static bool scan_zone_name(struct scan *s, int64_t *seconds)
{
    static const char *const names[] = {"UTC", "GMT0", "GMT", "UT"};
    *seconds = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if ((size_t)(s->end - s->p) < n || memcmp(s->p, names[i], n) != 0)
            continue;
        s->p += n;
        if (scan_end(s))
            return true;
        return s->end - s->p >= 6 && s->p[3] == ':' && scan_offset(s, seconds);
    }
    return false;
}

/* What may follow a date: nothing, an offset, or a blank and an offset or a zone name; then the end. */
static bool scan_zone(struct scan *s, int64_t *seconds)
{
    *seconds = 0;
    if (scan_end(s))
        return true;
    if (scan_char(s, ' ')) {
        struct scan at = *s;
        if (scan_zone_name(s, seconds) && scan_end(s))
            return true;
        *s = at;
    }
    return scan_offset(s, seconds) && scan_end(s);
}

struct clock {
    int64_t hour, minute, second, ms;
};

/* H:m[:s][.fraction]; a fraction needs seconds and is cut to milliseconds. */
static bool scan_clock(struct scan *s, struct clock *c)
{
    *c = (struct clock){0};
    bool seconds = false;
    if (!scan_digits(s, 1, 19, &c->hour) || !scan_char(s, ':') ||
        !scan_digits(s, 1, 19, &c->minute))
        return false;
    if (scan_char(s, ':')) {
        seconds = true;
        if (!scan_digits(s, 1, 19, &c->second))
            return false;
    }
    if (scan_char(s, '.')) {
        if (!seconds)
            return false;
        int64_t unit = 100;
        for (int n = 0; n < 9 && s->p < s->end && *s->p >= '0' && *s->p <= '9'; n++, s->p++) {
            c->ms += (*s->p - '0') * unit;
            unit /= 10;
        }
    }
    if (c->minute > 59 || c->second > 59)
        return false;
    return c->hour < 24 || (c->hour == 24 && c->minute == 0 && c->second == 0 && c->ms == 0);
}

#define YEAR_MAX INT64_C(292278994) /* the last that milliseconds reach */

static bool civil_smart(struct civil *c)
{
    if (c->month < 1 || c->month > 12 || c->day < 1 || c->day > 31)
        return false;
    if (c->year > YEAR_MAX || c->year < -YEAR_MAX)
        return false;
    int last = days_in_month(c->year, c->month);
    if (c->day > last)
        c->day = last;
    return true;
}

static bool timestamp_of(struct civil c, struct clock clock, int64_t offset_s, int64_t *ms)
{
    if (!civil_smart(&c))
        return false;
    int64_t seconds =
        days_of_civil(c) * 86400 + clock.hour * 3600 + clock.minute * 60 + clock.second - offset_s;
    return !__builtin_mul_overflow(seconds, INT64_C(1000), ms) &&
           !__builtin_add_overflow(*ms, clock.ms, ms);
}

static bool parse_date_time(struct scan s, int64_t *ms)
{
    int64_t year, month, day, offset;
    struct clock clock;
    if (!scan_digits(&s, 1, 19, &year) || year < 1 || !scan_char(&s, '-') ||
        !scan_digits(&s, 1, 19, &month) || !scan_char(&s, '-') || !scan_digits(&s, 1, 19, &day))
        return false;
    if (month > 12 || day > 31)
        return false;
    if (!scan_char(&s, 'T') && !scan_char(&s, ' '))
        return false;
    if (!scan_clock(&s, &clock) || !scan_zone(&s, &offset))
        return false;
    return timestamp_of((struct civil){year, (int)month, (int)day}, clock, offset, ms);
}

static bool parse_date_only(struct scan s, int64_t *ms)
{
    int64_t year, month, day, offset;
    if (!scan_iso_year(&s, 10, &year) || !scan_char(&s, '-') || !scan_digits(&s, 2, 2, &month) ||
        !scan_char(&s, '-') || !scan_digits(&s, 2, 2, &day) || !scan_zone(&s, &offset))
        return false;
    return timestamp_of((struct civil){year, (int)month, (int)day}, (struct clock){0}, offset, ms);
}

bool timestamp_parse(struct bytes text, int64_t *ms)
{
    struct scan s = {text.p, text.p + text.n};
    return parse_date_time(s, ms) || parse_date_only(s, ms);
}

/* STRICT here: the day must exist. Years are those of java.time. */
enum date_parse_result date_parse(struct bytes text, uint32_t *date)
{
    struct scan s = {text.p, text.p + text.n};
    int64_t year, month, day;
    if (!scan_iso_year(&s, 10, &year) || !scan_char(&s, '-') || !scan_digits(&s, 2, 2, &month) ||
        !scan_char(&s, '-') || !scan_digits(&s, 2, 2, &day) || !scan_end(&s))
        return DATE_PARSE_MALFORMED;
    if (month < 1 || month > 12 || year > YEAR_MAX || year < -YEAR_MAX || day < 1 ||
        day > days_in_month(year, (int)month))
        return DATE_PARSE_MALFORMED;
    int64_t days = days_of_civil((struct civil){year, (int)month, (int)day});
    if (days < INT32_MIN)
        return DATE_PARSE_TOO_EARLY;
    if (days > INT32_MAX)
        return DATE_PARSE_TOO_LATE;
    *date = (uint32_t)days + DATE_EPOCH;
    return DATE_PARSE_OK;
}

static bool find(struct bytes s, char c, size_t from, size_t *at)
{
    for (size_t i = from; i < s.n; i++) {
        if (s.p[i] != (uint8_t)c)
            continue;
        *at = i;
        return true;
    }
    return false;
}

bool time_parse(struct bytes text, int64_t *nanos)
{
    while (text.n > 0 && text.p[0] <= ' ')
        text = bytes_skip(text, 1);
    while (text.n > 0 && text.p[text.n - 1] <= ' ')
        text.n--;
    size_t first, second, period;
    if (!find(text, ':', 0, &first) || first == 0 || !find(text, ':', first + 1, &second) ||
        second + 1 == text.n)
        return false;
    bool fraction = find(text, '.', second + 1, &period);
    if (!fraction)
        period = text.n;
    int64_t h, m, s, f = 0;
    if (!integer_parse(bytes_of(text.p, first), 0, 23, &h) ||
        !integer_parse(bytes_of(text.p + first + 1, second - first - 1), 0, 59, &m) ||
        !integer_parse(bytes_of(text.p + second + 1, period - second - 1), 0, 59, &s))
        return false;
    if (fraction) {
        struct scan scan = {text.p + period + 1, text.p + text.n};
        size_t n = (size_t)(scan.end - scan.p);
        if (n < 1 || n > 9 || !scan_digits(&scan, (int)n, 9, &f))
            return false;
        for (; n < 9; n++)
            f *= 10;
    }
    *nanos = ((h * 60 + m) * 60 + s) * 1000000000 + f;
    return true;
}
