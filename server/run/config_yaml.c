/* helenus.yaml: a YAML document becomes values of options.
 *
 * The whole document is loaded first, then walked: a mapping either is a group
 * ("audit_logging_options:" with its fields below) or the value of an option of type MAP. Cassandra writes some groups as a list of one
 * mapping (seed_provider), or as the bare name of a class (authenticator); both are taken. Aliases of YAML (*x) may make a document
 * larger than its text, or endless: depth and the bytes rendered are bounded here. libyaml's time grows with the square of open
 * brackets, so those are counted before it sees the text. */
#include "server/run/config_values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum {
    FILE_BYTES_MAX = 1 << 20,
    BRACKETS_MAX = 256,
    DEPTH_MAX = 16,
    NAME_BYTES_MAX = 200,
    RENDERED_BYTES_MAX = 64 << 10
};

struct walk {
    struct config_values *v;
    yaml_document_t *document;
    const char *file; /* NULL: a value of the command line, named by `where` */
    const char *where;
};

static const char *where(const struct walk *w, const yaml_node_t *n)
{
    if (w->file == NULL)
        return w->where;
    return arena_cstr(w->v->a, arena_printf(w->v->a, "%s:%zu", w->file, n->start_mark.line + 1));
}

static yaml_node_t *node(const struct walk *w, int id)
{
    yaml_node_t *n = yaml_document_get_node(w->document, id);
    ensure(n != NULL);
    return n;
}

static struct bytes scalar(const yaml_node_t *n)
{
    return bytes_of(n->data.scalar.value, n->data.scalar.length);
}

/* Nothing after the colon, ~ or null. */
static bool is_null(const yaml_node_t *n)
{
    if (n->type != YAML_SCALAR_NODE || n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    struct bytes s = scalar(n);
    return s.n == 0 || bytes_equal_str(s, "~") || bytes_equal_nocase(s, bytes_str("null"));
}

/* --- Lists and maps --------------------------------------------------------------------------- */

struct rendered {
    struct buf yaml, shown;
};

static void put(struct rendered *r, const char *yaml, const char *shown)
{
    buf_put_str(&r->yaml, yaml);
    buf_put_str(&r->shown, shown);
}

static err_t render(struct walk *w, yaml_node_t *n, unsigned depth, struct rendered *r);

static err_t render_list(struct walk *w, yaml_node_t *n, unsigned depth, struct rendered *r)
{
    put(r, "[", "[");
    bool first = true;
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        if (is_null(node(w, *i)))
            continue;
        if (!first)
            put(r, ", ", ", ");
        first = false;
        TRY(render(w, node(w, *i), depth + 1, r));
    }
    put(r, "]", "]");
    return OK;
}

static err_t render_map(struct walk *w, yaml_node_t *n, unsigned depth, struct rendered *r)
{
    put(r, "{", "{");
    yaml_node_pair_t *pairs = n->data.mapping.pairs.start;
    for (yaml_node_pair_t *p = pairs; p < n->data.mapping.pairs.top; p++) {
        if (p != pairs)
            put(r, ", ", ", ");
        TRY(render(w, node(w, p->key), depth + 1, r));
        put(r, ": ", "=");
        if (is_null(node(w, p->value)))
            put(r, "null", "null");
        else
            TRY(render(w, node(w, p->value), depth + 1, r));
    }
    put(r, "}", "}");
    return OK;
}

static err_t render(struct walk *w, yaml_node_t *n, unsigned depth, struct rendered *r)
{
    bool single = n->type == YAML_SCALAR_NODE;
    if (depth > DEPTH_MAX || r->yaml.n > RENDERED_BYTES_MAX ||
        (single && scalar(n).n > RENDERED_BYTES_MAX))
        return fail_set(w->v->fail, ERR_CONFIG, "%s: the value is too long or too deep",
                        where(w, n));
    if (n->type == YAML_SEQUENCE_NODE)
        return render_list(w, n, depth, r);
    if (n->type == YAML_MAPPING_NODE)
        return render_map(w, n, depth, r);
    struct bytes s = scalar(n);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] == 0x7f)
            return fail_set(w->v->fail, ERR_CONFIG,
                            "%s: a text with control characters is not allowed", where(w, n));
    option_put_scalar(&r->yaml, s);
    buf_put_bytes(&r->shown, s);
    return OK;
}

/* A list of mappings counts as the mapping that they make together, as Cassandra reads "parameters". */
static bool is_map(const struct walk *w, const yaml_node_t *n)
{
    if (n->type != YAML_SEQUENCE_NODE)
        return n->type == YAML_MAPPING_NODE;
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
        if (node(w, *i)->type != YAML_MAPPING_NODE && !is_null(node(w, *i)))
            return false;
    return true;
}

