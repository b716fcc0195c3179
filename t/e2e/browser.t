#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The pages in a real browser: it loads nothing else, complains of nothing, shows
# them on a phone as on a desk, light and dark, and everybody can read them.
#
#   JR_SCREENSHOTS=FOLDER   keep a picture of each page there

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Browser;
use JR::FakeGitHub;
use JR::Test;

plan skip_all => 'chromium and chromium-driver are not installed' if !JR::Browser::is_installed();

my $github  = github();
my $service = service(github => $github, pages => 'status', port => JR::FakeGitHub::free_port(), RUN_ATTEMPTS => 2)->start;
my $base    = "http://127.0.0.1:$service->{port}";
my $browser = JR::Browser->start(dir => tmpdir() . '/browser');

# Text that nobody can see, and where it stands: less contrast than 4.5 to 1 (WCAG 2, 1.4.3).
my $FAINT = <<'JS';
const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const colour = text => (text.match(/[\d.]+/g) || []).map(Number);
const behind = element => {
    for (; element; element = element.parentElement) {
        const c = colour(getComputedStyle(element).backgroundColor);
        if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
};
const faint = [];
let looked = 0;
for (const element of document.body.querySelectorAll('*')) {
    if (element.closest('svg') || ![...element.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    looked++;
    const [a, b] = [light(colour(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(element.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
}
return looked < 5 ? ['only ' + looked + ' texts'] : faint;
JS

# What sticks out of the page, so that it has to be moved sideways.
my $WIDE = <<'JS';
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= width) return [];
return [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > width + 0.5)
    .map(e => e.tagName + ' ' + e.className + ' ' + e.textContent.slice(0, 30));
JS

# How light the page is, from 0 to 255.
my $LIGHT = 'return Math.max(...getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number))';

sub looks_right {
    my ($name, $path, %o) = @_;
    for my $screen ([360, 740], [1280, 900]) {
        for my $scheme (qw(light dark)) {
            my $what = "$name, $screen->[0] wide, $scheme";
            $browser->look_like(width => $screen->[0], height => $screen->[1], scheme => $scheme);
            $browser->console;
            $browser->requests;
            $browser->go("$base$path");
            my @said = grep { !($o{missing} && /status of 404/) } $browser->console;
            is "@said", '', "$what: nothing is complained of";
            my @elsewhere = grep { !m{^(?:\Q$base\E/|data:)} } $browser->requests;
            is "@elsewhere", '', "$what: nothing else is asked for";
            is join('; ', @{ $browser->run($WIDE) }), '', "$what: no scrolling sideways";
            is join('; ', @{ $browser->run($FAINT) }), '', "$what: all text has contrast";
            my $light = $browser->run($LIGHT);
            ok $scheme eq 'light' ? $light > 200 : $light < 60, "$what: is $scheme" or diag $light;
            my $file = "$name-$screen->[0]-$scheme.png" =~ tr/ /-/r;
            $browser->screenshot("$ENV{JR_SCREENSHOTS}/$file") if $ENV{JR_SCREENSHOTS};
        }
    }
    return;
}

# How many nodes of each role a screen reader finds.
sub roles {
    my %count;
    $count{ $_->{role}{value} }++ for grep { !$_->{ignored} } @{ $browser->cdp('Accessibility.getFullAXTree')->{nodes} };
    return \%count;
}

subtest 'an empty store' => sub { looks_right('empty', '/status') };

# What stands in names from outside would set this, if it ran.
my $EVIL = q("><script>window.evil=1</script><img src="https://evil.example/x" onerror="window.evil=2">) . "\x{202e}" . "'><style>*{display:none}</style>";

my @runs = map {
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build', "test $_"], name => "Nightly, $_" . 'x' x 90, head_branch => 'b' x 120);
    $run->play(build => 'success', "test $_" => 'failure');
    $run;
} 1 .. 3;
wait_ok { $runs[0]->accepted && $runs[1]->accepted && $runs[2]->accepted } 'reruns';
ok $service->log->wait_entry('rerun', run => $_->id), 'that are recorded' for @runs;
$runs[0]->play('test 1' => 'success');
$runs[0]->finish('success', event => 1);
$runs[1]->play('test 2' => 'failure');
my $evil = next_id();
for my $action (qw(queued completed)) {
    my $event = job_event(run_id => $evil, id => 7, action => $action, conclusion => $action eq 'completed' ? 'failure' : undef,
        name => $EVIL, branch => $EVIL, workflow => $EVIL, sender => $EVIL);
    $event->{workflow_job}{runner_name} = $EVIL;
    $service->http->send(delivery($event));
}

# A runner that fails what passes elsewhere.
for my $n (1 .. 12) {
    for my $attempt ($n <= 6 ? (1, 2) : 2) {
        my $event = job_event(run_id => $evil + $n, id => 100 * $n + $attempt, attempt => $attempt, action => 'completed',
            name => 'on a runner', branch => 'main', workflow => 'Nightly', conclusion => $attempt == 1 ? 'failure' : 'success');
        $event->{workflow_job}{runner_name} = $attempt == 1 ? 'runner-with-a-loose-cable.example.org' : 'runner-2';
        $event->{workflow_job}{labels} = ['self-hosted', 'linux'];
        $service->http->send(delivery($event));
    }
}
my $given_up = workflow_run(github => $github, door => $service->http, jobs => ['build'], attempt => 50);
$given_up->play(build => 'failure');

subtest 'pages with runs on them' => sub {
    looks_right('status', '/status');
    like $browser->run('return document.body.innerText'), qr/Suspect runners.*runner-with-a-loose-cable/s, 'a suspect runner';
    like $browser->run('return document.body.innerText'), qr/Not among these: 6 failed on suspect runners, of which 6 were rescued/, 'which counts against no job';
    looks_right('run', '/runs/' . $runs[0]->id);
    looks_right('given up', '/runs/' . $given_up->id);
    is $browser->run('return document.querySelectorAll("details[open]").length'), 0, 'webhooks are folded away';
    $browser->run('document.querySelectorAll("details").forEach(d => d.open = true); return 1');
    is join('; ', @{ $browser->run($WIDE) }), '', 'unfolded: no scrolling sideways';
    looks_right('hostile run', "/runs/$evil");
    looks_right('no run', '/runs/1', missing => 1);
};

subtest 'nothing of theirs runs' => sub {
    for my $path ('/status', "/runs/$evil") {
        $browser->go("$base$path");
        is $browser->run('return typeof window.evil'), 'undefined', "$path: no script";
        is $browser->run('return document.querySelectorAll("script, img, iframe, object, form").length'), 0, "$path: no element";
        is $browser->run('return document.querySelectorAll("style").length'), 1, "$path: one style sheet";
        like $browser->run('return document.body.innerText'), qr/<script>window\.evil=1<\/script>/, "$path: it is text";
    }
};

subtest 'for those who do not see it' => sub {
    for my $width (360, 1280) {
        $browser->look_like(width => $width, height => 800, scheme => 'light');
        $browser->go("$base/status");
        my $roles = roles();
        ok $roles->{$_}, "$width wide: $_" for qw(banner main contentinfo navigation heading table columnheader rowheader);
        my $named = $browser->run('return [...document.querySelectorAll("section[aria-labelledby]")].length');
        cmp_ok $roles->{region} // 0, '>=', $named, "$width wide: each section has its name";
    }
    # The first stop of the tab key leads to the content.
    is $browser->run('return document.querySelector("a").getAttribute("href")'), '#content', 'a link past the navigation';
    is $browser->run('return document.querySelector("svg[role=img] title").textContent'), 'Reruns and rescues per day', 'the chart has a title';
    like $browser->run('return document.querySelector("svg[role=img] desc").textContent'), qr/Reruns: 3;/, 'and a description';
};

$browser->stop;
finish();
