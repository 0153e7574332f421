/* The registry: which functions have a name, and which of them a call means.
 *
 * Most functions are rows of tables over native types (struct signature). min, max, the collection and the vector functions take
 * whole families of types and are made for the arguments of each call, as in Cassandra, whose FunctionResolver this follows. */
#include "cql/func/func_priv.h"

const enum type_id func_numeric_types[9] = {TYPE_TINYINT, TYPE_SMALLINT, TYPE_INT,
                                            TYPE_BIGINT,  TYPE_FLOAT,    TYPE_DOUBLE,
                                            TYPE_DECIMAL, TYPE_VARINT,   TYPE_COUNTER};

struct func *new_func(struct arena *a, struct bytes name, const struct type *result,
                      uint16_t args_count, const struct type *const *args)
{
    struct func *f = arena_new(a, struct func);
    const struct type **types = arena_array(a, const struct type *, args_count + 1u);
    for (uint16_t i = 0; i < args_count; i++)
        types[i] = args[i];
    *f = (struct func){.name = arena_dup(a, name),
                       .args = types,
                       .args_count = args_count,
                       .result = result,
                       .is_pure = true};
    return f;
}

void candidates_add(struct candidates *l, const struct signature *s)
{
    if (l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 4 : 4;
        const struct signature **items = arena_array(l->arena, const struct signature *, cap);
        if (l->count)
            memcpy(items, l->items, l->count * sizeof *items);
        l->items = items;
        l->cap = cap;
    }
    l->items[l->count++] = s;
}

void candidates_add_copy(struct candidates *l, struct signature s)
{
    struct signature *copy = arena_new(l->arena, struct signature);
    *copy = s;
    candidates_add(l, copy);
}

static struct func *func_of(const struct candidates *l, const struct signature *s)
{
    const struct type *args[FUNC_ARGS_MAX] = {0};
    for (uint8_t i = 0; i < s->args_count; i++)
        args[i] = type_native((enum type_id)s->args[i]);
    struct func *f =
        new_func(l->arena, l->name, type_native((enum type_id)s->result), s->args_count, args);
    f->is_aggregate = s->add != NULL;
    f->is_pure = !s->impure;
    f->call = s->call;
    f->state_bytes = s->state_bytes;
    f->add = s->add;
    f->finish = s->finish;
    f->data = s->data;
    return f;
}

void candidates_of_table(struct candidates *l, const struct signature *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (candidates_named(l, table[i].name) ||
            (table[i].alias && candidates_named(l, table[i].alias)))
            candidates_add(l, &table[i]);
}

/* --- Texts -------------------------------------------------------------------------------------- */

static bool is_operator(struct bytes name, char *op)
{
    static const char ops[] = "+-*/%";
    for (const char *p = ops; *p; p++) {
        if (bytes_equal(func_operator_name(*p), name)) {
            *op = *p;
            return true;
        }
    }
    return false;
}

struct bytes func_operator_name(char op)
{
    switch (op) {
    case '+': return bytes_str("_add");
    case '-': return bytes_str("_substract"); /* sic: the name is Cassandra's */
    case '*': return bytes_str("_multiply");
    case '/': return bytes_str("_divide");
    case '%': return bytes_str("_modulo");
    default: return bytes_str("_negate");
    }
}

static void put_types(struct buf *b, const struct type *const *types, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        if (i)
            buf_put_str(b, ", ");
        type_print(types[i], b);
    }
}

/* system.abs : (int) -> int */
static struct bytes signature_text(struct bytes name, const struct signature *s, struct arena *a)
{
    struct buf b = buf_in(a);
    buf_put_str(&b, "system.");
    identifier_print(name, &b);
    buf_put_str(&b, " : (");
    for (uint8_t i = 0; i < s->args_count; i++) {
        if (i)
            buf_put_str(&b, ", ");
        type_print(type_native((enum type_id)s->args[i]), &b);
    }
    buf_put_str(&b, ") -> ");
    type_print(type_native((enum type_id)s->result), &b);
    return buf_bytes(&b);
}

