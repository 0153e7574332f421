/* The server's own log: one line a message, "time LEVEL component: text", to stderr. Any thread; a line is written with one call. */
#ifndef SERVER_RUN_LOG_H
#define SERVER_RUN_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
/* Shown in every line once set: the node's address. Not copied. */
void log_set_node(const char *node);
void log_line(enum log_level level, const char *component, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(component, ...) log_line(LOG_LEVEL_ERROR, component, __VA_ARGS__)
#define log_warn(component, ...)  log_line(LOG_LEVEL_WARN, component, __VA_ARGS__)
#define log_info(component, ...)  log_line(LOG_LEVEL_INFO, component, __VA_ARGS__)
#define log_debug(component, ...) log_line(LOG_LEVEL_DEBUG, component, __VA_ARGS__)

#endif
