/*
 * history_record -- the bytes of an entry of the history.
 *
 *   version, kind, input, time, attempt, reason; then of an input: what it found, its event,
 *   its repository; then what the kind of entry has.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/history.h"

#include <stddef.h>
#include <string.h>

#define HISTORY_VERSION 5

/*
 * Facts of an event that are stored only if they are told; of those, texts and numbers only if
 * the run or the job did not tell the same before. A bit for each, in this order: those that a
 * job tells come first, so that their bits take one byte.
 */
enum fact_type { TEXT, NUMBER, TIME };
enum fact_base { NOBODY, RUN, JOB, EVENT };

static const struct fact {
    enum fact_type type;
    size_t offset, size; /* in struct jr_event */
    enum fact_base base; /* who may have told it before, and where it stands there */
    size_t known;
} facts[] = {
#define OF(member) \
    offsetof(struct jr_event, member), sizeof(((struct jr_event *)0)->member)
#define IN_RUN(member) RUN, offsetof(struct jr_run, member)
#define IN_JOB(member) JOB, offsetof(struct jr_job, member)
    { TEXT, OF(repo), IN_RUN(repo) },
    { NUMBER, OF(repo_id), IN_RUN(repo_id) },
    { TEXT, OF(branch), IN_RUN(branch) },
    { TEXT, OF(workflow), IN_RUN(workflow) },
    { TEXT, OF(labels), IN_JOB(labels) },
    { TEXT, OF(runner), IN_JOB(runner) },
    { TIME, OF(created_ms), NOBODY, 0 },
    { TIME, OF(started_ms), NOBODY, 0 },
    { TIME, OF(completed_ms), NOBODY, 0 },
    { TIME, OF(updated_ms), NOBODY, 0 },
    { TEXT, OF(head_sha), IN_RUN(head_sha) },
    { TEXT, OF(head_repo), EVENT, offsetof(struct jr_event, repo) },
    { TEXT, OF(workflow_path), IN_RUN(workflow_path) },
    { NUMBER, OF(workflow_id), IN_RUN(workflow_id) },
    { NUMBER, OF(run_number), IN_RUN(run_number) },
    { TEXT, OF(trigger), IN_RUN(trigger) },
    { TEXT, OF(actor), IN_RUN(actor) },
    { TEXT, OF(triggering_actor), IN_RUN(triggering_actor) },
};

#define FACTS (sizeof facts / sizeof *facts)

/* What an action is written as: its place in the list, or 0 and the word. */
static const char *const actions[] = { "", "queued", "in_progress", "completed", "waiting",
                                       "requested" };

#define ACTIONS (sizeof actions / sizeof *actions)

enum { HAS_ENTRY = 1, MOVED = 2, ANEW = 4, NEWER_SHIFT = 3, NEWER_MASK = 3, GUARDED = 32,
       HELD = 64, MORE = 128 };
/* Of a second byte, where the first has MORE. */
enum { HAS_GUARDS = 1, ASKED = 2, ALL = 4 };
#define MORE_MOST (HAS_GUARDS | ASKED | ALL)
enum { DELIVERY_TEXT = 1, DELIVERY_UUID = 2 };

static void write_word(struct jr_writer *writer, const char *text)
{
    size_t length = strlen(text);

    jr_write_short(writer, length);
    jr_write_bytes(writer, text, length);
}

static void read_word(struct jr_reader *reader, char *text, size_t size)
{
    uint64_t length = jr_read_short(reader);

    text[0] = '\0';
    if (!reader->ok || length >= size || length > reader->size - reader->offset
        || memchr(reader->bytes + reader->offset, '\0', (size_t)length) != NULL) {
        reader->ok = false;
        return;
    }
    memcpy(text, reader->bytes + reader->offset, (size_t)length);
    text[length] = '\0';
    reader->offset += (size_t)length;
}

/* A number that may not be greater than `most'. */
static uint64_t read_up_to(struct jr_reader *reader, uint64_t most)
{
    uint64_t value = jr_read_short(reader);

    if (value <= most)
        return value;
    reader->ok = false;
    return 0;
}

