/*
 * visit -- one visit of a page: which page, what is wanted of it, and what comes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/visit.h"
#include "lib/base/text.h"
#include "lib/config/types.h"
#include "lib/format/html.h"

#include <string.h>

/* An address is no longer than its parameters, each of whose bytes may take three. */
#define ADDRESS_MOST ((size_t)3 * JR_QUERY_BYTES_MAX + 512)

#define REFRESH_LEAST 5
#define REFRESH_MOST 3600

/*
 * The end of a path says which form is wanted. ".html" is needed by a repository whose name ends
 * like one of the others: "octo/site.json".
 */
static const struct {
    const char *suffix;
    enum jr_visit_form form;
    unsigned bit;
} forms[] = {
    { ".json", JR_VISIT_JSON, JR_VISIT_AS_JSON },
    { ".csv", JR_VISIT_CSV, JR_VISIT_AS_CSV },
    { ".html", JR_VISIT_HTML, 0 },
};

#define FORMS (sizeof forms / sizeof *forms)

/* Which form a path asks for, by its end; FORMS: none. */
static size_t form_of(const char *path)
{
    size_t length = strlen(path), i = 0;

    while (i < FORMS
           && (length <= strlen(forms[i].suffix)
               || strcmp(path + length - strlen(forms[i].suffix), forms[i].suffix) != 0))
        i++;
    return i;
}

/* Does a path lead to a route? What stands behind it is the name. */
static bool leads(const char *path, const struct jr_route *route, const char **name)
{
    size_t length = strlen(route->path);

    *name = path + length;
    if (route->path[length - 1] == '/')
        return strncmp(path, route->path, length) == 0;
    return strcmp(path, route->path) == 0;
}

bool jr_visit_find(struct jr_visit *visit, const struct jr_route *routes, const char *path)
{
    size_t form = form_of(path);

    visit->routes = routes;
    (void)jr_text_copy(visit->path, sizeof visit->path, path);
    if (form < FORMS)
        visit->path[strlen(path) - strlen(forms[form].suffix)] = '\0';
    visit->form = form < FORMS ? forms[form].form : JR_VISIT_HTML;
    for (visit->route = routes; visit->route->path != NULL; visit->route++)
        if (leads(visit->path, visit->route, &visit->name))
            return form == FORMS || forms[form].bit == 0
                   || (visit->route->forms & forms[form].bit) != 0;
    return false;
}

enum jr_err jr_visit_read(struct jr_visit *visit, const char *query, struct jr_error *error)
{
    enum jr_err err = jr_query_read(&visit->query, visit->route->names, query, error);

    if (err == JR_OK)
        err = jr_query_number(&visit->query, "refresh", REFRESH_LEAST, REFRESH_MOST,
                              &visit->refresh_s, error);
    return err;
}

enum jr_err jr_visit_since(const struct jr_visit *visit, int64_t *since_ms,
                           struct jr_error *error)
{
    const char *given = jr_query_value(&visit->query, "since");

    if (*given == '\0' || jr_types_read_since(given, visit->now_ms, since_ms))
        return JR_OK;
    return jr_error_set(error, JR_EINVAL, "the parameter 'since' is '%.60s': it is an age such as "
                        "24h or 7d, a day such as 2026-11-23, or a time such as "
                        "2026-11-23T08:30:00Z", given);
}

void jr_visit_emit(const struct jr_visit *visit, struct jr_emit *emit)
{
    jr_emit_init_buffer(emit, visit->page);
    if (visit->form == JR_VISIT_CSV)
        jr_emit_as_csv(emit);
}

/* Not escaped. */
static void add_address(const struct jr_visit *visit, struct jr_buffer *buffer,
                        enum jr_visit_form form, const char *name, const char *value)
{
    jr_buffer_add(buffer, visit->path);
    /* HTML needs no end, but where the name itself ends like a form. */
    if (form != JR_VISIT_HTML || form_of(visit->path) < FORMS)
        for (size_t i = 0; i < FORMS; i++)
            jr_buffer_add(buffer, forms[i].form == form ? forms[i].suffix : "");
    jr_query_write(buffer, &visit->query, name, value);
}

void jr_visit_link(const struct jr_visit *visit, enum jr_visit_form form, const char *name,
                   const char *value, const char *text)
{
    struct jr_buffer address;

    jr_buffer_init(&address, ADDRESS_MOST);
    add_address(visit, &address, form, name, value);
    jr_html(visit->page, "<a href=\"%s\">%s</a>", address.bytes, text);
    jr_buffer_release(&address);
}

void jr_visit_goes_on(struct jr_visit *visit, const char *name, const char *value)
{
    jr_buffer_init(&visit->next, ADDRESS_MOST);
    add_address(visit, &visit->next, visit->form, name, value);
}
