/*
 * spent -- what reruns of all hosts have spent.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/cluster/spent.h"
#include "lib/base/testpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPO_HOUR, REPO_DAY, ALL_HOUR, ALL_DAY };

static int64_t hour_of(int64_t time_ms)
{
    return time_ms / jr_test_scaled_ms(JR_HOUR_MS);
}

static int64_t day_of(int64_t time_ms)
{
    return time_ms / jr_test_scaled_ms(JR_DAY_MS);
}

static void name_key(const struct jr_settings *settings, const struct jr_spent_view *view,
                     size_t which, char key[JR_ETCD_KEY_SIZE])
{
    bool is_hour = which == REPO_HOUR || which == ALL_HOUR;
    char scope[JR_DIGITS_SIZE + 1] = "all";

    if (which == REPO_HOUR || which == REPO_DAY)
        snprintf(scope, sizeof scope, "%llu", (unsigned long long)view->scope);
    snprintf(key, JR_ETCD_KEY_SIZE, "/jr/%s/ctl/budget/%s/%s-%lld", settings->cluster_name, scope,
             is_hour ? "hour" : "day",
             (long long)(is_hour ? hour_of(view->at_ms) : day_of(view->at_ms)));
}

void jr_spent_add_reads(const struct jr_settings *settings, const struct jr_spent_view *view,
                        struct jr_etcd_txn *txn)
{
    char key[JR_ETCD_KEY_SIZE];

    for (size_t i = 0; i < JR_SPENT_KEYS; i++) {
        name_key(settings, view, i, key);
        jr_etcd_add_read(txn, key, false);
    }
}

/* A number of a value; what is none, or too large, is 0. */
static uint32_t read_number(const char **text)
{
    char *end;
    unsigned long number = strtoul(*text, &end, 10);

    *text = end;
    return number <= UINT32_MAX ? (uint32_t)number : 0;
}

void jr_spent_take(const struct jr_settings *settings, const struct jr_etcd_answer *answer,
                   struct jr_spent_view *view)
{
    char key[JR_ETCD_KEY_SIZE];

    memset(&view->repo, 0, sizeof view->repo);
    memset(&view->all, 0, sizeof view->all);
    for (size_t i = 0; i < JR_SPENT_KEYS; i++) {
        struct jr_spending *spent = i == REPO_HOUR || i == REPO_DAY ? &view->repo : &view->all;
        const struct jr_etcd_kv *kv;
        const char *text;

        name_key(settings, view, i, key);
        kv = jr_etcd_find(answer, key);
        text = kv == NULL ? "" : kv->value;
        view->modified[i] = kv == NULL ? 0 : kv->modified;
        if (i == REPO_HOUR || i == ALL_HOUR)
            spent->reruns = read_number(&text);
        else
            for (size_t system = 0; system < JR_SYSTEMS; system++)
                spent->minutes.of[system] = read_number(&text);
    }
}

bool jr_spent_is_of(const struct jr_spent_view *view, uint64_t scope, int64_t now_ms)
{
    return view->at_ms != 0 && view->scope == scope && hour_of(view->at_ms) == hour_of(now_ms)
           && day_of(view->at_ms) == day_of(now_ms);
}

static uint32_t change(uint32_t number, uint32_t by, bool back)
{
    if (back)
        return number > by ? number - by : 0;
    return by > UINT32_MAX - number ? UINT32_MAX : number + by;
}

static void print(const struct jr_spending *spent, const struct jr_minutes *cost, bool is_hour,
                  bool back, char value[128])
{
    size_t length = 0;

    if (is_hour) {
        snprintf(value, 128, "%u", change(spent->reruns, 1, back));
        return;
    }
    for (size_t system = 0; system < JR_SYSTEMS; system++)
        length += (size_t)snprintf(value + length, 128 - length, "%s%u", system == 0 ? "" : " ",
                                   change(spent->minutes.of[system], cost->of[system], back));
}

void jr_spent_add_puts(const struct jr_settings *settings, const struct jr_spent_view *view,
                       const struct jr_minutes *cost, bool back, struct jr_etcd_txn *txn)
{
    char key[JR_ETCD_KEY_SIZE], value[128];

    for (size_t i = 0; i < JR_SPENT_KEYS; i++) {
        bool is_hour = i == REPO_HOUR || i == ALL_HOUR;

        name_key(settings, view, i, key);
        print(i == REPO_HOUR || i == REPO_DAY ? &view->repo : &view->all, cost, is_hour, back,
              value);
        jr_etcd_add_compare(txn, key, view->modified[i] == 0 ? JR_ETCD_CREATED : JR_ETCD_MODIFIED,
                            view->modified[i]);
        jr_etcd_add_put(txn, key, value, 0);
    }
}
