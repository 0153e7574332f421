/* Merging one partition of a frozen memtable into the level, and purging one of the level, a few rows at a time. The only two ways in
 * which the level's content changes (but for whole tables being emptied).
 *
 * The level stays canonical: nothing stored is superseded by a stored tombstone. So rows are cleaned first and the tombstone that
 * covers them is stored last: in between, the frozen memtable still has it for readers, and the log for a crash. */
#ifndef STORAGE_MERGE_H
#define STORAGE_MERGE_H

#include "storage/level.h"
#include "storage/memtable.h"

/* What a merge does besides merging. */
struct merge_rules {
    const struct table *table;
    int64_t now_s;
    int64_t purge_before_s; /* INT64_MIN: nothing is purged */
};

/* How far a partition has come; zeroed at its beginning. The clustering key is the owner's buffer. */
enum merge_phase { MERGE_BEGIN, MERGE_ROWS, MERGE_RANGES, MERGE_END };
struct merge_position {
    enum merge_phase phase;
    bool has_ck;  /* rows up to and with ck, or range tombstones below it, are done */
    size_t range; /* MERGE_RANGES: index of the memtable's */
    struct buf ck;
};
void merge_position_copy(struct merge_position *to, const struct merge_position *from);

/* Merges p; stops when w->puts and reads reach work_max (then *done is false and pos says where). *work is raised by the entries
 * looked at. corrupt_count is raised for each damaged entry met. */
err_t merge_partition(struct level_writer *w, const struct merge_rules *rules,
                      const struct memtable_partition *p, struct merge_position *pos,
                      uint64_t work_max, uint64_t *work, uint64_t *corrupt_count,
                      bool *done) MUST_USE;

/* Purges a stored partition of what the rules let go: expired tombstones and cells, cells of dropped columns. */
err_t purge_partition(struct level_writer *w, const struct merge_rules *rules,
                      const struct level_partition *p, struct merge_position *pos,
                      uint64_t work_max, uint64_t *work, bool *done) MUST_USE;

#endif
