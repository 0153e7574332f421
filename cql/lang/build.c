/* What the grammar's actions do for terms, types and data statements. Everything lives in the
 * parser's arena.
 *
 * After the first error the parser is fed no more, but a rule may call several of these functions
 * before it returns: none depends on the earlier ones having succeeded. */
#include "cql/base/map.h"
#include "cql/lang/parse_priv.h"

void *vec_add(struct arena *a, struct vec *v, size_t size)
{
    if (v->count == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 4;
        uint8_t *items = arena_alloc(a, cap * size);
        if (v->count) {
            memcpy(items, v->items, v->count * size);
        }
        v->items = items;
        v->cap = cap;
    }
    return memset((uint8_t *)v->items + v->count++ * size, 0, size);
}

static struct vec *vec_of(struct parse *p, struct vec *v)
{
    return v ? v : arena_new(p->arena, struct vec);
}

struct bytes build_source(const struct parse *p, const uint8_t *from)
{
    return bytes_of(from, (size_t)(p->end - from));
}

/* --- Names ------------------------------------------------------------------------------------ */

/* The text between the first and last byte, with doubled quotes made single. */
static struct bytes unquote(struct parse *p, struct bytes token)
{
    uint8_t quote = token.p[0];
    struct bytes inner = bytes_of(token.p + 1, token.n - 2);
    if (inner.n == 0 || memchr(inner.p, quote, inner.n) == NULL) {
        return inner;
    }
    uint8_t *out = arena_alloc(p->arena, inner.n);
    size_t n = 0;
    for (size_t i = 0; i < inner.n; i++) {
        out[n++] = inner.p[i];
        i += inner.p[i] == quote;
    }
    return bytes_of(out, n);
}

struct bytes build_string(struct parse *p, struct bytes token)
{
    return token.p[0] == '$' ? bytes_of(token.p + 2, token.n - 4) : unquote(p, token);
}

static struct bytes fold(struct parse *p, struct bytes token)
{
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] >= 'A' && token.p[i] <= 'Z') {
            uint8_t *out = arena_alloc(p->arena, token.n);
            for (size_t j = 0; j < token.n; j++) {
                uint8_t c = token.p[j];
                out[j] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
            }
            return bytes_of(out, token.n);
        }
    }
    return token;
}

struct ast_name build_name(struct parse *p, struct bytes token)
{
    if (token.p[0] == '"') {
        return (struct ast_name){unquote(p, token), true};
    }
    return (struct ast_name){fold(p, token), false};
}

static struct ast_name name_or_marker(struct parse *p, struct bytes token, const char *what)
{
    if (token.p[0] == '?') {
        parse_error(p, "Bind variables cannot be used for %s names", what);
    }
    return build_name(p, token);
}

struct ast_name build_keyspace_name(struct parse *p, struct bytes token)
{
    return name_or_marker(p, token, "keyspace");
}

struct ast_qualified_name *build_qualified(struct parse *p, struct bytes keyspace,
                                           struct bytes name, const char *what)
{
    struct ast_qualified_name *q = arena_new(p->arena, struct ast_qualified_name);
    if (keyspace.p) {
        q->keyspace = build_keyspace_name(p, keyspace);
    }
    q->name = name_or_marker(p, name, what);
    const uint8_t *from = keyspace.p ? keyspace.p : name.p;
    q->source = bytes_of(from, (size_t)(name.p + name.n - from));
    return q;
}

struct ast_name build_role(struct parse *p, struct bytes token)
{
    if (token.p[0] == '\'' || token.p[0] == '$') {
        return (struct ast_name){build_string(p, token), true};
    }
    return name_or_marker(p, token, "role");
}

struct ast_name build_user(struct parse *p, struct bytes token)
{
    if (token.p[0] == '"') {
        parse_error(p, "Quoted strings are are not supported for user names and USER is "
                       "deprecated, please use ROLE");
        return (struct ast_name){token, true};
    }
    /* Cassandra keeps the case of an unquoted user, unlike that of a role */
    return (struct ast_name){
        token.p[0] == '\'' || token.p[0] == '$' ? build_string(p, token) : token, true};
}

struct bytes build_identity(struct parse *p, struct bytes token)
{
    if (token.p[0] == '"') {
        parse_error(p, "Quoted strings are are not supported for identity");
    }
    return token.p[0] == '\'' || token.p[0] == '$' ? build_string(p, token) : token;
}

