/* JSON as Cassandra's toJson writes it: the forms of natives. Those of collections and UDTs are with them. */
#include "cql/types/ops.h"

/* Numbers and booleans: as their text. */
void plain_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    type_to_text(t, v, out);
}

void blob_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_put_str(out, "\"0x");
    hex_print(v, out);
    buf_u8(out, '"');
}

/* In quotes, with the escapes that Jackson writes. */
void text_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    buf_u8(out, '"');
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        const char *escape = c == '"'    ? "\\\""
                             : c == '\\' ? "\\\\"
                             : c == '\b' ? "\\b"
                             : c == '\f' ? "\\f"
                             : c == '\n' ? "\\n"
                             : c == '\r' ? "\\r"
                             : c == '\t' ? "\\t"
                                         : NULL;
        if (escape)
            buf_put_str(out, escape);
        else if (c < 0x20)
            buf_printf(out, "\\u%04X", c);
        else
            buf_u8(out, c);
    }
    buf_u8(out, '"');
}
