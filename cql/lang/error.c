/* Syntax errors in Cassandra's words.
 *
 * Where: the first token that no statement can have after the ones before it; the end of the text
 * is "0:-1". ANTLR reports some errors earlier, where its parser tries an alternative, rejects it
 * as a whole and stumbles at its beginning; see reported().
 *
 * What: "mismatched input 'x' expecting y" where the grammar leaves one choice, else "no viable
 * alternative". Cassandra's choice between the two depends on how its parser generator predicts and
 * may differ.
 *
 * The snippet in parentheses starts ten of ANTLR's tokens before the offending one. */
#include "cql/lang/grammar.h"
#include "cql/lang/parse_priv.h"

void parse_error(struct parse *p, const char *fmt, ...)
{
    if (p->err != OK) {
        return;
    }
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ensure(n >= 0);
    char *text = arena_alloc(p->arena, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, args);
    va_end(args);
    p->err = fail_set(p->fail, ERR_SYNTAX, "%s", text);
}

void parse_error_failed(struct parse *p, const char *class_name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char detail[256];
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    parse_error(p, "Failed parsing statement: [%.*s] reason: %s %s", BYTES_FMT(p->text), class_name,
                detail);
}

struct ast_position ast_position(const struct ast_statement *s, const uint8_t *at)
{
    struct ast_position pos = {1, 0};
    for (const uint8_t *c = s->text.p; c < at; c++) {
        if (*c == '\n') {
            pos.line++;
            pos.column = 0;
        } else if ((*c & 0xc0) !=
                   0x80) { /* not a continuation byte; beyond the BMP is two UTF-16 units */
            pos.column += *c >= 0xf0 ? 2 : 1;
        }
    }
    return pos;
}

static struct ast_position position_of(const struct parse *p, const uint8_t *at)
{
    struct ast_statement s = {.text = p->text};
    return ast_position(&s, at);
}

void parse_error_depth(struct parse *p)
{
    if (p->err != OK) {
        return; /* before the position, which takes time */
    }
    struct ast_position at = position_of(p, p->token.p);
    parse_error(p, "line %u:%u nested too deeply: more than %d levels", at.line, at.column,
                CQL_DEPTH_MAX);
}

/* --- Lexer errors ----------------------------------------------------------------------------- */

static size_t character_bytes(const uint8_t *p, const uint8_t *limit)
{
    size_t n = *p < 0xc0 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    size_t left = (size_t)(limit - p);
    return n < left ? n : left;
}

void parse_error_lexer(struct parse *p, const struct lexer *l)
{
    struct ast_position at = position_of(p, l->error_at);
    struct bytes c = bytes_str("<EOF>");
    if (l->error_at < l->limit) {
        c = bytes_of(l->error_at, character_bytes(l->error_at, l->limit));
        if (c.p[0] == '\n' || c.p[0] == '\r' || c.p[0] == '\t') { /* ANTLR shows these escaped */
            c = bytes_str(c.p[0] == '\n' ? "\\n" : c.p[0] == '\r' ? "\\r" : "\\t");
        }
    }
    if (l->error_expecting) {
        parse_error(p, "line %u:%u mismatched character '%.*s' expecting %s", at.line, at.column,
                    BYTES_FMT(c), l->error_expecting);
    } else {
        parse_error(p, "line %u:%u no viable alternative at character '%.*s'", at.line, at.column,
                    BYTES_FMT(c));
    }
}

/* --- Parser errors ---------------------------------------------------------------------------- */

#define SNIPPET_TOKENS 10

/* Where the snippet starts: the blanks between tokens count as tokens. */
static const uint8_t *snippet_start(const struct parse *p, const uint8_t *offending)
{
    const uint8_t *ring[SNIPPET_TOKENS];
    size_t count = 0;
    struct lexer l = {.at = p->text.p, .limit = p->text.p + p->text.n};
    const uint8_t *end = l.at;
    struct bytes token;
    while (lexer_next(&l, &token) > 0 && token.p <= offending) {
        if (token.p > end) {
            ring[count++ % SNIPPET_TOKENS] = end;
        }
        if (token.p == offending) {
            break;
        }
        ring[count++ % SNIPPET_TOKENS] = token.p;
        end = l.at;
    }
    return count < SNIPPET_TOKENS ? p->text.p : ring[count % SNIPPET_TOKENS];
}

static void put_snippet(struct buf *out, const struct parse *p, struct bytes offending)
{
    const uint8_t *start = snippet_start(p, offending.p), *end = p->text.p + p->text.n;
    buf_put_str(out, start == p->text.p ? " (" : " (...");
    buf_put(out, start, (size_t)(offending.p - start));
    buf_u8(out, '[');
    buf_put_bytes(out, offending);
    buf_put_str(out, offending.p + offending.n == end ? "])" : "]...)");
}

