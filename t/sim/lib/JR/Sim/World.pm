# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::World -- one scenario from beginning to end: GitHub, the service
# behind its nginx, everybody else, and the judgement.

package JR::Sim::World;

use strict;
use warnings;
use List::Util qw(max);
use POSIX qw(strftime);
use Time::Local qw(timegm);
use Time::HiRes qw(time);
use JR::Service;
use JR::Test qw(service tmpdir tool);
use JR::Wait;
use JR::Sim::Api;
use JR::Sim::Asking;
use JR::Sim::Cause;
use JR::Sim::Counting;
use JR::Sim::Dice;
use JR::Sim::GitHub;
use JR::Sim::Hooks;
use JR::Sim::Hosts;
use JR::Sim::Judge;
use JR::Sim::Limits;
use JR::Sim::LogHost;
use JR::Sim::Loop;
use JR::Sim::Outage;
use JR::Sim::People;
use JR::Sim::Policy;
use JR::Sim::Report;
use JR::Sim::Workflow;

use constant {
    HOURLY_LIMIT   => 3_600_000,    # a tenth of it: 100 calls a second for looking around
    RERUN_DELAY_MS => 100,
    QUIET_S      => 4,            # so long nothing is asked about runs that are over: all is settled
    # Nothing moves, and something is still due. On a busy machine the reset of a limit is over before
    # it is read: calls stop for a minute then, and for two if that comes again.
    STUCK_S      => 150,
    CATCH_UP_S   => 86400,
    MINUTE_MS    => 60_000,
    PACE_S       => .01,          # from one run to the next
    EXPORT_S     => 3,            # from one look at the service's history to the next
    CHECK_S      => 1,            # from one look at what was said to the next
    COUNT_S      => 2,            # ... at what hosts have counted
    BACKLOG      => 100,
    LOG_TAIL     => 1 << 20,      # bytes, as LOG_TAIL is by itself
    SHARE        => 10,           # of the hourly limit, for looking around
    FIRST_BUCKET => 500,          # that share of GitHub's usual limit, before it tells another
    MEMORY_KB    => 1_000_000,
};

