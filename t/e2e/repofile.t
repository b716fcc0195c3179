#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The policy that a repository has of its own: it decides under the ceiling of the centre's, is
# asked for no more often than it has to be, and one that is broken changes nothing, and is told in
# a check run of the commit that broke it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;
use JR::File qw(write_file);
use JR::Test;

my $github = github();
my ($number, $repos) = (0, 0);
my $PATH = '.github/job-rerunner.yml';
my $FILES = "repository-files: yes\n";

# The centre's: no guard asks GitHub for anything.
my $CENTRE = "version: 1\notherwise: rerun\nsame-failure: rerun\n$FILES"
    . "guards: { superseded: rerun, closed: rerun, deployments: rerun, concurrency: rerun }\n";

sub policy_file {
    my ($text) = @_;
    my $file = tmpdir() . '/policy' . ++$number . '.yml';
    write_file($file, $text);
    return $file;
}

sub service_of {
    my ($centre, %o) = @_;
    $github->forget_scripts;
    # On a busy machine a file may take long to come.
    return service(github => $github, POLICY => policy_file($centre // $CENTRE), WORKERS => 1, JR_TEST_OWN_PATIENCE => 60_000, %o)->start;
}

# A repository with a file of its own; none: it has no such file.
sub repo_of {
    my ($text) = @_;
    my $repo = 'octo/r' . ++$repos;
    $github->put_file($repo, $PATH, $text) if defined $text;
    return $repo;
}

my @MADE = (['Set up job'], ['Run make', 'failure'], ['Complete job']);
my @NETWORK = ('##[group]Run make', '##[endgroup]', 'curl: (56) Recv failure: Connection reset by peer',
    '##[error]Process completed with exit code 56.');
my @COMPILER = ('##[group]Run make', '##[endgroup]', 'src/main.c:10:5: error: expected expression before token',
    'make: *** [Makefile:12: main.o] Error 1', '##[error]Process completed with exit code 2.');

sub run_of {
    my ($service, $repo, %o) = @_;
    return workflow_run(github => $github, door => $service->http, repo => $repo, jobs => delete $o{jobs} // ['build'], %o);
}

sub fails {
    my ($run) = @_;
    status_is $run->play(build => 'failure'), 201, 'it fails';
    return $run;
}

sub left_ok {
    my ($service, $run, $reason, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $service->closed_reason($run), $reason, "$name: left, $reason";
    return is scalar $run->posts, 0, 'nothing is posted';
}

sub rerun_ok {
    my ($run, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return wait_ok { $run->accepted } "$name: rerun";
}

# What GitHub was asked, with the status of each answer.
sub asked {
    my ($repo) = @_;
    return map { $_->{status} } $github->requests(GET => "/repos/$repo/contents/$PATH\$");
}

my $LEAVES = "version: 1\nrules: [{ name: ours, leave: all }]\notherwise: leave\n";

subtest 'its own rules decide' => sub {
    my $service = service_of(undef, pages => 'metrics');
    my $repo = repo_of($LEAVES);
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'what its rules leave');
    my $other = repo_of();
    rerun_ok(fails(run_of($service, $other)), 'a repository without a file');
    is join(' ', asked($other)), '404', 'which was asked for once';
    is scalar(grep { $_->{path} =~ m{/\Q$other\E/.*(?:annotations|attempts)} } $github->requests('GET')), 0,
        'and nobody asks why it failed';
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'the next run');
    rerun_ok(fails(run_of($service, $other)), 'the next one there');
    is join(' ', asked($repo)), '200', 'nobody asks again within 5 minutes';
    is join(' ', asked($other)), '404', 'nor where there is none';
    my $metrics = $service->http->send({ method => 'GET', path => '/metrics' })->body;
    like $metrics, qr/^job_rerunner_repository_policies_total\{result="good"\} 1$/m, 'counted: one that is good';
    like $metrics, qr/^job_rerunner_repository_policies_total\{result="none"\} 1$/m, '... one that is not there';
    $service->stop_service;

    $service = service_of($CENTRE =~ s/\Q$FILES\E//r);
    rerun_ok(fails(run_of($service, $repo)), 'where the centre admits none');
    is join(' ', asked($repo)), '200', 'nobody asks for it';
    $service->stop_service;
};

subtest 'a version that is known, another, and none' => sub {
    my $service = service_of(undef, JR_TEST_OWNFILE => 0);
    my $repo = repo_of($LEAVES);
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'the first version');
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'the same');
    is join(' ', asked($repo)), '200 304', 'that is known by its ETag';
    $github->put_file($repo, $PATH, "version: 1\notherwise: rerun\n");
    rerun_ok(fails(run_of($service, $repo)), 'another version');
    $github->put_file($repo, $PATH, $LEAVES);
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'the first one again');
    $github->put_file($repo, $PATH, undef);
    rerun_ok(fails(run_of($service, $repo)), 'a file that was removed');
    my @entries = grep { $_->{repo} eq $repo } $service->log->find('repository-policy');
    is join(' ', map { $_->{result} } @entries), 'good good good none', 'each version is told once';
    $service->stop_service;
};

subtest 'one that cannot be asked for' => sub {
    my $service = service_of();
    my $repo = repo_of($LEAVES);
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'it is read');
    $service->restart(JR_TEST_OWNFILE => 0);
    $github->script(GET => 'contents', { status => 502, body => 'bad' }, 100);
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'GitHub fails: what is stored counts');
    $github->forget_scripts;
    $service->restart(JR_TEST_OWNFILE => 0, JR_TEST_OWN_PATIENCE => 1000);
    $github->script(GET => 'contents', { hang => 1 }, 100);
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'it hangs: so it does');
    my $new = repo_of($LEAVES);
    rerun_ok(fails(run_of($service, $new)), 'where nothing is stored the centre counts');
    $service->stop_service;

    $service = service_of();
    $github->script(GET => 'contents', { status => 403, body => { message => 'Resource not accessible by integration' } }, 100);
    my $hidden = repo_of($LEAVES);
    rerun_ok(fails(run_of($service, $hidden)), 'it may not be read: as if there were none');
    rerun_ok(fails(run_of($service, $hidden)), 'which is remembered');
    is join(' ', asked($hidden)), '403', 'asked once';
    ok $service->log->wait_entry('repository-policy', repo => $hidden, result => 'refused'), 'and told';
    $service->stop_service;
};

