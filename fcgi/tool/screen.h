/*
 * screen -- the terminal that standard output is: its size, and the whole of it for a while.
 *
 * The sequences are those of xterm, which all terminals in use understand. What they change
 * is undone by jr_screen_leave(), which whoever has entered has to call, whatever happens.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SCREEN_H
#define JR_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* How wide it is; COLUMNS goes before what it says itself. 0: standard output is none. */
int jr_screen_width(void);

/* How many lines it has; LINES goes before what it says itself. At least 2. */
int jr_screen_height(void);

/* Can it be drawn on: standard output is a terminal, and TERM names one that is not dumb? */
bool jr_screen_is_there(void);

/*
 * Have the screen for ourselves: what was on it is kept aside, the cursor is hidden, and keys
 * come as they are typed, without being shown, if standard input is a terminal.
 */
void jr_screen_enter(void);

/* Give it back as it was; nothing when it was not entered. May be called by a signal's handler. */
void jr_screen_leave(void);

/*
 * Draw a text in the place of all that is there: so many of its lines as there is room for.
 *   text  lines of clean text and of tint.h's sequences; one that is wider takes several
 */
void jr_screen_draw(const char *text, int width, int height);

#endif
