/*
 * file -- bytes into a file, and a file without a name.
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

/*
 * A file in memory, without a name: memfd_create(2). It is closed on exec, can be sealed, and
 * nobody can ever execute it, where the kernel knows that (Linux 6.3: MFD_NOEXEC_SEAL, which
 * sets the seal F_SEAL_EXEC; a host may refuse files without it, see vm.memfd_noexec).
 *   name  for those who look into /proc
 * Returns its descriptor; -1, and errno says why.
 */
int jr_file_memory(const char *name);

#endif
