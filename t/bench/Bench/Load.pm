# SPDX-License-Identifier: BSD-2-Clause
#
# Bench::Load -- the webhooks to send, as large as GitHub's, and wrk that sends
# them.

package Bench::Load;

use strict;
use warnings;
use JSON::PP ();
use JR::Payload qw(job_event);
use JR::Process qw(spawn reap end_processes);
use JR::Service;

my $JSON = JSON::PP->new->canonical->utf8;

# dir (for files), object (load.c, built), script (load.lua)
sub new {
    my ($class, %o) = @_;
    my $self = bless {%o}, $class;
    mkdir $self->{dir} or die "$self->{dir}: $!";
    write_head("$self->{dir}/queued.json",      'queued',      undef,     5);
    write_head("$self->{dir}/in_progress.json", 'in_progress', undef,     9);
    write_head("$self->{dir}/success.json",     'completed',   'success', 14);
    write_head("$self->{dir}/failure.json",     'completed',   'failure', 14);
    return $self;
}

# A mean body, in bytes.
sub body_bytes {
    my ($self) = @_;
    my $sum = 0;
    $sum += -s "$self->{dir}/$_.json" for qw(queued in_progress success);
    return $sum / 3 + length '"name":"test (0)","id":1234567890123456,"run_id":1234567890123456}}';
}

# What a member of GitHub's payload that holds an account looks like.
sub account {
    my ($login, $type) = @_;
    my $api = "https://api.github.com/users/$login";
    return {
        login => $login, id => 4711000, node_id => 'MDQ6VXNlcjQ3MTEwMDA=', gravatar_id => '',
        avatar_url => 'https://avatars.githubusercontent.com/u/4711000?v=4', type => $type,
        url => $api, html_url => "https://github.com/$login", site_admin => JSON::PP::false,
        gists_url => "$api/gists{/gist_id}", starred_url => "$api/starred{/owner}{/repo}",
        events_url => "$api/events{/privacy}", following_url => "$api/following{/other_user}",
        map { ("${_}_url" => "$api/$_") }
            qw(followers subscriptions organizations repos received_events),
    };
}

# The addresses in a repository: name => what follows the repository's own.
my %OF_REPOSITORY = (
    keys => 'keys{/key_id}', collaborators => 'collaborators{/collaborator}', issue_events => 'issues/events{/number}',
    assignees => 'assignees{/user}', branches => 'branches{/branch}', blobs => 'git/blobs{/sha}',
    git_tags => 'git/tags{/sha}', git_refs => 'git/refs{/sha}', trees => 'git/trees{/sha}',
    statuses => 'statuses/{sha}', commits => 'commits{/sha}', git_commits => 'git/commits{/sha}',
    comments => 'comments{/number}', issue_comment => 'issues/comments{/number}', contents => 'contents/{+path}',
    compare => 'compare/{base}...{head}', archive => '{archive_format}{/ref}', issues => 'issues{/number}',
    pulls => 'pulls{/number}', milestones => 'milestones{/number}', labels => 'labels{/name}',
    notifications => 'notifications{?since,all,participating}', releases => 'releases{/id}',
    map { ($_ => $_) } qw(forks teams hooks events tags languages stargazers contributors subscribers
        subscription merges downloads deployments),
);

sub repository {
    my ($small) = @_;
    my $api = $small->{url};
    return {
        %$small,
        owner => account('octo', 'Organization'),
        (map { ("${_}_url" => "$api/$OF_REPOSITORY{$_}") } keys %OF_REPOSITORY),
        (map { ("has_$_" => JSON::PP::true) } qw(issues projects downloads wiki pages discussions)),
        (map { ($_ => JSON::PP::false) } qw(archived disabled is_template web_commit_signoff_required)),
        (map { ($_ => 342) } qw(size stargazers_count watchers_count forks_count open_issues_count
            forks open_issues watchers)),
        git_url => 'git://github.com/octo/app.git', ssh_url => 'git@github.com:octo/app.git',
        clone_url => 'https://github.com/octo/app.git', svn_url => 'https://github.com/octo/app',
        created_at => '2020-01-01T00:00:00Z', updated_at => '2026-01-01T00:00:00Z',
        pushed_at => '2026-01-01T00:00:00Z', homepage => 'https://example.org/', language => 'C',
        topics => [map {"topic-number-$_"} 1 .. 8], mirror_url => undef, allow_forking => JSON::PP::true, license => {
            key => 'bsd-2-clause', name => 'BSD 2-Clause', spdx_id => 'BSD-2-Clause',
            url => 'https://api.github.com/licenses/bsd-2-clause', node_id => 'MDc6TGljZW5zZTQ=',
        },
    };
}

sub steps {
    my ($n, $status, $conclusion) = @_;
    return [map { +{
        name => "Step number $_ of the job", status => $status, conclusion => $conclusion, number => $_,
        started_at => '2026-01-01T00:00:00Z', completed_at => '2026-01-01T00:00:01Z',
    } } 1 .. $n];
}

# All of an event but for the tail that load.c adds: the job's name and ids.
sub write_head {
    my ($file, $action, $conclusion, $steps) = @_;
    my $event = job_event(run_id => 0, id => 0, action => $action, conclusion => $conclusion);
    my $job = delete $event->{workflow_job};
    delete @{$job}{qw(name id run_id)};
    $job->{steps} = steps($steps, $job->{status}, $conclusion);
    $event->{repository}   = repository($event->{repository});
    $event->{sender}       = account('octocat', 'User');
    $event->{organization} = account('octo', 'Organization');
    my $text = $JSON->encode($event) =~ s/\}$//r . ',"workflow_job":' . $JSON->encode($job) =~ s/\}$/,/r;
    open my $fh, '>:raw', $file or die "$file: $!";
    print {$fh} $text;
    close $fh or die "$file: $!";
    return;
}

# Run wrk; { rate, p50_ms, p99_ms, errors, requests }.
#   port, connections, seconds
sub run {
    my ($self, %o) = @_;
    my $out = "$self->{dir}/wrk.out";
    unlink $out;
    $self->{wrk} = spawn(
        argv => [
            '/usr/bin/wrk', '-t1', "-c$o{connections}", "-d$o{seconds}s", '--timeout', '10s',
            '-s', $self->{script}, "http://127.0.0.1:$o{port}/",
        ],
        env => {
            JR_BENCH_LOAD  => $self->{object},
            JR_BENCH_HEADS => $self->{dir},
            JR_BENCH_KEY   => JR::Service::sign_key(),
        },
        out => $out,
    );
    my $status = reap($self->{wrk}, $o{seconds} + 20);
    end_processes($self->{wrk}) if !defined $status;
    delete $self->{wrk};
    open my $fh, '<', $out or die "$out: $!";
    my $text = do { local $/; <$fh> };
    my %result = $text =~ /(\w+)=(\d+)/g;
    die "wrk failed:\n$text" if !$result{requests};
    return {
        requests => $result{requests},
        errors   => $result{errors},
        rate     => $result{requests} / ($result{duration_us} / 1e6),
        p50_ms   => $result{p50_us} / 1000,
        p99_ms   => $result{p99_us} / 1000,
    };
}

# After a death in the middle.
sub abandon { my ($self) = @_; end_processes($self->{wrk}) if $self->{wrk}; return }

1;
