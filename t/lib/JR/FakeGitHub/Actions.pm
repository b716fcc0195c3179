# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FakeGitHub::Actions -- what GitHub knows of workflow runs, and how its
# REST API speaks of them: runs, attempts, jobs, re-runs, rate limits.
#
# A re-run makes a full new set of jobs with new ids; those that succeeded
# are carried over with their old times. A run that is going on refuses.

package JR::FakeGitHub::Actions;

use strict;
use warnings;
use Digest::SHA qw(sha1_hex);
use Encode qw(encode_utf8);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use JR::FakeGitHub::Apps;
use JR::FakeGitHub::Logs;
use JR::FakeGitHub::Reports;

use constant {
    DAY_S         => 86400,
    RERUN_DAYS    => 30,
    API_VERSIONS  => qr/^(?:2022-11-28|2026-03-10)$/,
    BOT           => 'rerun-bot',
    FIRST_JOB_ID  => 90_000_000_000,
    PER_PAGE_MAX  => 100,
    LIST_MAX      => 1000,
};

my $API = qr{^(?:/api/v3)?};    # GitHub Enterprise Server puts it below a path

# First row that matches method and path.
my @ROUTES = (
    [GET  => qr{$API/rate_limit$},                                              'get_rate_limit'],
    [GET  => qr{$API/user$},                                                    'get_user'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)$},                                     'get_repo'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/workflows/(\d+)$},             'get_workflow'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/workflows/(\d+)/runs$},        'list_line'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/runs/(\d+)/concurrency_groups$}, 'list_groups'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/concurrency_groups/([^/]+)$},  'get_group'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/pulls/(\d+)$},                         'get_pull'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/pulls$},                               'list_pulls'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/contents/(.+)$},                       'get_file'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/commits$},                             'list_commits'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/runs$},                        'list_runs'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/runs/(\d+)$},                  'get_run'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/runs/(\d+)/attempts/(\d+)$},   'get_attempt'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/runs/(\d+)/jobs$},             'list_jobs'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/runs/(\d+)/attempts/(\d+)/jobs$}, 'list_attempt_jobs'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/jobs/(\d+)$},                  'get_job'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/actions/jobs/(\d+)/logs$},             'get_log'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/check-runs/(\d+)/annotations$},        'list_annotations'],
    [GET   => qr{$API/repos/([^/]+/[^/]+)/commits/([0-9a-f]+)/check-runs$},     'list_checks'],
    [POST  => qr{$API/repos/([^/]+/[^/]+)/check-runs$},                         'make_check'],
    [PATCH => qr{$API/repos/([^/]+/[^/]+)/check-runs/(\d+)$},                   'set_check'],
    [GET   => qr{$API/repos/([^/]+/[^/]+)/issues/(\d+)/comments$},              'list_comments'],
    [POST  => qr{$API/repos/([^/]+/[^/]+)/issues/(\d+)/comments$},              'make_comment'],
    [PATCH => qr{$API/repos/([^/]+/[^/]+)/issues/comments/(\d+)$},              'set_comment'],
    [POST => qr{$API/repos/([^/]+/[^/]+)/issues/comments/(\d+)/reactions$},    'react'],
    [GET  => qr{$API/repos/([^/]+/[^/]+)/collaborators/([^/]+)/permission$},    'get_permission'],
    [POST => qr{$API/repos/([^/]+/[^/]+)/actions/runs/(\d+)/rerun-failed-jobs$}, 'rerun_failed'],
    [POST => qr{$API/repos/([^/]+/[^/]+)/actions/runs/(\d+)/rerun$},            'rerun_all'],
    [POST => qr{$API/repos/([^/]+/[^/]+)/actions/jobs/(\d+)/rerun$},            'rerun_job'],
);

sub new {
    my ($class, %o) = @_;
    return bless {
        tokens => $o{tokens} // [],
        apps   => JR::FakeGitHub::Apps->new,
        logs   => JR::FakeGitHub::Logs->new,
        reports => JR::FakeGitHub::Reports->new,
        checks => 1,
        moved  => {},
        shut   => {},
        gone   => {},
        runs   => {},
        pulls  => {},
        files  => {},
        groups => {},
        job_id => FIRST_JOB_ID,
        limit  => { limit => 5000, remaining => 5000, reset => time + 3600 },
    }, $class;
}

