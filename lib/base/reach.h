/*
 * reach -- who else can get at a file by its path: for files that hold secrets.
 *
 * Both look at the path as it is given and at where each link on it leads, one after the other,
 * folder by folder from the root on. A relative one begins in the working directory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REACH_H
#define JR_REACH_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * For who reads as root: does the path lead by something of a user to a file of another one, who
 * keeps it from all others? Then that user may have put a link there, and would have root read
 * for him what he cannot. What is root's is trusted.
 *   file  the open file, by fstat(2)
 */
bool jr_reach_is_lent(const char *path, const struct stat *file);

/* May everybody read (or write) the file: by its mode, and those of all folders above it? */
bool jr_reach_is_open(const char *path);

#endif
