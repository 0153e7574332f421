/* Calls of functions, operators and casts in terms: which function is meant, and what it receives.
 *
 * func_resolve() knows argument types only, where Cassandra asks each argument whether it could be assigned. The difference is
 * literals: 1 prefers int but may become a bigint. So a call is tried first with the types that its literals prefer (an exact
 * match wins), then with the literals open, and then every argument is tested against what was found. */
#include "cql/plan/term_priv.h"

#include "cql/data/mutation.h"

struct call_key {
    const struct ast_term *term;
    const struct type *receiver;
};

struct call_memo {
    struct call_key key;
    const struct func *func;
    err_t err;
    struct fail fail;
};

struct ast_term *const *call_args(const struct ast_term *t, size_t *count)
{
    switch (t->kind) {
    case AST_TERM_CALL: *count = t->call.args.items_count; return t->call.args.items;
    case AST_TERM_BINARY: *count = 2; return &t->binary.left; /* right follows left */
    case AST_TERM_NEGATE: *count = 1; return &t->operand;
    default: *count = 1; return &t->convert.operand;
    }
}
_Static_assert(offsetof(struct ast_term, binary.right) ==
                   offsetof(struct ast_term, binary.left) + sizeof(struct ast_term *),
               "call_args() takes the operands as an array");

struct bytes call_name(const struct ast_term *t, struct arena *a)
{
    const struct ast_qualified_name *f = &t->call.function;
    if (!ast_name_present(f->keyspace))
        return f->name.text;
    return arena_printf(a, "%.*s.%.*s", BYTES_FMT(f->keyspace.text), BYTES_FMT(f->name.text));
}

struct bytes func_full_name(const struct func *f, struct arena *a)
{
    if (bytes_starts_with(f->name, bytes_str("system.")))
        return f->name;
    return arena_printf(a, "system.%.*s", BYTES_FMT(f->name));
}

struct receiver call_arg_receiver(struct compile *c, const struct func *f, uint16_t i)
{
    return (struct receiver){
        .keyspace = c->table ? c->table->keyspace : c->keyspace,
        .table = c->table ? c->table->name : bytes_str(""),
        .name = func_arg_name(f, i, c->arena),
        .type = f->args[i],
    };
}

enum assignment type_test(struct arena *a, const struct type *to, const struct type *from)
{
    if (to->frozen)
        from = type_freeze(a, from);
    if (type_equal(to, from))
        return ASSIGN_EXACT;
    return type_value_compatible(to, from) ? ASSIGN_WEAK : ASSIGN_NO;
}

static bool is_literal(const struct ast_term *t)
{
    return t->kind == AST_TERM_LITERAL && t->literal.kind != AST_LITERAL_NULL;
}

/* Types of the arguments: open ones NULL; with preferred, literals have the type they prefer. */
static err_t arg_types(struct compile *c, struct ast_term *const *args, size_t count, bool preferred,
                       const struct type ***out)
{
    const struct type **types = arena_array(c->arena, const struct type *, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct ast_term *arg = args[i];
        while (arg->kind == AST_TERM_TUPLE && arg->elements.items_count == 1) /* just a parenthesis */
            arg = arg->elements.items[0];
        if (preferred && is_literal(arg))
            types[i] = literal_type(&arg->literal, c->arena);
        else
            TRY(term_guess_type(c, arg, &types[i]));
    }
    *out = types;
    return OK;
}

static err_t resolve_by_types(struct compile *c, const struct ast_term *t, const struct type *const *types, size_t count,
                              const struct type *receiver, const struct func **out, struct fail *fail)
{
    const struct type **pk = NULL;
    uint16_t pk_count = c->table ? c->table->pk_count : 0;
    if (pk_count) {
        pk = arena_array(c->arena, const struct type *, pk_count);
        for (uint16_t i = 0; i < pk_count; i++)
            pk[i] = table_pk(c->table, i)->type;
    }
    const struct ast_qualified_name *f = &t->call.function;
    return func_resolve(f->keyspace.text, f->name.text, types, (uint16_t)count, receiver, pk, pk_count, c->arena, out,
                        fail);
}

