/* One option: see option.h. */
#include "server/run/option.h"

#include <errno.h>
#include <stdlib.h>

enum { WORKS = true, NO_EFFECT = false };

const struct option options[OPTIONS_COUNT] = {
#define X(name, type, allowed, default, effect, help) \
    {#name, OPTION_##type, allowed, default, effect, help},
#include "server/run/options.def"
};

const struct option_alias option_aliases[] = {
#define ALIAS(old, new, unit) {#old, #new, unit},
#include "server/run/options.def"
};
const size_t option_aliases_count = sizeof option_aliases / sizeof *option_aliases;

const struct option_alias option_shown[] = {
#define SHOWN(name, option) {#name, #option, ""},
#include "server/run/options.def"
};
const size_t option_shown_count = sizeof option_shown / sizeof *option_shown;

/* --- Names ------------------------------------------------------------------------------------ */

static int find(struct bytes name)
{
    for (int i = 0; i < OPTIONS_COUNT; i++)
        if (bytes_equal_str(name, options[i].name))
            return i;
    return -1;
}

int option_find(struct bytes name, const struct option_alias **alias)
{
    *alias = NULL;
    int found = find(name);
    for (size_t i = 0; found < 0 && i < option_aliases_count; i++) {
        if (!bytes_equal_str(name, option_aliases[i].name))
            continue;
        *alias = &option_aliases[i];
        return option_index(option_aliases[i].option);
    }
    return found;
}

int option_index(const char *name)
{
    int i = find(bytes_str(name));
    ensure(i >= 0);
    return i;
}

bool option_is_group(struct bytes name)
{
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        struct bytes o = bytes_str(options[i].name);
        if (o.n > name.n && o.p[name.n] == '.' && bytes_starts_with(o, name))
            return true;
    }
    return false;
}

enum { NAME_MAX_BYTES = 128 };

/* Insertions, deletions, replacements and exchanges of neighbours (optimal string alignment) that make b of a; b is a known name. */
static unsigned distance(struct bytes a, struct bytes b)
{
    unsigned rows[3][NAME_MAX_BYTES + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    ensure(b.n <= NAME_MAX_BYTES);
    for (size_t j = 0; j <= b.n; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned best = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (swapped && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.n];
}

const char *option_nearest(struct bytes name)
{
    if (name.n > NAME_MAX_BYTES)
        name.n = NAME_MAX_BYTES;
    const char *nearest = NULL;
    unsigned least = UINT32_MAX;
    for (size_t i = 0; i < OPTIONS_COUNT + option_aliases_count; i++) {
        const char *known =
            i < OPTIONS_COUNT ? options[i].name : option_aliases[i - OPTIONS_COUNT].name;
        size_t n = strlen(known), apart = n > name.n ? n - name.n : name.n - n;
        if (apart >= least)
            continue; /* at least so many edits */
        unsigned d = distance(name, bytes_str(known));
        if (d < least) {
            least = d;
            nearest = known;
        }
    }
    return nearest;
}

/* --- Units ------------------------------------------------------------------------------------ */

struct unit {
    const char *name;
    int64_t factor;
};

/* Smallest first. Nanoseconds are known, but counted in microseconds. */
static const struct unit durations[] = {
    {"ns", 0},       {"us", 1},         {"ms", 1000},       {"s", 1000000},
    {"m", 60000000}, {"h", 3600000000}, {"d", 86400000000}, {0},
};
static const struct unit sizes[] = {
    {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {0}};
static const struct unit rates[] = {{"B/s", 1}, {"KiB/s", 1 << 10}, {"MiB/s", 1 << 20}, {0}};

static const struct unit *units_of(enum option_type type)
{
    return type == OPTION_DURATION ? durations : type == OPTION_SIZE ? sizes : rates;
}

/* The column "allowed" of a number: [unit] [bare] [least..most]. */
struct allowed {
    const struct unit *units; /* from the smallest allowed one on; NULL: no unit */
    bool bare;
    int64_t least, most; /* in the smallest unit */
};

static struct allowed allowed_of(const struct option *o)
{
    struct allowed x = {.least = 0, .most = INT64_MAX};
    if (o->type == OPTION_INT || o->type == OPTION_LONG) {
        x.least = o->type == OPTION_INT ? INT32_MIN : INT64_MIN;
        x.most = o->type == OPTION_INT ? INT32_MAX : INT64_MAX;
    } else {
        x.units = units_of(o->type);
    }
    for (const char *p = o->allowed; *p;) {
        size_t n = strcspn(p, " ");
        struct bytes word = bytes_of(p, n);
        const char *dots = strstr(p, "..");
        if (bytes_equal_str(word, "bare")) {
            x.bare = true;
        } else if (dots && dots < p + n) {
            x.least = strtoll(p, NULL, 10);
            if (dots + 2 < p + n)
                x.most = strtoll(dots + 2, NULL, 10);
        } else {
            while (!bytes_equal_str(word, x.units->name)) {
                x.units++;
                ensure(x.units->name != NULL);
            }
        }
        p += n + strspn(p + n, " ");
    }
    return x;
}

const char *option_allowed(const struct option *o, struct arena *a)
{
    struct buf b = buf_in(a);
    switch (o->type) {
    case OPTION_BOOL: return "true or false";
    case OPTION_DOUBLE: return "a number";
    case OPTION_STRING: return "a text without control characters";
    case OPTION_LIST: return "a list";
    case OPTION_MAP: return "a map";
    case OPTION_ENUM:
        buf_put_str(&b, "one of ");
        for (const char *p = o->allowed; *p; p++)
            buf_printf(&b, *p == '|' ? ", " : "%c", *p);
        break;
    case OPTION_INT:
    case OPTION_LONG:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_RATE: {
        struct allowed x = allowed_of(o);
        buf_put_str(&b, "a whole number");
        for (const struct unit *u = x.units; u && u->name; u++)
            buf_printf(&b, "%s%s",
                       u == x.units ? " with a unit: "
                       : u[1].name  ? ", "
                                    : " or ",
                       u->name);
        const char *unit = x.units ? x.units->name : "";
        bool least = x.units ? x.least > 0 : x.least != INT64_MIN && x.least != INT32_MIN;
        bool most = x.most != INT64_MAX && x.most != INT32_MAX;
        if (least || (most && !x.units))
            buf_printf(&b, ", from %lld%s", (long long)x.least, unit);
        if (most)
            buf_printf(&b, "%s to %lld%s", least || !x.units ? "" : ", up", (long long)x.most,
                       unit);
    }
    }
    buf_u8(&b, 0);
    return (const char *)b.p;
}

/* --- Values ----------------------------------------------------------------------------------- */

/* The leading digits of text, with a sign where signs are allowed; what follows them in *rest. */
static bool take_number(struct bytes text, bool sign, int64_t *out, struct bytes *rest)
{
    bool negative = sign && text.n && text.p[0] == '-';
    size_t i = negative, start = negative;
    int64_t v = 0;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        int digit = text.p[i] - '0';
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v))
            return false;
    }
    if (i == start || (!negative && v == INT64_MIN))
        return false;
    *out = negative ? v : -v; /* counted below zero, where there is one more */
    *rest = bytes_skip(text, i);
    return true;
}

