/*
 * settings -- everything that can be set.
 *
 * One table, rows[] in settings.c, knows of each setting its name, type, default, range and
 * meaning. `--help`, `check` and the documents are made of it. load.h reads the values.
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
#include "lib/model/notice.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose a secret is: each kind of process has a use for its own only. */
enum jr_secrets {
    JR_SECRETS_NONE,  /* no secret */
    JR_SECRETS_KEYS,  /* of the webhook: who answers requests */
    JR_SECRETS_TOKEN, /* of the API, of the App, of who is told: the dispatcher */
    JR_SECRETS_KINDS
};

/* There are no more rows in the table. */
#define JR_SETTINGS_MOST 64

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
    char *policy;               /* a preset's name, or the path of a file */
    enum jr_looking evidence;
    int64_t log_tail_bytes;     /* 0: logs are not read */
    enum jr_reporting report;   /* see jr_settings_reports() */
    bool commands;              /* people may ask for reruns on pull requests */

    /* secrets; NULL when not set or forgotten */
    char *github_token;
    char *github_app_key; /* PEM that jr_jwt_key_open() takes */
    char *github_sign_key;
    char *github_sign_key_old;
    char *notify_url;

    /* GitHub */
    char *github_app_id;  /* NULL without github_app_key, but for who forgot the key */
    char *github_api_url; /* without a slash at the end */
    char *github_ca_file; /* NULL: the system's */
    int64_t rerun_delay_ms;
    int64_t api_backoff_min_ms;
    int64_t api_backoff_max_ms;
    int64_t api_write_interval_ms;
    int64_t api_reads;
    int64_t reconcile_interval_ms; /* 0: never */
    int64_t catch_up_ms;
    int64_t patience_ms; /* no variable sets it: JR_PATIENCE_MS, but in tests */

    /* who is told */
    unsigned notify_on;             /* bit 1 << enum jr_notice_kind; nothing without notify_url */
    struct jr_list notify_branches; /* whose runs a notice of one that is given up is for */
    enum jr_notice_format notify_format;

    /* several hosts, on etcd */
    struct jr_list cluster_etcd; /* its client URLs; empty: this host is the only one */
    char *cluster_name;
    char *cluster_host;          /* what people read; NULL: the host's name */
    char *cluster_ca_file;       /* NULL: the system's */
    char *cluster_cert_file;
    char *cluster_key;           /* a secret, PEM; NULL: none */
    char *cluster_user;
    char *cluster_password;      /* a secret */
    int64_t cluster_lease_ms;
    int64_t cluster_takeover_ms;

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

    /* what the policy comes to; not settings. Filled in by chosen.h, 0 until then */
    char *policy_text; /* owned; NULL: the policy was not read */
    size_t policy_length;
    bool judges;           /* a run is rerun only after it was looked for why it failed */
    bool judges_cancelled; /* a cancelled one is looked at, too */
    bool has_guards;       /* the policy has guards, which stand above rerun_superseded */
    bool guards_pulls;     /* ... one asks for pull requests, */
    bool guards_files;     /* ... one for workflow files */
    bool own_files;        /* repositories may have policy files of their own */
    bool judges_only_own;  /* ... and only such a file may ask why a run failed */
    bool judges_workflows; /* what the policy says depends on the names of workflows */

    /* not settings, but about them */
    char *doubts;   /* what is likely not meant so, lines as in problems; NULL: nothing. Owned */
    uint64_t given; /* bit 1 << row: a secret that was set, also when it is forgotten since */
    char *secret_files[JR_SETTINGS_MOST]; /* by row: what a secret was read from; NULL: no file.
                                           * Owned */
};

/* Rule 7: how long a 404 or a missing permission may pass by itself before it is believed. */
#define JR_PATIENCE_MS (15 * JR_MINUTE_MS)

void jr_settings_release(struct jr_settings *settings);

/* Is there anything to call GitHub with: a token or an App's key? */
bool jr_settings_can_call(const struct jr_settings *settings);

/* Are there several hosts, which agree by etcd? */
bool jr_settings_clusters(const struct jr_settings *settings);

/* Is it said at GitHub what becomes of runs? Not in a dry run: nothing is written there then. */
bool jr_settings_reports(const struct jr_settings *settings);

/* Wipe the secrets of one kind, in a process that has no use for them. */
void jr_settings_forget(struct jr_settings *settings, enum jr_secrets kind);

/* The value of a row if it is a secret that is set, else NULL. It stays settings'. */
const char *jr_settings_secret(const struct jr_settings *settings, size_t row);

/* Set a secret from "NAME=value"; what is none is ignored. JR_OK or JR_ENOMEM. */
enum jr_err jr_settings_put_secret(struct jr_settings *settings, const char *assignment) JR_CHECKED;

/* Was a secret set, by its name, also when it is forgotten since? */
bool jr_settings_is_given(const struct jr_settings *settings, const char *name);

/* What is told, as in notify_on: nothing where nobody is to be told. Also when the address is
 * forgotten since. */
unsigned jr_settings_notifies(const struct jr_settings *settings);

/*
 * The table, row by row: what --help and the documents say of a setting. A row is less than
 * jr_settings_count(); the texts are static, plain and in one line, with no mark-up in them.
 */
size_t jr_settings_count(void);
const char *jr_settings_name(size_t row);
const char *jr_settings_default(size_t row); /* as one would write it; "" when there is none */
bool jr_settings_is_secret(size_t row);      /* then NAME_FILE may be given, too */
enum jr_secrets jr_settings_kind(size_t row);

/* The row of "NAME", or of "NAME=value"; jr_settings_count(): there is none. */
size_t jr_settings_find(const char *name);

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

/*
 * Read a value, or the default, into the field of a row; for load.h and secrets.h.
 *   name   what stands in front of a finding: the setting, or the variable of its file
 *   value  NULL: the default, if there is one
 */
void jr_settings_read(struct jr_settings *settings, size_t row, const char *name,
                      const char *value, struct jr_findings *findings);

/* The field of a row, of the type that types.h says. */
void *jr_settings_field(struct jr_settings *settings, size_t row);

#endif
