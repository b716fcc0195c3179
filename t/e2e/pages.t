#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The lists and what they lead to: each page in each form, with what may stand in its address;
# as data with the keys of the tool; bounded, and gone through page by page.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_base64);
use JSON::PP ();
use Test::More;
use JR::Html;
use JR::Test;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);

my $github  = github();
my $service = service(github => $github, pages => 'status', WORKERS => 2, RUN_ATTEMPTS => 2, WEBHOOK_LOG => undef)->start;

sub get { my ($path, %o) = @_; return $service->http->send({ method => 'GET', path => $path, headers => [], %o }) }

# A page that is right in itself; returns it as read.
sub page_ok {
    my ($path, $status) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = get($path);
    status_is $answer, $status // 200, $path;
    my $page = JR::Html->new($answer->body);
    is join("\n", $page->faults), '', "$path: well-formed";
    is $answer->header('Content-Type'), 'text/html; charset=utf-8', "$path: HTML";
    return $page;
}

sub data {
    my ($path, $status) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = get($path);
    status_is $answer, $status // 200, $path;
    is $answer->header('Content-Type'), 'application/json', "$path: JSON";
    is $answer->header('Cache-Control'), 'no-store', "$path: is not kept";
    return $answer->json;
}

# CSV as RFC 4180 has it, strictly: rows of cells.
sub csv {
    my ($text) = @_;
    my (@rows, @row);
    while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gc) {
        my ($quoted, $plain, $end) = ($1, $2, $3);
        push @row, defined $quoted ? $quoted =~ s/""/"/gr : $plain;
        next if $end eq ',';
        push @rows, [@row];
        @row = ();
    }
    return (pos $text // 0) == length $text ? \@rows : undef;
}

sub table {
    my ($path) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = get($path);
    status_is $answer, 200, $path;
    is $answer->header('Content-Type'), 'text/csv; charset=utf-8', "$path: CSV";
    my ($name) = $path =~ m{^/(\w+)};
    is $answer->header('Content-Disposition'), qq(attachment; filename="$name.csv"), "$path: a file";
    my $rows = csv($answer->body) or return fail "$path: not as RFC 4180 has it";
    is scalar(grep { @$_ != @{ $rows->[0] } } @$rows), 0, "$path: each row has all cells";
    return $rows;
}

sub told { my $result = tool([@_, '--json'], %{ $service->environment }); return JSON::PP->new->utf8->decode($result->{out}) }

# A run that nobody has to rerun: as GitHub tells of it in one event.
sub record {
    my (%o) = @_;
    my $id = next_id();
    my $repo = delete $o{repo} // 'octo/app';
    my $nameless = delete $o{no_repo_id};
    my $event = run_event(run_id => $id, action => 'completed', conclusion => 'success', repo => $repo, %o);
    delete $event->{repository}{id} if $nameless;
    my $answer = $service->http->send(delivery($event));
    $answer->status =~ /^20[0-4]$/ or die 'recording: ' . $answer->status;
    return $id;
}

my %FORMS = (
    '/status' => ['json'], '/runs' => ['json', 'csv'], '/repos' => ['json', 'csv'], '/jobs' => ['json', 'csv'],
    '/runners' => ['json', 'csv'], '/causes' => ['json', 'csv'], '/settings' => ['json'],
);

my @PAGES = qw(/status /runs /repos /jobs /runners /causes /settings);

subtest 'an empty store' => sub {
    for my $path (@PAGES) {
        my $page = page_ok $path;
        is join(' ', (grep { $FORMS{$_} } $page->links)[0 .. @PAGES]), "/status @PAGES", "$path: the navigation";
        like get($path)->body, qr{<a href="\Q$path\E" aria-current="page">}, "$path: where one is";
        data("$path.json");
        my $rows = $FORMS{$path}[1] ? table("$path.csv") : next;
        is scalar @$rows, 1, "$path.csv: only a heading";
        cmp_ok scalar @{ $rows->[0] }, '>', 3, "$path.csv: with keys";
    }
    like page_ok('/runs')->text, qr/There is no such run/, 'no runs';
    like page_ok('/jobs')->text, qr/No job has failed and then passed on the same commit/, 'no flaky jobs';
    like page_ok('/runners')->text, qr/No event has told of a runner.*No runner has failed/, 'no runners';
};

