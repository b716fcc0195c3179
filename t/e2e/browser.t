#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The pages in a real browser: it loads nothing else, complains of nothing, shows
# them on a phone as on a desk, light and dark, and everybody can read them.
#
#   JR_SCREENSHOTS=FOLDER   keep a picture of each page there
#   JR_AXE=FILE             axe.min.js of axe-core; else npm fetches it, where there is npm

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Browser;
use JR::FakeGitHub;
use JR::File qw(read_file);
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

# The rules of axe-core (WCAG 2.2 A and AA, and best practices), by its source.
my $axe = axe();

sub axe {
    my $file = $ENV{JR_AXE};
    if (!defined $file) {
        my $dir = tmpdir() . '/axe';
        mkdir $dir or die "$dir: $!";
        my $fetched = eval { local $SIG{ALRM} = sub { die "npm is slow\n" }; alarm 60;
            system("cd '$dir' && npm pack --silent axe-core\@4 >/dev/null 2>&1 && tar -xzf axe-core-*.tgz package/axe.min.js 2>/dev/null"); alarm 0; -f "$dir/package/axe.min.js" };
        alarm 0;
        $file = "$dir/package/axe.min.js" if $fetched;
    }
    diag 'SKIPPED: axe-core looks at no page: there is no npm, or no way to its registry (JR_AXE=axe.min.js names a copy)' if !defined $file;
    return defined $file ? read_file($file) : undef;
}

# What it finds: each rule that is broken, and where.
sub look_by_axe {
    return @{ $browser->command('/execute/async', { args => [], script => $axe . <<'JS' }) };
;const done = arguments[arguments.length - 1];
axe.run(document).then(r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 90)).join(' | ').slice(0, 400))), e => done(['axe: ' + e]));
JS
}