subtest 'a broken one changes nothing' => sub {
    my $service = service_of(undef, JR_TEST_OWNFILE => 0, pages => 'status');
    my $repo = repo_of("version: 1\notherwize: rerun\nlimits-all: {}\n");
    rerun_ok(fails(run_of($service, $repo)), 'there was no other: the centre counts');
    my $entry = $service->log->wait_entry('repository-policy', repo => $repo, result => 'broken');
    is $entry->{counts}, 'none', 'told, with what counts';
    is $entry->{text}, "$PATH:2:1: there is no key 'otherwize' here; did you mean 'otherwise'?", '... line and column';
    $github->put_file($repo, $PATH, $LEAVES);
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'a good one');
    $github->put_file($repo, $PATH, "version: 1\nrules: [{ rerun: all, attempts: none }]\n");
    my $run = fails(run_of($service, $repo));
    left_ok($service, $run, 'evidence-unreadable', 'another broken one: the last good counts');
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'and goes on to');
    my $told = "$PATH:2:33: has to be a whole number from 1 to 51; the last version without a mistake counts";
    my %of = (STATE_DIR => $service->state_dir, POLICY => $service->{env}{POLICY});
    like tool(['why', $run->id], %of)->{out}, qr/^The repository's policy is broken: \Q$told\E\.$/m, 'why says it';
    is decode_json(tool(['why', '--json', $run->id], %of)->{out})->{repository_policy}, $told, 'why --json says it';
    my $page = $service->http->send({ method => 'GET', path => '/runs/' . $run->id })->body;
    like $page, qr/The repository&#39;s policy is broken|The repository's policy is broken: <bdi>\Q$told\E/, "the run's page says it";
    $service->restart;
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'after a restart, too');
    my @broken = grep { $_->{repo} eq $repo && $_->{result} eq 'broken' } $service->log->find('repository-policy');
    is scalar(@broken), 2, 'each broken version is told once';
    is $broken[1]{counts}, 'last-good', 'with what counts';
    $service->stop_service;
};