/* A time as its distance from the entry's, before or after it; 0: it is not told. */
static void write_since(struct jr_writer *writer, int64_t time_ms, int64_t at_ms)
{
    int64_t before_ms = at_ms - time_ms;

    if (time_ms == 0)
        jr_write_short(writer, 0);
    else
        jr_write_short(writer, 1 + (before_ms < 0 ? 2 * (uint64_t)-before_ms - 1
                                                  : 2 * (uint64_t)before_ms));
}

static int64_t read_since(struct jr_reader *reader, int64_t at_ms)
{
    uint64_t value = read_up_to(reader, 8 * (uint64_t)JR_TIME_MOST);
    int64_t half, time_ms;

    if (value == 0)
        return 0;
    half = (int64_t)(value / 2);
    /* 1 + twice the distance: odd; one less for what is later: even. */
    time_ms = value % 2 == 1 ? at_ms - half : at_ms + half;
    if (time_ms > JR_TIME_MOST || time_ms < -JR_TIME_MOST)
        reader->ok = false;
    return time_ms;
}

static void write_action(struct jr_writer *writer, const char *action)
{
    size_t place = 0;

    while (place < ACTIONS && strcmp(actions[place], action) != 0)
        place++;
    jr_write_short(writer, place < ACTIONS ? place + 1 : 0);
    if (place == ACTIONS)
        write_word(writer, action);
}

static void read_action(struct jr_reader *reader, char action[JR_WORD_SIZE])
{
    uint64_t place = read_up_to(reader, ACTIONS);

    if (place == 0)
        read_word(reader, action, JR_WORD_SIZE);
    else
        jr_text_copy(action, JR_WORD_SIZE, actions[place - 1]);
}

/* Where a fact stands that was told before; NULL: nobody can have. */
static const void *told_before(const struct fact *fact, const struct jr_event *event,
                               const struct jr_run *before, const struct jr_job *job)
{
    const char *base = fact->base == RUN   ? (const char *)before
                       : fact->base == JOB ? (const char *)job
                       : fact->base == EVENT ? (const char *)event
                                             : NULL;

    return base == NULL ? NULL : base + fact->known;
}

static uint64_t number_at(const void *place)
{
    uint64_t number;

    memcpy(&number, place, sizeof number);
    return number;
}

/* Is a fact told, and was the same told before? */
static bool is_told(const struct fact *fact, const void *told)
{
    return fact->type == TEXT ? *(const char *)told != '\0' : number_at(told) != 0;
}

static bool is_known(const struct fact *fact, const void *told, const void *before)
{
    if (before == NULL)
        return false;
    return fact->type == TEXT ? strcmp(told, before) == 0 : number_at(told) == number_at(before);
}

static void write_fact(struct jr_writer *writer, const struct fact *fact, const void *told,
                       int64_t at_ms)
{
    if (fact->type == TEXT)
        write_word(writer, told);
    else if (fact->type == NUMBER)
        jr_write_short(writer, number_at(told));
    else
        write_since(writer, (int64_t)number_at(told), at_ms);
}

static void write_facts(struct jr_writer *writer, const struct jr_history *entry,
                        const struct jr_run *before, const struct jr_job *job)
{
    const char *event = (const char *)&entry->event;
    uint32_t stored = 0, known = entry->known;

    for (size_t i = 0; i < FACTS; i++) {
        const void *told = event + facts[i].offset;

        if (!is_told(&facts[i], told))
            continue;
        if (is_known(&facts[i], told, told_before(&facts[i], &entry->event, before, job)))
            known |= UINT32_C(1) << i;
        else
            stored |= UINT32_C(1) << i;
    }
    jr_write_short(writer, stored);
    jr_write_short(writer, known);
    for (size_t i = 0; i < FACTS; i++)
        if ((stored & UINT32_C(1) << i) != 0)
            write_fact(writer, &facts[i], event + facts[i].offset, entry->at_ms);
}

static void read_facts(struct jr_reader *reader, struct jr_history *entry)
{
    char *event = (char *)&entry->event;
    uint32_t stored = (uint32_t)read_up_to(reader, (UINT64_C(1) << FACTS) - 1);

    entry->known = (uint32_t)read_up_to(reader, (UINT64_C(1) << FACTS) - 1);
    if ((stored & entry->known) != 0)
        reader->ok = false;
    for (size_t i = 0; i < FACTS; i++) {
        char *place = event + facts[i].offset;
        uint64_t number;

        if ((stored & UINT32_C(1) << i) == 0)
            continue;
        if (facts[i].type == TEXT) {
            read_word(reader, place, facts[i].size);
            continue;
        }
        number = facts[i].type == NUMBER ? jr_read_short(reader)
                                         : (uint64_t)read_since(reader, entry->at_ms);
        memcpy(place, &number, sizeof number);
    }
}

