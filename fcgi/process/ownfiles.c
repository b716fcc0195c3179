/*
 * ownfiles -- the policies that repositories have of their own, at hand for the dispatcher.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/ownfiles.h"
#include "fcgi/process/tell.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/steps/complaining.h"
#include "lib/steps/ownfile.h"

#include <stdlib.h>
#include <string.h>

void jr_ownfile_end(struct jr_ownfile *file)
{
    if (file == NULL || --file->users > 0)
        return;
    jr_policy_release(&file->policy);
    free(file->text);
    free(file);
}

/* The version that counts, for the cache; NULL: none, or there is no memory. */
static struct jr_ownfile *make_file(const struct jr_ownpolicy *own)
{
    struct jr_ownfile *file;

    if (own->text == NULL)
        return NULL;
    file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->users = 1;
    file->length = own->length;
    file->text = malloc(own->length + 1);
    if (file->text == NULL || jr_ownfile_policy(own, &file->policy) != JR_OK) {
        jr_ownfile_end(file);
        return NULL;
    }
    memcpy(file->text, own->text, own->length + 1);
    jr_signatures_release(&file->policy.signatures); /* the judges read them by themselves */
    return file;
}

static void empty(struct jr_ownfiles_item *item)
{
    jr_ownfile_end(item->file);
    jr_ownpolicy_release(&item->own);
    memset(item, 0, sizeof *item);
}

void jr_ownfiles_close(struct jr_ownfiles *ownfiles)
{
    for (size_t i = 0; i < JR_OWNFILES_MAX; i++)
        empty(&ownfiles->items[i]);
}

/* NULL: the store failed, which is told. */
static struct jr_ownfiles_item *find(struct jr_ownfiles *ownfiles, uint64_t scope)
{
    struct jr_ownfiles_item *item = &ownfiles->items[0];
    struct jr_error error;
    enum jr_err err;

    for (size_t i = 0; i < JR_OWNFILES_MAX && item->scope != scope; i++)
        if (ownfiles->items[i].scope == scope || ownfiles->items[i].used < item->used)
            item = &ownfiles->items[i];
    item->used = ++ownfiles->uses;
    if (item->scope == scope)
        return item;
    empty(item);
    err = jr_ownfile_load(ownfiles->desk->store, scope, &item->own, &error);
    if (err != JR_OK) {
        jr_desk_store_failed(ownfiles->desk, err, &error);
        return NULL;
    }
    item->scope = scope;
    item->used = ownfiles->uses;
    item->file = make_file(&item->own);
    /* What another version of this program took for broken may be good, or the other way round. */
    item->anew = item->own.state == JR_OWNPOLICY_BROKEN
                 || (item->own.text != NULL && item->file == NULL);
    return item;
}

bool jr_ownfiles_wants(struct jr_ownfiles *ownfiles, uint64_t scope, char etag[JR_ETAG_SIZE])
{
    struct jr_ownfiles_item *item = find(ownfiles, scope);

    etag[0] = '\0';
    if (item == NULL || jr_monotonic_ms() < item->again_ms
        || (!item->anew && !jr_ownfile_is_due(&item->own, jr_now_ms())))
        return false;
    if (!item->anew)
        memcpy(etag, item->own.etag, JR_ETAG_SIZE);
    return true;
}

/* Returns false when GitHub has not told it now. */
static bool sort_answer(const struct jr_call *call, const struct jr_github_file *file,
                        struct jr_ownfile_answer *answer)
{
    *answer = (struct jr_ownfile_answer){ .text = file->text, .length = file->length,
                                          .etag = file->etag };
    if (call->outcome == JR_OUTCOME_DONE)
        answer->told = file->unchanged ? JR_OWNFILE_UNCHANGED : JR_OWNFILE_TEXT;
    else if (call->reason == JR_REASON_BAD_ANSWER)
        answer->told = JR_OWNFILE_NO_FILE;
    else if (call->reason == JR_REASON_NOT_FOUND)
        answer->told = JR_OWNFILE_NONE;
    else
        answer->told = JR_OWNFILE_REFUSED;
    return call->outcome == JR_OUTCOME_DONE || call->outcome == JR_OUTCOME_NEVER;
}

void jr_ownfiles_answer(struct jr_ownfiles *ownfiles, uint64_t scope, const char *repo,
                        const struct jr_call *call, const struct jr_github_file *file)
{
    struct jr_ownfiles_item *item = find(ownfiles, scope);
    struct jr_desk *desk = ownfiles->desk;
    struct jr_ownfile_answer answer;
    struct jr_error error;
    enum jr_err err;
    bool news;

    if (item == NULL)
        return;
    if (!sort_answer(call, file, &answer)) {
        item->again_ms = jr_monotonic_ms() + jr_test_ownfile_ms(JR_OWNFILES_AGAIN_MS);
        return;
    }
    answer.repo = jr_complaining_is_on(desk->settings) ? repo : NULL;
    item->again_ms = 0;
    item->anew = false;
    err = jr_ownfile_take(desk->store, scope, &answer, jr_now_ms(), &item->own, &news, &error);
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        empty(item); /* what is in the store counts */
        return;
    }
    jr_desk_count_ownfile(desk, item->own.state, answer.told == JR_OWNFILE_UNCHANGED);
    if (answer.told != JR_OWNFILE_UNCHANGED) {
        jr_ownfile_end(item->file);
        item->file = make_file(&item->own);
    }
    if (news)
        jr_tell_ownfile(repo, &item->own);
    jr_test_point("ownfile");
}

struct jr_ownfile *jr_ownfiles_use(struct jr_ownfiles *ownfiles, uint64_t scope)
{
    struct jr_ownfiles_item *item = find(ownfiles, scope);

    if (item == NULL || item->file == NULL)
        return NULL;
    item->file->users++;
    return item->file;
}
