#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The administrator's sub-commands, beside the service and without it: what they
# tell is what happened, their JSON is JSON, they can be piped, cut off and
# suspended, and they act.

use strict;
use warnings;
use Encode ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use POSIX ();
use Test::More;
use JR::File qw(read_file_or_empty write_file);
use JR::Process qw(spawn reap running end_processes);
use JR::Terminal;
use JR::Test;

use constant FIONREAD => 0x541b;
use constant { EX_FAILED => 1, EX_USAGE => 2, EX_STORE => 73, EX_CONFIG => 78 };

my $JSON = JSON::PP->new->utf8;

my $github  = github();
my $service = service(github => $github, WORKERS => 2, RECONCILE_INTERVAL => '1h')->start;

# A sub-command, with the settings of the service in its environment.
sub at {
    my ($of, @args) = @_;
    return tool(\@args, %{ $of->environment });
}

# The same with --json: what it says, after making sure that it is good UTF-8.
sub json_of {
    my ($of, @args) = @_;
    my $result = at($of, @args, '--json');
    my $text = $result->{out};
    ok eval { Encode::decode('UTF-8', $text, Encode::FB_CROAK | Encode::LEAVE_SRC); 1 }, "@args --json: UTF-8";
    my $value = eval { $JSON->decode($text) };
    ok defined $value, "@args --json: JSON" or diag $@, $text, $result->{err};
    return wantarray ? ($value, $result) : $value;
}

