// The main of a fuzz target in builds without libFuzzer: runs every file of the named corpus
// folders (or the named files) through it once, so that each input ever found stays a test. It also
// runs every prefix of the small ones, as a cut input is what a network or a torn log gives.
// Fails when it met no input at all: a test that ran nothing proves nothing.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_BYTES_MAX = 16 << 20, PREFIX_BYTES_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static long inputs_count;

// The copy is exactly as long as the input, so that ASan sees one byte read past its end.
static void run_bytes(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs_count++;
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    uint8_t *bytes = malloc(INPUT_BYTES_MAX);
    if (!bytes)
        abort();
    size_t size = fread(bytes, 1, INPUT_BYTES_MAX, file);
    fclose(file);
    run_bytes(bytes, size);
    if (size <= PREFIX_BYTES_MAX)
        for (size_t n = 0; n < size; n++)
            run_bytes(bytes, n);
    free(bytes);
    return 0;
}

static int run_path(const char *path)
{
    struct stat st;
    if (stat(path, &st)) {
        perror(path);
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return run_file(path);
    DIR *dir = opendir(path);
    if (!dir) {
        perror(path);
        return -1;
    }
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char child[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        failed |= run_path(child);
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= run_path(argv[i]);
    printf("%ld inputs\n", inputs_count);
    return failed || inputs_count == 0;
}
