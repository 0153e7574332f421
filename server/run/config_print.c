/* --help and --print-config, made of options.def. */
#include "server/run/config_values.h"

enum { INDENT = 4, LINE_MAX = 100 };

/* --- --help ----------------------------------------------------------------------------------- */

static void put_dashed(struct buf *b, const char *name)
{
    for (const char *p = name; *p; p++)
        buf_u8(b, *p == '_' ? '-' : (uint8_t)*p);
}

static void put_value_kind(struct buf *b, const struct option *o)
{
    static const char *const kinds[] = {
        [OPTION_BOOL] = "",      [OPTION_INT] = " N",       [OPTION_LONG] = " N",
        [OPTION_DOUBLE] = " X",  [OPTION_STRING] = " TEXT", [OPTION_DURATION] = " TIME",
        [OPTION_SIZE] = " SIZE", [OPTION_RATE] = " RATE",   [OPTION_LIST] = " A,B,...",
        [OPTION_MAP] = " MAP",
    };
    if (o->type != OPTION_ENUM)
        buf_put_str(b, kinds[o->type]);
    else
        buf_printf(b, " %s", o->allowed);
}

static void put_column(struct buf *b, size_t *column, const char *name)
{
    size_t n = strlen(name);
    if (*column + n + 4 > LINE_MAX) {
        buf_u8(b, '\n');
        *column = 0;
    }
    buf_put_str(b, *column == 0 ? "  --" : " --");
    put_dashed(b, name);
    *column += n + (*column == 0 ? 4 : 3);
}

struct bytes config_help(struct arena *a)
{
    struct buf b = buf_in(a);
    buf_put_str(
        &b,
        "usage: helenusd --directory DIR [--config FILE] [--OPTION VALUE]...\n\n"
        "  --config FILE\n      helenus.yaml: options as cassandra.yaml writes them; the command "
        "line wins\n"
        "  --print-config\n      print every option with its value, as a helenus.yaml, and exit\n"
        "  --help\n      print this and exit\n"
        "  --version\n      print the version and exit\n\n"
        "Options that act (a VALUE may also follow an \"=\"):\n\n");
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        const struct option *o = &options[i];
        if (!o->works)
            continue;
        buf_put_str(&b, "  --");
        put_dashed(&b, o->name);
        put_value_kind(&b, o);
        buf_printf(&b, "\n      %s", o->help);
        if (o->fallback)
            buf_printf(&b, " (%s)", o->fallback);
        buf_u8(&b, '\n');
    }
    buf_put_str(&b, "\nOptions of Cassandra that are accepted without effect:\n\n");
    size_t column = 0;
    for (int i = 0; i < OPTIONS_COUNT; i++)
        if (!options[i].works)
            put_column(&b, &column, options[i].name);
    buf_put_str(
        &b, "\n\nCassandra's older names (as --read-request-timeout-in-ms) are taken as well.\n");
    return buf_bytes(&b);
}

/* --- --print-config --------------------------------------------------------------------------- */

static bool is_active(const struct config_values *v, int i)
{
    return v->of[i].text && (v->of[i].where || options[i].works);
}

static bool group_is_active(const struct config_values *v, struct bytes group)
{
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        struct bytes name = bytes_str(options[i].name);
        if (name.n > group.n && name.p[group.n] == '.' && bytes_starts_with(name, group) &&
            is_active(v, i))
            return true;
    }
    return false;
}

static void put_start(struct buf *b, bool active, size_t level)
{
    buf_printf(b, "%s%*s", active ? "" : "# ", (int)(level * INDENT), "");
}

/* The lines "group:" above an option, those that the option before it did not already have. Returns its level. */
static size_t put_groups(struct buf *b, const struct config_values *v, const char *name,
                         const char *before)
{
    size_t level = 0;
    bool same = true;
    const char *start = name;
    for (const char *dot; (dot = strchr(start, '.')); start = dot + 1, level++) {
        struct bytes group = bytes_of(name, (size_t)(dot - name));
        same = same && !strncmp(name, before, group.n + 1);
        if (same)
            continue;
        put_start(b, group_is_active(v, group), level);
        buf_printf(b, "%.*s:\n", (int)(dot - start), start);
    }
    return level;
}

static void put_text(struct buf *b, const struct option *o, const char *text)
{
    if (o->type == OPTION_LIST || o->type == OPTION_MAP)
        buf_put_str(b, text);
    else
        option_put_scalar(b, bytes_str(text));
}

static void put_option(struct buf *b, const struct config_values *v, int i, const char *before)
{
    const struct option *o = &options[i];
    size_t level = put_groups(b, v, o->name, before);
    bool active = is_active(v, i);
    const char *dot = strrchr(o->name, '.');
    if (o->works) {
        buf_u8(b, '\n');
        buf_printf(b, "# %s\n", o->help);
        if (o->type != OPTION_BOOL && o->type != OPTION_STRING)
            buf_printf(b, "# (%s)\n", option_allowed(o, b->arena));
    }
    put_start(b, active, level);
    buf_printf(b, "%s:", dot ? dot + 1 : o->name);
    if (v->of[i].text) {
        buf_u8(b, ' ');
        put_text(b, o, v->of[i].text);
    }
    buf_u8(b, '\n');
}

struct bytes config_print(const struct config_values *v, struct arena *a)
{
    struct buf b = buf_in(a);
    buf_put_str(
        &b,
        "# Helenus: every option, with its value in force. What is commented out is not set.\n");
    const char *before = "";
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        if (!options[i].works)
            continue;
        put_option(&b, v, i, before);
        before = options[i].name;
    }
    buf_put_str(&b, "\n# Options of Cassandra that are accepted without effect.\n");
    before = "";
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        if (options[i].works)
            continue;
        put_option(&b, v, i, before);
        before = options[i].name;
    }
    return buf_bytes(&b);
}
