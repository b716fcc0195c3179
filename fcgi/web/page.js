/*
 * page -- the script of the pages: times in the zone of who reads them. Without it they are UTC,
 * and nothing else is missing.
 *
 * Stands in each page; the Content-Security-Policy knows it by its hash, and lets no other run.
 * It makes text only, of times that the page has. No `<` and no `&` in it, so that it is the same
 * in a page as in a file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
'use strict';
const two = n => String(n).padStart(2, '0');
const day = t => t.getFullYear() + '-' + two(t.getMonth() + 1) + '-' + two(t.getDate());
const clock = t => two(t.getHours()) + ':' + two(t.getMinutes()) + ':' + two(t.getSeconds());

for (const time of document.querySelectorAll('time')) {
  const at = new Date(time.dateTime);
  if (time.className === 'clock')
    time.textContent = clock(at) + time.dateTime.slice(19, 23);
  else if (time.className === 'whole')
    time.textContent = day(at) + ' ' + clock(at);
  else
    time.title = day(at) + ' ' + clock(at);
}

/* In a story the day stands where it begins, which is another place in another zone. */
for (const story of document.querySelectorAll('.story')) {
  let before = '';
  for (const place of story.querySelectorAll('.when')) {
    const now = day(new Date(place.querySelector('time').dateTime));
    let label = place.querySelector('.day');
    if (now === before) {
      if (label) label.remove();
    } else {
      if (!label) {
        label = document.createElement('span');
        label.className = 'day';
        place.prepend(label, ' ');
      }
      label.textContent = now;
    }
    before = now;
  }
}
document.getElementById('zone').textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