struct vec *build_names(struct parse *p, struct vec *v, struct bytes token)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_name) = build_name(p, token);
    return v;
}

/* --- Terms ------------------------------------------------------------------------------------ */

/* Not zeroed past the kind's own member: terms are the most frequent node. */
static struct ast_term *term_new(struct parse *p, enum ast_term_kind kind, struct bytes source,
                                 uint32_t depth)
{
    struct ast_term *t = arena_alloc(p->arena, sizeof *t);
    t->kind = kind;
    t->depth = depth;
    t->source = source;
    if (depth > CQL_DEPTH_MAX) {
        parse_error_depth(p);
    }
    return t;
}

static uint32_t deeper(uint32_t depth, uint32_t child)
{
    return child >= depth ? child + 1 : depth;
}

struct ast_term *build_literal(struct parse *p, enum ast_literal_kind kind, struct bytes token)
{
    struct ast_term *t = term_new(p, AST_TERM_LITERAL, token, 1);
    t->literal.kind = kind;
    t->literal.text = kind == AST_LITERAL_STRING ? build_string(p, token)
                      : kind == AST_LITERAL_NULL ? bytes_str("NULL")
                                                 : token;
    return t;
}

struct ast_term *build_special_float(struct parse *p, struct bytes token, const char *text)
{
    struct ast_term *t = build_literal(p, AST_LITERAL_FLOAT, token);
    t->literal.text = bytes_str(text);
    return t;
}

struct ast_term *build_marker(struct parse *p, struct bytes token, struct bytes name)
{
    struct ast_term *t = term_new(p, AST_TERM_MARKER, build_source(p, token.p), 1);
    t->marker.index = (uint32_t)p->markers.count;
    t->marker.name = name.p ? build_name(p, name) : (struct ast_name){.quoted = false};
    *VEC_ADD(p, &p->markers, struct ast_term *) = t;
    return t;
}

struct vec *build_terms(struct parse *p, struct vec *v, struct ast_term *t)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_term *) = t;
    return v;
}

struct vec *build_entry(struct parse *p, struct vec *v, struct ast_term *key,
                        struct ast_term *value)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_map_entry) = (struct ast_map_entry){key, value};
    return v;
}

struct vec *build_field_value(struct parse *p, struct vec *v, struct bytes name,
                              struct ast_term *value)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_udt_field) = (struct ast_udt_field){build_name(p, name), value};
    return v;
}

static struct ast_terms terms_of(const struct vec *v)
{
    struct ast_terms terms = {NULL, 0};
    VEC_MOVE(terms.items, v);
    return terms;
}

static uint32_t terms_depth(struct ast_terms terms)
{
    uint32_t depth = 1;
    for (size_t i = 0; i < terms.items_count; i++) {
        depth = deeper(depth, terms.items[i]->depth);
    }
    return depth;
}

struct ast_term *build_elements(struct parse *p, enum ast_term_kind kind, const uint8_t *from,
                                struct vec *items)
{
    struct ast_terms terms = terms_of(items);
    struct ast_term *t = term_new(p, kind, build_source(p, from), terms_depth(terms));
    t->elements = terms;
    return t;
}

struct ast_term *build_map(struct parse *p, const uint8_t *from, struct vec *entries)
{
    const struct ast_map_entry *items = entries->items;
    uint32_t depth = 1;
    for (size_t i = 0; i < entries->count; i++) {
        depth = deeper(deeper(depth, items[i].key->depth), items[i].value->depth);
    }
    struct ast_term *t = term_new(p, AST_TERM_MAP, build_source(p, from), depth);
    VEC_MOVE(t->entries.items, entries);
    return t;
}

struct ast_term *build_udt(struct parse *p, const uint8_t *from, struct vec *fields)
{
    const struct ast_udt_field *items = fields->items;
    uint32_t depth = 1;
    for (size_t i = 0; i < fields->count; i++) {
        depth = deeper(depth, items[i].value->depth);
    }
    struct ast_term *t = term_new(p, AST_TERM_UDT, build_source(p, from), depth);
    VEC_MOVE(t->fields.items, fields);
    return t;
}

