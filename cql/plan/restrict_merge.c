/* Two restrictions of the same column: a start and an end become one slice, several CONTAINS one list, everything else is
 * refused (Cassandra's SingleColumnRestriction and MultiColumnRestriction.mergeWith). */
#include "cql/plan/restrict_priv.h"

/* Names of the columns that both restrict. */
static struct bytes common_columns(const struct restriction *a, const struct restriction *b,
                                   struct arena *arena)
{
    struct buf out = buf_in(arena);
    for (uint16_t i = 0; i < a->columns_count; i++)
        for (uint16_t j = 0; j < b->columns_count; j++)
            if (a->columns[i] == b->columns[j]) {
                if (out.n)
                    buf_put_str(&out, " ,");
                buf_put_bytes(&out, a->columns[i]->name);
            }
    return buf_bytes(&out);
}

static err_t merge_bounds(struct compile *c, const struct restriction *existing,
                          const struct restriction *added, struct bytes names,
                          struct restriction **out)
{
    if (existing->start.set && added->start.set)
        return fail_set(c->fail, ERR_INVALID,
                        "More than one restriction was found for the start bound on %.*s",
                        BYTES_FMT(names));
    if (existing->end.set && added->end.set)
        return fail_set(c->fail, ERR_INVALID,
                        "More than one restriction was found for the end bound on %.*s",
                        BYTES_FMT(names));
    struct restriction *r = arena_new(c->arena, struct restriction);
    *r = existing->columns_count >= added->columns_count ? *existing : *added;
    r->tuple = existing->tuple || added->tuple;
    r->start = existing->start.set ? existing->start : added->start;
    r->end = existing->end.set ? existing->end : added->end;
    *out = r;
    return OK;
}

static err_t merge_contains(struct compile *c, const struct restriction *existing,
                            const struct restriction *added, struct restriction **out)
{
    struct restriction *r = arena_new(c->arena, struct restriction);
    *r = *existing;
    r->contains_count = existing->contains_count + added->contains_count;
    r->contains = arena_array(c->arena, struct restrict_contains, r->contains_count);
    memcpy(r->contains, existing->contains, existing->contains_count * sizeof *r->contains);
    memcpy(r->contains + existing->contains_count, added->contains,
           added->contains_count * sizeof *r->contains);
    *out = r;
    return OK;
}

err_t restriction_merge(struct compile *c, const struct restriction *existing,
                        const struct restriction *added, struct restriction **out)
{
    struct bytes names = common_columns(existing, added, c->arena);
    switch (existing->kind) {
    case RESTRICTION_EQ:
        return fail_set(
            c->fail, ERR_INVALID,
            "%.*s cannot be restricted by more than one relation if it includes an Equal",
            BYTES_FMT(names));
    case RESTRICTION_IN:
        return fail_set(c->fail, ERR_INVALID,
                        "%.*s cannot be restricted by more than one relation if it includes a IN",
                        BYTES_FMT(names));
    case RESTRICTION_CONTAINS:
        if (added->kind != RESTRICTION_CONTAINS)
            return fail_set(c->fail, ERR_INVALID,
                            "Collection column %.*s can only be restricted by CONTAINS, CONTAINS "
                            "KEY, or map-entry equality",
                            BYTES_FMT(names));
        return merge_contains(c, existing, added, out);
    case RESTRICTION_SLICE: break;
    }
    if (added->kind != RESTRICTION_SLICE)
        return fail_set(
            c->fail, ERR_INVALID,
            "Column \"%.*s\" cannot be restricted by both an equality and an inequality relation",
            BYTES_FMT(names));
    if (existing->columns[0] != added->columns[0]) {
        const struct column *later = existing->columns[0]->position > added->columns[0]->position
                                         ? existing->columns[0]
                                         : added->columns[0];
        return fail_set(c->fail, ERR_INVALID,
                        "Column \"%.*s\" cannot be restricted by two inequalities not starting "
                        "with the same column",
                        BYTES_FMT(later->name));
    }
    return merge_bounds(c, existing, added, names, out);
}

err_t restriction_merge_token(struct compile *c, const struct table *t,
                              const struct restriction *existing, struct restriction *added,
                              struct restriction **out)
{
    *out = added;
    if (existing == NULL)
        return OK;
    struct buf names = buf_in(c->arena);
    for (uint16_t i = 0; i < t->pk_count; i++) {
        if (i)
            buf_put_str(&names, ", ");
        buf_put_bytes(&names, table_pk(t, i)->name);
    }
    if (existing->kind == RESTRICTION_EQ)
        return fail_set(
            c->fail, ERR_INVALID,
            "%.*s cannot be restricted by more than one relation if it includes an Equal",
            BYTES_FMT(buf_bytes(&names)));
    if (added->kind == RESTRICTION_EQ)
        return fail_set(
            c->fail, ERR_INVALID,
            "Columns \"%.*s\" cannot be restricted by both an equality and an inequality relation",
            BYTES_FMT(buf_bytes(&names)));
    return merge_bounds(c, existing, added, buf_bytes(&names), out);
}
