/*
 * evidencefile -- a failed run as a JSON file tells of it, for `policy test`.
 *
 * The form is in job-rerunner(8), "policy test": the run and its jobs as GitHub's API shows
 * them, annotations by job, and paths of logs beside the file. What is null or missing could
 * not be read; false: there is none.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_EVIDENCEFILE_H
#define JR_EVIDENCEFILE_H

#include "lib/base/error.h"
#include "lib/model/event.h"
#include "lib/model/evidence.h"

#include <stddef.h>
#include <stdint.h>

/* A file may be so large, and a log that is looked at as much, from its end. */
#define JR_EVIDENCEFILE_MAX (16 * 1024 * 1024)
#define JR_EVIDENCEFILE_JOBS_MAX 1000

struct jr_evidencefile {
    struct jr_event run; /* repo, workflow, branch, trigger, attempt, conclusion ... */
    uint32_t reruns;
    struct jr_evidence *jobs; /* those that did not succeed, by id; owned */
    size_t count;
    bool newer;   /* there is a newer run in its line, of another commit */
    bool held;    /* another run holds its concurrency group */
    bool closed;  /* its pull request is closed or merged */
    bool deploys; /* a job that failed, or was skipped behind one, has an environment */
};

/*
 * Read a file and the logs that it names.
 *   log_tail_bytes  so much of each log is looked at, from its end; 0: logs are not read
 * Returns JR_OK; JR_ENOENT or JR_EIO when the file cannot be read; JR_EINVAL when it is not
 * what it has to be; JR_ENOMEM. The error says what and where. file is the caller's to release.
 */
enum jr_err jr_evidencefile_read(struct jr_evidencefile *file, const char *path,
                                 size_t log_tail_bytes, struct jr_error *error) JR_CHECKED;

void jr_evidencefile_release(struct jr_evidencefile *file);

#endif