struct ast_term *build_convert(struct parse *p, enum ast_term_kind kind, const uint8_t *from,
                               struct ast_type *type, struct ast_term *operand)
{
    struct ast_term *t = term_new(p, kind, build_source(p, from), operand->depth + 1);
    t->convert.type = type;
    t->convert.operand = operand;
    return t;
}

struct ast_term *build_call(struct parse *p, struct bytes keyspace, struct bytes name,
                            struct vec *args)
{
    struct ast_terms terms = terms_of(args);
    const uint8_t *from = keyspace.p ? keyspace.p : name.p;
    struct ast_term *t = term_new(p, AST_TERM_CALL, build_source(p, from), terms_depth(terms));
    t->call.function = (struct ast_qualified_name){
        .keyspace = keyspace.p ? build_name(p, keyspace) : (struct ast_name){.quoted = false},
        .name = build_name(p, name),
        .source = bytes_of(from, (size_t)(name.p + name.n - from)),
    };
    t->call.args = terms;
    return t;
}

struct ast_term *build_binary(struct parse *p, char op, struct ast_term *left,
                              struct ast_term *right)
{
    struct ast_term *t = term_new(p, AST_TERM_BINARY, build_source(p, left->source.p),
                                  deeper(left->depth + 1, right->depth));
    t->binary.op = op;
    t->binary.left = left;
    t->binary.right = right;
    return t;
}

struct ast_term *build_unary(struct parse *p, enum ast_term_kind kind, const uint8_t *from,
                             struct ast_term *operand)
{
    struct ast_term *t = term_new(p, kind, build_source(p, from), operand ? operand->depth + 1 : 1);
    t->operand = operand;
    return t;
}

struct ast_term *build_column(struct parse *p, struct bytes token)
{
    struct ast_term *t = term_new(p, AST_TERM_COLUMN, token, 1);
    t->column = build_name(p, token);
    return t;
}

struct ast_term *build_access_of(struct parse *p, struct ast_term *of)
{
    p->subscripted = of;
    return of;
}

struct ast_term *build_postfix(struct parse *p, struct ast_term *t)
{
    p->subscripted = NULL;
    p->postfix = t;
    return t;
}

struct ast_term *build_field(struct parse *p, struct ast_term *of, struct bytes field)
{
    struct ast_term *t = term_new(p, AST_TERM_FIELD, build_source(p, of->source.p), of->depth + 1);
    t->access.of = of;
    t->access.from = t->access.to = NULL;
    t->access.field = build_name(p, field);
    return t;
}

struct ast_term *build_range(struct parse *p, bool slice, struct ast_term *from,
                             struct ast_term *to)
{
    uint32_t depth = deeper(deeper(1, from ? from->depth : 0), to ? to->depth : 0);
    struct ast_term *t = term_new(p, slice ? AST_TERM_SLICE : AST_TERM_ELEMENT, BYTES_NULL, depth);
    t->access.of = NULL;
    t->access.from = from;
    t->access.to = to;
    t->access.field = (struct ast_name){.quoted = false};
    return t;
}

struct ast_term *build_access(struct parse *p, struct ast_term *of, struct ast_term *range)
{
    range->access.of = of;
    range->source = build_source(p, of->source.p);
    range->depth = deeper(range->depth, of->depth);
    if (range->depth > CQL_DEPTH_MAX) {
        parse_error_depth(p);
    }
    return range;
}

struct hint {
    const uint8_t *from;
    struct ast_type *type;
};

struct vec *build_hint(struct parse *p, struct vec *v, struct bytes open, struct ast_type *type)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct hint) = (struct hint){open.p, type};
    return v;
}

struct ast_term *build_hints(struct parse *p, const struct vec *hints, struct ast_term *operand)
{
    const struct hint *items = hints->items;
    const uint8_t *end = operand->source.p + operand->source.n;
    for (size_t i = hints->count; i-- > 0;) {
        operand = build_convert(p, AST_TERM_HINT, items[i].from, items[i].type, operand);
        operand->source.n = (size_t)(end - items[i].from);
    }
    return operand;
}

/* --- Types ------------------------------------------------------------------------------------ */

struct vec *build_types(struct parse *p, struct vec *v, struct ast_type *t)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_type *) = t;
    return v;
}