sub fails_with {
    my ($result, $status, $like, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $result->{status}, $status, "$name: exit $status" or diag $result->{err};
    return like $result->{err}, $like, "$name: says why";
}

sub run_of {
    my (%o) = @_;
    return workflow_run(github => $github, door => $service->http, jobs => ['build', 'test'], %o);
}

sub played {
    my ($conclusion, %o) = @_;
    my $run = run_of(%o);
    $run->play(build => 'success', test => $conclusion);
    return $run;
}

sub decided {
    my ($run, %o) = @_;
    return ok $service->log->wait_entry('decision', run => $run->id, %o), 'run ' . $run->id . ' is decided';
}

# A rerun that worked, one that was refused, and one left alone; a name to stumble over.
my $flaky = played('failure');
wait_ok { $flaky->accepted } 'a run is rerun';
ok $service->log->wait_entry('rerun', run => $flaky->id), 'which is recorded';
$flaky->play(test => 'success');
my $refused = run_of(name => "Nightly \x{1F319} \x{65e5}\x{672c} \e[31m", repo => 'octo/web');
$github->script(POST => $refused->id . '/rerun', { status => 403, body => { message => 'Resource not accessible by integration' } });
$refused->play(build => 'success', test => 'failure');
decided($refused);
ok $service->log->wait_entry('rerun', run => $refused->id, reason => 'no-permission'), 'another is refused';
my $good = played('success', head_branch => 'release/1');

subtest 'status' => sub {
    my ($status, $result) = json_of($service, 'status');
    is $result->{status}, 0, 'exit 0';
    ok $status->{healthy}, 'healthy';
    is $status->{service}{pid}, $service->master, 'the master';
    ok $status->{service}{running}, 'runs';
    is $status->{service}{workers_alive}, 2, 'both workers are alive';
    is $status->{dispatcher}{pid}, $service->dispatcher, 'the dispatcher';
    ok $status->{dispatcher}{at_work}, 'is at work';
    is $status->{outbox}{waiting}, 0, 'nothing waits';
    is $status->{github}{rate_limit}, 5000, 'the rate limit';
    cmp_ok $status->{github}{rate_remaining}, '<', 5000, 'what is left of it';
    like $status->{github}{rate_reset_at}, qr/^\d{4}-/, 'until when';
    is $status->{github}{token_rejected_since}, undef, 'the token is good';
    is $status->{store}{runs}, 3, 'runs in the store';
    cmp_ok $status->{store}{used_bytes}, '>', 0, 'its size';
    wait_ok { json_of($service, 'status')->{github}{sweep_ended_at} } 'the last sweep';
    my $text = at($service, 'status');
    is $text->{status}, 0, 'in words: exit 0';
    like $text->{out}, qr/^health +good$/m, 'health';
    like $text->{out}, qr/^workers +2 of 2 alive/m, 'workers';
    like $text->{out}, qr/^rate limit +\d+ of 5000 calls left/m, 'rate limit';
    like $text->{out}, qr/^version +\d+\./m, 'version';
};

subtest 'runs' => sub {
    my $runs = json_of($service, 'runs');
    is_deeply [sort map { $_->{run_id} } @$runs], [sort map { $_->id } $flaky, $refused, $good], 'all of them';
    my ($row) = grep { $_->{run_id} == $flaky->id } @$runs;
    is $row->{reruns}, 1, 'how often it was rerun';
    is $row->{attempt}, 2, 'attempt';
    is $row->{verdict}, 'rescued', 'verdict';
    is $row->{conclusion}, 'success', 'what its jobs came to';
    ok !$row->{completed}, 'the run has told nothing itself';
    is $row->{url}, $github->url . '/octo/app/actions/runs/' . $flaky->id, 'its page';
    my ($odd) = grep { $_->{run_id} == $refused->id } @$runs;
    is $odd->{workflow}, "Nightly \x{1F319} \x{65e5}\x{672c} \e[31m", 'a name comes through';
    is $odd->{reason}, 'no-permission', 'reason';
    is scalar @{ json_of($service, 'runs', '--repo', 'octo/w*') }, 1, '--repo';
    is scalar @{ json_of($service, 'runs', '--repo', 'octo/w*,octo/app') }, 3, '--repo with a list';
    my $ids = sub { [sort map { $_->{run_id} } @{ json_of($service, 'runs', @_) }] };
    is_deeply $ids->('--branch', 'release/*'), [$good->id], '--branch';
    is_deeply $ids->('--workflow', 'nightly*'), [$refused->id], '--workflow';
    is_deeply $ids->('--reason', 'no-permission,dry-run'), [$refused->id], '--reason';
    is_deeply $ids->('--conclusion', 'failure'), [$refused->id], '--conclusion';
    is_deeply $ids->('--reason=jobs-succeeded', '--branch=main'), [$flaky->id], 'two of them at once';
    is_deeply $ids->('--conclusion=success', '--branch=release/?'), [$good->id], 'what its jobs came to';
    is_deeply $ids->('--conclusion=none'), [], 'none of them goes on';
    fails_with(at($service, 'runs', '--reason', 'no-permision'), EX_USAGE, qr/no 'no-permision'; did you mean no-permission\?/, 'a slip');
    fails_with(at($service, 'runs', '--conclusion', 'success,failed'), EX_USAGE, qr/no 'failed'/, 'no conclusion');
    is scalar @{ json_of($service, 'runs', '--state=open') }, 2, '--state open';
    is scalar @{ json_of($service, 'runs', '--state=closed') }, 1, '--state closed';
    is scalar @{ json_of($service, 'runs', '--since', '1h') }, 3, '--since an age';
    is scalar @{ json_of($service, 'runs', '--since', '2099-01-01') }, 0, '--since a day to come';
    is scalar @{ json_of($service, 'runs', '--limit', 2) }, 2, '--limit';

    # The order is that of the last event, not of the numbers.
    $refused->started('build');
    my @order = map { $_->{run_id} } @{ json_of($service, 'runs') };
    is_deeply \@order, [$refused->id, $good->id, $flaky->id], 'the newest event comes first';

    my $text = at($service, 'runs')->{out};
    like $text, qr/^LAST EVENT +RUN .* STATE +CONCLUSION +REASON +RERUNS$/m, 'the titles';
    like $text, qr/ @{[ $flaky->id ]} .* open +success +jobs-succeeded +1$/m, 'one that succeeded';
    like $text, qr/ @{[ $refused->id ]} .* closed +failure +no-permission +0$/m, 'one that was refused';
    my @line = split /\n/, $text;
    is @line, 4, 'a line each, and the titles';
    unlike $text, qr/[\x00-\x09\x0b-\x1f]/, 'no control character';
    my $wide = Encode::decode('UTF-8', $text);
    my %column = map { index($_, 'octo/') => 1 } grep {/octo/} split /\n/, $wide;
    is keys %column, 1, 'columns are aligned';
    # A moon and two characters of Japanese take two columns each.
    my $place = sub { my ($before) = $_[0] =~ /^(.*?)(?:main|release\/1)/; length($before) + (() = $before =~ /[\x{1F319}\x{65e5}\x{672c}]/g) };
    my %branch = map { $place->($_) => 1 } grep {/octo/} split /\n/, $wide;
    is keys %branch, 1, 'also behind wide characters';
};

# What a command writes on a terminal of so many columns.
sub on_terminal {
    my ($columns, $command) = @_;
    my $terminal = JR::Terminal->start(tmpdir(), binary() . " $command", %{ $service->environment }, COLUMNS => $columns, TERM => 'dumb');
    is $terminal->status, 0, "$command on $columns columns: exit 0";
    return Encode::decode('UTF-8', $terminal->text);
}

subtest 'a terminal, and a pipe' => sub {
    plan skip_all => 'no pseudo-terminals here' if !JR::Terminal::available(tmpdir());
    my @line = split /\n/, on_terminal(60, 'runs');
    is @line, 4, 'as many lines';
    cmp_ok length, '<=', 60, 'none is wider than the terminal' for @line;
    like "@line", qr/\x{2026}/, 'what was cut is marked';
    like $line[0], qr/^LAST +RUN .*REASON$/, 'the reason stays';
    like "@line", qr/ no-permission(?: |$)/, 'as a whole';
    like $line[1], qr/^(?:\d\d:\d\d|\d\d-\d\d) /, 'the time is short';
    my $usual = on_terminal(80, 'runs');
    like $usual, qr/^LAST .* CONCLUSION +REASON$/m, 'the conclusion, too';
    like $usual, qr/ failure +no-permission$/m, 'both as a whole';
    my $pipe = tool(['runs'], %{ $service->environment }, COLUMNS => 60);
    is on_terminal(60, 'runs -o wide'), Encode::decode('UTF-8', $pipe->{out}), '-o wide has all of it';
    unlike Encode::decode('UTF-8', $pipe->{out}), qr/\x{2026}/, 'in a pipe nothing is cut';
    my ($longest) = sort { $b <=> $a } map {length} split /\n/, $pipe->{out};
    cmp_ok $longest, '>', 60, 'whatever COLUMNS says';
};

# Names keep the room, numbers leave.
subtest 'flaky on a narrow terminal' => sub {
    plan skip_all => 'no pseudo-terminals here' if !JR::Terminal::available(tmpdir());
    my $text = on_terminal(48, 'flaky');
    like $text, qr{^octo/app +CI +test +1 +100 %$}m, 'the names are whole, with how often it happened and the rate';
    like $text, qr{^REPOSITORY +WORKFLOW +JOB +RESCUED +RATE$}m, 'the other columns have left';
};

subtest 'why' => sub {
    my ($why, $result) = json_of($service, 'why', $flaky->id);
    is $result->{status}, 0, 'exit 0';
    is $why->{run}{run_id}, $flaky->id, 'the run';
    is @{ $why->{jobs} }, 4, 'jobs of both attempts';
    my @history = @{ $why->{history} };
    my ($post) = grep { $_->{kind} eq 'call' && $_->{detail} =~ /^POST/ } @history;
    is $post->{status}, 201, 'the POST and its status';
    is $post->{reason}, 'rerun-accepted', 'and what it means';
    my ($get) = grep { $_->{kind} eq 'call' && $_->{detail} =~ /^GET/ } @history;
    is $get->{status}, 200, 'the GET';
    ok((grep { $_->{kind} eq 'decision' } @history), 'decisions');
    my @hooks = grep { $_->{kind} eq 'webhook' } @history;
    is @hooks, 7, 'every webhook';
    ok !(grep { !$_->{delivery} || !$_->{status} } @hooks), 'with its delivery and answer';
    my @times = map { $_->{at} } @history;
    is_deeply \@times, [sort @times], 'in order';

    my $text = at($service, 'why', 'https://github.com/octo/web/actions/runs/' . $refused->id . '/job/1?pr=2');
    is $text->{status}, 0, 'by its address: exit 0' or diag $text->{err};
    my $first = qr{\A\S+, run .*\n\S+/runs/\d+\n\nRefused: the token may not .*\(no-permission\)\.\nWhat to do: .*rerun @{[ $refused->id ]}\n};
    like $text->{out}, $first, 'the answer first, and what to do';
    like $text->{out}, qr/^Attempt 1\nJOB .*\n(?:build|test) .*\n(?:build|test) .*\n.* decision /m, 'then the attempt with its jobs';
    unlike $text->{out}, qr/ webhook  /, 'webhooks are folded away';
    like $text->{out}, qr/^\d+ webhooks: job-rerunner why --events @{[ $refused->id ]}$/m, 'but counted';
    my $all = at($service, 'why', '--events', $flaky->id)->{out};
    is scalar(() = $all =~ / webhook  /g), 7, '--events shows every one';
    like $all, qr/^Rescued: every known job .*\(jobs-succeeded\)\.\n.*^Attempt 1\n.* POST .*^Attempt 2\n.*'test'/ms, 'attempt by attempt';
    unlike $all, qr/^What to do/m, 'nothing is to be done about a run that succeeded';
    like $text->{out}, qr/POST rerun-failed-jobs, \d+ ms: Resource not accessible by integration; answer 403/,
        "GitHub's words and status";
    unlike $text->{out}, qr/\e/, 'no escape sequence';
    fails_with(at($service, 'why', next_id()), EX_FAILED, qr/nothing is recorded/, 'an unknown run');
    fails_with(at($service, 'why', 'https://github.com/octo/web/pull/7'), EX_USAGE, qr{actions/runs}, 'no run');
    fails_with(at($service, 'why'), EX_USAGE, qr/missing/, 'no argument');
};

subtest 'flaky' => sub {
    my $flaky = json_of($service, 'flaky');
    my ($row) = grep { $_->{job} eq 'test' && $_->{repository} eq 'octo/app' } @{ $flaky->{jobs} };
    is $row->{failures}, 1, 'failed once';
    is $row->{rescued}, 1, 'rescued once';
    is $row->{rate} + 0, 1, 'always';
    cmp_ok $row->{rate_low}, '<', 0.5, 'which tells little';
    is ref $flaky->{runners}, 'ARRAY', 'runners';
    is scalar @{ json_of($service, 'flaky', '--repo', 'nobody/*')->{jobs} }, 0, '--repo';
    like at($service, 'flaky', '--repo', 'nobody/*')->{out}, qr/^Total: .* 0 rescued, 0 failed again, 0 s lost$/m, 'no rate of nothing';
    like at($service, 'flaky')->{out}, qr/^Total: .* 1 rescued, \d+ failed again, \d+ % rescued, .* lost$/m, 'else there is one';
    my $text = at($service, 'flaky')->{out};
    like $text, qr{^octo/app +CI +test +3 +1 +1 +0 +100 % +\d+-100}m, 'in words';
    is $flaky->{since}, undef, 'of all time';
    my $total = $flaky->{jobs_total};
    cmp_ok $total->{jobs}, '>', scalar @{ $flaky->{jobs} }, 'the total has also those that never failed';
    is $total->{rescued}, 1, 'and what was rescued';
    like $text, qr/^Total: $total->{jobs} jobs, $total->{executions} run, $total->{failures} failed, 1 rescued, 0 failed again, 100 % rescued, \d+ m?s lost$/m,
        'in a line';
    like $text, qr/^Total: 0 runners, 0 run, 0 failed, 0 blamed$/m, 'of runners, too';

    my ($lately) = json_of($service, 'flaky', '--since', '30d');
    like $lately->{since}, qr/^\d{4}-\d\d-\d\dT00:00:00\.000Z$/, '--since: from the beginning of a day';
    is_deeply $lately->{jobs}, $flaky->{jobs}, 'what was in 30 days';
    my $tomorrow = json_of($service, 'flaky', '--since', '2099-01-01');
    is_deeply [$tomorrow->{jobs}, $tomorrow->{jobs_total}{executions}], [[], 0], 'nothing is in days to come';
    my $oldest = sub { return POSIX::strftime('%Y-%m-%dT00:00:00.000Z', gmtime(time - 89 * 86400)) };
    my $before = $oldest->();
    my $long = json_of($service, 'flaky', '--since', '1000d')->{since};
    ok((grep { $long eq $_ } $before, $oldest->()), 'one of more days than are kept is of these') or diag $long;
    like at($service, 'flaky', '--since', '7d')->{out}, qr/^Total since \d{4}-\d\d-\d\d: /m, 'in words';
    fails_with(at($service, 'flaky', '--since', 'soon'), EX_USAGE, qr/--since/, 'no time');
};

subtest 'pause, outbox, resume' => sub {
    my $paused = json_of($service, 'pause');
    ok $paused->{paused}, 'paused';
    is scalar json_of($service, 'pause')->{paused_since}, $paused->{paused_since}, 'a second time changes nothing';
    my $run = run_of();
    is $run->play(build => 'success', test => 'failure')->status, 201, 'a run fails meanwhile';
    my $outbox = json_of($service, 'outbox');
    is_deeply [map { $_->{run_id} } @$outbox], [$run->id], 'it waits';
    like $outbox->[0]{due_at}, qr/^\d{4}-/, 'since when it is due';
    my $since = $outbox->[0]{waiting_since};
    like $since, qr/^\d{4}-/, 'since when it waits';
    like at($service, 'outbox')->{out}, qr/^\S+Z +paused +\d+ \w+ +@{[ $run->id ]} +octo\/app/m, 'in words: nobody says when';
    like at($service, 'why', $run->id)->{out}, qr/^\S.* \(paused\): everything, .*\.$/m,
        'nor does why';
    # The dispatcher may not have noticed yet.
    wait_ok { grep { $_ eq 'paused' } @{ json_of($service, 'status')->{degraded} } } 'it is noticed';
    my $status = json_of($service, 'status');
    is $status->{dispatcher}{paused_since}, $paused->{paused_since}, 'status tells';
    ok((grep { $_ eq 'paused' } @{ $status->{degraded} }), 'as degraded');
    is $status->{outbox}{waiting}, 1, 'and what waits';
    is $status->{outbox}{paused}, 1, 'which is paused';
    is $status->{outbox}{first_due_at}, undef, 'so that none comes due';
    is $status->{outbox}{first_due_run_id}, undef, 'which';
    is $status->{outbox}{oldest_since}, $since, 'and since when';
    (my $second = $since) =~ s/\.\d+//;
    like at($service, 'status')->{out}, qr/^outbox +1 waiting, 1 of them paused, the oldest since \Q$second\E$/m, 'in words';
    wait_ok { json_of($service, 'outbox')->[0]{due_at} lt POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime) } 'it is overdue';
    is scalar $run->gets, 0, 'GitHub is not asked';
    my $resumed = json_of($service, 'resume');
    ok !$resumed->{paused}, 'resumed';
    wait_ok { $run->accepted } 'and it is rerun';
    is json_of($service, 'resume')->{paused_since}, undef, 'resumed twice';
};

