/* Calls of functions, operators and casts in terms: which function is meant, and what it receives.
 *
 * Overloads are chosen by func_find(), which asks each argument whether it could be passed as a type: term_test(). */
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

#define ARG_TEXT_MAX 256

/* What func_find() asks the arguments of. */
struct arg_test {
    struct compile *c;
    struct ast_term *const *args;
};

static err_t test_arg(void *ctx, uint16_t i, const struct type *type, enum func_match *out)
{
    struct arg_test *test = ctx;
    struct compile *c = test->c;
    struct receiver r = {
        .keyspace = c->table ? c->table->keyspace : c->keyspace,
        .table = c->table ? c->table->name : bytes_str(""),
        .name = bytes_str("arg"),
        .type = type,
    };
    enum assignment assignment;
    TRY(term_test(c, test->args[i], &r, &assignment));
    *out = assignment == ASSIGN_EXACT  ? FUNC_MATCH_EXACT
           : assignment == ASSIGN_WEAK ? FUNC_MATCH_WEAK
                                       : FUNC_MATCH_NO;
    return OK;
}

static err_t describe_args(struct compile *c, struct ast_term *const *args, size_t count,
                           struct func_arg **out)
{
    *out = arena_array(c->arena, struct func_arg, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct func_arg *arg = &(*out)[i];
        const struct ast_term *t = args[i];
        /* Long ones as they were written: nested calls would print them again and again. */
        arg->text = t->source.n > ARG_TEXT_MAX ? t->source : compile_text(c, t);
        while (t->kind == AST_TERM_TUPLE && t->elements.items_count == 1) /* just a parenthesis */
            t = t->elements.items[0];
        TRY(term_compatible_type(c, t, &arg->type));
        arg->is_marker = t->kind == AST_TERM_MARKER;
        if (t->kind == AST_TERM_LIST)
            arg->elements = (uint32_t)t->elements.items_count;
    }
    return OK;
}

/* The name t calls: a function's, an operator's or a cast's. */
static void called_function(struct compile *c, const struct ast_term *t, struct func_call *call)
{
    switch (t->kind) {
    case AST_TERM_CALL:
        call->keyspace = t->call.function.keyspace.text;
        call->name = t->call.function.name.text;
        break;
    case AST_TERM_BINARY: call->name = func_operator_name(t->binary.op); break;
    case AST_TERM_NEGATE: call->name = func_operator_name('n'); break;
    default:
        call->keyspace = bytes_str("system");
        call->name = arena_printf(c->arena, "cast_as_%.*s", BYTES_FMT(t->convert.type->name));
    }
}

static err_t resolve(struct compile *c, const struct ast_term *t, const struct type *receiver,
                     const struct func **out)
{
    size_t count;
    struct arg_test test = {.c = c, .args = call_args(t, &count)};
    struct func_call call = {.test = test_arg, .ctx = &test, .receiver = receiver};
    struct func_arg *args;
    called_function(c, t, &call);
    if (count > UINT16_MAX)
        return fail_set(c->fail, ERR_INVALID, "Too many arguments in call to function %.*s",
                        BYTES_FMT(call.name));
    TRY(describe_args(c, test.args, count, &args));
    call.args = args;
    call.args_count = (uint16_t)count;
    if (c->table && c->table->pk_count) {
        const struct type **pk = arena_array(c->arena, const struct type *, c->table->pk_count);
        for (uint16_t i = 0; i < c->table->pk_count; i++)
            pk[i] = table_pk(c->table, i)->type;
        call.pk_types = pk;
        call.pk_count = c->table->pk_count;
    }
    TRY(func_find(&call, c->arena, out, c->fail));
    if (*out == NULL && t->kind == AST_TERM_CAST)
        return fail_set(c->fail, ERR_INVALID, "%.*s cannot be cast to %.*s",
                        BYTES_FMT(args[0].text), BYTES_FMT(t->convert.type->name));
    return OK;
}

err_t call_resolve(struct compile *c, const struct ast_term *t, const struct type *receiver,
                   const struct func **out)
{
    struct call_key key = {t, receiver};
    struct call_memo *memo = map_get(&c->calls, bytes_of(&key, sizeof key));
    if (memo == NULL) {
        struct fail *fail = c->fail;
        memo = arena_new(c->arena, struct call_memo);
        memo->key = key;
        memo->fail.arena = c->arena;
        c->fail = &memo->fail;
        memo->err = resolve(c, t, receiver, &memo->func);
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