struct ast_type *build_type(struct parse *p, enum ast_type_kind kind, const uint8_t *from,
                            struct vec *args)
{
    struct ast_type *t = arena_new(p->arena, struct ast_type);
    t->kind = kind;
    t->depth = 1;
    t->source = build_source(p, from);
    VEC_MOVE(t->args, args);
    for (size_t i = 0; i < t->args_count; i++) {
        t->depth = deeper(t->depth, t->args[i]->depth);
    }
    if (t->depth > CQL_DEPTH_MAX) {
        parse_error_depth(p);
    }
    return t;
}

struct ast_type *build_native(struct parse *p, struct bytes token)
{
    struct ast_type *t = build_type(p, AST_TYPE_NATIVE, token.p, NULL);
    t->source = token;
    t->name = fold(p, token);
    return t;
}

struct ast_type *build_vector(struct parse *p, const uint8_t *from, struct ast_type *element,
                              struct bytes dimension)
{
    struct ast_type *t = build_type(p, AST_TYPE_VECTOR, from, build_types(p, NULL, element));
    int64_t n = 0;
    size_t sign = dimension.p[0] == '-';
    for (size_t i = sign; i < dimension.n && n <= INT32_MAX; i++) {
        n = n * 10 + (dimension.p[i] - '0');
    }
    if (n > INT32_MAX) {
        parse_error_failed(p, "NumberFormatException", "For input string: \"%.*s\"",
                           BYTES_FMT(dimension));
        return t;
    }
    t->dimension = (int32_t)(sign ? -n : n);
    return t;
}

struct ast_type *build_frozen(struct parse *p, const uint8_t *from, struct ast_type *inner)
{
    if (inner->kind == AST_TYPE_NATIVE) {
        parse_error(
            p, "frozen<> is only allowed on collections, tuples, and user-defined types (got %.*s)",
            BYTES_FMT(inner->name));
    }
    return build_type(p, AST_TYPE_FROZEN, from, build_types(p, NULL, inner));
}

struct ast_type *build_user_type(struct parse *p, struct ast_qualified_name *name)
{
    struct ast_type *t = build_type(p, AST_TYPE_USER, name->source.p, NULL);
    t->source = name->source;
    t->user = *name;
    return t;
}

bool build_is_reserved_type(struct bytes name)
{
    static const char *const reserved[] = {"byte",     "complex", "enum",     "date",
                                           "interval", "macaddr", "bitstring"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (bytes_equal_str(name, reserved[i])) {
            return true;
        }
    }
    return false;
}

void build_check_type_name(struct parse *p, struct bytes token)
{
    if (build_is_reserved_type(token)) {
        parse_error(p, "Invalid (reserved) user type name %.*s", BYTES_FMT(token));
    }
}

struct ast_term *build_long(struct parse *p, struct bytes token)
{
    uint64_t n = 0;
    bool negative = token.p[0] == '-', overflow = false;
    for (size_t i = negative; i < token.n && !overflow; i++) {
        overflow = __builtin_mul_overflow(n, 10, &n) ||
                   __builtin_add_overflow(n, (uint64_t)(token.p[i] - '0'), &n);
    }
    if (overflow || n > (uint64_t)INT64_MAX + negative) {
        parse_error_failed(p, "NumberFormatException", "For input string: \"%.*s\"",
                           BYTES_FMT(token));
    }
    return build_literal(p, AST_LITERAL_INTEGER, token);
}

/* --- Data statements -------------------------------------------------------------------------- */

struct ast_statement *build_statement(struct parse *p, enum ast_statement_kind kind,
                                      const uint8_t *from)
{
    struct ast_statement *s = arena_new(p->arena, struct ast_statement);
    s->kind = kind;
    s->text = p->text;
    s->source = build_source(p, from);
    return s;
}

struct ast_relation *build_relation(struct parse *p, enum ast_relation_kind kind,
                                    const uint8_t *from)
{
    struct ast_relation *r = arena_new(p->arena, struct ast_relation);
    r->kind = kind;
    r->source = build_source(p, from);
    return r;
}

struct ast_relation *build_column_relation(struct parse *p, struct bytes column,
                                           enum ast_operator op, struct ast_term *value)
{
    struct ast_relation *r = build_relation(p, AST_RELATION_COLUMN, column.p);
    r->op = op;
    r->value = value;
    r->columns = arena_new(p->arena, struct ast_name);
    r->columns[0] = build_name(p, column);
    r->columns_count = 1;
    return r;
}