subtest 'the ceiling' => sub {
    my $centre = $CENTRE . "rules:\n  - { name: never, when: { job: deploy }, leave: all }\n"
        . "  - { name: twice, rerun: all, attempts: 2 }\nlimits: { reruns-per-hour: 1 }\n";
    my $service = service_of($centre, RUN_ATTEMPTS => 5);
    my $own = "version: 1\nrules: [{ name: ours, rerun: all, attempts: 5 }]\nlimits: { reruns-per-hour: 100 }\n";
    my $deploys = run_of($service, repo_of($own), jobs => ['deploy']);
    status_is $deploys->play(deploy => 'failure'), 201, 'what the centre leaves fails';
    left_ok($service, $deploys, 'evidence-unreadable', 'its own rule cannot lift that');
    my $repo = repo_of($own);
    my $run = fails(run_of($service, $repo));
    rerun_ok($run, 'its own rule reruns');
    my $over = fails(run_of($service, $repo));
    ok $service->log->wait_entry('decision', run => $over->id, reason => 'budget-used-up'), "the centre's limit counts";
    $service->stop_service;

    $service = service_of($CENTRE);
    my $strict = repo_of("version: 1\nlimits: { reruns-per-hour: 1 }\n");
    rerun_ok(fails(run_of($service, $strict)), 'a stricter limit of its own');
    my $second = fails(run_of($service, $strict));
    ok $service->log->wait_entry('decision', run => $second->id, reason => 'budget-used-up'), 'counts, too';
    $service->stop_service;

    $service = service_of("version: 1\notherwise: rerun\n$FILES" . "guards: { closed: rerun, deployments: rerun, concurrency: rerun }\n");
    my $lifts = repo_of("version: 1\nguards: { superseded: rerun, events: ['*'] }\n");
    my $old = run_of($service, $lifts, run_number => 10, head_sha => 'c' x 40);
    run_of($service, $lifts, run_number => 11, head_sha => 'd' x 40);
    left_ok($service, fails($old), 'superseded', 'a guard of the centre holds');
    my $release = run_of($service, $lifts, event => 'release');
    left_ok($service, fails($release), 'left-by-rule', 'so do its events');
    $service->stop_service;

    $service = service_of();
    my $guards = repo_of("version: 1\nguards: { superseded: leave }\n");
    $old = run_of($service, $guards, run_number => 10, head_sha => 'c' x 40);
    run_of($service, $guards, run_number => 11, head_sha => 'd' x 40);
    left_ok($service, fails($old), 'superseded', 'a guard of its own');
    $service->stop_service;
};

sub with_log_ok {
    my ($service, $repo, $log) = @_;
    my $run = run_of($service, $repo);
    $run->describe('build', steps => \@MADE, runner_id => 7, runner_name => 'runner 7', log => $log);
    return fails($run);
}

subtest 'causes of its own' => sub {
    my $service = service_of();
    my $repo = repo_of("version: 1\nrules:\n  - { name: flaky, rerun: [service] }\n  - { name: rest, leave: all }\n"
        . "causes:\n  - { id: our-cloud, cause: service, log: 'cloud says \\d+' }\n");
    my $run = with_log_ok($service, $repo, [@NETWORK[0, 1], 'cloud says 17', $NETWORK[-1]]);
    rerun_ok($run, 'what its signature tells');
    is $service->log->wait_entry('cause', run => $run->id)->{signature}, 'our-cloud', 'which is named';
    my $other = with_log_ok($service, repo_of($LEAVES), [@NETWORK[0, 1], 'cloud says 17', $NETWORK[-1]]);
    isnt $service->closed_reason($other), 'none', 'another repository';
    isnt $service->log->wait_entry('cause', run => $other->id)->{signature} // '', 'our-cloud', 'does not know it';
    $service->stop_service;
};

subtest 'hostile files' => sub {
    my $service = service_of(undef, JR_TEST_MATCH_LIMIT => 5000);
    my %files = (
        'of more than 64 kB' => "version: 1\n" . '#' x (65 * 1024),
        'of more than GitHub shows' => "version: 1\n" . '#' x (300 * 1024),
        'deep' => 'version: ' . '[' x 10_000,
        'of bytes that are no text' => "version: 1\n\x{1}\n",
        'with an alias' => "version: &a 1\nrules: *a\n",
    );
    for my $name (sort keys %files) {
        my $repo = repo_of($files{$name});
        rerun_ok(fails(run_of($service, $repo)), "a file $name");
        ok $service->log->wait_entry('repository-policy', repo => $repo, result => 'broken'), 'is told to be broken';
    }
    my $slow = repo_of("version: 1\notherwise: leave\nrules: [{ rerun: network }]\ncauses:\n"
        . join '', map {"  - { id: c$_, cause: service, log: '((a+)+)+\$' }\n"} 1 .. 200);
    my $run = with_log_ok($service, $slow, [('a' x 4000 . '!') x 200]);
    isnt $service->closed_reason($run), 'none', 'patterns that take for ever leave it at last';
    my $next = with_log_ok($service, repo_of("version: 1\nrules: [{ name: nets, rerun: network }]\notherwise: leave\n"), \@NETWORK);
    rerun_ok($next, 'and spoil nothing of others');
    $service->stop_service;
};