static bool parse_number(const struct option *o, struct bytes text, int64_t *out)
{
    struct allowed x = allowed_of(o);
    struct bytes rest;
    int64_t n;
    if (!take_number(text, x.units == NULL, &n, &rest))
        return false;
    if (x.units == NULL) {
        *out = n;
        return rest.n == 0 && n >= x.least && n <= x.most;
    }
    if (x.bare && rest.n == 0)
        rest = bytes_str("s");
    const struct unit *u = x.units;
    while (u->name && !bytes_equal_str(rest, u->name))
        u++;
    if (u->name == NULL)
        return false;
    if (u->factor == 0)
        *out = n / 1000;
    else if (__builtin_mul_overflow(n, u->factor, out))
        return false;
    int64_t factor = x.units->factor ? x.units->factor : 1, most;
    if (__builtin_mul_overflow(x.most, factor, &most))
        most = INT64_MAX;
    return *out >= x.least * factor && *out <= most;
}

static bool parse_double(struct bytes text, struct arena *a)
{
    char *s = arena_cstr(a, text), *end;
    if (text.n == 0 || strchr("+-.0123456789", s[0]) == NULL || strpbrk(s, "xX"))
        return false;
    errno = 0;
    strtod(s, &end);
    return *end == 0 && end == s + text.n;
}

static bool parse_bool(struct bytes text, int64_t *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < 6; i++) {
        if (!bytes_equal_nocase(text, bytes_str(words[i])))
            continue;
        *out = i & 1;
        return true;
    }
    return false;
}

/* The word's index and its spelling in the list. */
static bool parse_enum(const char *allowed, struct bytes text, int64_t *out, struct bytes *word)
{
    int64_t i = 0;
    for (const char *p = allowed;; i++) {
        size_t n = strcspn(p, "|");
        if (bytes_equal_nocase(bytes_of(p, n), text)) {
            *out = i;
            *word = bytes_of(p, n);
            return true;
        }
        if (p[n] == 0)
            return false;
        p += n + 1;
    }
}

static bool printable(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] == 0x7f)
            return false;
    return true;
}

static struct bytes trim(struct bytes b)
{
    while (b.n && b.p[0] == ' ')
        b = bytes_skip(b, 1);
    while (b.n && b.p[b.n - 1] == ' ')
        b.n--;
    return b;
}

