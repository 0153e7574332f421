/* One option: its row of options.def, its name and older names, and what a text given for it means. Nothing here touches files or the
 * network. */
#ifndef SERVER_RUN_OPTION_H
#define SERVER_RUN_OPTION_H

#include "cql/base/arena.h"
#include "cql/base/buf.h"
#include "cql/base/err.h"

enum option_type {
    OPTION_BOOL,
    OPTION_INT,  /* 32 bits */
    OPTION_LONG, /* 64 bits */
    OPTION_DOUBLE,
    OPTION_STRING, /* no control characters */
    OPTION_ENUM,
    OPTION_DURATION, /* a whole number and a unit, as "10s" */
    OPTION_SIZE,     /* as "32MiB" */
    OPTION_RATE,     /* as "64MiB/s" */
    OPTION_LIST,     /* of texts */
    OPTION_MAP,
};

/* A row of options.def, and its allowed column taken apart. */
struct option {
    const char *name;
    enum option_type type;
    const char *allowed;
    const char *fallback; /* the default as a user would write it; NULL: none */
    bool works;
    const char *help;
};

/* An older name. unit "": it takes what the new name takes; else a bare number of that unit. */
struct option_alias {
    const char *name, *option, *unit;
};

struct option_value {
    const char *text;  /* as it would be written in helenus.yaml; NULL: none */
    const char *shown; /* as system_views.settings shows it */
    int64_t
        number; /* BOOL 0 or 1; INT, LONG; ENUM: index of the word; DURATION: us; SIZE: bytes; RATE: bytes a second */
    const char *where; /* who set it: "FILE:LINE" or "--name"; NULL: it is the default */
};

enum {
    OPTIONS_COUNT =
#define X(name, type, allowed, default, effect, help) +1
#include "server/run/options.def"
};

extern const struct option options[OPTIONS_COUNT];
extern const struct option_alias option_aliases[];
extern const size_t option_aliases_count;
/* Names under which system_views.settings shows options once more. */
extern const struct option_alias option_shown[];
extern const size_t option_shown_count;

/* Index of the option of that name or older name; *alias is NULL or the older name's row. -1: there is none. */
int option_find(struct bytes name, const struct option_alias **alias);
/* The option's index; it must exist. */
int option_index(const char *name);
/* Whether options named "name.…" exist. */
bool option_is_group(struct bytes name);
/* The known name (or older name) with the least number of edits to name. */
const char *option_nearest(struct bytes name);

/* What text means. The strings of out live in a; where is left alone. LIST: words set apart by commas, or bracketed; MAP: not from a
 * text. ERR_CONFIG: message says what is allowed, without naming the option. */
err_t option_parse(const struct option *o, struct bytes text, struct arena *a,
                   struct option_value *out, struct fail *fail) MUST_USE;
/* The text that the new name takes for what an older name was given; NULL when that says "none" (-1). */
err_t option_alias_text(const struct option_alias *alias, struct bytes text, struct arena *a,
                        const char **out, struct fail *fail) MUST_USE;
/* The value in the older name's unit, as system_views.settings shows it; BYTES_NULL: none. */
struct bytes option_alias_shown(const struct option_alias *alias, const struct option_value *v,
                                struct arena *a);
/* "a whole number from 1 to 65535", "one of group, periodic, batch" … */
const char *option_allowed(const struct option *o, struct arena *a);
/* Appends text as a YAML scalar, quoted where it must be. */
void option_put_scalar(struct buf *b, struct bytes text);

#endif