subtest 'what is in force for a repository' => sub {
    my $centre = <<'END';
version: 1
otherwise: rerun
repository-files: yes
rules:
  - { name: never, when: { job: deploy }, leave: all }
guards: { closed: rerun, deployments: rerun, concurrency: rerun }
limits: { reruns-per-hour: 10 }
repositories:
  "octo/*": { limits: { minutes-per-day: 50 } }
END
    my $own = <<'END';
version: 1
otherwise: leave
rules:
  - name: ours
    rerun: [network]
    attempts: 9
causes:
  - { id: our-cloud, cause: service, log: 'cloud says \d+' }
guards: { superseded: rerun, closed: leave }
limits: { reruns-per-hour: 20, minutes-per-day: 5 }
END
    my $service = service_of($centre);
    my $repo = repo_of($own);
    my $run = fails(run_of($service, $repo));
    left_ok($service, $run, 'evidence-unreadable', 'a run');
    my $file = $service->{env}{POLICY};
    my %of = (STATE_DIR => $service->state_dir, POLICY => $file);
    my $shown = tool(['policy', 'show', '--repo', $repo], %of)->{out};
    like $shown, qr/^# \Q$repo: the file $file; its own under that\E$/m, 'both';
    like $shown, qr/^otherwise: leave +# \Q$PATH:2\E$/m, 'a value of its own';
    like $shown, qr/^mixed: all +# default$/m, 'a default';
    like $shown, qr/^    attempts: 4 +# RUN_ATTEMPTS; 9 in \Q$PATH:6\E$/m, 'a rule of its own';
    like $shown, qr/^# above these: what the rule of \Q$file:5\E leaves is left/m, "the centre's rule above it";
    like $shown, qr/^  superseded: leave +# default, the ceiling; rerun in \Q$PATH:9\E$/m, 'a guard that it cannot lift';
    like $shown, qr/^  closed: leave +# \Q$PATH:9\E$/m, 'one of its own';
    like $shown, qr/^  concurrency: rerun +# \Q$file:6\E$/m, 'one of the centre';
    like $shown, qr/^  reruns-per-hour: 10 +# \Q$file:7, the ceiling; 20 in $PATH:10\E$/m, 'a limit that it cannot lift';
    like $shown, qr/^  minutes-per-day: 5 +# \Q$PATH:10\E$/m, 'a stricter one';
    like $shown, qr/^  - id: our-cloud /m, 'its signature';
    write_file(tmpdir() . '/shown.yml', $shown);
    is tool(['policy', 'check', tmpdir() . '/shown.yml'])->{status}, 0, 'what is shown is a policy';
    my $json = decode_json(tool(['policy', 'show', '--repo', $repo, '--json'], %of)->{out});
    is_deeply $json->{guards}{superseded}, { value => 'leave', from => "default, the ceiling; rerun in $PATH:9" }, '... as JSON';
    is_deeply $json->{limits}{'os-weights'}{macos}, { value => '10', from => 'default' }, '... further in';
    is $json->{rules}[0]{name}{value}, 'ours', '... its rules';
    is $json->{ceiling}[0]{name}{value}, 'never', "... the centre's above them";
    like tool(['policy', 'show', '--repo', 'octo/other'], %of)->{out}, qr/^  minutes-per-day: 50 +# repositories, \Q$file:9\E$/m,
        'a repository that nothing is known of';
    is tool(['policy', 'show', '--repo', 'octo'], %of)->{status}, 2, 'no repository';
    $service->stop_service;
};

subtest 'a file is checked' => sub {
    my $file = tmpdir() . '/own.yml';
    write_file($file, "version: 1\nrules: [{ leave: all }]\nrepositories: {}\noutage: {}\n");
    my $bad = tool(['policy', 'check', '--own', $file]);
    is $bad->{status}, 65, 'what a repository cannot have';
    like $bad->{err}, qr/^\Q$file:3:1: there is no key 'repositories' here; there are: version, mixed/m, 'told, with what is allowed';
    like $bad->{err}, qr/^\Q$file:4:1: there is no key 'outage' here/m, '... all at once';
    write_file($file, $LEAVES);
    my $good = tool(['policy', 'check', '--own', $file]);
    is "$good->{status} $good->{out}", "0 $file: good; 1 rules, 0 signatures of its own, as a repository's own policy\n", 'a good one';
    is tool(['policy', 'check', '--own', "$file.none"])->{status}, 65, 'none';
};

