/* The parser's driver: feeds the lexer's tokens to the grammar, and looks further ahead where one
 * token does not decide.
 *
 * One pass, no token array: looking ahead lexes again from where the lexer stands. A look-ahead
 * reads either two tokens or the type between parentheses, which contains no parenthesis itself, so
 * the whole stays linear in the text. */
#include "cql/lang/grammar.h"
#include "cql/lang/parse_priv.h"

/* --- Looking ahead ---------------------------------------------------------------------------- */

bool parse_is_ident(int token)
{
    switch (token) {
    case CQL_TOKEN_IDENT:
    case CQL_TOKEN_QUOTED_NAME:
    case CQL_TOKEN_NATIVE:
    case CQL_TOKEN_AGGREGATE:
    case CQL_TOKEN_ALL:
    case CQL_TOKEN_CLUSTERING:
    case CQL_TOKEN_COMPACT:
    case CQL_TOKEN_DEFAULT:
    case CQL_TOKEN_EXISTS:
    case CQL_TOKEN_FROZEN:
    case CQL_TOKEN_FUNCTION:
    case CQL_TOKEN_KEYS:
    case CQL_TOKEN_LIST:
    case CQL_TOKEN_MAP:
    case CQL_TOKEN_MBEAN:
    case CQL_TOKEN_MBEANS:
    case CQL_TOKEN_ONLY:
    case CQL_TOKEN_ROLE:
    case CQL_TOKEN_SELECT_MASKED:
    case CQL_TOKEN_TUPLE:
    case CQL_TOKEN_TYPE:
    case CQL_TOKEN_UNMASK:
    case CQL_TOKEN_VALUES:
    case CQL_TOKEN_VECTOR:
    case CQL_TOKEN_CAST:
    case CQL_TOKEN_COUNT:
    case CQL_TOKEN_KEY:
    case CQL_TOKEN_MAXWRITETIME:
    case CQL_TOKEN_TTL:
    case CQL_TOKEN_WRITETIME: return true;
    default: {
        int fallback = token > 0 ? grammar_fallback(token) : 0;
        return fallback == CQL_TOKEN_BASIC || fallback == CQL_TOKEN_NATIVE ||
               fallback == CQL_TOKEN_SPECIAL || fallback == CQL_TOKEN_IDENT;
    }
    }
}

/* Whether the token may be a type's own name. */
static bool is_type_name(int token)
{
    switch (token) {
    case CQL_TOKEN_CAST:
    case CQL_TOKEN_COUNT:
    case CQL_TOKEN_DISTINCT:
    case CQL_TOKEN_JSON:
    case CQL_TOKEN_MAXWRITETIME:
    case CQL_TOKEN_TTL:
    case CQL_TOKEN_WRITETIME: return false;
    default: return parse_is_ident(token);
    }
}

static int next(struct lexer *l)
{
    struct bytes text;
    return lexer_next(l, &text);
}

#define SLICE_TOKENS_MAX 64

/* After `[`: whether a slice [a..b] closes it. Gives up after some tokens, so that the whole stays
 * linear. */
static bool slice_follows(struct lexer l)
{
    int open = 1;
    for (int i = 0; i < SLICE_TOKENS_MAX && open > 0; i++) {
        int token = next(&l);
        if (token <= 0 || (token == CQL_TOKEN_RANGE && open == 1)) {
            return token == CQL_TOKEN_RANGE;
        }
        open += token == CQL_TOKEN_LBRACKET;
        open -= token == CQL_TOKEN_RBRACKET;
    }
    return false;
}

enum start { START_NONE, START_SELECTOR, START_TERM };

/* What may start at l after a keyword or a parenthesis that is something else when nothing starts
 * there. */
static enum start starts(struct lexer l)
{
    int token = next(&l);
    switch (token) {
    case CQL_TOKEN_STRING:
    case CQL_TOKEN_INTEGER:
    case CQL_TOKEN_FLOAT_LITERAL:
    case CQL_TOKEN_BOOLEAN_LITERAL:
    case CQL_TOKEN_DURATION_LITERAL:
    case CQL_TOKEN_UUID_LITERAL:
    case CQL_TOKEN_HEX:
    case CQL_TOKEN_NAN:
    case CQL_TOKEN_INFINITY:
    case CQL_TOKEN_NULL:
    case CQL_TOKEN_LPAREN:
    case CQL_TOKEN_LBRACE:
    case CQL_TOKEN_QMARK: return START_TERM;
    case CQL_TOKEN_LBRACKET: return slice_follows(l) ? START_NONE : START_TERM;
    case CQL_TOKEN_COLON: return parse_is_ident(next(&l)) ? START_TERM : START_NONE;
    case CQL_TOKEN_TOKEN: return next(&l) == CQL_TOKEN_LPAREN ? START_TERM : START_NONE;
    default: break;
    }
    if (!parse_is_ident(token)) {
        return START_NONE;
    }
    int second = next(&l);
    if (token == CQL_TOKEN_PER && second == CQL_TOKEN_PARTITION) {
        return START_NONE; /* the keyword, not a column of that name */
    }
    if (token == CQL_TOKEN_AS && parse_is_ident(second)) { /* the same, but in `as AS b` */
        return second == CQL_TOKEN_AS && parse_is_ident(next(&l)) ? START_SELECTOR : START_NONE;
    }
    return second == CQL_TOKEN_LPAREN || second == CQL_TOKEN_DOT ? START_TERM : START_SELECTOR;
}