/* The one token that must stand here, or 0 when the statement may end here, or -1 when there are
 * more. */
static int expected_token(void *parser)
{
    if (grammar_accepts(parser, 0)) {
        return 0;
    }
    int found = -1;
    for (int token = 1; token < grammar_tokens_count(); token++) {
        if (token != CQL_TOKEN_SEMICOLON && grammar_accepts(parser, token)) {
            if (found > 0) {
                return -1;
            }
            found = token;
        }
    }
    return found;
}

static void put_token_name(struct buf *out, int token)
{
    const char *name = grammar_token_name(token);
    if (name) {
        buf_put_str(out, name);
        return;
    }
    static const struct {
        int token;
        const char *name;
    } keywords[] = {
#define X(spelling, token, class) {CQL_TOKEN_##token, "K_" #spelling},
#include "cql/lang/keywords.def"
#undef X
    };
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (keywords[i].token == token) {
            buf_put_str(out, keywords[i].name);
            return;
        }
    }
    buf_put_str(out, "IDENT");
}

static int lex_at(const struct parse *p, const uint8_t *at, struct bytes *text)
{
    struct lexer l = {.at = at, .limit = p->text.p + p->text.n};
    return lexer_next(&l, text);
}

/* The first subscript or field of a selector: the token after what they apply to. */
static int subscripts(const struct parse *p, const struct ast_term *t, struct bytes *text)
{
    while (t->kind == AST_TERM_FIELD || t->kind == AST_TERM_ELEMENT || t->kind == AST_TERM_SLICE) {
        t = t->access.of;
    }
    return lex_at(p, t->source.p + t->source.n, text);
}

/* The token that Cassandra reports instead of the given one, in both arguments; or false when it is
 * that one.
 * - `SELECT JSON a b`: selectors after JSON or DISTINCT are read on trial. Unless a prefix of them
 * stands, the keyword is taken for a column and the token after it is wrong. A name stands only if
 * what follows it may.
 * - `SELECT a[1 x]`, `SELECT a[1] x`: a selector is read with its subscripts on trial, and without
 * if that fails. */
static bool reported(const struct parse *p, void *parser, int *token, struct bytes *text)
{
    if (p->subscripted && *token != 0) {
        *token = subscripts(p, p->subscripted, text);
        return true;
    }
    bool stands = grammar_accepts(parser, CQL_TOKEN_FROM);
    if (p->trial && p->trial < text->p) {
        struct bytes first;
        int start = lex_at(p, p->trial, &first);
        bool name_last = false; /* a column just before, not an alias */
        struct lexer l = {.at = p->trial, .limit = p->text.p + p->text.n};
        struct bytes t;
        for (int before = 0, one = lexer_next(&l, &t); one > 0 && t.p < text->p;
             one = lexer_next(&l, &t)) {
            name_last = parse_is_ident(one) && before != CQL_TOKEN_AS;
            before = one;
        }
        bool fails = stands ? name_last && *token != 0 : first.p < p->end;
        if (fails && (parse_is_ident(start) || start == CQL_TOKEN_LPAREN ||
                      (start == CQL_TOKEN_LBRACKET && !stands))) {
            *token = start;
            *text = first;
            return true;
        }
    }
    const struct ast_term *last = p->postfix;
    if (last && *token != 0 && last->source.p + last->source.n == p->end) {
        *token = subscripts(p, last, text);
        return true;
    }
    return false;
}

void parse_error_token(struct parse *p, int token, void *parser)
{
    if (p->err != OK) {
        return;
    }
    struct bytes text = p->token;
    int expected = expected_token(parser);
    if (reported(p, parser, &token, &text) && p->subscripted) {
        expected = -1;
    }
    struct buf out = buf_in(p->arena);
    if (token == 0) {
        buf_put_str(&out, "line 0:-1 ");
    } else {
        struct ast_position at = position_of(p, text.p);
        buf_printf(&out, "line %u:%u ", at.line, at.column);
    }
    buf_put_str(&out, expected < 0 ? "no viable alternative at input '" : "mismatched input '");
    if (token == CQL_TOKEN_STRING || token == CQL_TOKEN_QUOTED_NAME) {
        buf_put_bytes(&out, build_string(p, text));
    } else {
        buf_put_bytes(&out, token == 0 ? bytes_str("<EOF>") : text);
    }
    buf_u8(&out, '\'');
    if (expected >= 0) {
        buf_put_str(&out, " expecting ");
        put_token_name(&out, expected);
    }
    if (token != 0) {
        put_snippet(&out, p, text);
    }
    p->err = ERR_SYNTAX;
    if (p->fail) {
        p->fail->err = ERR_SYNTAX;
        p->fail->message = buf_bytes(&out);
    }
}
