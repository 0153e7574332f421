/* The lexer: CQL text to tokens, one call a token.
 *
 * re2c takes the longest match and, among equals, the earlier rule. ANTLR's lexer, which Cassandra
 * uses, instead predicts a token from its first characters and fails inside it: `12a` is a broken
 * UUID there, not the number 12 and the name a. The rules of the last section below are those
 * beginnings; since they are longer than the valid token before them they win, and the error points
 * at the character after them, where ANTLR's points.
 *
 * Pure; reads text..limit and the LEXER_PADDING zero bytes after it. Source: Cassandra 5.0's token
 * rules. */
#include "cql/lang/grammar.h"
#include "cql/lang/parse_priv.h"

/* --- Keywords --------------------------------------------------------------------------------- */

struct keyword {
    char name[16];
    uint8_t token, class;
};

static const struct keyword keywords[] = {
#define X(spelling, token, class) {#spelling, CQL_TOKEN_##token, KEYWORD_##class},
#include "cql/lang/keywords.def"
#undef X
};
#define KEYWORDS_COUNT (sizeof keywords / sizeof keywords[0])

struct word {
    uint64_t high, low; /* the characters, zero-padded, as one big-endian number */
};

static struct word word_of(const char *name) {
    return (struct word){load_be64((const uint8_t *)name), load_be64((const uint8_t *)name + 8)};
}

/* The word in upper case; n <= 16, readable for 16 bytes. Clearing bit 5 makes letters upper-case,
 * keeps '_', and turns digits into what no keyword contains. */
static struct word word_fold(const uint8_t *p, size_t n) {
    const uint64_t upper = 0xdfdfdfdfdfdfdfdfULL;
    uint64_t high = load_be64(p) & upper, low = load_be64(p + 8) & upper;
    if (n < 8) {
        high &= ~(UINT64_MAX >> (8 * n));
        low = 0;
    } else if (n < 16) {
        low &= n == 8 ? 0 : ~(UINT64_MAX >> (8 * (n - 8)));
    }
    return (struct word){high, low};
}