/* "a, b" or "[a, b]": the list in both forms. */
static void parse_list(struct bytes text, struct arena *a, struct option_value *out)
{
    text = trim(text);
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = trim(bytes_of(text.p + 1, text.n - 2));
    struct buf yaml = buf_in(a), shown = buf_in(a);
    buf_u8(&yaml, '[');
    buf_u8(&shown, '[');
    for (bool first = true; text.n; first = false) {
        const uint8_t *comma = memchr(text.p, ',', text.n);
        size_t n = comma ? (size_t)(comma - text.p) : text.n;
        struct bytes word = trim(bytes_of(text.p, n));
        buf_put_str(&yaml, first ? "" : ", ");
        buf_put_str(&shown, first ? "" : ", ");
        option_put_scalar(&yaml, word);
        buf_put_bytes(&shown, word);
        text = bytes_skip(text, comma ? n + 1 : n);
    }
    buf_put_str(&yaml, "]");
    buf_put_str(&shown, "]");
    out->text = arena_cstr(a, buf_bytes(&yaml));
    out->shown = arena_cstr(a, buf_bytes(&shown));
}

err_t option_parse(const struct option *o, struct bytes text, struct arena *a,
                   struct option_value *out, struct fail *fail)
{
    struct bytes canonical = text;
    int64_t number = 0;
    bool good = printable(text);
    switch (o->type) {
    case OPTION_BOOL:
        good = good && parse_bool(text, &number);
        canonical = bytes_str(number ? "true" : "false");
        break;
    case OPTION_INT:
    case OPTION_LONG:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_RATE: good = good && parse_number(o, text, &number); break;
    case OPTION_DOUBLE: good = good && parse_double(text, a); break;
    case OPTION_ENUM: good = good && parse_enum(o->allowed, text, &number, &canonical); break;
    case OPTION_STRING:
    case OPTION_LIST: break;
    case OPTION_MAP: good = good && bytes_equal_str(text, "{}"); break;
    }
    if (!good)
        return fail_set(
            fail, ERR_CONFIG, "\"%.*s\" is not allowed; allowed: %s",
            BYTES_FMT(printable(text) ? text : bytes_str("a text with control characters")),
            option_allowed(o, a));
    out->number = number;
    if (o->type == OPTION_LIST)
        parse_list(text, a, out);
    else
        out->text = out->shown = arena_cstr(a, canonical);
    return OK;
}

err_t option_alias_text(const struct option_alias *alias, struct bytes text, struct arena *a,
                        const char **out, struct fail *fail)
{
    if (*alias->unit == 0) {
        *out = arena_cstr(a, text);
        return OK;
    }
    int64_t n;
    struct bytes rest;
    bool good = take_number(text, true, &n, &rest) && n >= -1 &&
                (rest.n == 0 || bytes_equal_str(rest, ".0"));
    struct bytes given =
        bytes_str(arena_cstr(a, arena_printf(a, "%lld%s", (long long)n, alias->unit)));
    if (good && !strcmp(alias->unit, "Mbit/s")) {
        good = !__builtin_mul_overflow(n, 125000, &n);
        given = arena_printf(a, "%lldB/s", (long long)n);
    }
    if (!good)
        return fail_set(fail, ERR_CONFIG, "\"%.*s\" is not allowed; allowed: a whole number, in %s",
                        BYTES_FMT(text), alias->unit);
    *out = n < 0 ? NULL : arena_cstr(a, given);
    return OK;
}

struct bytes option_alias_shown(const struct option_alias *alias, const struct option_value *v,
                                struct arena *a)
{
    const struct option *o = &options[option_index(alias->option)];
    if (v->shown == NULL)
        return BYTES_NULL;
    if (*alias->unit == 0)
        return bytes_str(v->shown);
    if (!strcmp(alias->unit, "Mbit/s"))
        return arena_printf(a, "%lld", (long long)(v->number / 125000));
    for (const struct unit *u = units_of(o->type); u->name; u++)
        if (!strcmp(u->name, alias->unit))
            return arena_printf(a, "%lld", (long long)(v->number / u->factor));
    ensure(!"an alias has a unit of its option's type");
}

/* --- YAML scalars ----------------------------------------------------------------------------- */

static bool plain_start(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '.';
}

/* Whether text can stand without quotes, in and outside brackets, and is not one of YAML's words for nothing. */
static bool is_plain(struct bytes text)
{
    if (text.n == 0 || bytes_equal_nocase(text, bytes_str("null")))
        return false;
    size_t i = text.p[0] == '-';
    if (i >= text.n || !plain_start(text.p[i]))
        return false;
    for (; i < text.n; i++) {
        bool inside = i + 1 < text.n && text.p[i + 1] != ' ';
        if (!plain_start(text.p[i]) && text.p[i] != '-' && text.p[i] != '+' && text.p[i] != '@' &&
            !((text.p[i] == ' ' || text.p[i] == ':') && inside))
            return false;
    }
    return true;
}

void option_put_scalar(struct buf *b, struct bytes text)
{
    if (is_plain(text)) {
        buf_put_bytes(b, text);
        return;
    }
    buf_u8(b, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'')
            buf_u8(b, '\'');
        buf_u8(b, text.p[i]);
    }
    buf_u8(b, '\'');
}
