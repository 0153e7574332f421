/* The proleptic Gregorian calendar: see calendar.h. Days are counted in 400-year eras that start on 1 March, so that the leap day is
 * the last day of its year (the method of Howard Hinnant's "chrono-compatible low-level date algorithms"). */
#include "cql/types/calendar.h"

#define DAYS_PER_ERA       INT64_C(146097)
#define DAYS_0000_TO_EPOCH INT64_C(719468) /* from 0000-03-01 to 1970-01-01 */

int64_t days_of_civil(struct civil c)
{
    int64_t year = c.year - (c.month <= 2);
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_0000_TO_EPOCH;
}

struct civil civil_of_days(int64_t days)
{
    days += DAYS_0000_TO_EPOCH;
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    struct civil c = {
        .year = year_of_era + era * 400,
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
    c.year += c.month <= 2;
    return c;
}

int days_in_month(int64_t year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

int weekday_of_days(int64_t days)
{
    return (int)floor_mod(days + 3, 7) + 1; /* 1970-01-01 was a Thursday */
}

int64_t days_plus_months(int64_t days, int64_t months)
{
    struct civil c = civil_of_days(days);
    int64_t month = c.year * 12 + (c.month - 1) + months;
    c.year = floor_div(month, 12);
    c.month = (int)floor_mod(month, 12) + 1;
    int last = days_in_month(c.year, c.month);
    if (c.day > last)
        c.day = last;
    return days_of_civil(c);
}

/* As SimpleDateSerializer.timeInMillisToDay: whole seconds rounded down, then whole days toward zero, so the last second before 1970 is
 * still 1970-01-01. */
bool date_of_ms(int64_t ms, uint32_t *date)
{
    int64_t days = floor_div(ms, 1000) / 86400;
    *date = (uint32_t)days + DATE_EPOCH;
    return days >= INT32_MIN && days <= INT32_MAX;
}

/* A year in at least four digits, more than four with a sign. */
static void print_year(int64_t year, struct buf *out)
{
    if (year > 9999)
        buf_printf(out, "+%lld", (long long)year);
    else if (year < 0)
        buf_printf(out, "-%04lld", -(long long)year);
    else
        buf_printf(out, "%04lld", (long long)year);
}

static void print_date_time(int64_t ms, char between, struct buf *out)
{
    int64_t days = floor_div(ms, MS_PER_DAY), rest = floor_mod(ms, MS_PER_DAY);
    struct civil c = civil_of_days(days);
    /* The pattern prints the year of its era: 1 BC, which is year 0, as 0001. */
    print_year(c.year <= 0 ? 1 - c.year : c.year, out);
    buf_printf(out, "-%02d-%02d%c%02d:%02d:%02d.%03dZ", c.month, c.day, between,
               (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60),
               (int)(rest % 1000));
}

void timestamp_print(int64_t ms, struct buf *out)
{
    print_date_time(ms, 'T', out);
}

void timestamp_print_json(int64_t ms, struct buf *out)
{
    print_date_time(ms, ' ', out);
}

void date_print(uint32_t date, struct buf *out)
{
    struct civil c = civil_of_days((int64_t)date - (int64_t)DATE_EPOCH);
    print_year(c.year, out);
    buf_printf(out, "-%02d-%02d", c.month, c.day);
}

void time_print(int64_t nanos, struct buf *out)
{
    nanos = floor_mod(nanos, NANOS_PER_DAY);
    int64_t seconds = nanos / 1000000000;
    buf_printf(out, "%02d:%02d:%02d.%09d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
               (int)(seconds % 60), (int)(nanos % 1000000000));
}