static void write_event(struct jr_writer *writer, const struct jr_history *entry,
                        const struct jr_run *before, const struct jr_job *job)
{
    const struct jr_event *event = &entry->event;

    jr_write_u8(writer, (uint8_t)((unsigned)event->status | (unsigned)event->conclusion << 2
                                  | (event->kind == JR_EVENT_JOB ? 0x40u : 0)));
    jr_write_short(writer, event->attempt);
    write_action(writer, event->action);
    if (event->kind == JR_EVENT_JOB) {
        jr_write_short(writer, event->job_id);
        write_word(writer, event->job_name);
    }
    write_word(writer, event->sender);
    write_facts(writer, entry, before, job);
}

static void read_event(struct jr_reader *reader, struct jr_history *entry)
{
    struct jr_event *event = &entry->event;
    uint8_t bits = jr_read_u8(reader);

    event->kind = (bits & 0x40) != 0 ? JR_EVENT_JOB : JR_EVENT_RUN;
    event->status = (enum jr_status)(bits & 3);
    event->conclusion = (enum jr_conclusion)(bits >> 2 & 15);
    if (event->conclusion > JR_CONCLUSION_OTHER || (bits & 0x80) != 0)
        reader->ok = false;
    event->attempt = (uint32_t)read_up_to(reader, UINT32_MAX);
    read_action(reader, event->action);
    if (event->kind == JR_EVENT_JOB) {
        event->job_id = jr_read_short(reader);
        read_word(reader, event->job_name, sizeof event->job_name);
    }
    read_word(reader, event->sender, sizeof event->sender);
    read_facts(reader, entry);
}

/* Two bits for each. */
static void write_guards(struct jr_writer *writer, const struct jr_guards_told *guards)
{
    uint64_t bits = 0;

    for (int i = 0; i < JR_GUARD_KINDS; i++)
        bits |= (uint64_t)guards->by[i] << 2 * i;
    jr_write_short(writer, bits);
}

static void read_guards(struct jr_reader *reader, struct jr_guards_told *guards)
{
    uint64_t bits = read_up_to(reader, (UINT64_C(1) << 2 * JR_GUARD_KINDS) - 1);

    guards->asked = true;
    for (int i = 0; i < JR_GUARD_KINDS; i++)
        guards->by[i] = (enum jr_guard_told)(bits >> 2 * i & 3);
}

/* The second byte; 0: there is none. */
static unsigned more_of(const struct jr_found *found)
{
    return (found->guards.asked ? HAS_GUARDS : 0u) | (found->asked ? ASKED : 0u)
           | (found->all ? ALL : 0u);
}

static void write_found(struct jr_writer *writer, const struct jr_history *entry)
{
    const struct jr_found *found = &entry->found;
    bool has_entry = found->due_ms != 0;
    unsigned more = more_of(found);

    jr_write_u8(writer, (uint8_t)((has_entry ? HAS_ENTRY : 0u) | (found->moved ? MOVED : 0u)
                                  | (found->anew ? ANEW : 0u)
                                  | (unsigned)found->newer.state << NEWER_SHIFT
                                  | (found->guard != JR_REASON_NONE ? GUARDED : 0u)
                                  | (found->hold.reason != JR_REASON_NONE ? HELD : 0u)
                                  | (more != 0 ? MORE : 0u)));
    if (more != 0)
        jr_write_u8(writer, (uint8_t)more);
    if (has_entry) {
        write_since(writer, found->due_ms, entry->at_ms);
        jr_write_short(writer, found->tries);
    }
    if (found->newer.state != JR_NEWER_NONE)
        jr_write_short(writer, found->newer.run_id);
    if (found->guard != JR_REASON_NONE)
        jr_write_short(writer, (uint64_t)found->guard);
    if (found->hold.reason != JR_REASON_NONE) {
        jr_write_short(writer, (uint64_t)found->hold.reason);
        write_since(writer, found->hold.until_ms, entry->at_ms);
    }
    if (found->guards.asked)
        write_guards(writer, &found->guards);
}