static err_t render_maps(struct walk *w, yaml_node_t *n, struct rendered *r)
{
    if (n->type == YAML_MAPPING_NODE)
        return render_map(w, n, 0, r);
    size_t items = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
    if (items == 1 && !is_null(node(w, n->data.sequence.items.start[0])))
        return render_map(w, node(w, n->data.sequence.items.start[0]), 0, r);
    if (items > 1)
        return render_list(w, n, 0, r);
    put(r, "{}", "{}");
    return OK;
}

/* --- Options ---------------------------------------------------------------------------------- */

static err_t claim(struct walk *w, int index, const char *name, const char *at)
{
    struct option_value *v = &w->v->of[index];
    if (v->where && w->file)
        return fail_set(w->v->fail, ERR_CONFIG, "%s: %s: given twice; first at %s", at, name,
                        v->where);
    return OK;
}

static err_t set_collection(struct walk *w, int index, yaml_node_t *n, const char *name,
                            const char *at)
{
    const struct option *o = &options[index];
    struct config_values *v = w->v;
    struct rendered r = {.yaml = buf_in(v->a), .shown = buf_in(v->a)};
    bool list = o->type == OPTION_LIST && n->type == YAML_SEQUENCE_NODE;
    if (!list && (o->type != OPTION_MAP || !is_map(w, n)))
        return fail_set(v->fail, ERR_CONFIG, "%s: %s: %s is not allowed; allowed: %s", at, name,
                        n->type == YAML_SEQUENCE_NODE  ? "a list"
                        : n->type == YAML_MAPPING_NODE ? "a map"
                                                       : "a single value",
                        option_allowed(o, v->a));
    TRY(list ? render_list(w, n, 0, &r) : render_maps(w, n, &r));
    v->of[index].text = arena_cstr(v->a, buf_bytes(&r.yaml));
    v->of[index].shown = arena_cstr(v->a, buf_bytes(&r.shown));
    v->of[index].where = at;
    return OK;
}

static err_t set_option(struct walk *w, int index, const struct option_alias *alias, yaml_node_t *n,
                        const char *name, const char *at)
{
    struct config_values *v = w->v;
    TRY(claim(w, index, name, at));
    if (is_null(n)) {
        if (options[index].fallback != NULL)
            return fail_set(v->fail, ERR_CONFIG, "%s: %s: a value is missing; allowed: %s", at,
                            name, option_allowed(&options[index], v->a));
        return OK;
    }
    if (n->type != YAML_SCALAR_NODE || options[index].type == OPTION_MAP)
        return set_collection(w, index, n, name, at);
    return config_set(v, index, alias, scalar(n), at, name);
}

static err_t take_group(struct walk *w, const char *prefix, yaml_node_t *n, unsigned depth);

/* name is no option: a group, or an error. */
static err_t take_other(struct walk *w, const char *name, yaml_node_t *n, const char *at,
                        unsigned depth)
{
    struct config_values *v = w->v;
    const struct option_alias *alias;
    if (!option_is_group(bytes_str(name)))
        return fail_set(v->fail, ERR_CONFIG, "%s: unknown option \"%s\"; did you mean \"%s\"?", at,
                        name, option_nearest(bytes_str(name)));
    if (is_null(n))
        return OK;
    if (n->type == YAML_MAPPING_NODE)
        return take_group(w, name, n, depth + 1);
    if (n->type == YAML_SEQUENCE_NODE) {
        yaml_node_item_t *items = n->data.sequence.items.start;
        if (n->data.sequence.items.top - items == 1 && node(w, items[0])->type == YAML_MAPPING_NODE)
            return take_group(w, name, node(w, items[0]), depth + 1);
    } else {
        int index = option_find(arena_printf(v->a, "%s.class_name", name), &alias);
        if (index >= 0)
            return set_option(w, index, alias, n, name, at);
    }
    return fail_set(v->fail, ERR_CONFIG, "%s: %s: a map is expected", at, name);
}

static err_t take_group(struct walk *w, const char *prefix, yaml_node_t *n, unsigned depth)
{
    struct config_values *v = w->v;
    if (depth > DEPTH_MAX)
        return fail_set(v->fail, ERR_CONFIG, "%s: the value is too deep", where(w, n));
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        yaml_node_t *key = node(w, p->key);
        const char *at = where(w, key);
        struct bytes k = scalar(key);
        if (key->type != YAML_SCALAR_NODE || k.n == 0 || k.n > NAME_BYTES_MAX)
            return fail_set(v->fail, ERR_CONFIG, "%s: the name of an option is expected", at);
        for (size_t i = 0; i < k.n; i++)
            if (k.p[i] <= ' ' || k.p[i] >= 0x7f)
                return fail_set(v->fail, ERR_CONFIG, "%s: the name of an option is expected", at);
        const char *name = arena_cstr(
            v->a, arena_printf(v->a, "%s%s%.*s", prefix, *prefix ? "." : "", BYTES_FMT(k)));
        const struct option_alias *alias;
        int index = option_find(bytes_str(name), &alias);
        if (index >= 0)
            TRY(set_option(w, index, alias, node(w, p->value), name, at));
        else
            TRY(take_other(w, name, node(w, p->value), at, depth));
    }
    return OK;
}