# The dispatcher is killed where it stops (JR_TEST_STOP_AT).
sub kill_stopped {
    my ($service, $stop, $name) = @_;
    my $pid = wait_for { $service->dispatcher_at($stop) };
    ok $pid, $name or return;
    $service->expect_death;
    return kill 'KILL', $pid;
}

subtest 'killed in between' => sub {
    my $stop = tmpdir() . '/stop';
    my $service = service_of(undef, JR_TEST_STOP_AT => "ownfile:$stop");
    my $repo = repo_of($LEAVES);
    my $run = fails(run_of($service, $repo));
    kill_stopped($service, $stop, 'the file is read, and recorded');
    left_ok($service, $run, 'evidence-unreadable', 'the next process goes by it');
    is join(' ', asked($repo)), '200', 'and does not ask again';
    $service->stop_service;
};

# A service that tells, as an App, of broken files on their commits.
sub app_service_of {
    my (%o) = @_;
    my %settings = $github->new_app;
    $github->put_installation(11, account => 'octo', permissions => { actions => 'write', metadata => 'read', checks => 'write', contents => 'read', pull_requests => 'read' });
    return service_of(undef, %settings, REPORT => 'check', JR_TEST_OWNFILE => 0, API_BACKOFF_MIN => '100ms', API_BACKOFF_MAX => '200ms', %o);
}

my $BROKEN = "version: 1\notherwize: rerun\nmixed: some\n";

sub told_of { my ($repo) = @_; return grep { $_->{repo} eq $repo && $_->{external_id} eq 'policy' } $github->checks }

# How often GitHub was asked whether it is told already: right after that it is, if it is not.
sub looks_of {
    my ($repo) = @_;
    return scalar grep { $_->{query} =~ /^check_name=job-rerunner%20%2F%20policy&filter=all&/ } $github->requests(GET => "/$repo/commits/.*/check-runs\$");
}

# They are told one after the other: what was begun is done with once a later one is told.
sub all_is_told {
    my ($service) = @_;
    my $last = repo_of($BROKEN);
    fails(run_of($service, $last));
    return wait_ok { told_of($last) } 'a file that was broken later is told';
}

subtest 'a broken one is told on the commit that broke it' => sub {
    my $service = app_service_of();
    my $repo = repo_of("version: 1\n");
    my $first = $github->put_file($repo, $PATH, $BROKEN);
    my @runs = map { fails(run_of($service, $repo)) } 1 .. 3;
    wait_ok { told_of($repo) } 'a check run is there';
    my ($check) = told_of($repo);
    is $check->{head_sha}, $first, 'of that commit';
    is $check->{name}, 'job-rerunner / policy', 'with a name of its own';
    is "$check->{status} $check->{conclusion}", 'completed neutral', 'it is completed, and blocks nothing';
    is $check->{output}{title}, 'policy: line 2, column 1, and 1 more', 'its title has the place of the first mistake';
    like $check->{output}{summary}, qr/^\Q| 2 | 1 | `there is no key 'otherwize' here; did you mean 'otherwise'?` |\E$/m, 'its text says what is wrong';
    like $check->{output}{summary}, qr/^\Q| 3 | 8 | `has to be all or any` |\E$/m, '... all of it';
    is join(' ', map { "$_->{path}:$_->{start_line}:$_->{start_column}-$_->{end_line}:$_->{end_column}" } @{ $check->{output}{annotations} }),
        "$PATH:2:1-2:1 $PATH:3:8-3:8", 'each is shown in the file';
    like $check->{details_url}, qr{/\Q$repo/blob/$first/$PATH#L2\E$}, 'and it leads there';
    rerun_ok($_, 'a run of it') for @runs;
    my $second = $github->put_file($repo, $PATH, "version: 1\nmixed: any\notherwise: some\n");
    fails(run_of($service, $repo));
    wait_ok { 2 == told_of($repo) } 'another broken version is told';
    is((told_of($repo))[1]{head_sha}, $second, 'of its commit');
    $github->put_file($repo, $PATH, $LEAVES);
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'it is repaired');
    $service->restart;
    left_ok($service, fails(run_of($service, $repo)), 'evidence-unreadable', 'after a restart');
    all_is_told($service);
    is scalar told_of($repo), 2, 'each was told once, and nothing of the good one';

    my $repaired = repo_of($BROKEN);
    $github->script(GET => "/$repaired/commits\$", { status => 502, body => 'bad', after => 'told' });
    fails(run_of($service, $repaired));
    wait_ok { $github->requests(GET => "/$repaired/commits\$") } 'GitHub fails';
    $github->put_file($repaired, $PATH, $LEAVES);
    $github->tell;
    wait_ok { grep { $_->{query} =~ /^ref=/ } $github->requests(GET => "/$repaired/contents/") } 'it is tried again, and read as it is by then';
    all_is_told($service);
    is scalar told_of($repaired), 0, 'one that was repaired meanwhile is not told';

    my $lost = repo_of($BROKEN);
    $github->script(POST => "/$lost/check-runs\$", { effect => 1, cut => 1 });
    fails(run_of($service, $lost));
    wait_ok { 2 == looks_of($lost) } 'an answer is lost: it is looked for once more';
    all_is_told($service);
    is scalar told_of($lost), 1, 'and not made anew';
    $service->stop_service;
};