static void read_found(struct jr_reader *reader, struct jr_history *entry)
{
    struct jr_found *found = &entry->found;
    uint8_t bits = jr_read_u8(reader), more = (bits & MORE) != 0 ? jr_read_u8(reader) : 0;

    found->moved = (bits & MOVED) != 0;
    found->anew = (bits & ANEW) != 0;
    if ((bits >> NEWER_SHIFT & NEWER_MASK) > JR_NEWER_UNFINISHED || more > MORE_MOST
        || ((bits & MORE) != 0 && more == 0))
        reader->ok = false;
    else
        found->newer.state = (enum jr_newer_state)(bits >> NEWER_SHIFT & NEWER_MASK);
    if ((bits & HAS_ENTRY) != 0) {
        found->due_ms = read_since(reader, entry->at_ms);
        found->tries = (uint32_t)read_up_to(reader, UINT32_MAX);
        if (found->due_ms == 0)
            reader->ok = false;
    }
    if (found->newer.state != JR_NEWER_NONE)
        found->newer.run_id = jr_read_short(reader);
    if ((bits & GUARDED) != 0)
        found->guard = (enum jr_reason)read_up_to(reader, JR_REASONS - 1);
    if ((bits & HELD) != 0) {
        found->hold.reason = (enum jr_reason)read_up_to(reader, JR_REASONS - 1);
        found->hold.until_ms = read_since(reader, entry->at_ms);
    }
    if ((more & HAS_GUARDS) != 0)
        read_guards(reader, &found->guards);
    found->asked = (more & ASKED) != 0;
    found->all = (more & ALL) != 0;
}

static bool has_event(enum jr_input_kind input)
{
    return input == JR_INPUT_EVENT || input == JR_INPUT_SEEN || input == JR_INPUT_LISTED
           || input == JR_INPUT_NAMED;
}