# Two repositories with what the filters tell apart.
my %run = (
    good   => record(),
    branch => record(branch => 'feature/x'),
    flow   => record(workflow => 'Nightly'),
    other  => record(repo => 'acme/site'),
);
my $flaky = workflow_run(github => $github, door => $service->http, jobs => ['build']);
$flaky->play(build => 'failure');
wait_ok { $flaky->accepted } 'one is rerun';
ok $service->log->wait_entry('rerun', run => $flaky->id), 'and that is recorded';
$flaky->play(build => 'success');
$flaky->finish('success', event => 1);
my $broken = workflow_run(github => $github, door => $service->http, jobs => ['test']);
$broken->play(test => 'failure');
wait_ok { $broken->accepted } 'another one too';
ok $service->log->wait_entry('rerun', run => $broken->id), 'and that is recorded';
$broken->play(test => 'failure');
$run{rescued} = $flaky->id;
$run{given_up} = $broken->id;
my %name = reverse %run;

sub names { return join ' ', sort map { $name{ $_->{run_id} } // $_->{run_id} } @_ }

subtest 'which runs' => sub {
    my @all = @{ data('/runs.json') };
    is names(@all), join(' ', sort keys %run), 'all of them';
    is $all[0]{run_id}, $run{given_up}, 'the one that needs a person first';
    my %filters = (
        'repository=octo/app'        => 'branch flow given_up good rescued',
        'repository=OCTO/*'          => 'branch flow given_up good rescued',
        'repository=acme%2Fsite'     => 'other',
        'workflow=nightly'           => 'flow',
        'branch=feature/*'           => 'branch',
        'conclusion=failure'         => 'given_up',
        'verdict=rescued'            => 'rescued',
        'verdict=given+up'           => 'given_up',
        'reason=attempts-used-up'    => 'given_up',
        'cause=network'              => '',
        'since=1h'                   => join(' ', sort keys %run),
        'since=2999-01-01'           => '',
        'branch=&workflow=&verdict=' => join(' ', sort keys %run),
        'repository=octo/app&branch=main&conclusion=success' => 'flow good rescued',
    );
    for my $query (sort keys %filters) {
        is names(@{ data("/runs.json?$query") }), $filters{$query}, $query;
        my $page = page_ok "/runs?$query";
        my @shown = map { m{^/runs/(\d+)$} ? { run_id => $1 } : () } $page->links;
        is names(@shown), $filters{$query}, "$query: on the page too";
    }
    my $form = page_ok('/runs?branch=a%26b%22c&verdict=rescued');
    ok scalar(grep { $_ eq '/runs.csv?branch=a%26b%22c&verdict=rescued' } $form->links), 'the data of what is shown';
};

subtest 'parameters that are wrong' => sub {
    my %wrong = (
        '/runs?brnach=x'               => qr/no parameter 'brnach'.*branch/,
        '/runs?branch=a&branch=b'      => qr/'branch' is there twice/,
        '/runs?verdict=good'           => qr/'verdict' has no 'good'/,
        '/runs?conclusion=FAILURE'     => qr/'conclusion' has no 'FAILURE'/,
        '/runs?reason=method'          => qr/'reason' has no 'method'/,
        '/runs?cause=none'             => qr/'cause' has no 'none'/,
        '/runs?since=yesterday'        => qr/'since' is 'yesterday'/,
        '/runs?limit=0'                => qr/'limit' is '0'.*from 1 to 500/,
        '/runs?limit=501'              => qr/'limit' is '501'/,
        '/runs?limit=1e2'              => qr/'limit' is '1e2'/,
        '/runs?limit=99999999999999999999' => qr/'limit' is/,
        '/runs?after=3-1'              => qr/'after' is '3-1'/,
        '/runs?after=1'                => qr/'after' is '1'/,
        '/runs?refresh=4'              => qr/'refresh' is '4'.*from 5 to 3600/,
        '/runs?refresh=3601'           => qr/'refresh' is '3601'/,
        '/runs?branch=%zz'             => qr/'branch=%zz' is badly encoded/,
        '/runs?branch=%00'             => qr/badly encoded/,
        '/runs?branch=' . 'x' x 256    => qr/'branch' is longer than 255 bytes/,
        '/runs?branch=' . 'x' x 2000   => qr/longer than 1024 bytes/,
        '/runs?<script>=1'             => qr/no parameter '<script>'/,
        '/status?x=1'                  => qr/no parameter 'x'.*there are: refresh/,
        '/runners?by=x'                => qr/'by' is 'x'/,
        '/causes?by=x'                 => qr/'by' is 'x'/,
        '/repos?after=-1'              => qr/'after' is '-1'/,
        '/jobs?limit=1000'             => qr/'limit'/,
        '/repos/octo/app?repository=x' => qr/no parameter 'repository'/,
    );
    for my $path (sort keys %wrong) {
        like page_ok($path, 400)->text, $wrong{$path}, "$path: is named";
        my $as_data = $path =~ s/\?/.json?/r;
        like data($as_data, 400)->{error}, $wrong{$path}, "$as_data: too";
    }
    like data('/runs.csv?x=1', 400)->{error}, qr/no parameter 'x'/, 'a mistake is no CSV';
};

subtest 'the keys of the tool' => sub {
    my $keys = sub { return join ' ', sort keys %{ $_[0] } };
    my ($page, $tool) = (data('/runs.json'), told('runs'));
    is $keys->($page->[0]), $keys->($tool->[0]), '/runs.json as `runs --json`';
    my ($mine) = grep { $_->{run_id} == $run{given_up} } @$tool;
    is_deeply $page->[0], $mine, 'and what stands there';
    $page = data("/runs/$run{given_up}.json");
    $tool = told('why', $run{given_up});
    is_deeply $page, $tool, '/runs/ID.json as `why --json`';
    ($page, $tool) = (data('/status.json'), told('status'));
    is $keys->($page), $keys->($tool), '/status.json as `status --json`';
    is $keys->($page->{$_}), $keys->($tool->{$_}), "$_ in it" for grep { ref $tool->{$_} eq 'HASH' } sort keys %$tool;
    is $page->{$_}{pid}, $tool->{$_}{pid}, "$_: the same process" for qw(service dispatcher);
    is_deeply $page->{outbox}, $tool->{outbox}, 'the same outbox';
    ($page, $tool) = (data('/jobs.json'), told('flaky'));
    is $keys->($page->{jobs}[0]), $keys->($tool->{jobs}[0]), '/jobs.json as `flaky --json`';
    is $page->{jobs}[0]{$_}, $tool->{jobs}[0]{$_}, "and its $_" for qw(job executions rescued rate);
    is $keys->($page->{jobs_total}), $keys->($tool->{jobs_total}), 'all together';
    is data('/jobs.json?repository=acme/site')->{jobs_total}, undef, 'not of one repository';
    unlike page_ok('/jobs?repository=acme/site')->text, qr/All \d+ jobs together/, 'nor on its page';
    is scalar @{ $page->{weeks}[0] }, 12, 'twelve weeks of each';
    is $page->{weeks}[0][-1]{rescued}, 1, 'the last one with today';
    ($page, $tool) = (data('/runners.json'), told('flaky'));
    is $keys->($page->{runners}[0]), $keys->($tool->{runners}[0]), '/runners.json as `flaky --json`';
    ($page, $tool) = (data('/causes.json'), told('causes'));
    is join(' ', grep { !exists $page->{$_} } sort keys %$tool), '', '/causes.json as `causes --json`';
    ($page, $tool) = (data('/settings.json'), told('status', '--settings'));
    is_deeply $page->{settings}, $tool->{settings}, '/settings.json as `status --settings --json`';
    is $page->{$_}, $tool->{$_}, "and its $_" for qw(in_force version);
    my $policy = JSON::PP->new->utf8->decode(tool(['policy', 'show', '--json'], %{ $service->environment })->{out});
    is_deeply $page->{policy}, $policy, 'with the policy as `policy show --json`';
    unlike get($_)->body, qr/\Q@{[ $service->environment->{GITHUB_TOKEN} ]}\E/, "$_: no token" for '/settings', '/settings.json';

    my $rows = table('/runs.csv');
    my ($heading, @rows) = @$rows;
    is scalar @rows, scalar keys %run, 'as CSV as many';
    my %first;
    @first{@$heading} = @{ $rows[0] };
    my ($as_json) = grep { $_->{run_id} == $first{run_id} } @{ data('/runs.json') };
    is join(' ', sort @$heading), $keys->($as_json), 'the same keys';
    is $first{$_}, $as_json->{$_} // '', "CSV: $_" for qw(run_id url repository verdict reason superseded_by attempt created_at);
};

subtest 'one repository' => sub {
    my $page = page_ok '/repos/octo/app';
    like $page->text, qr{octo/app.*Failed attempts 3 .*Reruns 2 .*Runs rescued 1 of the 2 whose end is known}, 'how it goes';
    like $page->text, qr/Runs All its runs.*given up.*Reruns and rescues per day.*Flakiest jobs.*build octo\/app.*Policy in force/, 'what it has';
    like $page->text, qr/otherwise: rerun +# preset everything/, 'the policy, and where from';
    is data('/repos/octo/app.json')->{runs}, 5, 'as JSON: its runs';
    is data('/repos/OCTO/App.json')->{repository}, 'octo/app', 'in any case of letters';
    is scalar @{ data('/repos/octo/app.json')->{days} }, 30, 'thirty days';
    my @repos = @{ data('/repos.json') };
    is join(' ', sort map { $_->{repository} } @repos), 'acme/site octo/app', 'both are in the list';
    is join(' ', map { $_->{repository} } @{ data('/repos.json?repository=acme/*') }), 'acme/site', 'one by a pattern';
    for my $path (qw(/repos/octo/none /repos/octo /repos/ /repos/octo/app/x /repos/a/b%2Fc /repos/octo/app.json.json)) {
        like page_ok($path, 404)->text, qr/with this name\. No event .* another name now\. To the/, "$path: none" if $path !~ /json$/;
        like data($path, 404)->{error}, qr/Nothing is recorded/, "$path: none" if $path =~ /json$/;
    }
};

# Rows lead somewhere; the log of a job at GitHub is one click away.
subtest 'links' => sub {
    my $web = $service->environment->{GITHUB_API_URL};
    my @jobs = grep {m{^\Q$web\E/octo/app/actions/runs/$run{given_up}/job/\d+$}} page_ok("/runs/$run{given_up}")->links;
    is scalar @jobs, 2, 'a job of each attempt leads to its log';
    my %to = map { $_ => 1 } page_ok('/jobs')->links;
    ok $to{'/runs?repository=octo/app&workflow=CI'}, 'a flaky job to its runs';
    ok $to{'/repos/octo/app'}, 'and its repository';
    ok scalar(grep { $_ eq '/runs?repository=octo/app' } page_ok('/repos')->links), 'a repository to its runs';
};

subtest 'refresh' => sub {
    is get('/status')->header('Refresh'), undef, 'not by itself';
    my $answer = get('/status?refresh=10');
    is $answer->header('Refresh'), 10, 'when asked';
    like $answer->body, qr/made anew every 10 s/, 'and it says so';
    is get('/status?refresh=')->header('Refresh'), undef, 'empty: not';
};

subtest 'HEAD' => sub {
    for my $path (map { ($_, "$_.json") } sort keys %FORMS) {
        my ($whole, $head) = (get($path), get($path, method => 'HEAD'));
        is $head->body, '', "$path: no body";
        is $head->header($_), $whole->header($_), "$path: $_" for qw(Content-Type Content-Security-Policy);
    }
    is get('/runs.csv', method => 'HEAD')->header('Content-Disposition'), 'attachment; filename="runs.csv"', 'CSV';
    status_is get('/runs?x=1', method => 'HEAD'), 400, 'a mistake';
};

# What a spreadsheet, a browser or a parser might take for something else than text.
subtest 'hostile names' => sub {
    my @evil = ('=1+1', '+1', '-1', '@SUM(1)', "\t=1", "=HYPERLINK(\"x\",\"y\")", 'a,b"c', '</script><script>alert(1)</script>', '${x}&amp;');
    my %id = map { (record(branch => $_, workflow => $_, repo => 'evil/repo.json') => $_) } @evil;
    my $rows = table('/runs.csv?repository=evil/*');
    my ($heading, @rows) = @$rows;
    my ($id, $branch) = map { my $key = $_; grep { $heading->[$_] eq $key } 0 .. $#$heading } qw(run_id branch);
    is scalar @rows, scalar @evil, 'all of them';
    for my $row (@rows) {
        my $want = $id{ $row->[$id] } =~ s/\t/\x{fffd}/gr;
        my $defused = $id{ $row->[$id] } =~ /^[=+\-@\t]/ ? "'$want" : $want;
        is decode_text($row->[$branch]), $defused, "CSV: $defused";
    }
    my %as_json = map { $_->{run_id} => $_->{branch} } @{ data('/runs.json?repository=evil/*') };
    is $as_json{$_}, $id{$_}, 'JSON: as it is' for sort keys %id;
    my $page = page_ok '/runs?repository=evil/*';
    like $page->text, qr/\Q$_\E/, "a text on the page: $_" for map {s/\t/ /r} @evil;
    my ($link) = grep {m{^/repos/evil/}} page_ok('/repos')->links;
    is $link, '/repos/evil/repo.json.html', 'a repository whose name ends as a form does';
    like page_ok($link)->text, qr{evil/repo\.json}, 'is reached';
    is data('/repos/evil/repo.json.json')->{repository}, 'evil/repo.json', 'also as JSON';
};

sub decode_text { my ($text) = @_; utf8::decode($text); return $text }

# More than a page, by its links, each run once; and as data, by the header.
subtest 'page by page' => sub {
    my @ids = map { record(repo => 'many/runs', branch => $_ % 2 ? 'odd' : 'even') } 1 .. 25;
    my ($path, @seen) = '/runs?repository=many/runs&limit=10';
    for my $n (1 .. 4) {
        my $page = page_ok $path;
        push @seen, map { m{^/runs/(\d+)$} ? $1 : () } $page->links;
        ($path) = grep {m{^/runs\?.*&after=[\d-]+$}} $page->links;
        last if !defined $path;
    }
    is "@seen", join(' ', reverse @ids), 'each once, the newest first';
    is $path, undef, 'and then it ends';
    ($path, @seen) = '/runs.json?repository=many/runs&branch=odd&limit=5';
    for my $n (1 .. 5) {
        my $answer = get($path);
        push @seen, map { $_->{run_id} } @{ $answer->json };
        ($path) = ($answer->header('Link') // '') =~ /^<([^>]+)>; rel="next"$/ or last;
    }
    is scalar @seen, 13, 'all of a branch, by the header';
    is scalar(keys %{ { map { $_ => 1 } @seen } }), 13, 'each once';
    like get('/runs?repository=many/runs&limit=10')->header('Link'), qr{^</runs\?repository=many/runs&limit=10&after=\d-\d+>; rel="next"$}, 'a page tells it too';
    record(repo => $_, no_repo_id => 1) for 'old/host', 'old/other';
    my @repos;
    $path = '/repos.json?limit=1';
    for my $n (1 .. 7) {
        my $answer = get($path);
        push @repos, map { $_->{repository} } @{ $answer->json };
        ($path) = ($answer->header('Link') // '') =~ /^<([^>]+)>; rel="next"$/ or last;
    }
    is join(' ', sort @repos), 'acme/site evil/repo.json many/runs octo/app old/host old/other', 'repositories likewise';
    my %told = map { $_->{repository} => $_ } @{ data('/repos.json') };
    is $told{'old/host'}{repository_id}, undef, 'a host that tells no ids: null';
    page_ok '/repos/old/host';
};

# What fills the tables of causes and runners.
my $machines = workflow_run(github => $github, door => $service->http, jobs => ['gpu', 'bare']);
$machines->describe('gpu', runner_id => 7, runner_name => 'r 7', labels => ['gpu']);
$machines->describe('bare', runner_id => 8, runner_name => 'r8', labels => []);
$machines->play(gpu => 'failure', bare => 'failure');
wait_ok { $machines->accepted } 'one is rerun that tells of its machines';
ok $service->log->wait_entry('rerun', run => $machines->id), 'and that is recorded';
$machines->play(gpu => 'success', bare => 'success');
$machines->finish('success', event => 1);

sub note_failure {
    my ($run_id, @of) = @_;
    return is system(builddir() . '/t/lib/note_failure', $service->state_dir, "run=$run_id", @of), 0, "a failure is put in: @of";
}

note_failure($run{given_up}, 'job=7001', 'name=test', 'attempt=2', 'cause=network', 'signature=dns & more', 'line=no host x');
note_failure($run{rescued}, 'job=7002', 'name=build', 'attempt=1', 'cause=network', 'signature=reset', 'line=reset by peer');
note_failure($run{other}, 'job=7003', 'name=build', 'attempt=1', 'cause=unknown', 'first=what is this');
note_failure($run{flow}, 'job=7004', 'name=build', 'attempt=1');

subtest 'by signature and by labels' => sub {
    is names(@{ data('/runs.json?cause=network') }), 'given_up rescued', 'a cause';
    is names(@{ data('/runs.json?cause=network&signature=reset') }), 'rescued', 'a signature of it';
    is names(@{ data('/runs.json?signature=dns+%26+more') }), 'given_up', 'one without its cause';
    is names(@{ data('/runs.json?cause=unknown&signature=reset') }), '', 'none of another cause';
    my %to = map { $_ => 1 } page_ok('/causes?since=2d&repository=*')->links;
    ok $to{'/runs?cause=network&signature=reset&repository=*&since=2d'}, 'a signature leads to its runs, of what is shown';
    ok $to{'/settings#EVIDENCE'}, 'what was not judged leads to the setting that decides it';
    my $all = data('/runners.json');
    is join(' ', sort map {"$_->{owner}:$_->{runner}"} @{ $all->{runners} }), 'octo:r 7 octo:r8', 'two machines';
    is join(' ', map { $_->{runner} } @{ data('/runners.json?owner=octo&labels=(none)')->{runners} }), 'r8', 'one of jobs that asked for no labels';
    %to = map { $_ => 1 } page_ok('/runners')->links;
    ok $to{"/runners?owner=octo&labels=$_"}, "a machine leads to those of the same owner and labels: $_" for 'gpu', '(none)';
};

# What waits is not let to hide that somebody is needed for others.
subtest 'very many wait' => sub {
    like page_ok('/status')->text, qr/Needs a person In 7 days: 1 run failed for good/, 'one needs a person';
    is tool(['pause'], %{ $service->environment })->{status}, 0, 'nothing is asked';
    record(conclusion => 'failure') for 1 .. 500;
    my $text = page_ok('/status')->text;
    like $text, qr/Needs a person In 7 days: 1 run failed for good.*The newest runs that need a person .* GitHub #$run{given_up} given up/, 'still, however many wait';
    like $text, qr/The first \d+ of 500\. All of them/, 'of those that wait the first are shown';
    my ($first, @others) = @{ data('/runs.json?limit=500') };
    is $first->{run_id}, $run{given_up}, 'it comes first';
    is scalar(grep { $_->{verdict} ne 'waiting' } @others), 0, 'then those that wait';
    is scalar @{ data('/runs.json?limit=500&verdict=waiting') }, 500, 'which are found by that word';
};

# Each row of each table leads to pages that are there, or to GitHub's.
subtest 'each row leads somewhere' => sub {
    my $web = $service->environment->{GITHUB_API_URL};
    my (%answer, %page);
    my $leads = sub {
        my ($from, $link) = @_;
        return 1 if $link =~ m{^\Q$web\E/};
        my ($path, $id) = split /#/, $link, 2;
        $path = $from if $path eq '';
        $answer{$path} //= get($path);
        return 0 if $answer{$path}->status != 200;
        return !defined $id || ($page{$path} //= JR::Html->new($answer{$path}->body))->has_id($id);
    };
    my @repos = grep {m{^/repos/}} page_ok('/repos')->links;
    for my $from (@PAGES, "/runs/$run{given_up}", @repos) {
        my @rows = page_ok($from)->rows;
        cmp_ok scalar @rows, '>', 0, "$from: has rows";
        is scalar(grep { !@$_ } @rows), 0, "$from: each has a link";
        my %links = map { $_ => 1 } map {@$_} @rows;
        is join("\n", grep { !$leads->($from, $_) } sort keys %links), '', "$from: none leads nowhere";
    }
};

finish();
