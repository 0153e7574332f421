/* Days, dates and times of the proleptic Gregorian calendar in UTC, and the conversions between CQL's temporal types.
 * Pure arithmetic, no time zone database. Threads: any. */
#ifndef CQL_TYPES_CALENDAR_H
#define CQL_TYPES_CALENDAR_H

#include "cql/types/type.h"

#define MS_PER_DAY    INT64_C(86400000)
#define NANOS_PER_DAY INT64_C(86400000000000)
/* The unix epoch in a CQL date, which is an unsigned day number. */
#define DATE_EPOCH UINT32_C(0x80000000)

/* A year may be zero or negative (astronomical counting); month 1-12, day 1-31. */
struct civil {
    int64_t year;
    int month, day;
};

/* Days since 1970-01-01. The year must be within ±10^12. */
int64_t days_of_civil(struct civil c);
struct civil civil_of_days(int64_t days);
int days_in_month(int64_t year, int month);
/* 1 Monday … 7 Sunday. */
int weekday_of_days(int64_t days);
/* Adds months, keeping the day where the month has it and else taking the month's last (Java's plusMonths). */
int64_t days_plus_months(int64_t days, int64_t months);

static inline int64_t floor_div(int64_t x, int64_t y)
{
    int64_t q = x / y;
    return q - (x % y != 0 && (x < 0) != (y < 0));
}
static inline int64_t floor_mod(int64_t x, int64_t y)
{
    int64_t r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

/* A date's serialised 32 bits from milliseconds, and back to its midnight. False when out of a date's range. */
bool date_of_ms(int64_t ms, uint32_t *date);
static inline int64_t date_ms(uint32_t date)
{
    return ((int64_t)date - (int64_t)DATE_EPOCH) * MS_PER_DAY;
}

/* "2015-05-03T13:30:54.234Z", as literals and CAST show a timestamp; a year past 9999 has a sign. The json form has a blank for the T. */
void timestamp_print(int64_t ms, struct buf *out);
void timestamp_print_json(int64_t ms, struct buf *out);
/* Milliseconds of a text in any of the patterns that Cassandra's TimestampSerializer takes, but for its zone names other than UTC,
 * GMT and UT (a text without zone is UTC). Plain numbers and "now" are the caller's. False when malformed or out of range. */
bool timestamp_parse(struct bytes text, int64_t *ms);
/* "2015-05-03", the serialised 32 bits. */
void date_print(uint32_t date, struct buf *out);
enum date_parse_result {
    DATE_PARSE_OK,
    DATE_PARSE_MALFORMED,
    DATE_PARSE_TOO_EARLY,
    DATE_PARSE_TOO_LATE,
};
/* ISO local date: at least four digits of year, with a sign when there are more. */
enum date_parse_result date_parse(struct bytes text, uint32_t *date);
/* "13:30:54.234000000"; anything outside of a day is taken modulo a day. */
void time_print(int64_t nanos, struct buf *out);
/* "hh:mm:ss[.fffffffff]", one digit is enough for each. */
bool time_parse(struct bytes text, int64_t *nanos);

#endif
