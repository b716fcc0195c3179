/*
 * sense -- can a value mean anything where it stands?
 *
 * A pattern that no repository, branch or login could ever match, a base URL that is
 * GitHub's web site, a secret with a byte order mark: read as they stand they are well-formed,
 * and do nothing, or the wrong thing. Each function looks at one value (of a list: at one
 * item, without the blanks at its ends) and says what is wrong, with the right form.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SENSE_H
#define JR_SENSE_H

#include <stdbool.h>

enum jr_sense {
    JR_SENSE_GOOD,
    JR_SENSE_DOUBTFUL, /* it may be right, but is likely not what was meant */
    JR_SENSE_NONE      /* it can never be right */
};

/* Room for what is said: words that go on behind the value, "is an address; ...". No full stop. */
#define JR_SENSE_SIZE 320

/* How all of these look: text is written unless the value is good. */
typedef enum jr_sense jr_sense_look(const char *value, char text[JR_SENSE_SIZE]);

/* REPOS, NO_RETRY_REPOS: "owner/name", with wildcards. Source: GitHub's rules for names. */
jr_sense_look jr_sense_repo;

/* REPO_BRANCHES: what git allows as a name, with wildcards. Source: git-check-ref-format(1). */
jr_sense_look jr_sense_branch;

/* NO_RETRY_LIST: logins, of an App "name[bot]", with wildcards. */
jr_sense_look jr_sense_login;

/* NO_RETRY_WORKFLOWS: a name (any text at all), a file's name, or its path. */
jr_sense_look jr_sense_workflow;

/* GITHUB_API_URL: http or https, a host, perhaps a path, without a slash at the end. */
jr_sense_look jr_sense_api_url;

/* GITHUB_APP_ID: a number, or a client id. */
jr_sense_look jr_sense_app_id;

/* LISTEN: an address, whose port is PORT's. */
jr_sense_look jr_sense_listen;

/* The name of a file or folder. */
jr_sense_look jr_sense_path;

/* POLICY: the name of a preset, or of a file, which has a slash in it or ends in .yml. */
jr_sense_look jr_sense_policy;

/* GITHUB_TOKEN: it goes into a header. Nothing of a secret is in the text. */
jr_sense_look jr_sense_token;

/* NOTIFY_URL: http or https, a host, and whatever stands behind it. Nothing of it is in the text. */
jr_sense_look jr_sense_notify_url;

/* CLUSTER_ETCD: http or https, a host and perhaps a port, nothing behind. */
jr_sense_look jr_sense_etcd_url;

/* CLUSTER_KEY: a private key in PEM. Nothing of a secret is in the text, here and below. */
jr_sense_look jr_sense_pem;

/* CLUSTER_PASSWORD */
jr_sense_look jr_sense_password;

/* Does a URL that makes sense begin with http:// and name a host that is not this one? */
bool jr_sense_is_plain_elsewhere(const char *url);

/* GITHUB_SIGN_KEY and the old one: typed or pasted into GitHub's form. */
jr_sense_look jr_sense_key;

/*
 * Which of some words is meant by one that is none of them? By few changes, or since one
 * begins with the other ("warning": "warn").
 *   words  ends with NULL
 * Returns one of words, or NULL.
 */
const char *jr_sense_nearest(const char *const *words, const char *word);

#endif
