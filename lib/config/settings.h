/*
 * settings -- everything that can be set, read from the environment once.
 *
 * One table, rows[] in settings.c, knows of each setting its name, type, default, range and
 * meaning. `--help`, `check` and the documents are made of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SETTINGS_H
#define JR_SETTINGS_H

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/config/types.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose a secret is: each kind of process has a use for its own only. */
enum jr_secrets {
    JR_SECRETS_NONE,  /* no secret */
    JR_SECRETS_KEYS,  /* of the webhook: who answers requests */
    JR_SECRETS_TOKEN, /* of the API, or of the App: the dispatcher */
    JR_SECRETS_KINDS
};

struct jr_settings {
    /* which runs are rerun */
    int64_t run_attempts; /* attempts of one run, the first included */
    struct jr_list no_retry_list;
    struct jr_list repo_branches; /* empty: all */
    struct jr_list repos;         /* empty: all */
    struct jr_list no_retry_repos;
    struct jr_list no_retry_workflows;
    unsigned retry_conclusions; /* bit 1 << enum jr_conclusion */
    bool rerun_superseded;      /* false: leave a run that a newer one stands in the place of */

    /* secrets; NULL when not set or forgotten */
    char *github_token;
    char *github_app_key; /* PEM that jr_jwt_key_open() takes */
    char *github_sign_key;
    char *github_sign_key_old;

    /* GitHub */
    char *github_app_id;  /* NULL without github_app_key, but for who forgot the key */
    char *github_api_url; /* without a slash at the end */
    char *github_ca_file; /* NULL: the system's */
    int64_t rerun_delay_ms;
    int64_t api_backoff_min_ms;
    int64_t api_backoff_max_ms;
    int64_t api_write_interval_ms;
    int64_t reconcile_interval_ms; /* 0: never */
    int64_t catch_up_ms;
    int64_t patience_ms; /* no variable sets it: JR_PATIENCE_MS, but in tests */

    /* the store */
    char *state_dir;
    int64_t map_size_bytes;
    int64_t retention_ms;

    /* the service */
    int64_t workers;
    int64_t body_max_bytes;
    char *listen;
    int64_t port;
    bool dry_run;
    enum jr_log_level log_level;

    /* not settings, but about them */
    char *doubts;   /* what is likely not meant so, lines as in problems; NULL: nothing. Owned */
    uint64_t given; /* bit 1 << row: a secret that was set, also when it is forgotten since */
};

/* What documents put together; their headings: jr_settings_group(). */
enum jr_settings_group {
    JR_GROUP_RUNS,
    JR_GROUP_GITHUB,
    JR_GROUP_TIMES,
    JR_GROUP_STORE,
    JR_GROUP_SERVICE
};

/* A row of the table: all that there is to say of a setting. */
struct jr_setting {
    const char *name;
    const struct jr_type *type;
    size_t offset;        /* of its field in struct jr_settings */
    const char *standard; /* the default, as one would write it; "": none */
    struct jr_domain domain;
    enum jr_settings_group group;
    enum jr_secrets secret;
    const char *meaning, *details; /* details: may be NULL */
};

/* Rule 7: how long a 404 or a missing permission may pass by itself before it is believed. */
#define JR_PATIENCE_MS (15 * JR_MINUTE_MS)

/*
 * Read all settings from the environment, `NAME_FILE` and the systemd
 * credentials in $CREDENTIALS_DIRECTORY. An empty variable is as good as none.
 *   settings  out: owned by the caller, jr_settings_release()
 *   problems  out: NULL, or every problem found, a line each, ending with a
 *             line feed; owned by the caller, free(). No secret is in it.
 * Returns JR_OK; JR_EINVAL when there are problems; JR_ENOMEM. What could be
 * read is in settings in each case, and so are doubts. What can mean something, and
 * what cannot, is in sense.h.
 */
enum jr_err jr_settings_load(struct jr_settings *settings, char **problems) JR_CHECKED;

/*
 * The same for who only reads or changes the store: the secrets are neither read
 * nor missed, and are NULL.
 */
enum jr_err jr_settings_load_public(struct jr_settings *settings, char **problems) JR_CHECKED;

void jr_settings_release(struct jr_settings *settings);

/* Can the user that the process is by now read the files that are named? JR_OK or JR_EINVAL. */
enum jr_err jr_settings_check_files(const struct jr_settings *settings, struct jr_error *error)
    JR_CHECKED;

