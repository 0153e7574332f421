/* The data directory: see directory.h. */
#include "server/run/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static err_t io(struct fail *fail, const char *what, const char *path)
{
    return fail_set(fail, ERR_CONFIG, "cannot %s %s: %s", what, path, strerror(errno));
}

static err_t make_dir(const char *path, struct fail *fail)
{
    if (mkdir(path, 0750) == 0 || errno == EEXIST)
        return OK;
    return io(fail, "make directory", path);
}

static err_t sync_dir(const char *path, struct fail *fail)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return io(fail, "open", path);
    int rc = fsync(fd);
    close(fd);
    return rc == 0 ? OK : io(fail, "sync", path);
}

/* Makes missing parents too, as mkdir -p. */
static err_t make_dirs(const char *path, struct fail *fail)
{
    char *copy = arena_cstr(fail->arena, bytes_str(path));
    for (char *p = copy + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        TRY(make_dir(copy, fail));
        *p = '/';
    }
    return make_dir(copy, fail);
}

static err_t lock(struct directory *d, struct fail *fail)
{
    char *path = arena_cstr(fail->arena, arena_printf(fail->arena, "%s/lock", d->path));
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (d->lock_fd < 0)
        return io(fail, "open", path);
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return OK;
    if (errno == EWOULDBLOCK)
        return fail_set(fail, ERR_CONFIG, "directory %s is in use by another process", d->path);
    return io(fail, "lock", path);
}

static err_t write_format(struct directory *d, const char *path, struct fail *fail)
{
    char *fresh = arena_cstr(fail->arena, arena_printf(fail->arena, "%s.new", path));
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return io(fail, "create", fresh);
    bool ok = dprintf(fd, "helenus version %d\nshards %u\nignore_msb %u\n", DIRECTORY_FORMAT,
                      d->shards, d->ignore_msb) > 0 &&
              fsync(fd) == 0;
    close(fd);
    if (!ok || rename(fresh, path) != 0)
        return io(fail, "write", path);
    return sync_dir(d->path, fail);
}

static err_t read_format(struct directory *d, const char *path, FILE *f, struct fail *fail)
{
    unsigned version, shards, ignore_msb;
    int n =
        fscanf(f, "helenus version %u\nshards %u\nignore_msb %u\n", &version, &shards, &ignore_msb);
    if (n < 1)
        return fail_set(fail, ERR_CONFIG, "%s is damaged, or this is not a directory of Helenus",
                        path);
    if (version != DIRECTORY_FORMAT)
        return fail_set(fail, ERR_CONFIG,
                        "directory %s has format version %u; this program reads version %d",
                        d->path, version, DIRECTORY_FORMAT);
    if (n != 3 || shards < 1 || shards > 4096 || ignore_msb > 32)
        return fail_set(fail, ERR_CONFIG, "%s is damaged", path);
    d->shards = shards;
    d->ignore_msb = ignore_msb;
    return OK;
}

static err_t format(struct directory *d, struct fail *fail)
{
    char *path = arena_cstr(fail->arena, arena_printf(fail->arena, "%s/format", d->path));
    FILE *f = fopen(path, "re");
    if (f) {
        err_t err = read_format(d, path, f, fail);
        fclose(f);
        return err;
    }
    if (errno != ENOENT)
        return io(fail, "read", path);
    d->fresh = true;
    return write_format(d, path, fail);
}

static err_t subdirs(struct directory *d, struct fail *fail)
{
    struct arena *a = fail->arena;
    TRY(make_dir(arena_cstr(a, arena_printf(a, "%s/commitlog", d->path)), fail));
    TRY(make_dir(arena_cstr(a, arena_printf(a, "%s/shards", d->path)), fail));
    return sync_dir(d->path, fail);
}

err_t directory_open(const char *path, uint32_t shards, uint32_t ignore_msb, struct directory *out,
                     struct fail *fail)
{
    *out =
        (struct directory){.path = path, .lock_fd = -1, .shards = shards, .ignore_msb = ignore_msb};
    TRY(make_dirs(path, fail));
    TRY(lock(out, fail));
    TRY(format(out, fail));
    return subdirs(out, fail);
}

void directory_close(struct directory *d)
{
    if (d->lock_fd >= 0)
        close(d->lock_fd);
}
