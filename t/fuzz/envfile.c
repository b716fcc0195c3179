/*
 * envfile -- a file of settings of any bytes. What is read of it, written as a
 * file again, reads the same; what is no setting is not set.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/buffer.h"
#include "lib/config/envfile.h"
#include "lib/config/names.h"
#include "t/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#define NAME_FIRST "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define NAME_NEXT  NAME_FIRST "0123456789"

static void holds_names(const struct jr_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        const char *name = source->variables[i].name;

        HOLDS(jr_names_may_be_in_file(name));
        HOLDS(strspn(name, NAME_FIRST) > 0 && strspn(name, NAME_NEXT) == strlen(name));
    }
}

static enum jr_err load(int fd, const void *bytes, size_t size, struct jr_source *source,
                        struct jr_error *error)
{
    char path[32], *problems, *doubts;
    enum jr_err err;

    HOLDS(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
    HOLDS(snprintf(path, sizeof path, "/proc/self/fd/%d", fd) < (int)sizeof path);
    err = jr_envfile_load(path, source, &problems, &doubts, error);
    HOLDS(problems == NULL || problems[strlen(problems) - 1] == '\n');
    HOLDS(doubts == NULL || doubts[strlen(doubts) - 1] == '\n');
    free(doubts);
    HOLDS((err == JR_OK) == (error->code == JR_OK));
    HOLDS(err == JR_OK ? problems == NULL : problems != NULL || strstr(error->text, "NUL") != NULL
                                                || strstr(error->text, "large") != NULL);
    free(problems);
    holds_names(source);
    return err;
}

/* Write what was set as a file, each value in double quotes. */
static void write_again(const struct jr_source *were, struct jr_buffer *file)
{
    for (size_t i = 0; i < were->count; i++) {
        jr_buffer_add(file, were->variables[i].name);
        jr_buffer_add(file, "=\"");
        for (const char *value = were->variables[i].value; *value != '\0'; value++) {
            if (strchr("\"\\`$", *value) != NULL)
                jr_buffer_add(file, "\\");
            jr_buffer_add_bytes(file, value, 1);
        }
        jr_buffer_add(file, "\"\n");
    }
}

static void holds_same(const struct jr_source *one, const struct jr_source *other)
{
    HOLDS(one->count == other->count);
    for (size_t i = 0; i < one->count; i++) {
        HOLDS(strcmp(one->variables[i].name, other->variables[i].name) == 0);
        HOLDS(strcmp(one->variables[i].value, other->variables[i].value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    struct jr_source were = { .count = 0 }, again = { .count = 0 };
    struct jr_error error = { .code = JR_OK };
    struct jr_buffer file;
    enum jr_err err;

    if (fd < 0)
        fd = memfd_create("envfile", MFD_CLOEXEC);
    HOLDS(fd >= 0);
    err = load(fd, bytes, size, &were, &error);
    HOLDS(err == JR_OK || err == JR_EINVAL);
    HOLDS(err == JR_OK || error.text[0] != '\0');

    jr_buffer_init(&file, 4 * JR_ENVFILE_MAX);
    write_again(&were, &file);
    HOLDS(file.ok);
    if (file.length < JR_ENVFILE_MAX) {
        HOLDS(load(fd, file.bytes == NULL ? "" : file.bytes, file.length, &again, &error) == JR_OK);
        holds_same(&were, &again);
    }
    jr_source_release(&were);
    jr_source_release(&again);
    jr_buffer_release(&file);
    return 0;
}