static const struct keyword *keyword_find(const uint8_t *p, size_t n) {
    if (n < 2 || n >= sizeof keywords[0].name) {
        return NULL;
    }
    struct word w = word_fold(p, n);
    size_t low = 0, high = KEYWORDS_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct word k = word_of(keywords[middle].name);
        if (k.high == w.high && k.low == w.low) {
            return &keywords[middle];
        }
        if (k.high < w.high || (k.high == w.high && k.low < w.low)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

enum keyword_class keyword_class(struct bytes word, int *token_out) {
    uint8_t padded[16] = {0};
    if (word.n >= sizeof padded) {
        return KEYWORD_NONE;
    }
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        if (c != '_' && (uint8_t)((c | 0x20) - 'a') >= 26) {
            return KEYWORD_NONE;
        }
        padded[i] = c;
    }
    const struct keyword *k = keyword_find(padded, word.n);
    if (k && token_out) {
        *token_out = k->token;
    }
    return k ? (enum keyword_class)k->class : KEYWORD_NONE;
}

/* --- Tokens ----------------------------------------------------------------------------------- */

static int fail_at(struct lexer *l, const uint8_t *at, const char *expecting) {
    l->error_at = at;
    l->error_expecting = expecting;
    return LEXER_ERROR;
}

/* After the opening $$: to the closing one. */
static int dollar_string(struct lexer *l, const uint8_t *start, struct bytes *text) {
    const uint8_t *end = memmem(l->at, (size_t)(l->limit - l->at), "$$", 2);
    if (end == NULL) { /* ANTLR's loop stops before the last character */
        return fail_at(l, l->limit > l->at ? l->limit - 1 : l->limit, "'$'");
    }
    l->at = end + 2;
    *text = bytes_of(start, (size_t)(l->at - start));
    return CQL_TOKEN_STRING;
}

int lexer_next(struct lexer *l, struct bytes *text) {
    const uint8_t *start, *YYMARKER, *context;
    int token;

#define YYCTYPE  uint8_t
#define YYCURSOR l->at
#define YYLIMIT  l->limit
#define YYCTXMARKER context
again:
    start = l->at;
    /*!re2c
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    digit    = [0-9];
    hex      = [0-9a-fA-F];
    letter   = [a-zA-Z];
    integer  = "-"? digit+;
    exponent = 'e' [+-]? digit+;

    d2       = digit digit;
    unit     = 'y' | 'mo' | 'w' | 'd' | 'h' | 'm' | 's' | 'ms' | 'us' | "\xc2\xb5" 's' | 'ns';
    hms      = "T" (digit+ "H" (digit+ "M")? (digit+ "S")? | digit+ "M" (digit+ "S")? | digit+ "S");
    ymd      = "P" (digit+ "Y" (digit+ "M")? (digit+ "D")? | digit+ "M" (digit+ "D")? | digit+ "D");
    moment   = "P" d2 d2 "-" d2 "-" d2 "T" d2 ":" d2 ":" d2;
    iso      = moment | "P" hms | "P" digit+ "W" | ymd hms?;
    second   = d2 ":" (digit | d2 | d2 ":" digit?)?;
    time     = digit | d2 | second;
    uuid     = hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12};

    [ \t\r\n]+                             { goto again; }
    ("--" | "//") [^\r\n]* [\r\n]          { goto again; }
    "/" "*"                                {
        const uint8_t *end = memmem(l->at, (size_t)(l->limit - l->at), "*" "/", 2);
        if (end == NULL) {
            return fail_at(l, l->limit, "'*'");
        }
        l->at = end + 2;
        goto again;
    }
    $                                      { *text = bytes_of(start, 0); return 0; }

    "("  { token = CQL_TOKEN_LPAREN; goto done; }
    ")"  { token = CQL_TOKEN_RPAREN; goto done; }
    "["  { token = CQL_TOKEN_LBRACKET; goto done; }
    "]"  { token = CQL_TOKEN_RBRACKET; goto done; }
    "{"  { token = CQL_TOKEN_LBRACE; goto done; }
    "}"  { token = CQL_TOKEN_RBRACE; goto done; }
    ","  { token = CQL_TOKEN_COMMA; goto done; }
    ";"  { token = CQL_TOKEN_SEMICOLON; goto done; }
    ":"  { token = CQL_TOKEN_COLON; goto done; }
    "."  { token = CQL_TOKEN_DOT; goto done; }
    ".." { token = CQL_TOKEN_RANGE; goto done; }
    "?"  { token = CQL_TOKEN_QMARK; goto done; }
    "="  { token = CQL_TOKEN_EQ; goto done; }
    "!=" { token = CQL_TOKEN_NE; goto done; }
    "<"  { token = CQL_TOKEN_LT; goto done; }
    "<=" { token = CQL_TOKEN_LE; goto done; }
    ">"  { token = CQL_TOKEN_GT; goto done; }
    ">=" { token = CQL_TOKEN_GE; goto done; }
    "+"  { token = CQL_TOKEN_PLUS; goto done; }
    "-"  { token = CQL_TOKEN_MINUS; goto done; }
    "*"  { token = CQL_TOKEN_STAR; goto done; }
    "/"  { token = CQL_TOKEN_SLASH; goto done; }
    "%"  { token = CQL_TOKEN_PERCENT; goto done; }
    "+=" { token = CQL_TOKEN_PLUS_EQ; goto done; }
    "-=" { token = CQL_TOKEN_MINUS_EQ; goto done; }
    "expr(" { token = CQL_TOKEN_EXPR_LPAREN; goto done; } // one token in Cassandra too

    'true' | 'false'                       { token = CQL_TOKEN_BOOLEAN_LITERAL; goto done; }
    "-" 'nan'                              { token = CQL_TOKEN_NAN; goto done; }
    "-" 'infinity'                         { token = CQL_TOKEN_INFINITY; goto done; }

    integer                                { token = CQL_TOKEN_INTEGER; goto done; }
    integer / ".."                         { token = CQL_TOKEN_INTEGER; goto done; } // a slice
    integer "." / ".."                     { token = CQL_TOKEN_FLOAT_LITERAL; goto done; }
    integer ("." digit*)? exponent?        { token = CQL_TOKEN_FLOAT_LITERAL; goto done; }
    "-"? (digit+ unit)+                    { token = CQL_TOKEN_DURATION_LITERAL; goto done; }
    "-"? iso                               { token = CQL_TOKEN_DURATION_LITERAL; goto done; }

    letter (letter | digit | "_")*         {
        const struct keyword *k = keyword_find(start, (size_t)(l->at - start));
        token = k ? k->token : CQL_TOKEN_IDENT;
        goto done;
    }
    '0x' hex*                              { token = CQL_TOKEN_HEX; goto done; }
    uuid                                   { token = CQL_TOKEN_UUID_LITERAL; goto done; }

    "'" ([^'] | "''")* "'"                 { token = CQL_TOKEN_STRING; goto done; }
    "$$"                                   { return dollar_string(l, start, text); }
    ["] ([^"] | ["]["])+ ["]               { token = CQL_TOKEN_QUOTED_NAME; goto done; }
    ["]["]                                 { token = CQL_TOKEN_EMPTY_NAME; goto done; }

    // Beginnings without an end.
    ("--" | "//") [^\r\n]*                 { return fail_at(l, l->at, "set null"); }
    "'" ([^'] | "''")*                     { return fail_at(l, l->at, "'''"); }
    ["] ([^"] | ["]["])*                   { return fail_at(l, l->at, "'\"'"); }
    "$"                                    { return fail_at(l, l->at, "'$'"); }
    "!"                                    { return fail_at(l, l->at, "'='"); }
    "-" ('n' | 'na' | 'i' | 'in' | 'inf' | 'infi' | 'infin' | 'infini' | 'infinit')
                                           { return fail_at(l, l->at, "set null"); }
    "-"? digit+ ("." digit*)? 'e' [+-]?    { return fail_at(l, l->at, NULL); }
    "-"? digit+ ('n' | 'u' | "\xc2\xb5")   { return fail_at(l, l->at, "set null"); }
    "-"? (digit+ unit)+ digit+ ('n' | 'u' | "\xc2\xb5")? { return fail_at(l, l->at, NULL); }
    "-P" [0-9YMDWTHS]*                     { return fail_at(l, l->at, NULL); }
    "-"? "P" d2 d2 "-" (digit | d2 | d2 "-" (digit | d2 | d2 "T" time?)?)?
                                           { return fail_at(l, l->at, "'-'"); }
    digit hex{0,7}                         { return fail_at(l, l->at, "set null"); }
    hex{8} "-" hex{0,3}                    { return fail_at(l, l->at, "set null"); }
    hex{8} "-" hex{4}                      { return fail_at(l, l->at, "'-'"); }
    hex{8} ("-" hex{4}){1,2} "-" hex{0,3}  { return fail_at(l, l->at, "set null"); }
    hex{8} ("-" hex{4}){2,3}               { return fail_at(l, l->at, "'-'"); }
    hex{8} ("-" hex{4}){3} "-" hex{0,11}   { return fail_at(l, l->at, "set null"); }
    *                                      { return fail_at(l, start, NULL); }
    */
done:
    *text = bytes_of(start, (size_t)(l->at - start));
    return token;
}
