/* The server's own log: see log.h. */
#include "server/run/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static enum log_level log_level = LOG_LEVEL_INFO;
static const char *log_node = "-";

void log_set_level(enum log_level level)
{
    __atomic_store_n(&log_level, level, __ATOMIC_RELAXED);
}

void log_set_node(const char *node)
{
    __atomic_store_n(&log_node, node, __ATOMIC_RELAXED);
}

void log_line(enum log_level level, const char *component, const char *fmt, ...)
{
    static const char *const names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    if (level > __atomic_load_n(&log_level, __ATOMIC_RELAXED))
        return;
    struct timespec t;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &tm);
    char line[2048];
    int n = snprintf(
        line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s %s %s: ", tm.tm_year + 1900,
        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, t.tv_nsec / 1000000,
        names[level], __atomic_load_n(&log_node, __ATOMIC_RELAXED), component);
    va_list args;
    va_start(args, fmt);
    int m = vsnprintf(line + n, sizeof line - (size_t)n, fmt, args);
    va_end(args);
    n += m;
    if (n >= (int)sizeof line)
        n = (int)sizeof line - 1;
    for (int i = 0; i < n; i++) /* one line, whatever the text brings along */
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    line[n++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written;
}
