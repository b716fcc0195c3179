/*
 * file -- bytes into a file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FILE_H
#define JR_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Write all of it, however often write(2) takes only a part or a signal comes between.
 * Returns false when that fails, and errno says why; a part may be written then.
 */
bool jr_file_write(int fd, const char *bytes, size_t length);

#endif
