/* The system calls of the commit log behind a table of functions, so that the same log runs on a real file system and on a simulated
 * one that loses power, fills up or fails at any call.
 *
 * Paths are whole paths. Every function says OK, ERR_NOT_FOUND, ERR_DISK_FULL or ERR_IO; disk->error then holds the errno for the
 * message. Thread: one at a time per struct disk. */
#ifndef STORAGE_DISK_H
#define STORAGE_DISK_H

#include "cql/base/buf.h"
#include "cql/base/prng.h"

struct disk;
struct disk_file;

struct disk_ops {
    /* create: a new or emptied file; else the file must exist. */
    err_t (*open)(struct disk *d, const char *path, bool create, struct disk_file **out);
    void (*close)(struct disk_file *f);
    /* Makes room for bytes [0, size) and makes the file that long; what is new reads as zeros. */
    err_t (*preallocate)(struct disk_file *f, uint64_t size);
    /* All of data or an error (then any part of it may have been written). */
    err_t (*write)(struct disk_file *f, uint64_t offset, struct bytes data);
    /* *got < n at the end of the file. */
    err_t (*read)(struct disk_file *f, uint64_t offset, void *p, size_t n, size_t *got);
    err_t (*size)(struct disk_file *f, uint64_t *out);
    /* From *out to the end all bytes are zeros that need not be read: the size, or less for a preallocated file. */
    err_t (*data_end)(struct disk_file *f, uint64_t *out);
    /* fdatasync: content, and what is needed to read it back. */
    err_t (*sync)(struct disk_file *f);
    err_t (*rename)(struct disk *d, const char *from, const char *to);
    err_t (*unlink)(struct disk *d, const char *path);
    /* Makes creations, renames and unlinks in the directory durable. */
    err_t (*sync_directory)(struct disk *d, const char *directory);
    err_t (*make_directory)(struct disk *d, const char *directory); /* fine when it exists */
    /* Calls each with the name (no path) of every regular file, in no order. */
    err_t (*list)(struct disk *d, const char *directory, void (*each)(void *ctx, const char *name),
                  void *ctx);
    err_t (*free_bytes)(struct disk *d, const char *directory, uint64_t *out);
};

struct disk {
    const struct disk_ops *ops;
    int error; /* errno of the last failure */
};

struct disk_file {
    struct disk *disk;
};

/* The real one: nothing to free. */
void disk_real_init(struct disk *d);

/* The simulated one (disk_sim.c): files in memory, each with a durable content and the 512-byte sectors written since its last sync.
 * Every call of the table that can fail counts as one operation. */
struct disk_sim;
struct disk_sim *disk_sim_new(void);
void disk_sim_free(struct disk_sim *s);
struct disk *disk_sim_disk(struct disk_sim *s);
/* Operations so far. */
uint64_t disk_sim_operations(const struct disk_sim *s);
/* The operation with this number (from 0) fails with err, once, or it and all after it when sticky; UINT64_MAX: none does. A failed
 * write leaves a part of its data, a failed sync leaves all unsynced. */
void disk_sim_fail_at(struct disk_sim *s, uint64_t operation, err_t err, bool sticky);
/* Room for content; preallocation and growth beyond it say ERR_DISK_FULL. */
void disk_sim_set_capacity(struct disk_sim *s, uint64_t bytes);
/* What a power loss now could leave: each file's durable content with any of its unsynced sectors written or not, and any of the
 * unsynced namespace operations from the first on done. The same prng state gives the same image. */
struct disk_sim *disk_sim_power_loss(const struct disk_sim *s, struct prng *random);
/* For tests that damage what is stored: the current content, BYTES_NULL when there is no such file; it may be written through. */
struct bytes disk_sim_content(struct disk_sim *s, const char *path);

#endif