/* --- Documents -------------------------------------------------------------------------------- */

/* Brackets that are open at the same time, at most; those in quotes and comments count too. */
static bool too_many_brackets(struct bytes text)
{
    int open = 0;
    for (size_t i = 0; i < text.n && open <= BRACKETS_MAX; i++) {
        if (text.p[i] == '[' || text.p[i] == '{')
            open++;
        else if ((text.p[i] == ']' || text.p[i] == '}') && open > 0)
            open--;
    }
    return open > BRACKETS_MAX;
}

static err_t bad_yaml(struct config_values *v, const char *file, const yaml_parser_t *p)
{
    const char *problem = p->problem ? p->problem : "out of memory";
    if (p->error == YAML_READER_ERROR)
        return fail_set(v->fail, ERR_CONFIG, "%s: not YAML: %s at byte %zu", file, problem,
                        p->problem_offset);
    return fail_set(v->fail, ERR_CONFIG, "%s:%zu: not YAML: %s", file, p->problem_mark.line + 1,
                    problem);
}

static err_t take_document(struct config_values *v, const char *file, yaml_parser_t *p)
{
    yaml_document_t document, next;
    if (!yaml_parser_load(p, &document))
        return bad_yaml(v, file, p);
    struct walk w = {.v = v, .document = &document, .file = file};
    yaml_node_t *root = yaml_document_get_root_node(&document);
    err_t err = OK;
    if (root && root->type == YAML_MAPPING_NODE)
        err = take_group(&w, "", root, 0);
    else if (root && !is_null(root))
        err = fail_set(v->fail, ERR_CONFIG, "%s: lines of the form \"option: value\" are expected",
                       where(&w, root));
    yaml_document_delete(&document);
    if (err != OK || root == NULL)
        return err;
    if (!yaml_parser_load(p, &next))
        return bad_yaml(v, file, p);
    root = yaml_document_get_root_node(&next);
    if (root)
        err = fail_set(v->fail, ERR_CONFIG, "%s:%zu: a second document is not allowed", file,
                       root->start_mark.line + 1);
    yaml_document_delete(&next);
    return err;
}

err_t config_yaml(struct config_values *v, const char *file, struct bytes text)
{
    if (text.n > FILE_BYTES_MAX)
        return fail_set(v->fail, ERR_CONFIG, "%s: a configuration may have %d bytes", file,
                        FILE_BYTES_MAX);
    if (too_many_brackets(text))
        return fail_set(v->fail, ERR_CONFIG, "%s: too many open brackets", file);
    yaml_parser_t p;
    ensure(yaml_parser_initialize(&p));
    yaml_parser_set_input_string(&p, text.n ? text.p : (const uint8_t *)"", text.n);
    err_t err = take_document(v, file, &p);
    yaml_parser_delete(&p);
    return err;
}

err_t config_yaml_value(struct config_values *v, int index, struct bytes text, const char *at,
                        const char *name)
{
    if (too_many_brackets(text))
        return fail_set(v->fail, ERR_CONFIG, "%s: too many open brackets", at);
    yaml_parser_t p;
    yaml_document_t document;
    ensure(yaml_parser_initialize(&p));
    yaml_parser_set_input_string(&p, text.p, text.n);
    err_t err;
    if (yaml_parser_load(&p, &document)) {
        struct walk w = {.v = v, .document = &document, .where = at};
        yaml_node_t *root = yaml_document_get_root_node(&document);
        if (root)
            err = set_option(&w, index, NULL, root, name, at);
        else
            err = fail_set(v->fail, ERR_CONFIG, "%s: a value is missing", at);
        yaml_document_delete(&document);
    } else {
        err = fail_set(v->fail, ERR_CONFIG, "%s: not YAML: %s", at,
                       p.problem ? p.problem : "out of memory");
    }
    yaml_parser_delete(&p);
    return err;
}

err_t config_file(struct config_values *v, const char *path)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return fail_set(v->fail, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
    char *text = malloc(FILE_BYTES_MAX + 1);
    ensure(text != NULL);
    size_t n = fread(text, 1, FILE_BYTES_MAX + 1, f);
    err_t err = ferror(f)
                    ? fail_set(v->fail, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno))
                    : config_yaml(v, path, bytes_of(text, n));
    free(text);
    fclose(f);
    return err;
}