/* JSON or DISTINCT after SELECT: the keyword if selectors follow it. */
static bool selectors_follow(const struct lexer *l)
{
    struct lexer ahead = *l;
    int token = next(&ahead);
    return token == CQL_TOKEN_STAR || token == CQL_TOKEN_MINUS || starts(*l) != START_NONE;
}

/* Skips a type; false if none stands at l. An open nesting of types is counted, not recursed into:
 * `(` cannot be inside. */
static bool skip_type(struct lexer *l)
{
    size_t open = 0;
    for (;;) {
        int token = next(l);
        struct lexer after = *l;
        int second = next(&after);
        bool generic =
            (token == CQL_TOKEN_LIST || token == CQL_TOKEN_SET || token == CQL_TOKEN_MAP ||
             token == CQL_TOKEN_TUPLE || token == CQL_TOKEN_VECTOR || token == CQL_TOKEN_FROZEN) &&
            second == CQL_TOKEN_LT;
        if (generic) {
            *l = after;
            open++;
            continue;
        }
        if (second == CQL_TOKEN_DOT && parse_is_ident(token)) {
            if (!is_type_name(next(&after))) {
                return false;
            }
            *l = after;
        } else if (token != CQL_TOKEN_STRING && !is_type_name(token) &&
                   (token != CQL_TOKEN_INTEGER || open == 0)) {
            return false;
        }
        for (;;) { /* what closes or continues the list around it */
            if (open == 0) {
                return true;
            }
            token = next(l);
            if (token == CQL_TOKEN_COMMA) {
                break;
            }
            if (token != CQL_TOKEN_GT) {
                return false;
            }
            open--;
        }
    }
}

/* After "(": whether `type ) operand` follows. The grammar takes the answer only where a type hint
 * may stand. */
static int parenthesis(const struct lexer *l)
{
    struct lexer ahead = *l;
    if (!skip_type(&ahead) || next(&ahead) != CQL_TOKEN_RPAREN) {
        return CQL_TOKEN_LPAREN;
    }
    switch (starts(ahead)) {
    case START_TERM: return CQL_TOKEN_LPAREN_CAST;
    case START_SELECTOR: return CQL_TOKEN_LPAREN_HINT;
    default: return CQL_TOKEN_LPAREN;
    }
}

/* --- Driver ----------------------------------------------------------------------------------- */

static err_t run(struct parse *p, int first_token, struct bytes text)
{
    /* The copy outlives the caller's buffer, and re2c wants its sentinel. */
    uint8_t *copy = arena_alloc(p->arena, text.n + LEXER_PADDING);
    if (text.n) {
        memcpy(copy, text.p, text.n);
    }
    memset(copy + text.n, 0, LEXER_PADDING);
    p->text = bytes_of(copy, text.n);
    p->end = copy;

    void *parser = arena_alloc(p->arena, grammar_size());
    grammar_init(parser, p);
    struct lexer l = {.at = copy, .limit = copy + text.n};
    if (first_token) {
        grammar_feed(parser, first_token, bytes_of(copy, 0));
    }
    int previous = 0, token;
    do {
        token = lexer_next(&l, &p->token);
        switch (token) {
        case LEXER_ERROR: parse_error_lexer(p, &l); return p->err;
        case CQL_TOKEN_LPAREN: token = parenthesis(&l); break;
        case CQL_TOKEN_JSON:
            if (previous == CQL_TOKEN_SELECT && !selectors_follow(&l)) {
                token = CQL_TOKEN_SPECIAL;
            }
            break;
        case CQL_TOKEN_DISTINCT:
            if ((previous == CQL_TOKEN_SELECT || previous == CQL_TOKEN_JSON) &&
                !selectors_follow(&l)) {
                token = CQL_TOKEN_SPECIAL;
            }
            break;
        default: break;
        }
        if (p->trial == NULL && (previous == CQL_TOKEN_JSON || previous == CQL_TOKEN_DISTINCT)) {
            p->trial = p->token.p;
        }
        grammar_feed(parser, token, p->token);
        if (token == CQL_TOKEN_FROM && p->err == OK) {
            p->trial = NULL;
        }
        p->end = p->token.p + p->token.n;
        previous = token;
    } while (token != 0 && p->err == OK);
    return p->err;
}

err_t cql_parse(struct bytes text, struct arena *arena, struct ast_statement **out,
                struct fail *fail)
{
    struct parse p = {.arena = arena, .fail = fail};
    TRY(run(&p, 0, text));
    ensure(p.statement != NULL);
    p.statement->markers = p.markers.items;
    p.statement->markers_count = p.markers.count;
    *out = p.statement;
    return OK;
}

err_t cql_parse_type(struct bytes text, struct arena *arena, struct ast_type **out,
                     struct fail *fail)
{
    struct parse p = {.arena = arena, .fail = fail};
    TRY(run(&p, CQL_TOKEN_START_TYPE, text));
    ensure(p.type != NULL);
    *out = p.type;
    return OK;
}

err_t cql_parse_term(struct bytes text, struct arena *arena, struct ast_term **out,
                     struct fail *fail)
{
    struct parse p = {.arena = arena, .fail = fail};
    TRY(run(&p, CQL_TOKEN_START_TERM, text));
    ensure(p.term != NULL);
    *out = p.term;
    return OK;
}
