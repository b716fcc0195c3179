/*
 * replay -- run a fuzz target with each file of its corpus, as a test in TAP.
 *
 *   t/fuzz/NAME.t            all of JR_SRCDIR/t/fuzz/corpus/NAME
 *   t/fuzz/NAME.t FILE...    these
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "t/fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t room = 0;

    *size = 0;
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    do {
        bytes = realloc(bytes, room += 65536);
        HOLDS(bytes != NULL);
        *size += fread(bytes + *size, 1, room - *size, file);
    } while (*size == room);
    HOLDS(ferror(file) == 0);
    fclose(file);
    return bytes;
}

static void replay(const char *path, const char *name, int number)
{
    size_t size;
    char *file = read_file(path, &size), *bytes = malloc(size > 0 ? size : 1);

    HOLDS(bytes != NULL);
    memcpy(bytes, file, size);
    free(file);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
    free(bytes);
    printf("ok %d - %s\n", number, name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The folder of the corpus that the program's name stands for. */
static void find_corpus(const char *program, char *folder, size_t size)
{
    const char *source = getenv("JR_SRCDIR"), *slash = strrchr(program, '/');
    const char *name = slash == NULL ? program : slash + 1;

    HOLDS((size_t)snprintf(folder, size, "%s/t/fuzz/corpus/%.*s", source == NULL ? "." : source,
                           (int)strcspn(name, "."), name)
          < size);
}

static void replay_corpus(const char *program)
{
    char folder[PATH_MAX / 2], path[PATH_MAX];
    struct dirent **entries;
    int count;

    find_corpus(program, folder, sizeof folder);
    count = scandir(folder, &entries, is_visible, alphasort);
    if (count <= 0) {
        fprintf(stderr, "no corpus in %s\n", folder);
        exit(1);
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        HOLDS((size_t)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) < sizeof path);
        replay(path, entries[i]->d_name, i + 1);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    /* What was replayed before a crash is told. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 1) {
        replay_corpus(argv[0]);
        return 0;
    }
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++)
        replay(argv[i], argv[i], i);
    return 0;
}