# Runs, as the tests describe them.

# id and repo are needed; jobs => [{ name, status, conclusion, ... }, ...]; name is the
# workflow's, run_name what its run-name makes of it for this run. What else there is to
# know of a job: steps, annotations (see below), labels, runner_id, runner_name, log (see
# JR::FakeGitHub::Logs), log_refused (a status: the API itself refuses it). Of a run besides:
# groups (names of its concurrency groups), pulls (numbers of pull requests it is shown with).
sub put_run {
    my ($self, $given) = @_;
    my $now = time;
    my %run = (
        attempt => 1, status => 'in_progress', conclusion => undef, event => 'push',
        head_branch => 'main', name => 'CI', actor => 'octocat', created_at => $now,
        %$given,
    );
    my $jobs = delete $run{jobs} // [];
    $run{triggering_actor} = $run{actor} if !exists $run{triggering_actor};
    $run{head_repo} //= $run{repo};
    $run{run_started_at} //= $now;
    $run{updated_at} //= $now;
    $run{jobs} = [map { $self->new_job(\%run, $_) } @$jobs];
    $run{past} = {};
    $self->{runs}{ $run{id} } = \%run;
    return $self->export_run($run{id});
}

sub new_job {
    my ($self, $run, $given) = @_;
    my $now = time;
    return {
        status => 'queued', conclusion => undef, created_at => $now, started_at => $now,
        completed_at => undef, %$given, id => $given->{id} // ++$self->{job_id}, attempt => $run->{attempt},
    };
}

# See JR::FakeGitHub::Reports.
for my $name (qw(list_checks make_check set_check list_comments make_comment set_comment react)) {
    no strict 'refs';
    *$name = sub { my ($self, @args) = @_; return $self->{reports}->$name(@args) };
}