struct vec *build_ordering(struct parse *p, struct vec *v, struct bytes column,
                           struct ast_term *ann, bool descending)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_ordering) =
        (struct ast_ordering){build_name(p, column), ann, descending, build_source(p, column.p)};
    return v;
}

struct ast_using_item *build_using_item(struct parse *p, enum ast_using_kind kind,
                                        struct ast_term *value, struct bytes consistency)
{
    struct ast_using_item *item = arena_new(p->arena, struct ast_using_item);
    item->kind = kind;
    item->value = value;
    if (consistency.p) {
        item->consistency = build_name(p, consistency);
    }
    return item;
}

struct ast_using *build_using(struct parse *p, struct ast_using *u,
                              const struct ast_using_item *item)
{
    if (u == NULL) {
        u = arena_new(p->arena, struct ast_using);
    }
    switch (item->kind) {
    case AST_USING_TIMESTAMP: u->timestamp = item->value; break;
    case AST_USING_TTL: u->ttl = item->value; break;
    case AST_USING_TIMEOUT: u->timeout = item->value; break;
    case AST_USING_CONSISTENCY: u->consistency = item->consistency; break;
    }
    /* the capacity is the next power of two from 4 on */
    size_t count = u->items_count;
    struct vec v = {u->items, count,
                    count < 4 ? (count ? 4 : 0) : (size_t)1 << (64 - __builtin_clzll(count - 1))};
    *VEC_ADD(p, &v, struct ast_using_item) = *item;
    VEC_MOVE(u->items, &v);
    return u;
}

struct ast_assignment *build_assignment(struct parse *p, enum ast_assignment_kind kind,
                                        struct bytes column, struct ast_term *value)
{
    struct ast_assignment *a = arena_new(p->arena, struct ast_assignment);
    a->kind = kind;
    a->column = build_name(p, column);
    a->value = value;
    a->source = build_source(p, column.p);
    return a;
}

void build_check_assignment(struct parse *p, const struct ast_assignment *a, struct bytes other,
                            const char *form)
{
    if (!bytes_equal(a->column.text, build_name(p, other).text)) {
        parse_error(p, "Only expressions of the form X = %s are supported.", form);
    }
}

void build_check_assignments(struct parse *p, const struct ast_assignment *items, size_t count)
{
    if (count < 2) {
        return;
    }
    /* a column that is SET stands alone; its elements and fields may be several, but no field twice
     */
    struct map seen = {.seed = (uintptr_t)p->text.p};
    for (size_t i = 0; i < count && p->err == OK; i++) {
        const struct ast_assignment *a = &items[i], *earlier = map_get(&seen, a->column.text);
        bool again = earlier && (earlier->kind == AST_ASSIGN_SET || a->kind == AST_ASSIGN_SET);
        map_put(&seen, a->column.text, (void *)(uintptr_t)a);
        if (a->kind == AST_ASSIGN_SET_FIELD) { /* a NUL keeps these keys apart from the columns' */
            struct buf key = buf_in(p->arena);
            buf_put_bytes(&key, a->column.text);
            buf_u8(&key, 0);
            buf_put_bytes(&key, a->field.text);
            again |= map_put(&seen, buf_bytes(&key), (void *)(uintptr_t)a) != NULL;
        }
        if (again) {
            parse_error(p, "Multiple incompatible setting of column %.*s",
                        BYTES_FMT(a->column.text));
        }
    }
    map_free(&seen);
}

struct ast_condition *build_condition_left(struct parse *p, struct bytes column)
{
    struct ast_condition *c = arena_new(p->arena, struct ast_condition);
    c->column = build_name(p, column);
    c->source.p = column.p;
    return c;
}

struct ast_condition *build_condition(struct parse *p, struct ast_condition *c,
                                      enum ast_operator op, struct ast_term *value,
                                      const struct vec *values)
{
    c->op = op;
    c->value = value;
    c->values = terms_of(values);
    c->source = build_source(p, c->source.p);
    return c;
}

struct ast_deletion *build_deletion(struct parse *p, struct bytes column, struct ast_term *element,
                                    struct bytes field)
{
    struct ast_deletion *d = arena_new(p->arena, struct ast_deletion);
    d->column = build_name(p, column);
    d->element = element;
    if (field.p) {
        d->field = build_name(p, field);
    }
    d->source = build_source(p, column.p);
    return d;
}
