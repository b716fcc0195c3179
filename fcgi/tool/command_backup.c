/*
 * command_backup -- the sub-command backup: a copy of the store, while it is at work.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "lib/base/say.h"
#include "lib/base/show.h"
#include "lib/store/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Make the folder. As root, for the owner of STATE_DIR, who is going to write it:
 * he may have no right to make one there himself.
 */
static int make_folder(const char *folder, const char *state_dir, bool *made)
{
    struct stat owner;
    int fd, rc = 0;

    *made = false;
    if (mkdir(folder, 0700) != 0)
        return errno == EEXIST ? JR_EXIT_OK
                               : jr_command_fail(JR_EXIT_FAILED, "cannot make '%.200s': %s", folder,
                                                 strerror(errno));
    *made = true;
    if (geteuid() != 0 || stat(state_dir, &owner) != 0)
        return JR_EXIT_OK;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || (rc = fchown(fd, owner.st_uid, owner.st_gid)) != 0)
        rc = jr_command_fail(JR_EXIT_FAILED, "cannot give '%.200s' to the owner of STATE_DIR: %s",
                             folder, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

static int expect_empty(const char *folder)
{
    DIR *handle;
    const struct dirent *entry;
    bool empty = true;

    if (access(folder, R_OK | W_OK | X_OK) != 0)
        return jr_command_fail(JR_EXIT_FAILED, "the owner of STATE_DIR, user id %lu, may not write "
                               "to '%.200s': %s; give that folder to him, or name one that is not "
                               "there yet", (unsigned long)geteuid(), folder, strerror(errno));
    handle = opendir(folder);
    if (handle == NULL)
        return jr_command_fail(JR_EXIT_FAILED, "cannot look into '%.200s': %s", folder,
                               strerror(errno));
    while (empty && (entry = readdir(handle)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(handle);
    return empty ? JR_EXIT_OK
                 : jr_command_fail(JR_EXIT_FAILED, "'%.200s' is not empty; name a folder that is, "
                                   "or that is not there yet", folder);
}

/* Read the copy: what is in it, and that it can be read. */
static int count(const char *folder, struct jr_listing_counts *counts)
{
    struct jr_store *copy;
    struct jr_error error;
    enum jr_err err = jr_store_open_copy(&copy, folder, &error);

    if (err == JR_OK)
        err = jr_listing_count(copy, counts, &error);
    jr_store_close(copy);
    return err == JR_OK
               ? JR_EXIT_OK
               : jr_command_fail(JR_EXIT_FAILED, "the copy cannot be read: %s", error.text);
}

static void tell(const struct jr_command *command, const char *folder, uint64_t bytes,
                 const struct jr_listing_counts *counts)
{
    uint64_t runs = counts->runs, records = counts->records;
    char path[5000], clean[5000], size[JR_BYTES_SIZE];
    struct jr_emit emit;

    snprintf(path, sizeof path, "%s/data.mdb", folder);
    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_text(&emit, "file", path);
        jr_emit_number(&emit, "bytes", (int64_t)bytes);
        jr_emit_number(&emit, "format", JR_STORE_FORMAT);
        jr_emit_number(&emit, "runs", (int64_t)runs);
        jr_emit_number(&emit, "records", (int64_t)records);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
        return;
    }
    jr_show_clean(clean, sizeof clean, path);
    printf("%s: %s, %llu %s, %llu %s of %s\n", clean, jr_say_bytes((int64_t)bytes, size),
           (unsigned long long)runs, jr_say_plural(runs, "run", "runs"),
           (unsigned long long)records, jr_say_plural(records, "record", "records"),
           jr_say_plural(runs, "it", "them"));
}

int jr_command_backup(struct jr_command *command)
{
    const char *folder = command->args.words[0];
    struct jr_error error;
    struct jr_listing_counts counts;
    uint64_t bytes = 0;
    bool made = false;
    int status = jr_command_load(command, false);

    if (status == JR_EXIT_OK && !jr_store_exists(command->settings.state_dir))
        return jr_command_open(command);
    if (status == JR_EXIT_OK)
        status = make_folder(folder, command->settings.state_dir, &made);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status == JR_EXIT_OK)
        status = expect_empty(folder);
    if (status == JR_EXIT_OK
        && jr_store_copy(command->store, folder, &bytes, &error) != JR_OK)
        status = jr_command_fail(JR_EXIT_FAILED, "%s", error.text);
    if (status == JR_EXIT_OK)
        status = count(folder, &counts);
    if (status == JR_EXIT_OK)
        tell(command, folder, bytes, &counts);
    else if (made)
        (void)rmdir(folder);
    return status;
}