sub find_run { my ($self, $id) = @_; return $self->{runs}{$id} // die "no run $id\n" }

sub export_run { my ($self, $id) = @_; return find_run($self, $id) }

sub set_run {
    my ($self, $id, $to) = @_;
    my $run = $self->find_run($id);
    $self->next_attempt($run, sub {1}, $to->{triggering_actor} // $run->{actor})
        if ($to->{attempt} // 0) > $run->{attempt};
    @$run{ keys %$to } = values %$to;
    $run->{updated_at} = $to->{updated_at} // time;
    return $run;
}

sub set_job {
    my ($self, $id, $name, $to) = @_;
    my ($job) = grep { $_->{name} eq $name } @{ $self->find_run($id)->{jobs} };
    die "no job $name\n" if !$job;
    @$job{ keys %$to } = values %$to;
    $job->{completed_at} //= time if $job->{status} eq 'completed';
    return $job;
}

sub add_job {
    my ($self, $id, $name) = @_;
    my $run = $self->find_run($id);
    push @{ $run->{jobs} }, $self->new_job($run, { name => $name });
    return $run->{jobs}[-1];
}

# The attempt of now will be one of before.
sub keep_past {
    my ($run) = @_;
    $run->{past}{ $run->{attempt} } = {
        map { $_ => $run->{$_} } qw(attempt status conclusion run_started_at updated_at triggering_actor jobs)
    };
    return;
}

# Start the next attempt; again(job) tells which jobs are executed anew.
sub next_attempt {
    my ($self, $run, $again, $actor) = @_;
    keep_past($run);
    my $now = time;
    $run->{attempt}++;
    my @jobs = map { $again->($_) ? { name => $_->{name} } : {%$_, id => undef, created_at => $now} }
        @{ $run->{jobs} };
    @$run{qw(status conclusion run_started_at updated_at triggering_actor)} =
        ('queued', undef, $now, $now, $actor);
    $run->{jobs} = [map { $self->new_job($run, $_) } @jobs];
    return;
}

# The API.

sub answer {
    my ($self, $request) = @_;
    my $refused = $self->refuse($request);
    return $refused if $refused;
    if (my $moved = $self->moved($request)) { return $moved }
    my $app = $self->{apps}->answer($request);
    return $app if $app;
    for my $route (@ROUTES) {
        my ($method, $path, $handler) = @$route;
        next if $method ne $request->{method};
        my @args = $request->{path} =~ $path or next;
        $self->limit_of($request)->{remaining}-- if $handler ne 'get_rate_limit';
        return $self->$handler($request, @args);
    }
    return problem(404, 'Not Found');
}

sub problem {
    my ($status, $message, %headers) = @_;
    return {
        status  => $status,
        headers => \%headers,
        body    => { message => $message, documentation_url => 'https://docs.github.com/rest' },
    };
}

sub refuse {
    my ($self, $request) = @_;
    my $headers = $request->{headers};
    return problem(403, 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header')
        if !length($headers->{'user-agent'} // '');
    my ($token) = ($headers->{authorization} // '') =~ /^(?:Bearer|token) (\S+)$/;
    return problem(401, 'Requires authentication') if !defined $token;
    return if $request->{path} =~ m{$API/(?:app(?:/|$)|repos/[^/]+/[^/]+/installation$)};    # see Apps
    $request->{of_app} = $self->{apps}->token_of($token);
    $request->{app} = $request->{of_app}{app} if $request->{of_app};
    my $refused = $request->{of_app} && $self->{apps}->refuse($request->{of_app}, $request, $self->{moved});
    return $refused if $refused;
    return problem(401, 'Bad credentials') if !$request->{of_app} && !grep { $_ eq $token } @{ $self->{tokens} };
    my ($repo) = $request->{path} =~ m{$API/repos/([^/]+/[^/]+)};
    return problem(404, 'Not Found') if $repo && $self->{gone}{ lc $repo };
    my $shut = $self->shut_out($request, $repo);
    return problem(403, @$shut) if $shut;
    return problem(400, 'The API version is not supported')
        if ($headers->{'x-github-api-version'} // '2022-11-28') !~ API_VERSIONS;
    return if $request->{path} =~ m{/rate_limit$};
    my $limit = $self->rate($request);
    return problem(403, 'API rate limit exceeded for user ID 1.') if $limit->{limit} && $limit->{remaining} <= 0;
    return;
}

# What refuses all that somebody has: of a repository, its owner, or (*) all there is; by
# POST/NAME only the writing. The words, and headers.
sub shut_out {
    my ($self, $request, $repo) = @_;
    return if !$repo;
    my ($owner) = split m{/}, $repo;
    my @names = map { lc } $repo, $owner, '*';
    push @names, map {"post/$_"} @names if $request->{method} ne 'GET';
    my ($found) = grep {$_} map { $self->{shut}{$_} } @names;
    return $found;
}

# A repository that has got another name: its old one redirects.
sub moved {
    my ($self, $request) = @_;
    my ($before, $repo, $rest) = $request->{path} =~ m{($API/repos/)([^/]+/[^/]+)(.*)} or return;
    my $to = $self->{moved}{ lc $repo } or return;
    my $query = length $request->{query} ? "?$request->{query}" : '';
    return problem($request->{method} eq 'GET' ? 301 : 307, 'Moved Permanently', Location => "$before$to$rest$query");
}

sub move_repo {
    my ($self, $from, $to) = @_;
    $self->{moved}{ lc $from } = $to;
    $_->{repo} = $to for grep { lc $_->{repo} eq lc $from } values %{ $self->{runs} };
    return 1;
}

# The rate limit that a request uses up: the installation's, or the user's.
sub limit_of {
    my ($self, $request) = @_;
    return $request && $request->{of_app} ? $self->{apps}->limit_of($request->{of_app}) : $self->{limit};
}

sub rate {
    my ($self, $request) = @_;
    my $limit = $self->limit_of($request);
    @$limit{qw(remaining reset)} = ($limit->{limit}, time + 3600) if $limit->{reset} <= time;
    return $limit;
}

sub set_limit { my ($self, $to) = @_; @{ $self->{limit} }{ keys %$to } = values %$to; return $self->{limit} }

sub rate_headers {
    my ($self, $request) = @_;
    my $limit = $self->rate($request);
    return if !$limit->{limit};    # a GitHub Enterprise Server has none by default
    return (
        'X-RateLimit-Limit'     => $limit->{limit},
        'X-RateLimit-Remaining' => $limit->{remaining},
        'X-RateLimit-Used'      => $limit->{limit} - $limit->{remaining},
        'X-RateLimit-Reset'     => $limit->{reset},
        'X-RateLimit-Resource'  => 'core',
    );
}

sub get_rate_limit {
    my ($self, $request) = @_;
    my $limit = $self->rate($request);
    return problem(404, 'Rate limiting is not enabled.') if !$limit->{limit};
    my %core = (%$limit, used => $limit->{limit} - $limit->{remaining});
    return { status => 200, body => { resources => { core => \%core }, rate => \%core } };
}

# The token is the bot's, who may write everywhere.
sub get_user {
    my ($self, $request) = @_;
    return problem(403, 'Resource not accessible by integration') if $request->{of_app};
    return { status => 200, body => user(BOT) };
}

sub get_repo {
    my ($self, $request, $repo) = @_;
    my %may = map { $_ => JSON::PP::true } qw(pull triage push);
    return {
        status => 200,
        body   => { %{ repository($repo) }, archived => JSON::PP::false,
            permissions => { %may, maintain => JSON::PP::false, admin => JSON::PP::false } },
    };
}

# The run when repository and id fit together.
sub known {
    my ($self, $repo, $id) = @_;
    my $run = $self->{runs}{$id};
    return $run && lc $run->{repo} eq lc $repo ? $run : undef;
}

sub get_run {
    my ($self, undef, $repo, $id) = @_;
    my $run = $self->known($repo, $id) or return problem(404, 'Not Found');
    return { status => 200, body => run_json($run) };
}

# By the runs there are of it.
sub get_workflow {
    my ($self, undef, $repo, $id) = @_;
    my ($run) = grep { lc $_->{repo} eq lc $repo && number($_->{name} // '') == $id } values %{ $self->{runs} };
    return $run ? { status => 200, body => workflow_json($run) } : problem(404, 'Not Found');
}

sub get_attempt {
    my ($self, undef, $repo, $id, $n) = @_;
    my $run = $self->known($repo, $id) or return problem(404, 'Not Found');
    my $attempt = attempt_of($run, $n) or return problem(404, 'Not Found');
    return { status => 200, body => run_json($attempt) };
}

sub attempt_of {
    my ($run, $n) = @_;
    return $run if $n == $run->{attempt};
    return $run->{past}{$n} && { %$run, %{ $run->{past}{$n} } };
}

sub list_jobs {
    my ($self, $request, $repo, $id) = @_;
    my $run = $self->known($repo, $id) or return problem(404, 'Not Found');
    my %query = query($request);
    my @attempts = ($query{filter} // 'latest') eq 'all' ? 1 .. $run->{attempt} : $run->{attempt};
    return page(\%query, jobs => [map { jobs_json($run, $_) } @attempts]);
}

sub list_attempt_jobs {
    my ($self, $request, $repo, $id, $n) = @_;
    my $run = $self->known($repo, $id) or return problem(404, 'Not Found');
    attempt_of($run, $n) or return problem(404, 'Not Found');
    return page({ query($request) }, jobs => [jobs_json($run, $n)]);
}

sub jobs_json {
    my ($run, $n) = @_;
    my $attempt = attempt_of($run, $n) or return;
    return map { job_json($run, $_) } @{ $attempt->{jobs} };
}

sub find_job {
    my ($self, $repo, $job_id) = @_;
    for my $run (grep { lc $_->{repo} eq lc $repo } values %{ $self->{runs} }) {
        my ($job) = grep { $_->{id} == $job_id } @{ $run->{jobs} };
        return ($run, $job) if $job;
    }
    return;
}

# A job of any attempt.
sub find_old_job {
    my ($self, $repo, $job_id) = @_;
    for my $run (grep { lc $_->{repo} eq lc $repo } values %{ $self->{runs} }) {
        for my $jobs ($run->{jobs}, map { $_->{jobs} } values %{ $run->{past} }) {
            my ($job) = grep { $_->{id} == $job_id } @$jobs;
            return ($run, $job) if $job;
        }
    }
    return;
}

sub get_log {
    my ($self, undef, $repo, $job_id) = @_;
    my ($run, $job) = $self->find_old_job($repo, $job_id) or return problem(404, 'Not Found');
    return problem($job->{log_refused}, $job->{log_refused} == 404 ? 'Not Found' : 'Server Error') if $job->{log_refused};
    return { status => 302, headers => { Location => $self->{logs}->link_to($run, $job) }, body => '' };
}

# Tokens that can have the permission Checks, or not: no fine-grained one can.
sub set_checks { my ($self, $has) = @_; $self->{checks} = $has; return 1 }

sub list_annotations {
    my ($self, $request, $repo, $job_id) = @_;
    return problem(403, 'Resource not accessible by personal access token', 'X-Accepted-GitHub-Permissions' => 'checks=read')
        if !$self->{checks} && !$request->{of_app};
    my ($run, $job) = $self->find_old_job($repo, $job_id) or return problem(404, 'Not Found');
    my $page = page({ query($request) }, annotations => [map { annotation_json($_) } @{ $job->{annotations} // [] }]);
    return { %$page, body => $page->{body}{annotations} };
}

# Of a text, a failure that the service itself tells; of a hash, whatever it has.
sub annotation_json {
    my ($given) = @_;
    return {
        path => '.github', start_line => 1, end_line => 1, start_column => undef, end_column => undef,
        annotation_level => 'failure', title => '', raw_details => undef, blob_href => '',
        ref $given ? %$given : (message => $given),
    };
}

# A step is { name, conclusion, ... } or [name, conclusion], in their order, of a success where
# nothing is said.
sub steps_json {
    my ($job) = @_;
    my ($started, $ended) = map { iso($_) } $job->{started_at}, $job->{completed_at} // $job->{started_at};
    my $number = 0;
    return [map {
        my %step = ref eq 'ARRAY' ? (name => $_->[0], conclusion => $_->[1] // 'success') : %$_;
        {
            number => ++$number, status => 'completed', conclusion => 'success', started_at => $started,
            completed_at => $ended, %step,
        };
    } @{ $job->{steps} // [] }];
}

# What a job and its webhook tell besides.
sub surroundings_json {
    my ($job) = @_;
    return (
        steps => steps_json($job), labels => $job->{labels} // ['ubuntu-latest'], runner_id => $job->{runner_id},
        runner_name => $job->{runner_name}, runner_group_id => undef, runner_group_name => undef,
    );
}

sub get_job {
    my ($self, undef, $repo, $job_id) = @_;
    my ($run, $job) = $self->find_job($repo, $job_id) or return problem(404, 'Not Found');
    return { status => 200, body => job_json($run, $job) };
}

sub list_runs {
    my ($self, $request, $repo) = @_;
    my %query = query($request);
    my @runs = grep { lc $_->{repo} eq lc $repo } values %{ $self->{runs} };
    @runs = grep { $_->{status} eq $query{status} || ($_->{conclusion} // '') eq $query{status} } @runs
        if length($query{status} // '');
    @runs = grep { $_->{head_branch} eq $query{branch} } @runs if length($query{branch} // '');
    @runs = grep { ($_->{head_sha} // 'a' x 40) eq $query{head_sha} } @runs if length($query{head_sha} // '');
    @runs = grep { created_in($_, $query{created}) } @runs if length($query{created} // '');
    @runs = sort { $b->{created_at} <=> $a->{created_at} || $b->{id} <=> $a->{id} } @runs;
    splice @runs, LIST_MAX if @runs > LIST_MAX && grep { length($query{$_} // '') } qw(status branch created);
    return page(\%query, workflow_runs => [map { run_json($_) } @runs]);
}

# The runs of a workflow.
sub list_line {
    my ($self, $request, $repo, $id) = @_;
    my %query = query($request);
    my @runs = grep { lc $_->{repo} eq lc $repo && number($_->{name} // '') == $id } values %{ $self->{runs} };
    @runs = grep { $_->{head_branch} eq $query{branch} } @runs if length($query{branch} // '');
    @runs = grep { $_->{event} eq $query{event} } @runs if length($query{event} // '');
    @runs = sort { ($b->{run_number} // 17) <=> ($a->{run_number} // 17) } @runs;
    return page(\%query, workflow_runs => [map { run_json($_) } @runs]);
}

# Concurrency groups: those of a run, by its configuration, and who is in one now.
sub list_groups {
    my ($self, undef, $repo, $id) = @_;
    my $run = $self->known($repo, $id) or return problem(404, 'Not Found');
    my @groups = map { { group_name => $_, group_members => [] } } @{ $run->{groups} // [] };
    return { status => 200, body => { total_count => scalar @groups, concurrency_groups => \@groups } };
}

sub get_group {
    my ($self, undef, $repo, $name) = @_;
    $name =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;
    my @runs = @{ $self->{groups}{ lc $repo }{$name} // [] } or return problem(404, 'Not Found');
    my @members = map { { run_id => 0 + $runs[$_], run_name => 'CI', status => $_ ? 'pending' : 'in_progress', position => $_ } } 0 .. $#runs;
    return { status => 200, body => { group_name => $name, group_members => \@members } };
}

# The runs in a group, by id.
sub set_group { my ($self, $repo, $name, $runs) = @_; $self->{groups}{ lc $repo }{$name} = $runs; return 1 }

# What somebody may do: admin, write, read or none, as this call shows it; 404 for who is not known.
# Whose login that is: a steady number for it, unless another is given.
sub set_permission {
    my ($self, $repo, $login, $permission, $id) = @_;
    $self->{permissions}{ lc $repo }{$login} = { permission => $permission, user => { %{ user($login) }, $id ? (id => 0 + $id) : () } };
    return 1;
}

sub get_permission {
    my ($self, undef, $repo, $login) = @_;
    $login =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;
    my $known = $self->{permissions}{ lc $repo }{$login}
        or return problem(404, "$login is not a user");
    return { status => 200, body => { %$known, role_name => $known->{permission} } };
}

# repo, number; state, head_ref, head_sha, head_owner.
sub put_pull { my ($self, $pull) = @_; $self->{pulls}{ lc $pull->{repo} }{ $pull->{number} } = $pull; return 1 }

sub pull_json {
    my ($pull) = @_;
    my ($owner) = split m{/}, $pull->{repo};
    $owner = $pull->{head_owner} // $owner;
    return {
        number => 0 + $pull->{number}, state => $pull->{state} // 'open', merged_at => undef,
        head => { ref => $pull->{head_ref} // 'topic', sha => $pull->{head_sha} // 'a' x 40, user => user($owner) },
        base => { ref => 'main', user => user((split m{/}, $pull->{repo})[0]) },
    };
}

sub get_pull {
    my ($self, undef, $repo, $number) = @_;
    my $pull = $self->{pulls}{ lc $repo }{$number} or return problem(404, 'Not Found');
    return { status => 200, body => pull_json($pull) };
}

sub list_pulls {
    my ($self, $request, $repo) = @_;
    my %query = query($request);
    my @pulls = map { pull_json($_) } values %{ $self->{pulls}{ lc $repo } // {} };
    @pulls = grep {"$_->{head}{user}{login}:$_->{head}{ref}" eq $query{head} } @pulls if length($query{head} // '');
    @pulls = grep { $_->{state} eq ($query{state} // 'open') } @pulls if ($query{state} // '') ne 'all';
    return { status => 200, body => \@pulls };
}

# A file of the default branch and of each commit that has no other of its own (ref).
sub put_file {
    my ($self, $repo, $path, $text, $ref) = @_;
    my $versions = $self->{files}{ lc $repo }{$path} //= {};
    $versions->{ $ref // '' } = $text;
    return $ref if defined $ref;
    # A push to the default branch: a commit that changes this file.
    my $sha = sha1_hex(++$self->{pushes} . "$repo/$path");
    $versions->{$sha} = $text;
    unshift @{ $self->{commits}{ lc $repo }{$path} }, $sha;
    return $sha;
}

# Those of the default branch that have changed a file, newest first.
sub list_commits {
    my ($self, $request, $repo) = @_;
    my %query = query($request);
    my @commits = @{ $self->{commits}{ lc $repo }{ $query{path} // '' } // [] };
    my $page = page(\%query, commits => [map { { sha => $_, commit => { message => 'a change' } } } @commits]);
    return { %$page, body => $page->{body}{commits} };
}

sub get_file {
    my ($self, $request, $repo, $path) = @_;
    my %query = query($request);
    my $files = $self->{files}{ lc $repo }{$path} or return problem(404, 'Not Found');
    my $version = exists $files->{ $query{ref} // '' } ? $files->{ $query{ref} // '' } : $files->{''};
    my $text = $version // return problem(404, 'Not Found');
    my $etag = 'W/"' . sha1_hex(encode_utf8($text)) . '"';
    if (($request->{headers}{'if-none-match'} // '') eq $etag) {
        $self->limit_of($request)->{remaining}++;    # it is free of charge
        return { status => 304, headers => { ETag => $etag }, body => '' };
    }
    return { status => 200, headers => { ETag => $etag }, body => { type => 'file', path => $path, size => length $text, encoding => 'base64', content => encode_base64(encode_utf8($text)) } };
}

sub created_in {
    my ($run, $search) = @_;
    my $created = iso($run->{created_at});
    my ($from, $to) = $search =~ /^(.+)\.\.(.+)$/;
    return $created ge $from && $created le $to if defined $from;
    my ($op, $time) = $search =~ /^(>=|<=|>|<)(.+)$/ or return $created =~ /^\Q$search\E/;
    return
          $op eq '>=' ? $created ge $time
        : $op eq '<=' ? $created le $time
        : $op eq '>'  ? $created gt $time
        :               $created lt $time;
}

sub page {
    my ($query, $name, $all) = @_;
    my $size = $query->{per_page} || 30;
    $size = PER_PAGE_MAX if $size > PER_PAGE_MAX;
    my $from = (($query->{page} || 1) - 1) * $size;
    my @rest = $from < @$all ? @$all[$from .. $#$all] : ();
    my @part = splice @rest, 0, $size;
    return { status => 200, body => { total_count => scalar @$all, $name => \@part } };
}

sub query {
    my ($request) = @_;
    my @pairs = map { split /=/, $_, 2 } split /&/, $request->{query};
    s/\+/ /g, s/%([0-9a-fA-F]{2})/chr hex $1/ge for @pairs;
    return @pairs;
}

# Re-runs.

sub rerun_failed {
    my ($self, $request, $repo, $id) = @_;
    my $run = $self->known($repo, $id) or return problem(404, 'Not Found');
    my $failed = sub { ($_[0]{conclusion} // '') !~ /^(?:success|skipped|neutral)$/ };
    return problem(403, 'This workflow run cannot be retried') if !@{ $run->{jobs} };
    return $self->rerun($request, $run, $failed, 'This workflow is already running');
}

sub rerun_all {
    my ($self, $request, $repo, $id) = @_;
    my $run = $self->known($repo, $id) or return problem(404, 'Not Found');
    return $self->rerun($request, $run, sub {1}, 'This workflow is already running');
}

sub rerun_job {
    my ($self, $request, $repo, $job_id) = @_;
    my ($run, $job) = $self->find_job($repo, $job_id) or return problem(404, 'Not Found');
    return $self->rerun($request, $run, sub { $_[0] == $job },
        'The workflow run containing this job is already running');
}

sub rerun {
    my ($self, $request, $run, $again, $running) = @_;
    return problem(403, $running) if $run->{status} ne 'completed';
    return problem(403, 'This workflow run cannot be retried') if $run->{event} eq 'dynamic';
    return problem(403, 'Unable to retry this workflow run because it was created over a month ago')
        if $run->{created_at} < time - RERUN_DAYS * DAY_S;
    return problem(403, 'Unable to retry this workflow run because it was not attempted with failed jobs.')
        if @{ $run->{jobs} } && !grep { $again->($_) } @{ $run->{jobs} };
    $self->next_attempt($run, $again, BOT);
    $run->{debug} = ($request->{body} // '') =~ /"enable_debug_logging"\s*:\s*true/ ? 1 : 0;
    $request->{effect} = 'rerun';
    return { status => 201, body => {} };
}

# JSON of a run and of a job, with the fields of the REST API.

sub iso { my ($t) = @_; return defined $t ? strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $t) : undef }

sub user {
    my ($login) = @_;
    return undef if !defined $login;    # in a list: a member, not nothing
    return { login => $login, id => number($login), type => $login =~ /\[bot\]$/ ? 'Bot' : 'User', site_admin => JSON::PP::false };
}

# A steady number for a name.
sub number { my ($name) = @_; return unpack('%32N*', pack 'A64', encode_utf8(lc $name)) % 900_000_000 + 1 }

sub repository {
    my ($full_name) = @_;
    my ($owner, $name) = split m{/}, $full_name;
    return {
        id => number($full_name), name => $name, full_name => $full_name, private => JSON::PP::false,
        owner => user($owner), fork => JSON::PP::false, html_url => "https://github.com/$full_name",
        url => "https://api.github.com/repos/$full_name",
    };
}

sub path_of { my ($run) = @_; return $run->{path} // '.github/workflows/ci.yml' }

sub workflow_json {
    my ($run) = @_;
    return {
        id => number($run->{name} // ''), node_id => 'W_test', name => $run->{name}, path => path_of($run),
        state => 'active',
    };
}

# `name` is the run's own where its workflow has a run-name.
sub run_json {
    my ($run) = @_;
    my $url = "https://api.github.com/repos/$run->{repo}/actions/runs/$run->{id}";
    my $before = $run->{attempt} - 1;
    return {
        id => 0 + $run->{id}, name => $run->{run_name} // $run->{name}, node_id => "WFR_$run->{id}",
        head_branch => $run->{head_branch}, head_sha => $run->{head_sha} // 'a' x 40,
        path => path_of($run), display_title => 'a change',
        run_number => $run->{run_number} // 17, run_attempt => 0 + $run->{attempt}, event => $run->{event},
        status => $run->{status}, conclusion => $run->{conclusion},
        workflow_id => number($run->{name} // ''), check_suite_id => $run->{id} + 1,
        url => $url, html_url => "https://github.com/$run->{repo}/actions/runs/$run->{id}",
        pull_requests => [map { { number => 0 + $_ } } @{ $run->{pulls} // [] }], referenced_workflows => [],
        created_at => iso($run->{created_at}), updated_at => iso($run->{updated_at}),
        run_started_at => iso($run->{run_started_at}),
        actor => user($run->{actor}), triggering_actor => user($run->{triggering_actor}),
        jobs_url => "$url/jobs", logs_url => "$url/logs", rerun_url => "$url/rerun", cancel_url => "$url/cancel",
        previous_attempt_url => $before ? "$url/attempts/$before" : undef,
        repository => repository($run->{repo}), head_repository => repository($run->{head_repo}),
    };
}

sub job_json {
    my ($run, $job) = @_;
    return {
        id => 0 + $job->{id}, run_id => 0 + $run->{id}, run_attempt => 0 + $job->{attempt},
        workflow_name => $run->{name}, head_branch => $run->{head_branch},
        head_sha => $run->{head_sha} // 'a' x 40, name => $job->{name}, status => $job->{status},
        conclusion => $job->{conclusion}, created_at => iso($job->{created_at}),
        started_at => iso($job->{started_at}), completed_at => iso($job->{completed_at}),
        surroundings_json($job),
        check_run_url => "https://api.github.com/repos/$run->{repo}/check-runs/$job->{id}",
        url => "https://api.github.com/repos/$run->{repo}/actions/jobs/$job->{id}",
    };
}

1;