/* An id of GitHub's is written as its 16 bytes, if it is read as the same text again. */
static bool pack_uuid(const char *text, unsigned char uuid[16])
{
    size_t nibbles = 0;

    for (size_t i = 0; i < 36; i++) {
        char c = text[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        unsigned value = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;

        if (dash && c == '-')
            continue;
        if (dash || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        uuid[nibbles / 2] = (unsigned char)(nibbles % 2 == 0 ? value << 4
                                                             : uuid[nibbles / 2] | value);
        nibbles++;
    }
    return text[36] == '\0';
}

static void write_delivery(struct jr_writer *writer, const char *text)
{
    unsigned char uuid[16];

    if (pack_uuid(text, uuid)) {
        jr_write_u8(writer, DELIVERY_UUID);
        jr_write_bytes(writer, uuid, sizeof uuid);
    } else {
        jr_write_u8(writer, DELIVERY_TEXT);
        write_word(writer, text);
    }
}

static void read_delivery(struct jr_reader *reader, char text[JR_DELIVERY_SIZE])
{
    uint8_t form = jr_read_u8(reader);
    unsigned char uuid[16];
    char hex[33];

    if (form == DELIVERY_TEXT) {
        read_word(reader, text, JR_DELIVERY_SIZE);
        return;
    }
    if (form != DELIVERY_UUID)
        reader->ok = false;
    for (size_t i = 0; i < sizeof uuid; i++)
        uuid[i] = jr_read_u8(reader);
    if (!reader->ok)
        return;
    jr_text_to_hex(uuid, sizeof uuid, hex);
    for (size_t i = 0, at = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            text[at++] = '-';
        text[at++] = hex[i];
    }
}

static void write_pause(struct jr_writer *writer, const struct jr_history *entry)
{
    write_word(writer, entry->who);
    if (entry->reason != JR_REASON_PAUSED)
        return;
    write_word(writer, entry->pause.pattern);
    write_since(writer, entry->pause.since_ms, entry->at_ms);
    write_since(writer, entry->pause.until_ms, entry->at_ms);
    write_word(writer, entry->pause.who);
    write_word(writer, entry->pause.why);
}

static void read_pause(struct jr_reader *reader, struct jr_history *entry)
{
    read_word(reader, entry->who, sizeof entry->who);
    if (entry->reason != JR_REASON_PAUSED)
        return;
    read_word(reader, entry->pause.pattern, sizeof entry->pause.pattern);
    entry->pause.since_ms = read_since(reader, entry->at_ms);
    entry->pause.until_ms = read_since(reader, entry->at_ms);
    read_word(reader, entry->pause.who, sizeof entry->pause.who);
    read_word(reader, entry->pause.why, sizeof entry->pause.why);
}

static void write_call(struct jr_writer *writer, const struct jr_told_call *call)
{
    write_word(writer, call->what);
    jr_write_short(writer, (uint64_t)call->status);
    jr_write_short(writer, call->duration_ms);
    jr_write_u8(writer, (uint8_t)((unsigned)call->outcome | (call->try_all ? 4u : 0)));
    write_word(writer, call->text);
}

static void read_call(struct jr_reader *reader, struct jr_told_call *call)
{
    uint8_t bits;

    read_word(reader, call->what, sizeof call->what);
    call->status = (int)read_up_to(reader, 999);
    call->duration_ms = (uint32_t)read_up_to(reader, UINT32_MAX);
    bits = jr_read_u8(reader);
    if (bits > 7)
        reader->ok = false;
    call->outcome = (enum jr_outcome)(bits & 3);
    call->try_all = (bits & 4) != 0;
    read_word(reader, call->text, sizeof call->text);
}

enum { LEAVES = 1, DEBUG = 2, OWN_DELAY = 4 };

static void write_judgement(struct jr_writer *writer, const struct jr_judgement *judgement)
{
    bool own = judgement->delay_ms >= 0;

    jr_write_u8(writer, (uint8_t)((judgement->leaves ? LEAVES : 0u) | (judgement->debug ? DEBUG : 0u)
                                  | (own ? OWN_DELAY : 0u)));
    if (own)
        jr_write_short(writer, (uint64_t)judgement->delay_ms);
    jr_write_short(writer, judgement->jobs);
}

static void read_judgement(struct jr_reader *reader, struct jr_judgement *judgement)
{
    uint8_t bits = jr_read_u8(reader);

    if (bits > (LEAVES | DEBUG | OWN_DELAY))
        reader->ok = false;
    judgement->leaves = (bits & LEAVES) != 0;
    judgement->debug = (bits & DEBUG) != 0;
    judgement->delay_ms = (bits & OWN_DELAY) != 0 ? (int64_t)read_up_to(reader, JR_TIME_MOST) : -1;
    judgement->jobs = (uint32_t)read_up_to(reader, UINT32_MAX);
}

static void write_decided(struct jr_writer *writer, const struct jr_decided *decided,
                          int64_t at_ms)
{
    jr_write_u8(writer, (uint8_t)((unsigned)decided->phase | (unsigned)decided->step << 2
                                  | (decided->complete ? 0x20u : 0)));
    jr_write_u8(writer, (uint8_t)decided->conclusion);
    jr_write_short(writer, decided->jobs_known);
    jr_write_short(writer, decided->jobs_unfinished);
    jr_write_short(writer, decided->jobs_failed);
    write_since(writer, decided->due_ms, at_ms);
    jr_write_short(writer, decided->superseded_by);
}

static void read_decided(struct jr_reader *reader, struct jr_decided *decided, int64_t at_ms)
{
    uint8_t bits = jr_read_u8(reader), conclusion = jr_read_u8(reader);

    if ((bits & 3) > JR_PHASE_CLOSED || (bits >> 2 & 7) >= JR_STEPS || bits >= 0x40
        || conclusion > JR_CONCLUSION_OTHER) {
        reader->ok = false;
        return;
    }
    decided->phase = (enum jr_phase)(bits & 3);
    decided->step = (enum jr_step)(bits >> 2 & 7);
    decided->complete = (bits & 0x20) != 0;
    decided->conclusion = (enum jr_conclusion)conclusion;
    decided->jobs_known = (uint32_t)read_up_to(reader, UINT32_MAX);
    decided->jobs_unfinished = (uint32_t)read_up_to(reader, UINT32_MAX);
    decided->jobs_failed = (uint32_t)read_up_to(reader, UINT32_MAX);
    decided->due_ms = read_since(reader, at_ms);
    decided->superseded_by = jr_read_short(reader);
}

void jr_history_encode(const struct jr_history *entry, const struct jr_run *before,
                       const struct jr_job *job, struct jr_writer *writer)
{
    jr_write_u8(writer, HISTORY_VERSION);
    jr_write_u8(writer, (uint8_t)((unsigned)entry->kind | (unsigned)entry->input << 4));
    jr_write_short(writer, (uint64_t)entry->at_ms);
    jr_write_short(writer, entry->attempt);
    jr_write_short(writer, (uint64_t)entry->reason);
    if (entry->input != 0)
        write_found(writer, entry);
    if (has_event(entry->input))
        write_event(writer, entry, before, job);
    if (entry->input == JR_INPUT_HAND)
        write_word(writer, entry->repo);
    switch (entry->kind) {
    case JR_HISTORY_EVENT:
        jr_write_u8(writer, (uint8_t)entry->reply);
        write_delivery(writer, entry->delivery);
        break;
    case JR_HISTORY_CALL:
        write_call(writer, &entry->call);
        break;
    case JR_HISTORY_REQUEST:
        write_pause(writer, entry);
        break;
    case JR_HISTORY_DECISION:
        if (entry->reason == JR_REASON_PAUSED)
            write_pause(writer, entry);
        else
            write_decided(writer, &entry->decided, entry->at_ms);
        break;
    case JR_HISTORY_OUTCOME:
        jr_write_short(writer, entry->next);
        break;
    case JR_HISTORY_JUDGEMENT:
        write_judgement(writer, &entry->judgement);
        break;
    }
}

static void read_kind(struct jr_reader *reader, struct jr_history *entry)
{
    switch (entry->kind) {
    case JR_HISTORY_EVENT:
        entry->reply = (enum jr_reply)jr_read_u8(reader);
        read_delivery(reader, entry->delivery);
        if ((unsigned)entry->reply >= JR_REPLIES)
            reader->ok = false;
        break;
    case JR_HISTORY_CALL:
        read_call(reader, &entry->call);
        break;
    case JR_HISTORY_REQUEST:
        read_pause(reader, entry);
        break;
    case JR_HISTORY_DECISION:
        if (entry->reason == JR_REASON_PAUSED)
            read_pause(reader, entry);
        else
            read_decided(reader, &entry->decided, entry->at_ms);
        break;
    case JR_HISTORY_OUTCOME:
        entry->next = (uint32_t)read_up_to(reader, UINT32_MAX);
        break;
    case JR_HISTORY_JUDGEMENT:
        read_judgement(reader, &entry->judgement);
        break;
    default:
        reader->ok = false;
    }
}

bool jr_history_decode(struct jr_history *entry, const void *bytes, size_t size)
{
    struct jr_reader reader;
    uint8_t kinds;

    memset(entry, 0, sizeof *entry);
    jr_reader_init(&reader, bytes, size);
    if (jr_read_u8(&reader) != HISTORY_VERSION)
        return false;
    kinds = jr_read_u8(&reader);
    entry->kind = (enum jr_history_kind)(kinds & 15);
    entry->input = (enum jr_input_kind)(kinds >> 4);
    if ((unsigned)entry->input >= JR_INPUTS)
        return false;
    entry->at_ms = (int64_t)read_up_to(&reader, JR_TIME_MOST);
    entry->attempt = (uint32_t)read_up_to(&reader, UINT32_MAX);
    entry->reason = (enum jr_reason)read_up_to(&reader, UINT16_MAX);
    if (entry->input != 0)
        read_found(&reader, entry);
    if (has_event(entry->input))
        read_event(&reader, entry);
    if (entry->input == JR_INPUT_HAND)
        read_word(&reader, entry->repo, sizeof entry->repo);
    read_kind(&reader, entry);
    return reader.ok && reader.offset == size;
}

void jr_history_recall(struct jr_history *entry, const struct jr_run *before,
                       const struct jr_job *job)
{
    char *event = (char *)&entry->event;

    for (size_t i = 0; i < FACTS; i++) {
        const void *told = told_before(&facts[i], &entry->event, before, job);

        if ((entry->known & UINT32_C(1) << i) == 0 || told == NULL)
            continue;
        if (facts[i].type == TEXT)
            jr_text_copy(event + facts[i].offset, facts[i].size, told);
        else
            memcpy(event + facts[i].offset, told, sizeof(uint64_t));
    }
    entry->known = 0;
}