subtest 'how long a run waits already' => sub {
    my $patient = service(github => $github, RERUN_DELAY => '1h')->start;
    my $run = workflow_run(github => $github, door => $patient->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    my $held = workflow_run(github => $github, door => $patient->http, jobs => ['build'], repo => 'octo/held');
    status_is $held->play(build => 'failure'), 201, 'another one';
    is at($patient, 'pause', '--repo', 'octo/held')->{status}, 0, 'which is paused';
    is json_of($patient, 'status')->{outbox}{first_due_run_id}, $run->id, 'status tells of the other';
    like at($patient, 'status')->{out}, qr/^outbox +2 waiting, 1 of them paused, the first of the others due at \S+ \(in \d+ min\)/m, 'in words';
    wait_ok { at($patient, 'outbox')->{out} =~ /^\S+Z +5\d min +[1-9]\d* (?:s|min) +@{[ $run->id ]} /m } 'not how long it is overdue';
    $patient->stop_service;
};

subtest 'rerun' => sub {
    $github->set_run($refused->id, status => 'completed', conclusion => 'failure');
    my ($done, $result) = json_of($service, 'rerun', $refused->id, '--wait=2m');
    is $result->{status}, 0, 'exit 0' or diag $result->{err};
    ok $done->{accepted}, 'GitHub accepted it';
    is scalar $refused->accepted, 1, 'it did';
    is $done->{run}{attempt}, 2, 'the next attempt';
    like at($service, 'why', $refused->id)->{out}, qr/by hand .*asked for by hand/, 'why tells of it';

    my $again = at($service, 'rerun', $good->id, '--wait');
    fails_with($again, EX_FAILED, qr/not rerun: .*\(run-succeeded\)/, 'one that succeeded');
    like $again->{out}, qr/GET run/, 'what happens is shown as it does';

    my $others = played('cancelled');
    decided($others);
    $github->set_run($others->id, attempt => 2, status => 'in_progress', conclusion => undef);
    fails_with(at($service, 'rerun', $others->id, '--wait=2m'), EX_FAILED, qr/not rerun: .*\(rerun-by-others\)/,
        'one that somebody else has rerun unheard');

    my $unheard = $github->put_run(id => next_id(), repo => 'octo/other', status => 'completed', conclusion => 'failure',
        jobs => [{ name => 'build', status => 'completed', conclusion => 'failure' }]);
    fails_with(at($service, 'rerun', $unheard->{id}), EX_FAILED, qr{https://github.com/OWNER/NAME/actions}, 'one not heard of');
    is at($service, 'rerun', "https://github.com/octo/other/actions/runs/$unheard->{id}", '--wait=2m')->{status}, 0,
        'by its address' or return;
    is $github->get_run($unheard->{id})->{attempt}, 2, 'rerun';
    fails_with(at($service, 'rerun', $good->id, '--wait=soon'), EX_USAGE, qr/--wait/, 'no time');
};

# The records of a text as RFC 4180 has it, each a list; nothing where it is none.
sub csv_of {
    my ($text) = @_;
    my (@records, @cells);
    while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gc) {
        my ($quoted, $plain, $end) = ($1, $2, $3);
        push @cells, defined $quoted ? $quoted =~ s/""/"/gr : $plain;
        push @records, [splice @cells] if $end ne ',';
    }
    return pos($text) == length $text && !@cells ? @records : ();
}

# A value of JSON as a cell.
sub cell {
    my ($value) = @_;
    return '' if !defined $value;
    return $JSON->canonical->encode($value) if ref $value =~ /ARRAY|HASH/;
    return $value ? 'true' : 'false' if JSON::PP::is_bool($value);
    return Encode::encode('UTF-8', $value) =~ s/[\e\n]/\xef\xbf\xbd/gr =~ s/^(?=[-=+@])/'/r;
}

subtest 'formats' => sub {
    my $odd = played('success', repo => 'octo/sheet', head_branch => '=1+1,"x"', name => "-two\nlines");
    my @tables = (
        ['runs', sub { shift }], ['outbox', sub { shift }], ['flaky --jobs', sub { shift->{jobs} }], ['flaky --runners', sub { shift->{runners} }],
        ['causes', sub { shift->{causes} }], ['causes --unknown', sub { shift->{unknown} }],
        ['causes --by repository', sub { shift->{repositories} }], ['replay', sub { shift->{rules} }],
    );
    for my $table (@tables) {
        my ($words, $rows) = @$table;
        my @args = split ' ', $words;
        my $said = at($service, @args, '-o', 'csv');
        is $said->{status}, 0, "$words -o csv: exit 0" or diag $said->{err};
        my ($head, @record) = csv_of($said->{out});
        my $list = $rows->(scalar json_of($service, @args));
        is @record, @$list, 'a record for each, behind a heading' or diag $said->{out};
        is_deeply [sort @$head], [sort keys %$_], 'with the keys of JSON' for @$list[0 .. ($#$list < 0 ? -1 : 0)];
        my @wrong;
        for my $row (0 .. $#$list) {
            my %cell;
            @cell{@$head} = @{ $record[$row] };
            for my $key (@$head) {
                my $got = $cell{$key} =~ /^[\[{]/ ? cell($JSON->decode($cell{$key})) : $cell{$key};
                # A rate has four decimals, of which JSON's reader keeps what counts.
                my $want = cell($list->[$row]{$key});
                push @wrong, "$key: $got" if $got ne $want && !($key =~ /^rate/ && $got == $want);
            }
        }
        is "@wrong", '', 'and its values';
    }
    my ($line) = grep { /octo\/sheet/ } split /\r\n/, at($service, 'runs', '-ocsv')->{out};
    like $line, qr/,"'=1\+1,""x""",/, 'what a spreadsheet would take for a formula is a text';
    my $text = at($service, 'runs', '--json')->{out};
    is at($service, 'runs', $_)->{out}, $text, "$_ is --json" for '-ojson', '--output=json';
    is at($service, '-o', 'json', 'runs')->{out}, $text, 'also before the command';
    is at($service, 'runs', '-o', 'text')->{out}, at($service, 'runs')->{out}, '-o text';
    is at($service, 'runs', '-o', 'wide')->{out}, at($service, 'runs')->{out}, '-o wide in a pipe';
    ok eval { $JSON->decode(at($service, 'status', '-o', 'json')->{out})->{healthy} }, 'status has JSON as well';
    for my $case (
        ['runs -o yaml', qr/'yaml' is none of text, wide, json, csv/], ['status -o csv', qr/status shows no table; it has text and json/],
        ['runs --json -o csv', qr/--json and --output csv cannot both be/], ['flaky -o csv', qr/which one, --jobs or --runners\?/],
        ['runs -o csv --watch', qr/-o json can be watched/],
    ) {
        fails_with(at($service, split ' ', $case->[0]), EX_USAGE, $case->[1], $case->[0]);
    }
    is_deeply [sort keys %{ json_of($service, 'flaky', '--runners') }], ['runners', 'runners_total', 'since'], 'flaky --runners';
    unlike at($service, 'flaky', '--jobs')->{out}, qr/^OWNER/m, 'flaky --jobs';
};

# Said as it is done, and nothing is done.
subtest 'dry runs' => sub {
    my $all = sub {
        return join '', map { at($service, @$_)->{out} =~ s/"(?:at|answered)":"[^"]*"//gr }
            ['why', $refused->id, '--json'], ['export'], ['outbox', '--json'];
    };
    my $waits = service(github => $github, RERUN_DELAY => '1h')->start;
    my @held = map { workflow_run(github => $github, door => $waits->http, jobs => ['build'], repo => $_) } 'octo/one', 'octo/one', 'octo/two';
    $_->play(build => 'failure') for @held;
    my $before = $all->() . at($waits, 'export')->{out};

    my $rerun = at($service, 'rerun', '-n', $flaky->id);
    is $rerun->{status}, 0, 'rerun: exit 0' or diag $rerun->{err};
    like $rerun->{out}, qr{^run @{[ $flaky->id ]} of octo/app, attempt 2 \(rescued: jobs-succeeded; of its jobs 2 are known, 0 failed\): GitHub would be asked about it, and it would be rerun if it failed$},
        'which run, where it stands, and what would be done';
    fails_with(at($service, 'rerun', '--dry-run', next_id()), EX_FAILED, qr/nothing is recorded of run/, 'one not heard of');
    my $unheard = at($service, 'rerun', '-n', '--wait', 'https://github.com/octo/app/actions/runs/' . next_id());
    is $unheard->{status}, 0, 'but by its address' or diag $unheard->{err};
    like $unheard->{out}, qr{ of octo/app, of which nothing is recorded: GitHub would}, 'as that';
    my ($json) = json_of($service, 'rerun', '-n', $flaky->id);
    ok $json->{dry_run} && !$json->{scheduled} && !defined $json->{refused}, 'as JSON';

    my $pause = at($waits, 'pause', '-n', '--repo', 'octo/*', '--for', '2h');
    is $pause->{status}, 0, 'pause: exit 0';
    like $pause->{out}, qr{^would be paused: octo/\*, .* until \d{4}-.*\n3 of 3 runs that wait would be held up \(0 now\): octo/one, octo/two$},
        'what, until when, and which runs and repositories' or diag $pause->{out};
    my ($pauses) = json_of($waits, 'pause', '-n', '--repo', 'octo/one');
    is_deeply [@$pauses{qw(dry_run waiting held held_before held_repositories)}], [JSON::PP::true, 3, 2, 0, ['octo/one']], 'as JSON';
    fails_with(at($waits, 'pause', '-n', '--repo', 'octo'), EX_USAGE, qr/--repo/, 'a pattern that is none');
    is_deeply json_of($waits, 'status')->{dispatcher}{pauses}, [], 'nothing is paused';
    like at($waits, 'pause', '--repo', 'octo/one')->{out}, qr{^paused: octo/one, .*\n2 of 3 runs that wait are held up \(0 before\): octo/one$}, 'in earnest';
    my $resume = at($waits, 'resume', '-n', '--repo', 'octo/one');
    like $resume->{out}, qr{^would be resumed: octo/one, .*\n0 of 3 runs that wait would be held up \(2 now\)$}, 'resume';
    is @{ json_of($waits, 'status')->{dispatcher}{pauses} }, 1, 'it still holds';
    like at($waits, 'resume', '-n', '--outage=registry')->{out}, qr/^no reruns are held$/, 'an outage';
    is at($waits, 'resume', '--repo', 'octo/one')->{status}, 0, 'resumed';

    my $forget = at($service, 'forget', '-n', $flaky->id);
    is $forget->{status}, 0, 'forget: exit 0, without --yes' or diag $forget->{err};
    like $forget->{out}, qr{^run @{[ $flaky->id ]} of octo/app would be forgotten: 4 jobs, \d\d entries of history, \d deliveries$}, 'how many records';
    fails_with(at($service, 'forget', '-n', next_id()), EX_FAILED, qr/nothing is recorded/, 'one that is not there');
    my $held = json_of($service, 'forget', '-n', $flaky->id);
    ok $held->{dry_run} && $held->{repository} eq 'octo/app' && $held->{jobs} == 4, 'as JSON';
    is $all->() . at($waits, 'export')->{out}, $before, 'nothing is written';
    $waits->stop_service;
};

subtest 'forget' => sub {
    my ($forgotten) = json_of($service, 'forget', '--yes', $good->id);
    is $forgotten->{jobs}, 2, 'its jobs';
    cmp_ok $forgotten->{deliveries}, '>=', 4, 'its deliveries';
    fails_with(at($service, 'why', $good->id), EX_FAILED, qr/nothing is recorded/, 'it is gone');
    fails_with(at($service, 'forget', $good->id, '--yes'), EX_FAILED, qr/nothing is recorded/, 'once only');
};

subtest 'export' => sub {
    my $export = at($service, 'export');
    is $export->{status}, 0, 'exit 0';
    my @lines = split /\n/, $export->{out};
    my @entries = map { eval { $JSON->decode($_) } // () } @lines;
    is @entries, @lines, 'each line is JSON';
    is scalar(grep { $_->{run_id} == $flaky->id } @entries), scalar @{ json_of($service, 'why', $flaky->id)->{history} },
        'each entry of a run';
    is at($service, 'export', '--since', '2099-01-01')->{out}, '', '--since';
};

# Marks that turn the direction of writing, and characters that take no room: to nobody's terminal.
subtest 'names with what is not to be seen' => sub {
    my $name = "re\x{202e}ady\x{2066} ad\x{200b}m\x{200d}in\x{feff}\x{e0041}\x{9b}31m";
    my $run  = played('failure', repo => 'octo/odd', head_branch => "m\x{202e}ain", name => $name);
    wait_ok { $run->accepted } 'a run of that name is rerun';
    my $harm = qr/[\x{80}-\x{9f}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{e0000}-\x{e0fff}]/;
    for my $command (['runs'], ['why', $run->id], ['flaky'], ['outbox'], ['status'], ['export'], ['runs', '--json'],
        ['why', $run->id, '--json'], ['flaky', '--json']) {
        my $text = Encode::decode('UTF-8', at($service, @$command)->{out});
        unlike $text, $harm, "@$command";
    }
    unlike Encode::decode('UTF-8', $service->log->text), $harm, 'nor in the log';
    my ($row) = grep { $_->{run_id} == $run->id } @{ json_of($service, 'runs') };
    ok $row->{workflow} eq $name, 'who reads JSON has it as it is';
    my $odd = tool(['check'], %{ $service->environment }, NO_RETRY_WORKFLOWS => Encode::encode('UTF-8', "a\x{202e}b,\x{200b}c"));
    unlike Encode::decode('UTF-8', $odd->{out} . $odd->{err}), $harm, 'nor in a setting';
    like $odd->{out}, qr/^NO_RETRY_WORKFLOWS +a\xef\xbf\xbdb,\xef\xbf\xbdc$/m, 'which is shown all the same';
    $odd = tool(['check'], %{ $service->environment }, RUN_ATTEMPTS => Encode::encode('UTF-8', "4\x{202e}\e[31m"));
    unlike Encode::decode('UTF-8', $odd->{err}), qr/$harm|\e/, 'nor in what is wrong with one';
    like $odd->{err}, qr/RUN_ATTEMPTS: '4\xef\xbf\xbd\xef\xbf\xbd\[31m'/, 'which names it';
};

subtest 'backup, and a service that is restored from it' => sub {
    my $dir = tmpdir() . '/backup';
    my ($told, $result) = json_of($service, 'backup', $dir);
    is $result->{status}, 0, 'exit 0' or diag $result->{err};
    is_deeply [map {s{.*/}{}r} glob "$dir/*"], ['data.mdb'], 'one file';
    is $told->{bytes}, -s "$dir/data.mdb", 'its size';
    is sprintf('%o', (stat "$dir/data.mdb")[2] & 0777), '600', 'for nobody else';
    fails_with(at($service, 'backup', $dir), EX_FAILED, qr/not empty/, 'not over another one');
    fails_with(at($service, 'backup', tmpdir() . '/no/such'), EX_FAILED, qr/cannot make/, 'no folder for it');
    my $restored = service(github => $github, STATE_DIR => $dir);
    my $before = json_of($service, 'why', $flaky->id);
    is_deeply scalar json_of($restored, 'why', $flaky->id), $before, 'it holds the same';
    is json_of($restored, 'status')->{store}{runs}, $told->{runs}, 'as many runs as it said';
    $restored->start;
    wait_ok { json_of($restored, 'status')->{healthy} } 'a service runs on it';
};

subtest 'check' => sub {
    my ($check, $result) = json_of($service, 'check');
    is $result->{status}, 0, 'exit 0';
    is $check->{settings}{GITHUB_TOKEN}, 'set', 'settings, secrets masked';
    ok $check->{store}{dispatcher_at_work}, 'the store';
    my ($online) = json_of($service, 'check', '--online', 'octo/app');
    is_deeply [map { $_->{good} ? 1 : 0 } @{ $online->{online} }], [1, 1, 1, 1, 1], 'online: all is good';
    my $text = at($service, 'check', '--online', 'octo/app');
    is $text->{status}, 0, 'in words: exit 0' or diag $text->{err};
    like $text->{out}, qr/^token +works, as rerun-bot$/m, 'as whom';
    like $text->{out}, qr{^repository +octo/app: its user may write}m, 'and that it may';
    unlike $text->{out}, qr/@{[ JR::Service::token() ]}/, 'no secret';

    $github->script(GET => '/user$', { status => 200, headers => { 'X-OAuth-Scopes' => 'gist, read:org' }, body => { login => 'bot' } });
    my $scopes = at($service, 'check', '--online');
    is $scopes->{status}, EX_FAILED, 'a classic token without repo: exit 1';
    like $scopes->{out}, qr/^scopes +NO: gist, read:org\. .*`repo'/m, 'and what is missing';
    $github->script(GET => '/octo/app$', { status => 200, body => { full_name => 'octo/app', permissions => { push => JSON::PP::false } } });
    my $reader = at($service, 'check', '--online', 'octo/app');
    is $reader->{status}, EX_FAILED, 'a user who may only read: exit 1';
    like $reader->{out}, qr/^repository +NO: .*write permission/m, 'and the repair';
    $github->script(GET => '/octo/app$', { status => 404, body => { message => 'Not Found' } });
    like at($service, 'check', '--online', 'octo/app')->{out}, qr/^repository +NO: .*404.*Add the repository to the token/m, 'not visible';
    $github->set_tokens('another');
    my $rejected = at($service, 'check', '--online');
    $github->set_tokens(JR::Service::token());
    is $rejected->{status}, EX_FAILED, 'a rejected token: exit 1';
    like $rejected->{out}, qr/^token +NO: .*401.*new token/m, 'and the repair';
    fails_with(at($service, 'check', 'octo/app'), EX_USAGE, qr/--online/, 'a repository without --online');
    fails_with(at($service, 'check', '--online', 'octo'), EX_USAGE, qr{OWNER/NAME}, 'no repository');
    my $near = qr{^warning +GITHUB_API_URL: http:// shows the token}m;
    like at($service, 'check')->{out}, $near, 'http:// is warned of';
    unlike tool(['check'], %{ $service->environment }, GITHUB_API_URL => 'https://127.0.0.1:1')->{out}, qr/^warning/m, 'https:// is not';
    is_deeply [map { $_->{what} } @{ $check->{warnings} }], ['GITHUB_API_URL'], 'in JSON, too';
    my $dir = tmpdir() . '/secrets';
    mkdir $dir, 0755 or die "$dir: $!";
    chmod 0755, tmpdir();
    my $token = write_file("$dir/token", JR::Service::token() . "\n");
    for my $case ([0644, 0755, 'everybody may read it'], [0602, 0755, 'write it'], [0640, 0755, undef], [0644, 0750, undef]) {
        my ($mode, $above, $why) = @$case;
        chmod $mode, $token;
        chmod $above, $dir;
        my $out = tool(['check'], %{ $service->environment }, GITHUB_TOKEN => undef, GITHUB_TOKEN_FILE => $token)->{out};
        my $warning = qr/^warning +GITHUB_TOKEN: everybody on this host may read or write '\Q$token\E'/m;
        $why ? like $out, $warning, $why : unlike $out, $warning, sprintf 'not with %o below %o', $mode, $above;
    }
    chmod 0755, $dir;
    my $env = $service->environment;
    my $settings = write_file("$dir/settings.env", join '', map {"$_=$env->{$_}\n"} grep { !/SAN_|^(?:PATH|HOME)$|^JR_/ } sort keys %$env);
    chmod 0644, $settings;
    like tool(['check', '--env-file', $settings])->{out}, qr/^warning +settings: everybody .* has a secret in it/m, 'a file of settings with a secret';
    chmod 0640, $settings;
    unlike tool(['check', '--env-file', $settings])->{out}, qr/^warning +settings/m, 'not if it is for its owner';
    my $nowhere = tool(['check', '--online'], %{ $service->environment }, GITHUB_API_URL => 'http://127.0.0.1:1');
    is $nowhere->{status}, EX_FAILED, 'nobody there: exit 1';
    like $nowhere->{out}, qr/^token +NO: .*GITHUB_API_URL/m, 'and where to look';
};

subtest 'pipes' => sub {
    my $status = system '/bin/sh', '-c', <<"SH";
STATE_DIR=@{[ $service->state_dir ]} MAP_SIZE=64M; export STATE_DIR MAP_SIZE
for i in 1 2 3; do
    { @{[ binary() ]} export; @{[ binary() ]} runs --json; } 2>@{[ tmpdir() ]}/pipe.err | head -c 10 >/dev/null
done
SH
    is $status, 0, 'a reader that leaves';
    is -s tmpdir() . '/pipe.err', 0, 'is no reason for a word';
    my $full = spawn(argv => [binary(), 'runs'], env => $service->environment,
        out => do { open my $fh, '>', '/dev/full' or die; $fh }, err => tmpdir() . '/full.err');
    is reap($full) >> 8, EX_FAILED, 'a full disk: exit 1';
    like read_file_or_empty(tmpdir() . '/full.err'), qr/cannot write/, 'and why';
};

# The snapshots that are held: of each reader, by its process.
sub snapshots {
    my ($of) = @_;
    open my $fh, '-|', 'mdb_stat', '-r', $of->state_dir or return;
    return map { /^\s*(\d+)\s+\S+\s+(\d+)\s*$/ ? [$1, $2] : () } <$fh>;
}

# Not the one that works.
sub sleeps { my ($pid) = @_; return grep { $_->{state} eq 'S' } JR::Process::table($pid) }

# How much stands in a pipe.
sub in_pipe {
    my ($read) = @_;
    my $count = pack 'i', 0;
    ioctl $read, FIONREAD, $count or die "FIONREAD: $!";
    return unpack 'i', $count;
}

# A pipe takes 64 kB: the export stands still in the middle of its work.
subtest 'suspended while it prints' => sub {
    plan skip_all => 'no mdb_stat (lmdb-utils)' if !grep { -x "$_/mdb_stat" } split /:/, $ENV{PATH};
    my $run = run_of();
    $run->queued('test', action => 'queued') for 1 .. 300;
    pipe my $read, my $write or die "pipe: $!";
    my $pid = spawn(argv => [binary(), 'export'], env => $service->environment, out => $write, err => tmpdir() . '/export.err');
    close $write;
    wait_ok { in_pipe($read) > 65536 - 4096 && sleeps($pid) } 'the pipe is full: it waits for its reader';
    kill 'STOP', $pid;
    is_deeply [grep { $_->[0] == $pid } snapshots($service)], [], 'no snapshot is held';
    ok running($pid), 'it is still there';
    is played('success')->truth->{status}, 'completed', 'and work goes on';
    kill 'CONT', $pid;
    my $text = do { local $/; <$read> };
    is reap($pid), 0, 'it ends well';
    is scalar(grep { !eval { $JSON->decode($_) } } split /\n/, $text), 0, 'each line is whole';
};

subtest 'settings from a file' => sub {
    my $dir = tmpdir() . '/etc';
    mkdir $_ or die "$_: $!" for $dir, "$dir/github";
    my $write = sub {
        my ($name, $text) = @_;
        open my $fh, '>', "$dir/$name" or die "$name: $!";
        print {$fh} $text;
        close $fh;
    };
    $write->('env', "# a comment\nSTATE_DIR=\"@{[ $service->state_dir ]}\"\n  MAP_SIZE = 64M  \nNO_RETRY_LIST=\"robot,\\\nother\"\n"
        . "GITHUB_API_URL=@{[ $github->url ]}\n");
    $write->('github/token', JR::Service::token() . "\n");
    $write->('github/sign_key', "a-key-in-a-file-of-its-own\n");
    my $check = tool(['check', '--online', '--env-file', "$dir/env"], GITHUB_TOKEN => 'not-this-one', STATE_DIR => '/nowhere', PORT => 'x');
    is $check->{status}, 0, 'settings from the file, secrets beside it' or diag $check->{err}, $check->{out};
    like $check->{out}, qr/^GITHUB_SIGN_KEY +set$/m, 'the key';
    is tool(['status', '--env-file', "$dir/env"])->{status}, 0, 'status';
    unlink "$dir/github/token", "$dir/github/sign_key";
    is tool(['runs', '--env-file', "$dir/env"])->{status}, 0, 'runs needs no secret';
    fails_with(tool(['check', '--env-file', "$dir/env"]), EX_CONFIG, qr/GITHUB_SIGN_KEY/, 'check does');
    $write->('env', "STATE_DIR=/x\n\nexport A=b\n");
    fails_with(tool(['status', "--env-file=$dir/env"]), EX_CONFIG, qr{\Q$dir\E/env:3: }, 'a wrong line');
    fails_with(tool(['status', '--env-file', "$dir/none"]), EX_CONFIG, qr{\Q$dir\E/none}, 'no such file');
    fails_with(tool(['status', '--env-file']), EX_USAGE, qr/--env-file FILE/, 'no file named');

    my $hostile = "e\e[2J\xe2\x80\xaenv\x7f";
    my $instead = "\xef\xbf\xbd";
    $write->($hostile, "a\e[31m=1\nPORT\xd8\x9c=1\nexport\xc2\x9b31m X=y\nGITHUB_API_URL=http://\e[2J/\n");
    for my $command (['status'], ['check'], ['check', '--names'], ['export']) {
        my $said = tool([@$command, '--env-file', "$dir/$hostile"]);
        unlike $said->{err} . $said->{out}, qr/[\x00-\x09\x0b-\x1f\x7f]|\xe2\x80\xae|\xd8\x9c|\xc2\x9b/,
            "@$command: a name and lines that do something to a terminal";
        like $said->{err}, qr{\Q$dir\E/e$instead\[2J${instead}nv$instead:1: }, 'are told all the same';
    }
};

# In a name space of its own, where /etc has a folder more.
subtest 'settings where the systemd unit has them' => sub {
    plan skip_all => 'not root' if $> != 0;
    my $dir = tmpdir() . '/overlay';
    mkdir $_ or die "$_: $!" for $dir, "$dir/upper", "$dir/work";
    my $mount = "mount -t overlay overlay -o lowerdir=/etc,upperdir=$dir/upper,workdir=$dir/work /etc";
    my $in = sub {
        my ($script, %env) = @_;
        my $pid = spawn(argv => ['/usr/bin/unshare', '-m', '/bin/sh', '-c', "$mount || exit 99\n$script"],
            env => { PATH => '/usr/sbin:/usr/bin:/bin', %env }, out => "$dir/out", err => "$dir/err");
        return reap($pid) >> 8;
    };
    plan skip_all => 'no mounting here' if $in->('true') != 0;
    my $files = <<"SH";
mkdir -p /etc/job-rerunner/github && cd /etc/job-rerunner || exit 98
echo STATE_DIR=@{[ $service->state_dir ]} >job-rerunner.env
echo MAP_SIZE=64M >>job-rerunner.env
echo ghp_a-token-in-etc >github/token
echo a-key-in-etc-of-some-length >github/sign_key
SH
    is $in->("$files @{[ binary() ]} status", GITHUB_TOKEN => 'for-another-program', WORKERS => 'x'), 0, 'status';
    is $in->("$files @{[ binary() ]} check"), 0, 'check';
    like read_file_or_empty("$dir/out"), qr/^GITHUB_SIGN_KEY +set$/m, 'with the secrets beside it';
    is $in->("$files rm job-rerunner.env; @{[ binary() ]} check", STATE_DIR => '/nowhere/at/all', GITHUB_SIGN_KEY => 'x' x 20,
        DRY_RUN => 'yes'), 0, 'the environment comes first';
    like read_file_or_empty("$dir/out"), qr{^STATE_DIR +/nowhere/at/all$}m, 'and counts alone';
};

# By what the kernel knows of who listens, it is there.
subtest 'a master that hangs' => sub {
    kill 'STOP', $service->master;
    my ($status, $result) = json_of($service, 'status');
    is $result->{status}, EX_FAILED, 'exit 1';
    ok $status->{service}{running}, 'it runs';
    is $status->{service}{pid}, $service->master, 'as this process';
    is $status->{service}{started_at}, undef, 'but does not tell more';
    like at($service, 'status')->{out}, qr/^service +running, process \d+, but it does not say how it goes$/m, 'in words';
    kill 'CONT', $service->master;
    wait_ok { json_of($service, 'status')->{service}{workers_alive} } 'it goes on, and tells';
};

subtest 'no service, no store' => sub {
    my $other = service();
    fails_with(at($other, $_ eq 'why' ? ($_, 1) : $_ eq 'backup' ? ($_, tmpdir() . '/b') : $_), EX_STORE,
        qr/no store in '\Q@{[ $other->state_dir ]}\E'/, $_) for qw(status runs why outbox flaky pause export backup);
    is_deeply [glob $other->state_dir . '/*'], [], 'nothing is left behind';
    ok !-e tmpdir() . '/b', 'nor is a folder made';
    $service->stop_service;
    my ($status, $result) = json_of($service, 'status');
    is $result->{status}, EX_FAILED, 'a service that is stopped: exit 1';
    ok !$status->{service}{running}, 'and it says so';
    is at($service, 'runs')->{status}, 0, 'the runs can be read';
    my $waits = at($service, 'rerun', $flaky->id);
    like $waits->{err}, qr/rerun|no dispatcher/, 'a rerun is refused or waits';
    $service->start_service;
};

subtest 'as root' => sub {
    plan skip_all => 'not root' if $> != 0;
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    my $owned = service(github => $github);
    chown $uid, $gid, $owned->state_dir or die "chown: $!";
    $owned->start_service;
    wait_ok { $owned->dispatcher } 'it runs';
    my $dir = tmpdir() . '/owned-backup';
    is at($owned, 'status')->{status}, 0, 'status';
    is at($owned, 'pause')->{status}, 0, 'pause';
    my $backup = at($owned, 'backup', $dir);
    is $backup->{status}, 0, 'backup' or diag $backup->{err};
    is +(stat)[4], $uid, "$_ belongs to STATE_DIR's owner" for glob($owned->state_dir . '/*'), $dir, "$dir/data.mdb";
    mkdir tmpdir() . '/roots', 0700;
    fails_with(at($owned, 'backup', tmpdir() . '/roots'), EX_FAILED, qr/owner of STATE_DIR/, 'a folder of root\'s');
    my $other = spawn(argv => [binary(), 'runs'], env => { %{ $service->environment } }, out => tmpdir() . '/other.out',
        err => tmpdir() . '/other.err', in_child => sub { POSIX::setgid($gid); POSIX::setuid($uid) });
    is reap($other) >> 8, EX_STORE, 'another user: exit 73';
    like read_file_or_empty(tmpdir() . '/other.err'), qr/run this as root/, 'and the way out';
};

subtest 'help' => sub {
    my ($list) = tool(['--help'])->{out} =~ /^commands:\n((?:  .*\n)+)/m;
    for my $name ($list =~ /^  (\S+)/mg) {
        my $help = tool([$name, '--help']);
        is $help->{status}, 0, "$name --help: exit 0";
        like $help->{out}, qr/^usage: job-rerunner $name/, 'usage';
        is tool(['help', $name])->{out}, $help->{out}, "help $name says the same";
        fails_with(tool([$name, '--nonsense']), EX_USAGE, qr/--nonsense/, "$name --nonsense");
    }
};

subtest 'how a command may be written' => sub {
    is tool(['-h'])->{out}, tool(['--help'])->{out}, '-h';
    is tool(['-V'])->{out}, tool(['--version'])->{out}, '-V';
    is tool([qw(why -h)])->{out}, tool([qw(why --help)])->{out}, 'why -h';
    is tool([qw(-h why)])->{out}, tool([qw(help why)])->{out}, '-h why';
    is tool($_)->{out}, tool(['--version'])->{out}, "@$_"
        for ['status', '-V'], ['-V', 'status'], ['why', '--version'], ['-V', '--json', 'runs', '--limit', 2], ['help', '-V'];
    is tool([qw(--help runs --json)])->{out}, tool([qw(help runs)])->{out}, '--help runs --json';
    is tool([qw(--json --limit 5 --version)])->{status}, 0, 'options that --version does not need';
    for my $before (['--json'], ['--json', '--limit', 1], ['--limit=1', '--json']) {
        my $runs = eval { $JSON->decode(at($service, @$before, 'runs')->{out}) };
        is ref $runs, 'ARRAY', "@$before before the command";
        is scalar @$runs, @$before > 1 ? 1 : scalar @$runs, 'counts';
    }
    my %slip = (
        'statu'             => qr/no command 'statu'; did you mean 'status'\?/,
        'help rnus'         => qr/no command 'rnus'; did you mean 'runs'\?/,
        'nonsense'          => qr/no command 'nonsense'; see job-rerunner --help/,
        'status --jsn'      => qr/no option '--jsn'; did you mean --json\?/,
        '--jsn status'      => qr/no option '--jsn'; did you mean --json\?/,
        '--limt 5 runs'     => qr/no option '--limt'; did you mean --limit\?/,
        '--json'            => qr/which command\?/,
        '--env-file status' => qr/which command\?/,
        'status -x'         => qr/no option '-x'/,
    );
    fails_with(tool([split / /, $_]), EX_USAGE, $slip{$_}, $_) for sort keys %slip;
};

subtest 'one of each' => sub {
    my $single = service(github => $github, RECONCILE_INTERVAL => 0)->start;
    my $run = workflow_run(github => $github, door => $single->http, jobs => ['build']);
    $run->play(build => 'success');
    like at($single, 'status')->{out}, qr/, 1 run, 1 repository$/m, 'status';
    like at($single, 'check')->{out}, qr/, 1 run, 0 waiting/, 'check';
    like at($single, 'why', $run->id)->{out}, qr/ of its jobs 1 is known, /m, 'why';
    like at($single, 'backup', tmpdir() . '/single')->{out}, qr/, 1 run, \d+ records of it$/m, 'backup';
    $single->stop_service;
};

finish();
