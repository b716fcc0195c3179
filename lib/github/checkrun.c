/*
 * checkrun -- check runs and comments: the JSON that makes them, and how ours are found again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/checkrun.h"
#include "lib/base/show.h"
#include "lib/format/json.h"
#include "lib/model/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

/* The bytes of an object, which is released. */
static char *bytes_of(json_object *object)
{
    const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN
                                                                  | JSON_C_TO_STRING_NOSLASHESCAPE);
    char *copy = text == NULL ? NULL : strdup(text);

    json_object_put(object);
    return copy;
}

/* "label" has at most 20 characters, "description" 40, "identifier" 20 (docs, "Create a check
 * run": actions). */
static json_object *buttons(uint32_t attempt)
{
    static const struct {
        const char *label, *description;
        enum jr_verb verb;
    } all[] = {
        { "Rerun failed jobs", "Rerun the jobs that failed", JR_VERB_RERUN },
        { "Rerun all jobs", "Rerun the whole run", JR_VERB_ALL },
        { "Stop reruns", "Rerun nothing more of this commit", JR_VERB_STOP },
    };
    json_object *list = json_object_new_array();

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        json_object *button = json_object_new_object();
        char name[JR_BUTTON_SIZE];

        add(button, "label", all[i].label);
        add(button, "description", all[i].description);
        jr_verb_print_button(name, all[i].verb, attempt);
        add(button, "identifier", name);
        json_object_array_add(list, button);
    }
    return list;
}

static void add_number(json_object *object, const char *key, unsigned number)
{
    json_object_object_add(object, key, json_object_new_int64(number));
}

/*
 * "start_column" and "end_column" are taken where both lines are the same; of "annotations" there
 * are at most 50 in a request (docs, "Create a check run": output).
 */
static json_object *annotations(const struct jr_check_run *check)
{
    json_object *list = json_object_new_array();

    _Static_assert(JR_PROBLEMS_MAX <= 50, "more than GitHub takes");
    for (size_t i = 0; i < check->problems->count; i++) {
        const struct jr_problem *problem = &check->problems->items[i];
        json_object *annotation = json_object_new_object();
        char message[sizeof problem->text];

        jr_show_clean(message, sizeof message, problem->text);
        add(annotation, "path", check->path);
        add_number(annotation, "start_line", problem->line);
        add_number(annotation, "end_line", problem->line);
        add_number(annotation, "start_column", problem->column);
        add_number(annotation, "end_column", problem->column);
        add(annotation, "annotation_level", "warning");
        add(annotation, "message", message);
        json_object_array_add(list, annotation);
    }
    return list;
}

char *jr_check_run_json(const struct jr_check_run *check, bool is_new)
{
    json_object *object = json_object_new_object(), *output = json_object_new_object();

    add(object, "name", check->name);
    if (is_new) {
        add(object, "head_sha", check->sha);
        add(object, "external_id", check->external_id);
    }
    if (*check->url != '\0')
        add(object, "details_url", check->url);
    add(object, "status", check->completed ? "completed" : "in_progress");
    if (check->completed)
        add(object, "conclusion", check->good ? "success" : "neutral");
    add(output, "title", check->title);
    add(output, "summary", check->summary);
    if (check->path != NULL)
        json_object_object_add(output, "annotations", annotations(check));
    json_object_object_add(object, "output", output);
    /* What is left out of a change stays as it was. */
    if (check->has_buttons || !is_new)
        json_object_object_add(object, "actions", check->has_buttons ? buttons(check->attempt)
                                                                     : json_object_new_array());
    return bytes_of(object);
}

char *jr_comment_json(const char *text)
{
    json_object *object = json_object_new_object();

    add(object, "body", text);
    return bytes_of(object);
}

char *jr_reaction_json(const char *content)
{
    json_object *object = json_object_new_object();

    add(object, "content", content);
    return bytes_of(object);
}

static bool has_text(json_object *object, const char *key, const char *want)
{
    char text[256];

    return jr_json_get_text(object, key, text, sizeof text) == JR_JSON_OK
           && strcasecmp(text, want) == 0;
}

/* An App is known by its number or its client id. */
static bool is_of_app(json_object *check, const char *app)
{
    json_object *object = NULL;
    char number[32] = "";
    uint64_t id;

    (void)jr_json_get_object(check, "app", &object);
    if (jr_json_get_id(object, "id", &id) == JR_JSON_OK)
        snprintf(number, sizeof number, "%llu", (unsigned long long)id);
    return strcmp(number, app) == 0 || has_text(object, "client_id", app);
}

uint64_t jr_check_run_find(json_object *check_runs, const struct jr_ours *ours)
{
    for (size_t i = 0; i < json_object_array_length(check_runs); i++) {
        json_object *check = json_object_array_get_idx(check_runs, i);
        uint64_t id;

        if (has_text(check, "external_id", ours->external_id) && is_of_app(check, ours->app)
            && jr_json_get_id(check, "id", &id) == JR_JSON_OK)
            return id;
    }
    return 0;
}

uint64_t jr_comment_find(json_object *comments, const struct jr_ours *ours)
{
    char begin[64];

    for (size_t i = 0; i < json_object_array_length(comments); i++) {
        json_object *comment = json_object_array_get_idx(comments, i), *user = NULL;
        uint64_t id;

        (void)jr_json_get_object(comment, "user", &user);
        if ((ours->login == NULL || has_text(user, "login", ours->login))
            && jr_json_get_text(comment, "body", begin, sizeof begin) == JR_JSON_OK
            && strncmp(begin, ours->begins, strlen(ours->begins)) == 0
            && jr_json_get_id(comment, "id", &id) == JR_JSON_OK)
            return id;
    }
    return 0;
}
