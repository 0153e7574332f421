/* The real file system behind disk.h. */
#include "storage/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct real_file {
    struct disk_file base;
    int fd;
};

static err_t failed(struct disk *d)
{
    d->error = errno;
    switch (errno) {
    case ENOENT: return ERR_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return ERR_DISK_FULL;
    default: return ERR_IO;
    }
}

static struct real_file *real(struct disk_file *f)
{
    return (struct real_file *)f;
}

static err_t real_open(struct disk *d, const char *path, bool create, struct disk_file **out)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0600);
    if (fd < 0)
        return failed(d);
    struct real_file *f = calloc(1, sizeof *f);
    ensure(f != NULL);
    f->base.disk = d;
    f->fd = fd;
    *out = &f->base;
    return OK;
}

static void real_close(struct disk_file *f)
{
    close(real(f)->fd);
    free(f);
}

static err_t real_preallocate(struct disk_file *f, uint64_t size)
{
    /* A file system without fallocate() gets a sparse file: correct, only slower to sync. */
    if (fallocate(real(f)->fd, 0, 0, (off_t)size) == 0)
        return OK;
    if ((errno == EOPNOTSUPP || errno == ENOSYS) && ftruncate(real(f)->fd, (off_t)size) == 0)
        return OK;
    return failed(f->disk);
}

static err_t real_write(struct disk_file *f, uint64_t offset, struct bytes data)
{
    while (data.n > 0) {
        ssize_t n = pwrite(real(f)->fd, data.p, data.n, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(f->disk);
        if (n == 0) {
            errno = ENOSPC;
            return failed(f->disk);
        }
        data = bytes_skip(data, (size_t)n);
        offset += (uint64_t)n;
    }
    return OK;
}

static err_t real_read(struct disk_file *f, uint64_t offset, void *p, size_t n, size_t *got)
{
    *got = 0;
    while (*got < n) {
        ssize_t r = pread(real(f)->fd, (uint8_t *)p + *got, n - *got, (off_t)(offset + *got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return failed(f->disk);
        if (r == 0)
            break;
        *got += (size_t)r;
    }
    return OK;
}

static err_t real_size(struct disk_file *f, uint64_t *out)
{
    struct stat st;
    if (fstat(real(f)->fd, &st) != 0)
        return failed(f->disk);
    *out = (uint64_t)st.st_size;
    return OK;
}

/* A file system that knows nothing of holes says that all is data, and so does this when it cannot tell. */
static err_t real_data_end(struct disk_file *f, uint64_t *out)
{
    TRY(real_size(f, out));
    off_t end = 0, data;
    while ((data = lseek(real(f)->fd, end, SEEK_DATA)) >= 0) {
        end = lseek(real(f)->fd, data, SEEK_HOLE);
        if (end < 0)
            return OK;
    }
    if (errno == ENXIO && (uint64_t)end < *out)
        *out = (uint64_t)end;
    return OK;
}

/* Not repeated after EIO: the kernel may have dropped the pages and would then say OK. */
static err_t real_sync(struct disk_file *f)
{
    return fdatasync(real(f)->fd) == 0 ? OK : failed(f->disk);
}

static err_t real_rename(struct disk *d, const char *from, const char *to)
{
    return rename(from, to) == 0 ? OK : failed(d);
}

static err_t real_unlink(struct disk *d, const char *path)
{
    return unlink(path) == 0 ? OK : failed(d);
}

static err_t real_sync_directory(struct disk *d, const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(d);
    err_t err = fsync(fd) == 0 ? OK : failed(d);
    close(fd);
    return err;
}

static err_t real_make_directory(struct disk *d, const char *directory)
{
    return mkdir(directory, 0700) == 0 || errno == EEXIST ? OK : failed(d);
}

static err_t real_list(struct disk *d, const char *directory,
                       void (*each)(void *ctx, const char *name), void *ctx)
{
    DIR *dir = opendir(directory);
    if (!dir)
        return failed(d);
    err_t err = OK;
    for (;;) {
        errno = 0;
        struct dirent *e = readdir(dir);
        if (!e) {
            if (errno != 0)
                err = failed(d);
            break;
        }
        struct stat st;
        if (fstatat(dirfd(dir), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
            each(ctx, e->d_name);
    }
    closedir(dir);
    return err;
}

static err_t real_free_bytes(struct disk *d, const char *directory, uint64_t *out)
{
    struct statvfs v;
    if (statvfs(directory, &v) != 0)
        return failed(d);
    *out = (uint64_t)v.f_bavail * v.f_frsize;
    return OK;
}

static const struct disk_ops real_ops = {
    .open = real_open,
    .close = real_close,
    .preallocate = real_preallocate,
    .write = real_write,
    .read = real_read,
    .size = real_size,
    .data_end = real_data_end,
    .sync = real_sync,
    .rename = real_rename,
    .unlink = real_unlink,
    .sync_directory = real_sync_directory,
    .make_directory = real_make_directory,
    .list = real_list,
    .free_bytes = real_free_bytes,
};

void disk_real_init(struct disk *d)
{
    *d = (struct disk){.ops = &real_ops};
}