/*
 * Tell what is taken, but should not be so: secrets in files that everybody may read, and
 * http://. After jr_settings_load().
 *   file  where settings without a source of their own come from; NULL: the environment
 *   warn  called for each: the setting, or "settings" for the file; and a sentence for people
 */
void jr_settings_warn(const struct jr_settings *settings, const char *file,
                      void (*warn)(void *context, const char *name, const char *text),
                      void *context);

/*
 * Wipe the secrets in the environment block, which others of the same user
 * could read in /proc/PID/environ. After jr_settings_load().
 */
void jr_settings_clear_environment(void);

/*
 * Does the environment look as if the settings of a service were in it? By what
 * every service has: STATE_DIR, or GITHUB_SIGN_KEY in one of its ways. (Others,
 * such as GITHUB_TOKEN or PORT, other programs use as well.)
 */
bool jr_settings_in_environment(void);

/* Take every setting out of the environment, in all ways in which it can be given. */
void jr_settings_unset_environment(void);

/* Is there anything to call GitHub with: a token or an App's key? */
bool jr_settings_can_call(const struct jr_settings *settings);

/*
 * Read what GitHub is called with anew, from the file or the credential: the token,
 * or the App's key. Returns whether there is another one in it; it has then taken
 * the old one's place. What cannot be read changes nothing.
 */
bool jr_settings_reread_token(struct jr_settings *settings);

/*
 * Open a file of settings or secrets for reading. It has to be a regular file: one of
 * another kind may make whoever opens or reads it wait for ever, and such files are read
 * more than once, when a pipe has nothing more to give.
 * Returns its descriptor, or -1; error then has JR_ENOENT or JR_EIO, and names the file.
 */
int jr_settings_open_file(const char *path, struct jr_error *error) JR_CHECKED;

/* Wipe the secrets of one kind, in a process that has no use for them. */
void jr_settings_forget(struct jr_settings *settings, enum jr_secrets kind);

/* The value of a row if it is a secret of that kind and set, else NULL. It stays settings'. */
const char *jr_settings_secret(const struct jr_settings *settings, size_t row,
                               enum jr_secrets kind);

/* Set a secret from "NAME=value"; what is none is ignored. JR_OK or JR_ENOMEM. */
enum jr_err jr_settings_put_secret(struct jr_settings *settings, const char *assignment) JR_CHECKED;

/* Is there a NAME_FILE or a credential to read the secret NAME (or "NAME=value") from? */
bool jr_settings_has_source(const char *name);

/* Was a secret set, by its name, also when it is forgotten since? */
bool jr_settings_is_given(const struct jr_settings *settings, const char *name);

/* Does a run that ended so deserve a rerun? */
bool jr_settings_retries(const struct jr_settings *settings, enum jr_conclusion conclusion);

/*
 * The table, row by row: what --help and the documents say of a setting. A row is less than
 * jr_settings_count(); the texts are static, plain and in one line, with no mark-up in them.
 */
size_t jr_settings_count(void);
const char *jr_settings_name(size_t row);
const char *jr_settings_default(size_t row); /* as one would write it; "" when there is none */
bool jr_settings_is_secret(size_t row);      /* then NAME_FILE may be given, too */

/* In one sentence, which begins small and has no full stop; and more of them, whole ones, or "". */
const char *jr_settings_meaning(size_t row);
const char *jr_settings_details(size_t row);

/* The heading that it stands under; rows of one group stand together. */
const char *jr_settings_group(size_t row);

/* What kind of value it takes: "duration", "list". */
const char *jr_settings_type(size_t row);

/* What is allowed: "1s to 1h", "leave or rerun"; "" where there is no range. Returns range. */
char *jr_settings_range(size_t row, char range[JR_RANGE_SIZE]);

/* What has to be done for a new value to count: "restart", or "reload, if ...; else restart". */
const char *jr_settings_renewal(size_t row);

/*
 * The value in force, for people; a secret is only "set" or "not set".
 * Returns text.
 */
char *jr_settings_show(const struct jr_settings *settings, size_t row, char *text, size_t size);

/* The same, however long it is. Owned by the caller, free(); NULL: no memory. */
char *jr_settings_text(const struct jr_settings *settings, size_t row);

/* The default, written as these two do ("1d" for "24h"). Owned by the caller; NULL: no memory. */
char *jr_settings_default_text(size_t row);

#endif