subtest 'GitHub refuses to be told' => sub {
    my $service = app_service_of();
    my %refusals = (
        'commits$'       => [GET  => { status => 404, body => { message => 'Not Found' } }],
        'check-runs$'    => [POST => { status => 403, body => { message => 'Resource not accessible by integration' } }],
        'contents/.*yml$' => [GET => { status => 403, body => { message => 'Resource not accessible by integration' } }],
    );
    for my $path (sort keys %refusals) {
        my ($method, $answer) = @{ $refusals{$path} };
        my $repo = repo_of($BROKEN);
        my $run;
        if ($path =~ /^contents/) {
            # The first question for the file is the one that finds it broken.
            $github->script(GET => "/$repo/commits\$", { status => 502, body => 'bad', after => 'told' });
            $run = fails(run_of($service, $repo));
            wait_ok { $github->requests(GET => "/$repo/commits\$") } 'it is to be told';
        }
        $github->script($method => "/$repo/$path", $answer, 2);
        $github->tell;
        $run //= fails(run_of($service, $repo));
        my $end = $service->log->wait_entry('report', repo => $repo, in => 'policy', verdict => 'given-up');
        is $end->{status}, $answer->{status}, "$method $path: it is given up";
        $github->forget_scripts;
        rerun_ok($run, 'a run of it');
        is scalar told_of($repo), 0, 'nothing is told';
    }
    my $repo = repo_of($BROKEN);
    $github->script(GET => "/$repo/commits\$", { status => 502, body => 'bad' }, 100);
    fails(run_of($service, $repo));
    ok $service->log->wait_entry('report', repo => $repo, in => 'policy', verdict => 'given-up'), 'what fails is given up at last';
    is scalar(my @asked = $github->requests(GET => "/$repo/commits\$")), 8, 'after 8 tries';

    $service->restart(REPORT => 'none');
    my $silent = repo_of($BROKEN);
    rerun_ok(fails(run_of($service, $silent)), 'without REPORT');
    $service->restart(REPORT => 'check', API_READS => 1);
    all_is_told($service);
    is scalar(my @none = $github->requests(GET => "/$silent/commits")), 0, 'GitHub is asked and told nothing';

    my $hangs = repo_of($BROKEN);
    $github->script(GET => "/$hangs/commits\$", { hang => 1 }, 100);
    rerun_ok(fails(run_of($service, $hangs)), 'GitHub hangs: its run');
    wait_ok { $github->requests(GET => "/$hangs/commits\$") } 'it is under way';
    rerun_ok(fails(run_of($service, $hangs)), 'another run');
    $service->stop_service;
};

for my $point (qw(before-complaint after-complaint)) {
    subtest "killed at $point" => sub {
        my $stop = tmpdir() . "/$point";
        my $service = app_service_of(JR_TEST_STOP_AT => "$point:$stop");
        my $repo = repo_of($BROKEN);
        my $run = fails(run_of($service, $repo));
        kill_stopped($service, $stop, 'it is being told');
        rerun_ok($run, 'its run');
        wait_ok { 2 == looks_of($repo) } 'it is looked for once more';
        all_is_told($service);
        is scalar told_of($repo), 1, 'it is told once';
        $service->stop_service;
    };
}

finish();
