/*
 * reach -- who else can get at a file by its path.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/reach.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Call a function for each part of the way: "/", "/a", "/a/b", and so on, all of whose dots and
 * links are left as they are. Returns whether any of the calls did.
 */
static bool any_part(const char *path, bool (*is_so)(const char *part, const void *context),
                     const void *context)
{
    char whole[2 * PATH_MAX] = "", part[2 * PATH_MAX];

    if (path[0] != '/' && getcwd(whole, PATH_MAX) == NULL)
        return false;
    snprintf(whole + strlen(whole), sizeof whole - strlen(whole), "/%s", path);
    for (size_t i = 1; i <= strlen(whole); i++) {
        if (whole[i] != '/' && whole[i] != '\0')
            continue;
        memcpy(part, whole, i);
        part[i] = '\0';
        if (is_so(part, context))
            return true;
    }
    return is_so("/", context);
}

/* The same for where it leads. */
static bool any_part_behind(const char *path, bool (*is_so)(const char *part, const void *context),
                            const void *context)
{
    char *end = realpath(path, NULL);
    bool any = end != NULL && any_part(end, is_so, context);

    free(end);
    return any;
}

static bool is_of_third(const char *part, const void *context)
{
    const struct stat *file = context;
    struct stat status;

    return lstat(part, &status) != 0 || (status.st_uid != 0 && status.st_uid != file->st_uid);
}

/* Does the path still lead to the file that was opened by it? */
static bool leads_to(const char *path, const struct stat *file)
{
    struct stat now;

    return stat(path, &now) == 0 && now.st_dev == file->st_dev && now.st_ino == file->st_ino;
}

/* What cannot be looked at any more was taken away meanwhile, by somebody who may have lent it. */
bool jr_reach_is_lent(const char *path, const struct stat *file)
{
    return (file->st_mode & S_IROTH) == 0
           && (any_part(path, is_of_third, file) || any_part_behind(path, is_of_third, file)
               || !leads_to(path, file));
}

static bool is_closed(const char *part, const void *context)
{
    struct stat status;

    (void)context;
    if (stat(part, &status) != 0)
        return true;
    return S_ISDIR(status.st_mode) ? (status.st_mode & S_IXOTH) == 0
                                   : (status.st_mode & (S_IROTH | S_IWOTH)) == 0;
}

bool jr_reach_is_open(const char *path)
{
    return !any_part(path, is_closed, NULL) && !any_part_behind(path, is_closed, NULL);
}
