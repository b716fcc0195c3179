/*
 * reach -- who else can get at a file by its path.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/reach.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A path while its links are followed. */
#define WAY_SIZE (2 * PATH_MAX)

/* As many as the kernel follows: path_resolution(7). */
#define LINKS_MOST 40

/* What is asked of each part of a way. */
typedef bool ask(const char *part, const void *context);

/* False: it has no place. */
static bool begin_way(const char *path, char way[WAY_SIZE])
{
    size_t length;

    way[0] = '\0';
    if (path[0] != '/' && getcwd(way, PATH_MAX) == NULL)
        return false;
    length = strlen(way);
    return snprintf(way + length, WAY_SIZE - length, "/%s", path) < (int)(WAY_SIZE - length);
}

/* Where the part ends that begins at `start` or goes on there; 0: there is no more. */
static size_t part_end(const char *way, size_t start)
{
    return way[start] == '\0' ? 0 : start + 1 + strcspn(way + start + 1, "/");
}

/* Copy the way up to the end of a part. */
static void cut(const char *way, size_t end, char part[WAY_SIZE])
{
    memcpy(part, way, end);
    part[end] = '\0';
}

/* Ask of "/", "/a", "/a/b", and so on. Returns whether the answer to any was yes. */
static bool any_part(const char *way, ask *is_so, const void *context)
{
    char part[WAY_SIZE];

    if (is_so("/", context))
        return true;
    for (size_t end = part_end(way, 0); end != 0; end = part_end(way, end)) {
        cut(way, end, part);
        if (is_so(part, context))
            return true;
    }
    return false;
}

/*
 * Write what a link names in its place: way[0..end) is the link. False: there is nothing, or no
 * room for it.
 */
static bool replace(char way[WAY_SIZE], size_t end, const char *target)
{
    char whole[WAY_SIZE], part[WAY_SIZE];
    struct stat status;
    size_t folder = end, rest = strlen(way + end);
    int length;

    while (way[folder - 1] != '/')
        folder--;
    length = snprintf(whole, sizeof whole, "%.*s%s%s", target[0] == '/' ? 0 : (int)folder, way,
                      target, way + end);
    if (length >= (int)sizeof whole)
        return false;
    cut(whole, (size_t)length - rest, part);
    if (lstat(part, &status) != 0)
        return false;
    memcpy(way, whole, (size_t)length + 1);
    return true;
}

/*
 * Follow the first link on the way that leads by a path. (One of /proc/PID/fd may lead to what
 * has none any more.) Returns whether there was one.
 */
static bool follow_link(char way[WAY_SIZE])
{
    char part[WAY_SIZE], target[PATH_MAX];
    ssize_t length;

    for (size_t end = part_end(way, 0); end != 0; end = part_end(way, end)) {
        cut(way, end, part);
        length = readlink(part, target, sizeof target - 1);
        if (length <= 0)
            continue;
        target[length] = '\0';
        if (replace(way, end, target))
            return true;
    }
    return false;
}

/*
 * Ask of each part of the way to a file: of the path as it is given, and of what each link on it
 * leads by, one after the other. Returns whether the answer to any was yes; it is, too, when the
 * way does not come to an end.
 */
static bool any_on_the_way(const char *path, ask *is_so, const void *context)
{
    char way[WAY_SIZE];

    if (!begin_way(path, way))
        return true;
    for (int links = 0; links <= LINKS_MOST; links++) {
        if (any_part(way, is_so, context))
            return true;
        if (!follow_link(way))
            return false;
    }
    return true;
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
           && (any_on_the_way(path, is_of_third, file) || !leads_to(path, file));
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
    return !any_on_the_way(path, is_closed, NULL);
}
