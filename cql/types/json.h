/* A parsed JSON text as a tree in an arena, private to this folder. Numbers keep their text, so that long ones lose no digit. */
#ifndef CQL_TYPES_JSON_H
#define CQL_TYPES_JSON_H

#include "cql/types/type.h"

/* Nesting that a text may have. */
#define JSON_DEPTH_MAX 128

enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_STRING,
    JSON_LIST,
    JSON_MAP,
};

struct json {
    enum json_kind kind;
    bool truth;
    struct bytes text;         /* number as written, string decoded */
    struct bytes key;          /* of a map's child */
    struct json *first, *last; /* children in order */
    struct json *next;
    uint32_t count;
};

/* ERR_INVALID for what is no JSON or nests too deep. */
MUST_USE err_t json_parse(struct bytes text, struct arena *a, const struct json **out,
                          struct fail *fail);
/* The name that Java gives the class of j ("Integer", "ArrayList"), and j as Java prints it ("[1, a]", "{k=v}"): for messages. */
const char *json_java_class(const struct json *j);
struct bytes json_java_text(const struct json *j, struct arena *a);

#endif
