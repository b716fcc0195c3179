/*
 * checkrun -- check runs and comments: the JSON that makes them, and how ours are found again.
 *
 * A check run of any name may be made so; what is said in it is its maker's.
 * Sources: https://docs.github.com/en/rest/checks/runs, .../rest/issues/comments
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CHECKRUN_H
#define JR_CHECKRUN_H

#include "lib/format/yaml.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* What the name of one has at most: it stands in an address, too. */
#define JR_CHECK_NAME_SIZE 96

struct jr_check_run {
    const char *name;
    const char *sha;         /* of the commit */
    const char *external_id; /* by which it is found again */
    const char *url;         /* where its "Details" lead to; empty: nowhere */
    const char *title, *summary;
    bool completed;
    bool good; /* success; else it is neutral. Neither blocks a merge */
    bool has_buttons; /* people may ask for something by them (lib/model/verb.h) */
    uint32_t attempt; /* that they are about */
    const char *path; /* of a file of the commit that it is about; NULL: of none */
    const struct jr_problems *problems; /* which are shown in that file, each at its place */
};

/*
 * The body of the request that makes a check run, or (is_new false) changes it; and of one that
 * makes or changes a comment. Owned by the caller, free(); NULL: no memory.
 */
char *jr_check_run_json(const struct jr_check_run *check, bool is_new);
char *jr_comment_json(const char *text);

/* The body of the request that reacts to a comment: "rocket". Likewise. */
char *jr_reaction_json(const char *content);

/* What a list is looked through for. */
struct jr_ours {
    const char *external_id; /* of a check run, */
    const char *app;         /* and the App's id or client id; */
    const char *login;       /* of a comment, its author (NULL: anybody), */
    const char *begins;      /* and what it begins with */
};

/* Find ours in a list. Returns its id; 0: it is not there. */
uint64_t jr_check_run_find(json_object *check_runs, const struct jr_ours *ours);
uint64_t jr_comment_find(json_object *comments, const struct jr_ours *ours);

#endif