/* Tests every argument against f. *bad is the first that does not fit, count when all do. */
static err_t test_args(struct compile *c, const struct func *f, struct ast_term *const *args, size_t count, size_t *bad)
{
    for (*bad = 0; *bad < count; ++*bad) {
        struct receiver r = call_arg_receiver(c, f, (uint16_t)*bad);
        enum assignment test;
        TRY(term_test(c, args[*bad], &r, &test));
        if (test == ASSIGN_NO)
            return OK;
    }
    return OK;
}

static bool exact(const struct func *f, const struct type *const *types, size_t count)
{
    if (f->args_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (types[i] && !type_equal_ignoring_frozen(f->args[i], types[i]))
            return false;
    return true;
}

static err_t resolve_call(struct compile *c, const struct ast_term *t, const struct type *receiver,
                          const struct func **out)
{
    size_t count, bad;
    struct ast_term *const *args = call_args(t, &count);
    if (count > UINT16_MAX)
        return fail_set(c->fail, ERR_INVALID, "Too many arguments in call to function %.*s",
                        BYTES_FMT(call_name(t, c->arena)));
    const struct type **preferred, **open;
    TRY(arg_types(c, args, count, true, &preferred));
    TRY(arg_types(c, args, count, false, &open));
    struct fail first = {.arena = c->arena};
    err_t err = resolve_by_types(c, t, preferred, count, receiver, out, &first);
    if (err == OK && (*out == NULL || exact(*out, preferred, count)))
        return OK;
    bool undecided = bytes_starts_with(first.message, bytes_str("Invalid call"));
    struct fail second = {.arena = c->arena};
    const struct func *weak = *out;
    bool has_weak = err == OK;
    err = resolve_by_types(c, t, open, count, receiver, out, &second);
    if (err != OK && !has_weak) {
        if (c->fail)
            *c->fail = undecided ? first : second;
        return err;
    }
    if (err != OK)
        *out = weak;
    if (*out == NULL)
        return OK;
    if ((*out)->args_count != count)
        return fail_set(c->fail, ERR_INVALID,
                        "Invalid number of arguments in call to function %.*s: %u required but %zu provided",
                        BYTES_FMT(func_full_name(*out, c->arena)), (*out)->args_count, count);
    TRY(test_args(c, *out, args, count, &bad));
    if (bad == count)
        return OK;
    if (undecided) {
        if (c->fail)
            *c->fail = first;
        return ERR_INVALID;
    }
    return fail_set(c->fail, ERR_INVALID, "Type error: %.*s cannot be passed as argument %zu of function %.*s of type %.*s",
                    BYTES_FMT(compile_text(c, args[bad])), bad, BYTES_FMT(func_full_name(*out, c->arena)),
                    BYTES_FMT(type_name((*out)->args[bad], c->arena)));
}

/* Literals take the receiver's type where they can. */
static const struct type *operand_type(struct compile *c, const struct ast_term *t, const struct type *type,
                                       const struct type *receiver)
{
    if (receiver && is_literal(t) && literal_test(&t->literal, receiver, c->arena) != ASSIGN_NO)
        return receiver;
    return type;
}

static err_t resolve_operator(struct compile *c, const struct ast_term *t, const struct type *receiver,
                              const struct func **out)
{
    size_t count;
    struct ast_term *const *args = call_args(t, &count);
    char op = t->kind == AST_TERM_NEGATE ? 'n' : t->binary.op;
    const struct type **types;
    TRY(arg_types(c, args, count, true, &types));
    struct fail ignored = {.arena = c->arena};
    err_t err = func_resolve_operator(op, types[0], count > 1 ? types[1] : NULL, NULL, c->arena, out, &ignored);
    if (err == OK && *out && (!receiver || type_test(c->arena, receiver, (*out)->result) != ASSIGN_NO))
        return OK;
    struct fail fail = {.arena = c->arena};
    const struct type *left = operand_type(c, args[0], types[0], receiver);
    const struct type *right = count > 1 ? operand_type(c, args[1], types[1], receiver) : NULL;
    const struct func *found = *out;
    bool had = err == OK && found;
    err = func_resolve_operator(op, left, right, receiver, c->arena, out, &fail);
    if (err == OK && *out)
        return OK;
    bool known = types[0] && (count == 1 || types[1]);
    if (had && receiver == NULL)
        *out = found;
    if (count == 1) {
        if (known && had) { /* the negation exists; its result just does not fit: the caller says so */
            *out = found;
            return OK;
        }
        return known && fail.message.p
                   ? fail_set(c->fail, ERR_INVALID, "%.*s", BYTES_FMT(fail.message))
                   : fail_set(c->fail, ERR_INVALID, "Ambiguous negation: use type casts to disambiguate");
    }
    if (known)
        return fail_set(c->fail, ERR_INVALID, "the '%c' operation is not supported between %.*s and %.*s", op,
                        BYTES_FMT(compile_text(c, args[0])), BYTES_FMT(compile_text(c, args[1])));
    return fail_set(c->fail, ERR_INVALID,
                    "Ambiguous '%c' operation with args %.*s and %.*s: use type hint to disambiguate, example '(int) ?'",
                    op, BYTES_FMT(compile_text(c, args[0])), BYTES_FMT(compile_text(c, args[1])));
}

static err_t resolve_cast(struct compile *c, const struct ast_term *t, const struct func **out)
{
    const struct type **from;
    struct ast_type *to = t->convert.type;
    TRY(arg_types(c, &t->convert.operand, 1, true, &from));
    const struct type *target = type_native_by_name(to->name);
    if (target == NULL || from[0] == NULL)
        return fail_set(c->fail, ERR_INVALID, "Ambiguous call to function system.cast_as_%.*s: use type casts to disambiguate",
                        BYTES_FMT(to->name));
    return func_resolve_cast(from[0], target, c->arena, out, c->fail);
}

err_t call_resolve(struct compile *c, const struct ast_term *t, const struct type *receiver, const struct func **out)
{
    struct call_key key = {t, receiver};
    struct call_memo *memo = map_get(&c->calls, bytes_of(&key, sizeof key));
    if (memo == NULL) {
        struct fail *fail = c->fail;
        memo = arena_new(c->arena, struct call_memo);
        memo->key = key;
        memo->fail.arena = c->arena;
        c->fail = &memo->fail;
        if (t->kind == AST_TERM_CALL)
            memo->err = resolve_call(c, t, receiver, &memo->func);
        else if (t->kind == AST_TERM_CAST)
            memo->err = resolve_cast(c, t, &memo->func);
        else
            memo->err = resolve_operator(c, t, receiver, &memo->func);
        c->fail = fail;
        map_put(&c->calls, bytes_of(&memo->key, sizeof memo->key), memo);
    }
    *out = memo->func;
    if (memo->err == OK)
        return OK;
    return fail_set(c->fail, memo->err, "%.*s", BYTES_FMT(memo->fail.message));
}

static int64_t token_of_components(const struct bytes *components, uint16_t count)
{
    if (count == 1)
        return token_of_key(components[0]).value;
    struct buf key = {0};
    pk_encode(&key, components, count);
    int64_t token = token_of_key(buf_bytes(&key)).value;
    buf_free(&key);
    return token;
}

struct func_env func_env_of(struct exec_env *env, struct arena *results, int64_t *ticks)
{
    return (struct func_env){
        .now = env->now.wall,
        .timeuuid_last_ticks = env->timeuuid ? &env->timeuuid->last_ticks : ticks,
        .clock_seq_node = env->timeuuid ? env->timeuuid->clock_seq_node : 0,
        .random = env->random,
        .arena = results,
        .fail = env->fail,
        .token = token_of_components,
    };
}
