/*
 * types -- how the value of a setting is read, shown and released: by its type.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TYPES_H
#define JR_TYPES_H

#include "lib/config/findings.h"
#include "lib/config/sense.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When it is looked for why a run failed. */
enum jr_looking {
    JR_LOOKING_AUTO,   /* when the policy asks for causes */
    JR_LOOKING_ALWAYS, /* of each failed run */
    JR_LOOKING_NEVER   /* GitHub is not asked for it: what webhooks have told has to do */
};

/* Where it is said at GitHub what becomes of a run. */
enum jr_reporting {
    JR_REPORTING_NONE,
    JR_REPORTING_CHECK,  /* in a check run of its commit */
    JR_REPORTING_COMMENT /* in a comment on its pull request */
};

/* What a setting allows of the values of its type. */
struct jr_domain {
    int64_t min, max;    /* of a number, a duration in ms, a size in bytes; max: a text's bytes */
    bool or_zero;        /* 0 is allowed below min */
    jr_sense_look *look; /* can a value (of a list: an item) mean anything? NULL: each can */
};

/* What a value is read for, and who is told what is wrong with it. */
struct jr_reading {
    const char *name; /* what stands in front of a finding */
    const struct jr_domain *domain;
    struct jr_findings *findings;
};

/* Room for the range of any type, in words. */
#define JR_RANGE_SIZE 128

/*
 *   word     what kind of value it is, for people: "duration"
 *   read     take a value, which is empty only in the file of a secret. What is wrong is a
 *            finding; the field stays as it was then. A field that is owned has to be empty before
 *   show     the value as one would write it, cut where there is no room; size is at least 1.
 *            Of a secret only "set" or "not set"
 *   range    what is allowed, "1s to 1h" or "leave or rerun"; "" when there is nothing to say
 *   release  free what the field owns; NULL: nothing
 */
struct jr_type {
    const char *word;
    void (*read)(const struct jr_reading *reading, const char *value, void *field);
    void (*show)(const void *field, char *text, size_t size);
    void (*range)(const struct jr_domain *domain, char range[JR_RANGE_SIZE]);
    void (*release)(void *field);
};

extern const struct jr_type jr_type_number;      /* int64_t */
extern const struct jr_type jr_type_duration;    /* int64_t, ms; "90s", a bare number is seconds */
extern const struct jr_type jr_type_size;        /* int64_t, bytes; "16G" */
extern const struct jr_type jr_type_switch;      /* bool: yes or no */
extern const struct jr_type jr_type_keeping;     /* bool: rerun or leave */
extern const struct jr_type jr_type_level;       /* enum jr_log_level */
extern const struct jr_type jr_type_looking;     /* enum jr_looking: auto, always or never */
extern const struct jr_type jr_type_reporting;   /* enum jr_reporting: none, check or comment */
extern const struct jr_type jr_type_list;        /* struct jr_list */
extern const struct jr_type jr_type_conclusions; /* unsigned, bit 1 << enum jr_conclusion */
extern const struct jr_type jr_type_notices;     /* unsigned, bit 1 << enum jr_notice_kind */
extern const struct jr_type jr_type_notice_format; /* enum jr_notice_format */
extern const struct jr_type jr_type_text;        /* char *, owned, like those that follow */
extern const struct jr_type jr_type_word;        /* letters, digits and a few signs */
extern const struct jr_type jr_type_url;         /* without a slash at the end */
extern const struct jr_type jr_type_secret;      /* wiped when it is released */
extern const struct jr_type jr_type_private_key; /* one that jr_jwt_key_open() takes; wiped, too */

/* A secret is no longer, a file with one neither. */
#define JR_SECRET_MAX 16384

/* Read a duration as settings have it: "90s", "2h"; false if it is none. */
bool jr_types_read_duration(const char *text, int64_t *duration_ms);

/*
 * A point in time: as an age ("90s", "2h", "7d": a number and ms, s, m, h or d), a
 * day ("2026-11-23", in UTC) or an RFC 3339 time.
 */
bool jr_types_read_since(const char *text, int64_t now_ms, int64_t *since_ms);

#endif