sub axe_finds {
    my ($what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is join("\n", look_by_axe()), '', "$what: axe-core finds nothing" if defined $axe;
    return;
}

sub looks_right {
    my ($name, $path, %o) = @_;
    # 320 px are a small phone, and 1280 px at 400 % (WCAG 2, 1.4.10).
    for my $screen ([320, 740], [1280, 900]) {
        for my $scheme (qw(light dark)) {
            my $what = "$name, $screen->[0] wide, $scheme";
            $browser->look_like(width => $screen->[0], height => $screen->[1], scheme => $scheme);
            $browser->console;
            $browser->requests;
            $browser->go("$base$path");
            my @said = grep { !($o{missing} && /status of 40[04]/) } $browser->console;
            is "@said", '', "$what: nothing is complained of";
            my @elsewhere = grep { !m{^(?:\Q$base\E/|data:)} } $browser->requests;
            is "@elsewhere", '', "$what: nothing else is asked for";
            is join('; ', @{ $browser->run($WIDE) }), '', "$what: no scrolling sideways";
            is join('; ', @{ $browser->run($FAINT) }), '', "$what: all text has contrast";
            my $light = $browser->run($LIGHT);
            ok $scheme eq 'light' ? $light > 200 : $light < 60, "$what: is $scheme" or diag $light;
            axe_finds($what) if ($screen->[0] == 320) == ($scheme eq 'light');
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

my @PAGES = qw(status runs repos jobs runners causes settings);

subtest 'an empty store' => sub { looks_right("empty $_", "/$_") for @PAGES };

subtest 'what axe-core would find' => sub {
    plan skip_all => 'no axe-core' if !defined $axe;
    $browser->go("$base/status");
    $browser->run('document.querySelector("main").append(document.createElement("button")); return 1');
    like join("\n", look_by_axe()), qr/^button-name: /m, 'a button without a name';
};

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
# What jobs failed for, as a dispatcher would have found it out.
ok !system(builddir() . '/t/lib/note_failure', $service->state_dir, "run=$runs[0]{id}", 'job=900', 'repo=octo/app', 'cause=network', 'signature=net/reset',
    'then=rerun', '+', 'job=901', 'cause=test', 'then=leave', '+', 'job=902', 'cause=unknown', "line=$EVIL", "first=$EVIL"), 'causes';
my $given_up = workflow_run(github => $github, door => $service->http, jobs => ['build'], attempt => 50);
$given_up->play(build => 'failure');

subtest 'pages with runs on them' => sub {
    looks_right($_, "/$_") for @PAGES;
    looks_right('repo', '/repos/octo/app');
    $browser->go("$base/status");
    like $browser->run('return document.body.innerText'), qr/1 runner fails more jobs than chance explains/, 'a suspect runner';
    $browser->go("$base/runners");
    like $browser->run('return document.body.innerText'), qr/runner-with-a-loose-cable.*suspect/s, 'which one';
    $browser->go("$base/jobs");
    like $browser->run('return document.body.innerText'), qr/Not among these: 6 failed on suspect runners, of which 6 were rescued/, 'which counts against no job';
    looks_right('filtered', '/runs?repository=octo/*&verdict=given+up&branch=main&since=7d&refresh=3600');
    looks_right('mistake', '/runs?brnach=x', missing => 1);
    looks_right('run', '/runs/' . $runs[0]->id);
    looks_right('given up', '/runs/' . $given_up->id);
    is $browser->run('return document.querySelectorAll("details[open]").length'), 0, 'webhooks are folded away';
    $browser->run('document.querySelectorAll("details").forEach(d => d.open = true); return 1');
    is join('; ', @{ $browser->run($WIDE) }), '', 'unfolded: no scrolling sideways';
    looks_right('hostile run', "/runs/$evil");
    looks_right('no run', '/runs/1', missing => 1);
};

subtest 'nothing of theirs runs' => sub {
    for my $path ('/runs', '/repos', '/jobs', '/runners', "/runs/$evil") {
        $browser->go("$base$path");
        is $browser->run('return typeof window.evil'), 'undefined', "$path: no script";
        is $browser->run('return document.querySelectorAll("script:not(body > script:last-child), img, iframe, object").length'), 0, "$path: no element";
        is $browser->run('return document.querySelectorAll("style").length'), 1, "$path: one style sheet";
        like $browser->run('return document.body.innerText'), qr/<script>window\.evil=1<\/script>/, "$path: it is text" if $path !~ m{^/(?:repos|jobs)};
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
    like $browser->run('return document.querySelector("svg[role=img] desc").textContent'), qr/Reruns that GitHub accepted: 3\./, 'and a description';
};

# The same moment, by the clock of another zone, whose day is another one for some hours.
subtest 'in the zone of the reader' => sub {
    my $path = '/runs/' . $runs[0]->id;
    my $shown = 'return [document.querySelector("#zone").textContent, document.querySelector("time.clock").textContent, document.querySelector(".story .day").textContent, document.querySelector("time.clock").dateTime]';
    $browser->look_like(width => 1280, height => 900, scheme => 'light');
    $browser->cdp('Emulation.setTimezoneOverride', timezoneId => 'Pacific/Kiritimati');
    $browser->go("$base$path");
    my ($zone, $clock, $day, $at) = @{ $browser->run($shown) };
    my ($hour) = $at =~ /T(\d\d)/;
    is $zone, 'Pacific/Kiritimati', 'the zone is told';
    is substr($clock, 0, 2), sprintf('%02d', ($hour + 14) % 24), 'fourteen hours later';
    is substr($clock, 2), substr($at, 13, 10), 'the same minute';
    isnt $day, substr($at, 0, 10), 'on the next day' if $hour >= 10;
    is $day, substr($at, 0, 10), 'on the same day' if $hour < 10;
    $browser->cdp('Emulation.setTimezoneOverride', timezoneId => '');
    $browser->cdp('Emulation.setScriptExecutionDisabled', value => JSON::PP::true);
    $browser->go("$base$path");
    my $html = $browser->cdp('DOM.getOuterHTML', nodeId => 0 + $browser->cdp('DOM.getDocument')->{root}{nodeId})->{outerHTML};
    like $html, qr{times are <span id="zone">UTC</span>}, 'without script: UTC';
    my ($written) = $at =~ /T(\S+)Z/;
    like $html, qr{<time class="clock" datetime="\Q$at\E">\Q$written\E</time>}, 'as it is written';
    $browser->cdp('Emulation.setScriptExecutionDisabled', value => JSON::PP::false);
};

subtest 'it is made anew by itself' => sub {
    $browser->go("$base/status?refresh=5");
    my $shown = $browser->run('return document.querySelector("time.whole").dateTime');
    # There may be no document at a moment.
    wait_ok { (eval { $browser->run('return document.querySelector("time.whole").dateTime') } // $shown) ne $shown } 'when asked';
};

subtest 'the filters' => sub {
    $browser->go("$base/runs");
    $browser->run('document.querySelector("[name=verdict]").value = "given up"; document.querySelector("[name=branch]").value = "ma*"; document.querySelector("form").submit(); return 1');
    wait_ok { (eval { $browser->run('return location.search') } // '') ne '' } 'a form leads to an address';
    like $browser->run('return location.search'), qr/branch=ma\*.*verdict=given\+up/, 'with what was asked for';
    is $browser->run('return document.querySelector("[name=branch]").value'), 'ma*', 'which stands in the form again';
    is $browser->run('return document.querySelectorAll("tbody tr").length'), 1, 'and shows that';
};

$browser->stop;
finish();
