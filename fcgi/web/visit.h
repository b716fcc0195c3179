/*
 * visit -- one visit of a page: which page, what is wanted of it, and what comes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_VISIT_H
#define JR_VISIT_H

#include "fcgi/web/context.h"
#include "fcgi/web/query.h"
#include "fcgi/web/request.h"
#include "lib/base/buffer.h"
#include "lib/format/emit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In which form a page is given: for people, or as data. */
enum jr_visit_form { JR_VISIT_HTML = 0, JR_VISIT_JSON = 1, JR_VISIT_CSV = 2 };

/* Which of the last two a page has, as bits. */
#define JR_VISIT_AS_JSON 1U
#define JR_VISIT_AS_CSV 2U

struct jr_visit;

/*
 * Make a page: read everything, in short transactions, and write it then.
 * Returns JR_OK; JR_ENOENT: there is no such thing; JR_EINVAL: a parameter is wrong, and the
 * error names it; else what failed.
 */
typedef enum jr_err jr_visit_make(struct jr_visit *visit, struct jr_error *error);

/* A page, or all those of one kind. */
struct jr_route {
    const char *path;  /* with a slash at its end: something stands behind it */
    const char *title; /* in the navigation; NULL: not there, but below the one before */
    jr_visit_make *make;
    unsigned forms; /* JR_VISIT_AS_* */
    const char *const *names; /* of its parameters (jr_query_read), besides `refresh` */
    const char *missing;      /* what a 404 says; NULL: there is none */
};

struct jr_visit {
    const struct jr_context *context;
    const struct jr_settings *settings;
    const struct jr_route *routes, *route; /* all of them, the last without a path; and this one */
    char path[sizeof((struct jr_request *)0)->path_text]; /* without what stands for the form */
    const char *name; /* what stands behind the route's path, in `path`; or "" */
    enum jr_visit_form form;
    struct jr_query query;
    int64_t refresh_s; /* how often it is to be made anew; 0: never */
    int64_t now_ms;
    struct jr_buffer *page; /* out: what is made */
    struct jr_buffer next;  /* out: the address of the next page; empty: there is none. Owned */
};

/* Which page a path is. Returns false when it is none; else route, path, name and form are set. */
bool jr_visit_find(struct jr_visit *visit, const struct jr_route *routes, const char *path);

/* Read the parameters, once the route is known. JR_OK, or JR_EINVAL. */
enum jr_err jr_visit_read(struct jr_visit *visit, const char *query,
                          struct jr_error *error) JR_CHECKED;

/*
 * The parameter `since', as an age, a day or a time. Where it is not given, since_ms stays.
 * Returns JR_OK or JR_EINVAL.
 */
enum jr_err jr_visit_since(const struct jr_visit *visit, int64_t *since_ms,
                           struct jr_error *error) JR_CHECKED;

/* Begin to write data, by the form. */
void jr_visit_emit(const struct jr_visit *visit, struct jr_emit *emit);

/*
 * Add a link to the page: to itself in a form, with another value of a parameter (as
 * jr_query_write()). text is plain text, which is escaped here.
 */
void jr_visit_link(const struct jr_visit *visit, enum jr_visit_form form, const char *name,
                   const char *value, const char *text);

/* The page goes on at another value of a parameter: that is told with it. */
void jr_visit_goes_on(struct jr_visit *visit, const char *name, const char *value);

#endif