# The store commits to disk with each event; memory will do here.
sub use_memory {
    my ($free_kb) = (`df -kP /dev/shm 2>/dev/null` // '') =~ /\s(\d+)\s+\d+%/;
    $ENV{TMPDIR} = '/dev/shm' if -w '/dev/shm' && ($free_kb // 0) > MEMORY_KB;
    return;
}

# scenario, runs, seed, jobs (runs under way at once), progress->(text),
# quiet_s (how long nothing more may be asked before all is taken for settled)
sub play {
    my ($class, %o) = @_;
    my $self = bless { %o, all => [], began => time }, $class;
    $self->build;
    eval { $self->live; 1 } or my $died = $@;
    $_->{over} = 1 for @{ $self->{outages} };
    $self->{hosts}->count_all if $self->{hosts} && !$died;
    my @trouble = $died ? ("the simulator: $died") : ();
    push @trouble, map {"the service: $_"} map { $_->finish } @{ $self->{services} };
    $self->{hosts}->finish if $self->{hosts};
    $_->close_all for @$self{qw(api log_host)};
    return $self->result(@trouble);
}

sub build {
    my ($self) = @_;
    my $scenario = $self->{scenario};
    use_memory();
    my $loop = $self->{loop} = JR::Sim::Loop->new;
    my $dice = $self->{dice} = JR::Sim::Dice->new("$self->{seed}/$scenario->{name}");
    my %settings = JR::Sim::Workflow::settings($scenario->{branches});
    my $checks = $scenario->{checks} // 1;
    my $limits = $scenario->{limits} && JR::Sim::Limits::scaled($scenario->{limits}, $self->{runs});
    my $policy = $self->{policy} = JR::Sim::Policy->named($scenario->{policy},
        JR::Sim::Limits::yaml($limits // {}) . ($scenario->{policy_more} // ''));
    my $cause = $scenario->{causes} && JR::Sim::Cause->new(dice => $dice, way => $scenario->{causes});
    $self->{judge} = JR::Sim::Judge->new(settings => \%settings, policy => $policy, cause => $cause, checks => $checks,
        catch_up_s => $scenario->{catch_up_s} // CATCH_UP_S, is_strict => $self->is_strict, outage => $scenario->{may_hold},
        limits => JR::Sim::Limits->new(way => $limits, minute_ms => $scenario->{minute_ms} // MINUTE_MS));
    my $delay_ms = $scenario->{rerun_delay_ms} // RERUN_DELAY_MS;
    $self->{counting} = JR::Sim::Counting->new(delay_s => $delay_ms / 1000);
    $self->{github} = JR::Sim::GitHub->new(
        dice => $dice, loop => $loop, tokens => [JR::Service::token()], cause => $cause,
        guards => $scenario->{guards}, trouble => $scenario->{trouble},
        hourly_limit => $scenario->{hourly_limit} // HOURLY_LIMIT,
        on_event => sub { my ($event) = @_; $_->send($event) for @{ $self->{hooks} } },
        on_end   => sub { $_->see_end($_[0]) for $_[0]{n} >= 0 ? @$self{qw(people asking)} : () },
    );
    $self->{judge}{around} = $self->{github}{around};
    my %common = (dice => $dice, loop => $loop, github => $self->{github});
    $self->{asking} = $self->{judge}{asking} = $self->{github}{around}{asking} = JR::Sim::Asking->new(%common, way => $scenario->{asked},
        send => sub { my ($event) = @_; $_->send($event) for @{ $self->{hooks} } });
    my $count = ($scenario->{hosts} // {})->{count} // 1;
    $self->{hosts} = JR::Sim::Hosts->new(loop => $loop, dice => $dice, dir => tmpdir(), way => $scenario->{hosts})
        if $scenario->{hosts};
    $self->{api} = JR::Sim::Api->new(%common, way => $scenario->{api}, asking => $self->{asking}, hosts => $count,
        kill => sub { $self->{outages}[0]->kill_dispatcher }, may_kill => sub { $self->{outages}[0]->may_kill },
        plan_log => sub { $self->{log_host}->plan(@_) });
    $self->{github}->set_checks($checks);
    my $tail_bytes = $scenario->{log_tail} // LOG_TAIL;
    $self->{log_host} = JR::Sim::LogHost->new(%common, way => $scenario->{logs}, tail_bytes => $tail_bytes,
        asked => sub { $self->{api}{last_ask} = time });
    $self->{people} = JR::Sim::People->new(%common, way => $scenario->{people});
    my %settings_of_all = (
        %settings, JR::Sim::Report::settings($scenario->{report}, $self->{github}, tmpdir()), JR::Sim::Asking::settings($scenario->{asked}),
        WORKERS => 4, MAP_SIZE => '4G', LOG_LEVEL => 'debug',
        RERUN_DELAY => "${delay_ms}ms", API_BACKOFF_MIN => '100ms', API_BACKOFF_MAX => '1s',
        API_WRITE_INTERVAL => '1ms', RECONCILE_INTERVAL => '1s', LOG_TAIL => $tail_bytes,
        POLICY => $policy ? $policy->write(tmpdir()) : undef, EVIDENCE => $scenario->{evidence},
        CATCH_UP => $scenario->{catch_up_s} ? "$scenario->{catch_up_s}s" : undef, JR_TEST_MINUTE => $scenario->{minute_ms},
    );
    $self->add_host($_, $count, %settings_of_all) for 0 .. $count - 1;
    $self->{service} = $self->{services}[0];
    return;
}

# The service on a host, where there are several; all of them are told of everything.
sub add_host {
    my ($self, $n, $count, %settings) = @_;
    my ($scenario, $hosts, $loop, $dice) = @$self{qw(scenario hosts loop dice)};
    my $stop_at = ($scenario->{outage} // {})->{kill_at};
    my $mark    = tmpdir() . "/stands$n";
    my $service = $self->{services}[$n] = service(
        %settings, GITHUB_API_URL => $self->{api}->url($n), JR_TEST_STOP_AT => $stop_at && "$stop_at:$mark",
        $hosts ? (pages => 'metrics', $hosts->settings($n)) : ());
    $service->start;
    my $outage;
    $self->{hooks}[$n] = JR::Sim::Hooks->new(
        loop => $loop, dice => $dice, socket => "$service->{dir}/http.sock", way => $scenario->{hooks},
        heard => sub { $self->{counting}->hear($_[0]) if $n == 0; $self->hear($_[0]) },
        $hosts ? (name => $hosts->name($n), is_down => sub { !$outage->idle }) : (),
    );
    $outage = $self->{outages}[$n] = JR::Sim::Outage->new(
        loop => $loop, dice => $dice, service => $service, way => $scenario->{outage}, runs => $self->{runs}, mark => $mark,
        $hosts ? (name => $hosts->name($n), sooner => $n / $count) : ());
    return;
}

# Is the service's own history looked at, too: why it left what it left?
sub is_strict {
    my ($self) = @_;
    return scalar grep { $self->{scenario}{$_} } qw(guards limits trouble asked);
}

# It is told of a job that has an environment.
sub hear {
    my ($self, $event) = @_;
    my (undef, $job) = @{ $self->{github}{by_job}{ $event->{job} // 0 } // [] };
    $job->{environment_told} //= time if $job && $event->{deployment} && $event->{action} eq 'completed';
    return;
}

# What the service has decided, by run and attempt.
sub decisions {
    my ($self) = @_;
    my $export = tool(['export'], %{ $self->{service}->environment });
    my %of;
    for (split /\n/, $export->{out}) {
        my ($id, $at, $attempt, $reason, $detail) = /^\{"run_id":(\d+),.*?"at":"([^"]+)","kind":"decision","attempt":(\d+),"reason":"([^"]+)",.*?"detail":"((?:[^"\\]|\\.)*)"/
            or next;
        push @{ $of{$id}{$attempt} }, { at => seconds_of($at), reason => $reason, closed => !!($detail =~ /^closed/) };
    }
    return \%of;
}

sub seconds_of {
    my ($y, $m, $d, $h, $min, $s) = $_[0] =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)Z$/;
    return timegm(0, $min, $h, $d, $m - 1, $y) + $s;
}

sub begin {
    my ($self, $n, $plan) = @_;
    JR::Sim::Report::plan($self->{scenario}{report}, $self->{dice}, $n, $plan);
    JR::Sim::Asking::plan($self->{dice}, $n, $plan, $self->{files} //= {}) if $self->{scenario}{asked};
    my $run = $self->{github}->start_run($n, $plan);
    push @{ $self->{all} }, $run;
    return $run;
}

# The service has to know each repository before GitHub loses the first event.
sub introduce {
    my ($self) = @_;
    my $way = $self->{hooks}[0]{way};
    $_->{way} = { map { $_ => $way->{$_} } grep { $_ eq 'only' } keys %$way } for @{ $self->{hooks} };
    my $n = 0;
    for my $repo (JR::Sim::Workflow::repos()) {
        $self->begin(--$n, {
            repo => $repo, head_repo => $repo, workflow => 'Hello', event => 'push', head_branch => 'main',
            actor => 'octocat', character => 'normal', age_s => 0,
            nodes => [{ name => 'hello', needs => [], if => 'success', fate => 'good', p => 0 }],
        });
    }
    $self->{loop}->turn while $self->{github}{open} || grep { !$_->idle } @{ $self->{hooks} };
    $_->{way} = $way for @{ $self->{hooks} };
    return;
}

sub live {
    my ($self) = @_;
    $self->introduce;
    $self->{hosts}->begin(api => $self->{api}, services => $self->{services}) if $self->{hosts};
    my ($started, $next_look, $moved, $state) = (0, 0, time, '');
    my ($github, $people, $api, $hosts) = @$self{qw(github people api hosts)};
    my @hooks = @{ $self->{hooks} };
    my @outages = @{ $self->{outages} };
    my $most = $self->{scenario}{jobs} // $self->{jobs};
    $most = $self->{jobs} if $most > $self->{jobs};
    while (1) {
        my $now = time;
        while ($started < $self->{runs} && $github->{open} < $most && !(grep { @{ $_->{waiting} } >= BACKLOG } @hooks)
            && ($self->{next_start} // 0) <= $now)
        {
            my $plan = JR::Sim::Workflow::plan($self->{dice}, $started,
                large => !!$self->{scenario}{causes}, map { $_ => $self->{scenario}{$_} } qw(old groups repos guards trouble));
            $people->see_start($self->begin($started, $plan));
            $self->{next_start} = $now + ($self->{scenario}{pace_s} // PACE_S);
            $github->{trouble}->begin;
            $started++;
            $_->see($started) for @outages;
        }
        $hosts->{over} = 1 if $hosts && $started == $self->{runs};
        $github->{trouble}->end if $started == $self->{runs};
        $self->{loop}->turn;
        next if $now < $next_look;
        $next_look = $now + .2;
        $self->{slowest} = max($self->{slowest} // 1, JR::Wait::slowness());
        $hosts->count if $hosts && ($self->{next_count} // 0) <= $now && ($self->{next_count} = $now + COUNT_S);
        my $attempts = 0;
        $attempts += @{ $_->{attempts} } for @{ $self->{all} };
        my $now_state = join ' ', $started, $github->{open}, $attempts, map { $_->{sent} } @hooks;
        ($moved, $state) = ($now, $now_state) if $state ne $now_state;
        my $quiet = $started == $self->{runs} && !$github->{open} && $people->idle && $self->{log_host}->is_idle
            && !(grep { !$_->idle } $self->{asking}, @hooks, @outages, $hosts // ());
        if ($quiet && $self->is_strict && ($self->{next_export} // 0) <= $now) {
            $self->{judge}{decisions} = $self->decisions;
            $self->{next_export} = time + EXPORT_S;
        }
        my $unmet = $quiet ? grep { $self->{judge}->unmet($_) } @{ $self->{all} } : -1;
        $self->{progress}->(sprintf '%d of %d runs, %d under way, %d attempts, %d deliveries waiting%s',
            $started, $self->{runs}, $github->{open}, $attempts, $hooks[0]{pending}, $quiet ? ", $unmet due" : '')
            if $self->{progress};
        if ($quiet) {
            $_->{over} = 1 for $api, @outages;
            my $last = $api->{last_ask} // $moved;
            $last = $moved if $moved > $last;
            return if !$unmet && $now - $last > ($self->{quiet_s} // QUIET_S) && $self->has_said_all($now);
        }
        return if $now - $moved > ($self->{scenario}{stuck_s} // STUCK_S);
    }
}

# What is said of a run waits for some seconds, and for as long as calls fail: nothing is asked meanwhile.
sub has_said_all {
    my ($self, $now) = @_;
    return 1 if !$self->{scenario}{report};
    return 0 if ($self->{next_check} // 0) > $now;
    $self->{next_check} = $now + CHECK_S;
    return !%{ $self->faults_of_reports } && !%{ $self->{asking}->faults($self->{judge}) };
}

sub faults_of_reports {
    my ($self) = @_;
    return JR::Sim::Report::faults($self->{scenario}{report}, $self->{github}, $self->{all}, $self->{service}->log->path,
        JR::Sim::Judge::service_name());
}

sub result {
    my ($self, @trouble) = @_;
    my ($judge, $unlucky, @wrong, $counted_wrong, $due) = ($self->{judge}, 0);
    $judge->{deaths} = [map { @{ $_->{deaths} // [] } } @{ $self->{outages} }];
    $judge->{decisions} = $self->decisions if $self->is_strict;
    $judge->{all} = $self->{all};
    push @trouble, $judge->{limits}->faults(@{ $self->{all} });
    my $said = $self->faults_of_reports;
    $self->{asking}->learn($self->{service}->log->path);
    my $answers = $self->{asking}->faults($judge);
    for my $run (@{ $self->{all} }) {
        my @faults = ($judge->faults($run, \$unlucky), map { @{ $_->{ $run->{id} } // [] } } $said, $answers);
        push @wrong, { run => $run, faults => \@faults } if @faults;
        $counted_wrong++ if $self->{counting}->is_wrong($run, $judge);
    }
    my $reruns = grep { $_->{by} eq $judge->service_name } map { @{ $_->{attempts} } } @{ $self->{all} };
    my %sum;
    for my $hooks (@{ $self->{hooks} }) {
        $sum{$_} += $hooks->{$_} for qw(lost sent);
        $sum{statuses}{$_} += $hooks->{statuses}{$_} for keys %{ $hooks->{statuses} };
    }
    for my $outage (@{ $self->{outages} }) { $sum{$_} += $outage->{$_} for qw(kills stops) }
    my $statuses = $sum{statuses};
    # A host that is down is known, where there are several.
    my $out = $self->{scenario}{outage} && !$self->{hosts} ? 0 : grep { !/^2|^404/ } keys %$statuses;
    my $seconds = time - $self->{began};
    my $calls = { %{ $self->{api}{calls} }, log => $self->{log_host}{requests} };
    my $share = FIRST_BUCKET + $self->{github}{hourly_limit} / SHARE / 3600 * $seconds;
    push @trouble, sprintf '%d lists in %d s are more than a tenth of the limit', $calls->{list}, $seconds
        if ($calls->{list} // 0) > $share * (@{ $self->{services} } + $sum{kills} + $sum{stops});
    push @trouble, "a token was shown to the host of logs, $self->{log_host}{tokens} times" if $self->{log_host}{tokens};
    my $asked = 0;
    $asked += $calls->{$_} // 0 for qw(jobs notes link log);
    $asked += $calls->{guard} // 0;
    push @trouble, "$asked calls to find out causes that nobody asked for" if $asked && !$self->{policy};
    push @trouble, 'answers: ' . join ', ', map {"$_: $statuses->{$_}"} sort keys %$statuses if $out;
    return {
        name => $self->{scenario}{name}, title => $self->{scenario}{title}, runs => scalar @{ $self->{all} },
        wrong => \@wrong, counted_wrong => $counted_wrong // 0, reruns => $reruns, calls => $calls,
        unlucky => $unlucky, %sum, hosts => $self->{hosts} && $self->hosts_result(\@trouble),
        struck => $self->{scenario}{trouble} && { $self->{github}{trouble}->outcome(grep { $judge->may_be_rerun($_) } @{ $self->{all} }) },
        seconds => time - $self->{began}, trouble => \@trouble, logs => [map { $_->log->path } @{ $self->{services} }],
    };
}

# How several hosts did together: numbers.
sub hosts_result {
    my ($self, $trouble) = @_;
    my ($judge, $hosts) = @$self{qw(judge hosts)};
    my %result = ($judge->tally(@{ $self->{all} }), $judge->lateness($hosts->{last_fault}, @{ $self->{all} }));
    my %says = (doubles => 'attempts were rerun twice', strays => 'POSTs hit another attempt than was meant',
        beyond => 'POSTs went beyond RUN_ATTEMPTS');
    push @$trouble, "$result{$_} $says{$_}" for grep { $result{$_} } sort keys %says;
    push @$trouble, sprintf 'a rerun came %.1f s after all faults were over', $result{after_s}
        if $result{after_s} > $hosts->LATE_S * $self->{slowest};
    return { %result, claims => { $hosts->claims }, faults => $hosts->{counts} };
}

# All that happened to a run, with the service's own words, of each host.
sub story {
    my ($run, @logs) = @_;
    my @lines = map {
        my ($at, $text) = @$_;
        strftime('%Y-%m-%dT%H:%M:%S', gmtime $at) . sprintf('.%03dZ ', ($at - int $at) * 1000) . $text
    } @{ $run->{story} };
    for my $n (0 .. $#logs) {
        open my $fh, '<', $logs[$n] or next;
        my $who = @logs > 1 ? 'host-' . ($n + 1) : '';
        while (<$fh>) {
            next if !/\brun=$run->{id}\b/;
            chomp;
            s/^(\S+) /$1     |$who /;
            push @lines, $_;
        }
    }
    return map {"$_\n"} sort { substr($a, 0, 24) cmp substr($b, 0, 24) } @lines;
}

1;
