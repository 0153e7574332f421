/* Terms as messages and result columns show them: near to what was written, but normalised as Cassandra does (bind markers are
 * always ?, strings are quoted without escapes, operators appear as the functions behind them). */
#include "cql/plan/term_priv.h"
#include "cql/plan/type_resolve.h"

#include "cql/lang/parse.h"

static void print(const struct ast_term *t, bool sel, struct buf *out);

static void print_list(const struct ast_terms *l, const char *open, const char *close, bool sel,
                       struct buf *out)
{
    buf_put_str(out, open);
    for (size_t i = 0; i < l->items_count; i++) {
        if (i)
            buf_put_str(out, ", ");
        print(l->items[i], sel, out);
    }
    buf_put_str(out, close);
}

static const char *operator_name(char op)
{
    switch (op) {
    case '+': return "_add";
    case '-': return "_substract";
    case '*': return "_multiply";
    case '/': return "_divide";
    default: return "_modulo";
    }
}

static void print_operation(const char *name, struct ast_term *const *args, size_t count,
                            struct buf *out)
{
    buf_printf(out, "system.\"%s\"(", name);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_put_str(out, ", ");
        term_print(args[i], out);
    }
    buf_u8(out, ')');
}

static void print_cast(const struct ast_term *t, bool sel, struct buf *out)
{
    if (sel) {
        buf_put_str(out, "cast(");
        print(t->convert.operand, sel, out);
        buf_put_str(out, " as ");
        plan_print_raw_type(t->convert.type, BYTES_NULL, out);
        buf_u8(out, ')');
        return;
    }
    buf_put_str(out, "system.cast_as_");
    plan_print_raw_type(t->convert.type, BYTES_NULL, out);
    buf_u8(out, '(');
    term_print(t->convert.operand, out);
    buf_u8(out, ')');
}

static void print_call(const struct ast_term *t, bool sel, struct buf *out)
{
    const struct ast_qualified_name *f = &t->call.function;
    if (ast_name_present(f->keyspace)) {
        cql_quote_identifier(out, f->keyspace.text);
        buf_u8(out, '.');
    } else if (sel) {
        buf_put_str(out, "system.");
    }
    if (sel || bytes_equal_str(f->name.text, "token"))
        buf_put_bytes(out, f->name.text);
    else
        cql_quote_identifier(out, f->name.text);
    print_list(&t->call.args, "(", ")", sel, out);
}

static void print_access(const struct ast_term *t, struct buf *out)
{
    print(t->access.of, true, out);
    if (t->kind == AST_TERM_FIELD) {
        buf_u8(out, '.');
        buf_put_bytes(out, t->access.field.text);
        return;
    }
    buf_u8(out, '[');
    if (t->access.from)
        term_print(t->access.from, out);
    if (t->kind == AST_TERM_SLICE)
        buf_put_str(out, "..");
    if (t->access.to)
        term_print(t->access.to, out);
    buf_u8(out, ']');
}

static void print_named(const char *name, const struct ast_term *operand, struct buf *out)
{
    buf_put_str(out, name);
    buf_u8(out, '(');
    print(operand, true, out);
    buf_u8(out, ')');
}

static void print_entries(const struct ast_term *t, bool sel, struct buf *out)
{
    buf_u8(out, '{');
    if (t->kind == AST_TERM_MAP)
        for (size_t i = 0; i < t->entries.items_count; i++) {
            if (i)
                buf_put_str(out, ", ");
            print(t->entries.items[i].key, sel, out);
            buf_put_str(out, ": ");
            print(t->entries.items[i].value, sel, out);
        }
    else
        for (size_t i = 0; i < t->fields.items_count; i++) {
            if (i)
                buf_put_str(out, ", ");
            buf_put_bytes(out, t->fields.items[i].name.text);
            buf_put_str(out, ": ");
            print(t->fields.items[i].value, sel, out);
        }
    buf_u8(out, '}');
}

static void print(const struct ast_term *t, bool sel, struct buf *out)
{
    struct ast_term *args[2];
    switch (t->kind) {
    case AST_TERM_LITERAL:
        if (t->literal.kind == AST_LITERAL_NULL)
            buf_put_str(out, "NULL");
        else if (t->literal.kind == AST_LITERAL_STRING)
            buf_printf(out, "'%.*s'", BYTES_FMT(t->literal.text));
        else
            buf_put_bytes(out, t->literal.text);
        return;
    case AST_TERM_MARKER: buf_u8(out, '?'); return;
    case AST_TERM_LIST: print_list(&t->elements, "[", "]", sel, out); return;
    case AST_TERM_SET: print_list(&t->elements, "{", "}", sel, out); return;
    case AST_TERM_TUPLE: print_list(&t->elements, "(", ")", sel, out); return;
    case AST_TERM_MAP:
    case AST_TERM_UDT: print_entries(t, sel, out); return;
    case AST_TERM_HINT:
        buf_u8(out, '(');
        plan_print_raw_type(t->convert.type, BYTES_NULL, out);
        buf_u8(out, ')');
        print(t->convert.operand, sel, out);
        return;
    case AST_TERM_CAST: print_cast(t, sel, out); return;
    case AST_TERM_CALL: print_call(t, sel, out); return;
    case AST_TERM_BINARY:
        if (sel) {
            print(t->binary.left, sel, out);
            buf_printf(out, " %c ", t->binary.op);
            print(t->binary.right, sel, out);
            return;
        }
        args[0] = t->binary.left;
        args[1] = t->binary.right;
        print_operation(operator_name(t->binary.op), args, 2, out);
        return;
    case AST_TERM_NEGATE:
        if (sel) {
            buf_u8(out, '-');
            print(t->operand, sel, out);
            return;
        }
        print_operation("_negate", &t->operand, 1, out);
        return;
    case AST_TERM_COLUMN: buf_put_bytes(out, t->column.text); return;
    case AST_TERM_FIELD:
    case AST_TERM_ELEMENT:
    case AST_TERM_SLICE: print_access(t, out); return;
    case AST_TERM_COUNT_ROWS: buf_put_str(out, "count"); return;
    case AST_TERM_WRITETIME: print_named("writetime", t->operand, out); return;
    case AST_TERM_MAXWRITETIME: print_named("maxwritetime", t->operand, out); return;
    case AST_TERM_TTL: print_named("ttl", t->operand, out); return;
    }
}

void term_print(const struct ast_term *t, struct buf *out)
{
    print(t, false, out);
}

void selector_print(const struct ast_term *t, struct buf *out)
{
    print(t, true, out);
}

struct bytes compile_text(const struct compile *c, const struct ast_term *t)
{
    struct buf out = buf_in(c->arena);
    print(t, c->selecting, &out);
    return buf_bytes(&out);
}

struct bytes term_text(const struct ast_term *t, struct arena *a)
{
    struct buf out = buf_in(a);
    term_print(t, &out);
    return buf_bytes(&out);
}
