/*
 * inforce -- the settings that a service runs with, as its master has left them for others:
 * STATE_DIR/settings.
 *
 * The administrator's tool may have another environment than the service, and a file of
 * settings may have changed since the start: what is in force, only the master knows. It
 * writes this file at each start and reload, by then as the owner of STATE_DIR. No secret is
 * in it, only whether it is set. It stays when the service ends; whoever reads it compares
 * started_ms with that of the running service (runtime.h).
 *
 * Lines of text: "job-rerunner settings 1", then NAME=value, a line each. Before the settings
 * stand started_ms and version. A value has no control character in it (settings.h).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_INFORCE_H
#define JR_INFORCE_H

#include "lib/base/error.h"
#include "lib/config/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the environment of `check` when a master tries the program on disk before it reloads. */
#define JR_INFORCE_TRIAL "JR_RELOAD"

/* What such a trial says on standard error of the standard file, at the head of a line each. */
#define JR_RESTART_NEEDED "restart-needed: "
#define JR_DOUBTFUL_FILE "doubtful-setting: "

struct jr_inforce_row {
    const char *name, *value; /* in the text */
};

struct jr_inforce {
    int64_t started_ms;  /* of the service that wrote it */
    const char *version; /* its program's; in the text */
    struct jr_inforce_row *rows; /* as that program knows them; owned */
    size_t count;
    char *text; /* owned */
};

/*
 * Leave the settings for others, in the place of what was there; when that fails nothing is
 * there. The file is made anew and then moved, and no link is followed.
 *   started_ms  as the service's runtime has it
 * Returns JR_OK, JR_ENOMEM or JR_EIO.
 */
enum jr_err jr_inforce_write(const char *state_dir, const struct jr_settings *settings,
                             int64_t started_ms, struct jr_error *error) JR_CHECKED;

/*
 * Read them. As the owner of STATE_DIR, who may have written anything: what is read is checked
 * for its form only.
 *   inforce  out: owned by the caller, jr_inforce_release(); all zero unless JR_OK
 * Returns JR_OK; JR_ENOENT when there is none; JR_EFORMAT when it is no such file; JR_ENOMEM;
 * JR_EIO.
 */
enum jr_err jr_inforce_read(const char *state_dir, struct jr_inforce *inforce,
                            struct jr_error *error) JR_CHECKED;
void jr_inforce_release(struct jr_inforce *inforce);

/* The value of a setting; NULL: the service's program does not know it. */
const char *jr_inforce_value(const struct jr_inforce *inforce, const char *name);

/*
 * Is a setting other than what is in force? One that the service's program does not know is,
 * if it is not at its default. A secret only by being set or not.
 *   here  out: the value in settings, for people; owned by the caller, free(); NULL: no memory
 */
bool jr_inforce_differs(const struct jr_inforce *inforce, const struct jr_settings *settings,
                        size_t row, char **here);

#endif