static int compare_texts(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* The signatures in order of their texts (Cassandra's own order changes from start to start). */
static struct bytes signatures_text(const struct candidates *l)
{
    struct bytes *texts = arena_array(l->arena, struct bytes, l->count);
    for (size_t i = 0; i < l->count; i++)
        texts[i] = signature_text(l->name, l->items[i], l->arena);
    qsort(texts, l->count, sizeof *texts, compare_texts);
    struct buf b = buf_in(l->arena);
    for (size_t i = 0; i < l->count; i++) {
        if (i)
            buf_put_str(&b, ", ");
        buf_put_bytes(&b, texts[i]);
    }
    return buf_bytes(&b);
}

/* The name as it was called. */
static struct bytes called_name(const struct func_call *call, struct arena *a)
{
    char op;
    bool internal = bytes_starts_with(call->name, bytes_str("cast_as_")) ||
                    is_operator(call->name, &op) || bytes_equal_str(call->name, "_negate");
    if (bytes_is_null(call->keyspace) && !internal)
        return call->name;
    return arena_printf(a, "system.%.*s", BYTES_FMT(call->name));
}

struct bytes func_arg_name(const struct func *f, uint16_t index, struct arena *a)
{
    return arena_printf(a, "arg%u(system.%.*s)", index, BYTES_FMT(f->name));
}

err_t function_failed(const struct func *f, struct func_env *env, struct bytes reason)
{
    struct fail *fail = env->fail;
    char op;
    struct buf b = buf_in(env->arena);
    if (is_operator(f->name, &op)) {
        buf_put_str(&b, "the operation '");
        type_print(f->args[0], &b);
        buf_printf(&b, " %c ", op);
        type_print(f->args[1], &b);
    } else {
        buf_printf(&b, "execution of 'system.%.*s[", BYTES_FMT(f->name));
        put_types(&b, f->args, f->args_count);
        buf_u8(&b, ']');
    }
    buf_put_str(&b, "' failed: ");
    buf_put_bytes(&b, reason.p ? reason : bytes_str("error"));
    if (fail) {
        struct bytes *types = arena_array(fail->arena, struct bytes, f->args_count + 1u);
        for (uint16_t i = 0; i < f->args_count; i++)
            types[i] = type_name(f->args[i], fail->arena);
        fail->keyspace = bytes_str("system");
        fail->name = arena_dup(fail->arena, f->name);
        fail->args = types;
        fail->args_count = f->args_count;
    }
    return fail_set(fail, ERR_FUNCTION_FAILURE, "%.*s", BYTES_FMT(buf_bytes(&b)));
}

/* --- Matching ----------------------------------------------------------------------------------- */

/* Can a value of `from` go where `to` is wanted; frozen or not makes no difference to a value. */
static enum func_match match_types(const struct type *to, const struct type *from, struct arena *a)
{
    to = type_freeze(a, to);
    from = type_freeze(a, from);
    if (type_equal(to, from))
        return FUNC_MATCH_EXACT;
    return type_value_compatible(to, from) ? FUNC_MATCH_WEAK : FUNC_MATCH_NO;
}

static err_t match_arg(const struct func_call *call, uint16_t i, const struct type *type,
                       struct arena *a, enum func_match *out)
{
    if (call->test)
        return call->test(call->ctx, i, type, out);
    *out = call->args[i].type ? match_types(type, call->args[i].type, a) : FUNC_MATCH_WEAK;
    return OK;
}

static err_t match_args(const struct func_call *call, const struct signature *s, struct arena *a,
                        enum func_match *out)
{
    *out = s->args_count == call->args_count ? FUNC_MATCH_EXACT : FUNC_MATCH_NO;
    for (uint16_t i = 0; i < call->args_count && *out != FUNC_MATCH_NO; i++) {
        enum func_match one;
        TRY(match_arg(call, i, type_native((enum type_id)s->args[i]), a, &one));
        if (one < *out)
            *out = one;
    }
    return OK;
}

static bool receivable(const struct func_call *call, const struct signature *s, struct arena *a)
{
    const struct type *result = type_native((enum type_id)s->result);
    return call->receiver == NULL || match_types(call->receiver, result, a) != FUNC_MATCH_NO;
}

/* The only function of its name: says which argument is wrong. */
static err_t check_single(const struct func_call *call, const struct func *f, struct arena *a,
                          struct fail *fail)
{
    if (call->args_count != f->args_count)
        return fail_set(fail, ERR_INVALID,
                        "Invalid number of arguments in call to function system.%.*s: %u required "
                        "but %u provided",
                        BYTES_FMT(f->name), f->args_count, call->args_count);
    for (uint16_t i = 0; i < call->args_count; i++) {
        enum func_match one;
        TRY(match_arg(call, i, f->args[i], a, &one));
        if (one != FUNC_MATCH_NO)
            continue;
        struct bytes type = type_name(f->args[i], a);
        return fail_set(
            fail, ERR_INVALID,
            "Type error: %.*s cannot be passed as argument %u of function system.%.*s of type %.*s",
            BYTES_FMT(call->args[i].text), i, BYTES_FMT(f->name), BYTES_FMT(type));
    }
    return OK;
}

static err_t no_match(const struct func_call *call, const struct candidates *all, struct fail *fail)
{
    char op;
    if (is_operator(call->name, &op) && call->args_count == 2)
        return fail_set(fail, ERR_INVALID,
                        "the '%c' operation is not supported between %.*s and %.*s", op,
                        BYTES_FMT(call->args[0].text), BYTES_FMT(call->args[1].text));
    struct bytes name = called_name(call, all->arena), signatures = signatures_text(all);
    return fail_set(fail, ERR_INVALID,
                    "Invalid call to function %.*s, none of its type signatures match (known type "
                    "signatures: %.*s)",
                    BYTES_FMT(name), BYTES_FMT(signatures));
}

/* Of several that could be meant: for operators of literals, that of the receiver's type. */
static err_t ambiguous(const struct func_call *call, const struct candidates *some,
                       const struct func **out, struct fail *fail)
{
    char op;
    bool markers = false;
    for (uint16_t i = 0; i < call->args_count; i++)
        markers |= call->args[i].is_marker;
    if (is_operator(call->name, &op) && call->args_count == 2) {
        for (size_t i = 0; call->receiver && !markers && i < some->count; i++) {
            const struct signature *s = some->items[i];
            if (s->args[0] == call->receiver->id && s->args[1] == call->receiver->id) {
                *out = func_of(some, s);
                return OK;
            }
        }
        return fail_set(fail, ERR_INVALID,
                        "Ambiguous '%c' operation with args %.*s and %.*s: use type hint to "
                        "disambiguate, example '(int) ?'",
                        op, BYTES_FMT(call->args[0].text), BYTES_FMT(call->args[1].text));
    }
    if (bytes_equal_str(call->name, "_negate"))
        return fail_set(fail, ERR_INVALID, "Ambiguous negation: use type casts to disambiguate");
    struct bytes name = called_name(call, some->arena), signatures = signatures_text(some);
    return fail_set(fail, ERR_INVALID,
                    "Ambiguous call to function %.*s (can be matched by following signatures: "
                    "%.*s): use type casts to disambiguate",
                    BYTES_FMT(name), BYTES_FMT(signatures));
}

static err_t choose(const struct func_call *call, const struct candidates *all,
                    const struct func **out, struct fail *fail)
{
    struct candidates some = {.arena = all->arena, .name = all->name};
    for (size_t i = 0; i < all->count; i++) {
        enum func_match match;
        if (!receivable(call, all->items[i], all->arena))
            continue;
        TRY(match_args(call, all->items[i], all->arena, &match));
        if (match == FUNC_MATCH_EXACT) {
            *out = func_of(all, all->items[i]);
            return OK;
        }
        if (match == FUNC_MATCH_WEAK)
            candidates_add(&some, all->items[i]);
    }
    if (some.count == 0)
        return no_match(call, all, fail);
    if (some.count > 1)
        return ambiguous(call, &some, out, fail);
    *out = func_of(all, some.items[0]);
    return OK;
}

/* --- Finding ------------------------------------------------------------------------------------ */

static err_t call_token(const struct func *f, struct func_env *env, const struct bytes *args,
                        struct bytes *out)
{
    *out = BYTES_NULL;
    for (uint16_t i = 0; i < f->args_count; i++)
        if (bytes_is_null(args[i]))
            return OK;
    *out = value_of_i64(env->arena, env->token(args, f->args_count));
    return OK;
}

static err_t find_token(const struct func_call *call, struct arena *a, const struct func **out,
                        struct fail *fail)
{
    if (call->pk_types == NULL)
        return fail_set(fail, ERR_INVALID, "The token function needs a table");
    struct func *f =
        new_func(a, call->name, type_native(TYPE_BIGINT), call->pk_count, call->pk_types);
    f->call = call_token;
    TRY(check_single(call, f, a, fail));
    *out = f;
    return OK;
}

err_t check_family_count(const struct func_call *call, uint16_t count, const char *params,
                         struct fail *fail)
{
    if (call->args_count == count)
        return OK;
    return fail_set(fail, ERR_INVALID, "Invalid number of arguments for function system.%.*s(%s)",
                    BYTES_FMT(call->name), params);
}

err_t infer_arg(const struct func_call *call, uint16_t i, const char *params,
                const struct type **out, struct fail *fail)
{
    *out = call->args[i].type;
    if (*out)
        return OK;
    return fail_set(fail, ERR_INVALID,
                    "Cannot infer type of argument %.*s in call to function system.%.*s(%s): use "
                    "type casts to disambiguate",
                    BYTES_FMT(call->args[i].text), BYTES_FMT(call->name), params);
}

static err_t refuse_unbuilt(struct bytes name, struct fail *fail)
{
    static const char *const names[] = {"to_json",      "tojson",      "from_json", "fromjson",
                                        "mask_default", "mask_null",   "mask_hash", "mask_inner",
                                        "mask_outer",   "mask_replace"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (bytes_equal_str(name, names[i]))
            return fail_set(fail, ERR_INVALID, "The function %s is not implemented yet", names[i]);
    return OK;
}

err_t func_find(const struct func_call *call, struct arena *a, const struct func **out,
                struct fail *fail)
{
    *out = NULL;
    if (!bytes_is_null(call->keyspace) && !bytes_equal_str(call->keyspace, "system"))
        return OK;
    TRY(refuse_unbuilt(call->name, fail));
    if (bytes_equal_str(call->name, "token"))
        return find_token(call, a, out, fail);
    TRY(find_min_max(call, a, out, fail));
    if (*out == NULL)
        TRY(find_collection_function(call, a, out, fail));
    if (*out == NULL)
        TRY(find_vector_function(call, a, out, fail));
    if (*out)
        return OK;
    struct candidates l = {.arena = a, .name = arena_dup(a, call->name)};
    candidates_of_time(&l);
    candidates_of_ids(&l);
    candidates_of_blobs(&l);
    candidates_of_math(&l);
    candidates_of_operators(&l);
    candidates_of_casts(&l);
    candidates_of_aggregates(&l);
    if (l.count == 0)
        return OK;
    if (l.count > 1)
        return choose(call, &l, out, fail);
    const struct func *only = func_of(&l, l.items[0]);
    TRY(check_single(call, only, a, fail));
    *out = only;
    return OK;
}

err_t func_resolve(struct bytes keyspace, struct bytes name, const struct type *const *arg_types,
                   uint16_t args_count, const struct type *receiver,
                   const struct type *const *pk_types, uint16_t pk_count, struct arena *a,
                   const struct func **out, struct fail *fail)
{
    struct func_arg *args = arena_array(a, struct func_arg, args_count + 1u);
    for (uint16_t i = 0; i < args_count; i++) {
        args[i].type = arg_types[i];
        args[i].text = arg_types[i] ? type_name(arg_types[i], a) : bytes_str("?");
    }
    struct func_call call = {
        .keyspace = keyspace,
        .name = name,
        .args = args,
        .args_count = args_count,
        .receiver = receiver,
        .pk_types = pk_types,
        .pk_count = pk_count,
    };
    return func_find(&call, a, out, fail);
}

static err_t call_same(const struct func *f, struct func_env *env, const struct bytes *args,
                       struct bytes *out)
{
    (void)f, (void)env;
    *out = args[0];
    return OK;
}

err_t func_resolve_cast(const struct type *from, const struct type *to, struct arena *a,
                        const struct func **out, struct fail *fail)
{
    struct bytes to_name = type_name(to, a), from_name = type_name(from, a);
    struct bytes name = arena_printf(a, "cast_as_%.*s", BYTES_FMT(to_name));
    if (type_equal(from, to)) {
        struct func *f = new_func(a, name, to, 1, &from);
        f->call = call_same;
        *out = f;
        return OK;
    }
    TRY(func_resolve(BYTES_NULL, name, &from, 1, NULL, NULL, 0, a, out, fail));
    if (*out == NULL)
        return fail_set(fail, ERR_INVALID, "%.*s cannot be cast to %.*s", BYTES_FMT(from_name),
                        BYTES_FMT(to_name));
    return OK;
}

err_t func_resolve_operator(char op, const struct type *left, const struct type *right,
                            const struct type *receiver, struct arena *a, const struct func **out,
                            struct fail *fail)
{
    const struct type *types[] = {left, right};
    return func_resolve(BYTES_NULL, func_operator_name(op), types, op == 'n' ? 1 : 2, receiver,
                        NULL, 0, a, out, fail);
}
