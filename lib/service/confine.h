/*
 * confine -- a process gives up what it does not need, before the first input
 * from outside reaches it: a filter of system calls (seccomp(2)).
 *
 * What is not allowed fails with ENOSYS, as if the kernel did not have it. There is no way
 * back, also not by fork or exec; and no other kind after the first, but for a judge.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CONFINE_H
#define JR_CONFINE_H

#include "lib/base/error.h"

#include <stdbool.h>

enum jr_confine {
    /*
     * Opens and removes files, makes connections and threads, loads libraries. It makes no
     * process, executes no program, signals and looks into nobody else, changes neither
     * owners, modes nor names of files, and nothing of the system.
     */
    JR_CONFINE_DISPATCHER,
    /*
     * No file is opened or removed either, no thread made, no code mapped, and no socket made
     * but a local one for datagrams (wake.h): what is open by now has to do.
     */
    JR_CONFINE_WORKER,
    /*
     * As a worker, but no socket is made and no connection taken. It makes processes, which
     * are as confined as itself, limits what they use, and makes pipes to them. It signals
     * none of them.
     */
    JR_CONFINE_MATCHER,
    /*
     * Reads what is open, computes, writes, and ends: no process and no pipe is made, nothing
     * is sent or received, no limit, timer or signal handler changed, no file changed in size.
     * The one kind that a process may take on after another one: a child of the matcher.
     */
    JR_CONFINE_JUDGE
};

/*
 * Returns JR_OK, also where it does nothing (with the address sanitizer, for coverage, and
 * for tests that ask for it), or JR_EIO when the kernel does not have filters.
 */
enum jr_err jr_confine(enum jr_confine kind, struct jr_error *error) JR_CHECKED;

/* Does it do something here? Where not, a process may need more memory than others, too. */
bool jr_confine_is_on(void);

#endif
