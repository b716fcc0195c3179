#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The administrator's tool where somebody sits before it: colours, --watch, and
# what the Tab key brings in bash, zsh and fish.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use JR::File qw(read_file_or_empty write_file);
use JR::Process qw(spawn reap);
use JR::Terminal;
use JR::Test;

use constant { EX_OK => 0, EX_FAILED => 1, EX_USAGE => 2, EX_STORE => 73 };

my $COLOR = qr/\e\[\d*m/;
my ($GREEN, $RED, $YELLOW, $END) = map { quotemeta "\e[${_}m" } 32, 31, 33, 0;

my $github  = github();
my $service = service(github => $github, WORKERS => 1, RECONCILE_INTERVAL => '1h')->start;
my %env     = %{ $service->environment };
my $on_terminal = JR::Terminal::available(tmpdir());

sub played {
    my ($conclusion, %o) = @_;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], %o);
    $run->play(build => $conclusion);
    return $run;
}

sub terminal { my ($args, %more) = @_; return JR::Terminal->start(tmpdir(), "exec @{[ binary() ]} $args", %env, COLUMNS => 200, %more) }

# What a command writes on a terminal, once it has ended.
sub shown {
    my $terminal = terminal(@_);
    is $terminal->status, 0, "$_[0]: exit 0";
    return $terminal->text;
}

my $good    = played('success', head_branch => 'release/1');
my $rescued = played('failure');
wait_ok { $rescued->accepted } 'a run is rerun';
ok $service->log->wait_entry('rerun', run => $rescued->id), 'which is recorded';
$rescued->play(build => 'success');
my $refused = workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => 'octo/web', name => "Night \e[31mly");
$github->script(POST => $refused->id . '/rerun', { status => 403, body => { message => 'Resource not accessible by integration' } });
$refused->play(build => 'failure');
ok $service->log->wait_entry('rerun', run => $refused->id, reason => 'no-permission'), 'another is refused';

subtest 'colours' => sub {
    plan skip_all => 'no pseudo-terminals here' if !$on_terminal;
    my $runs = shown('runs');
    like $runs, qr/ ${RED}failure$END +${RED}no-permission$END /, 'a run that was refused';
    like $runs, qr/ ${GREEN}success$END +${GREEN}jobs-succeeded$END /, 'one that succeeded';
    my $plain = shown('runs --color=never');
    unlike $plain, $COLOR, '--color=never';
    is $runs =~ s/$COLOR//gr, $plain, 'colours take no room';
    like $plain, qr/Night \x{ef}\x{bf}\x{bd}\[31mly/, 'a name brings none';
    unlike shown('runs', NO_COLOR => 1), $COLOR, 'NO_COLOR';
    unlike shown('runs', TERM => 'dumb'), $COLOR, 'TERM=dumb';
    like shown('status'), qr/^health +${GREEN}good$END$/m, 'health';
    like shown('why ' . $rescued->id), qr/^${GREEN}Rescued$END: .*^build +completed +${RED}failure$END /ms, 'a verdict, and a job that failed';
    unlike tool(['runs'], %env, TERM => 'xterm')->{out}, $COLOR, 'none in a pipe';
    like tool(['runs', '--color=always'], %env)->{out}, $COLOR, 'but with --color=always';
    unlike tool(['runs', '--color=always', '--json'], %env)->{out}, $COLOR, 'never in JSON';
    my $odd = tool(['runs', '--color=pink'], %env);
    is $odd->{status}, EX_USAGE, 'another word: exit 2';
    like $odd->{err}, qr/--color: 'pink' is none of auto, always, never/, 'and which there are';
    is tool(['pause'], %env)->{status}, 0, 'paused';
    my $held = played('failure', repo => 'octo/held');
    like tool(['outbox', '--color=always'], %env)->{out}, qr/ ${YELLOW}paused$END$/m, 'what waits';
    # The dispatcher may not have noticed yet.
    wait_ok { tool(['status', '--color=always'], %env)->{out} =~ /^health +${YELLOW}degraded$END$/m } 'and so does status';
    is tool(['resume'], %env)->{status}, 0, 'resumed';
    wait_ok { $held->accepted } 'it goes on';
};

subtest '--watch on a terminal' => sub {
    plan skip_all => 'no pseudo-terminals here' if !$on_terminal;
    my $watch = terminal('runs --watch=1', LINES => 6);
    wait_ok { $watch->text =~ /\e\[\?1049h.*runs  \S+Z, every 1 s, q ends.*LAST EVENT/s } 'the list is drawn on a screen of its own';
    my $late = played('success', repo => 'octo/late');
    wait_ok { $watch->text =~ m{octo/late} } 'what comes later shows';
    unlike $watch->text =~ s/.*\e\[H//sr, qr/(?:\n.*){6}/, 'never more lines than there are';
    $watch->press('q');
    is $watch->status, 0, 'q ends it';
    like $watch->text, qr/\e\[\?25h\e\[\?1049l$/, 'and the screen is as before';
    $watch = terminal('status --watch');
    wait_ok { $watch->text =~ /health/ } 'status';
    $watch->press("\cC");
    is $watch->status, 0, 'Ctrl-C ends it';
    like $watch->text, qr/\e\[\?25h\e\[\?1049l$/, 'likewise';
    my $wrong = JR::Terminal->start(tmpdir(), binary() . ' runs --watch', STATE_DIR => '/nowhere');
    is $wrong->status, EX_STORE, 'without a store: exit 73';
    unlike $wrong->text, qr/\e/, 'and nothing is drawn';
    # The line discipline is as it was: a shell behind it has its echo.
    my $shell = JR::Terminal->start(tmpdir(), binary() . ' runs --watch; stty -a', %env);
    wait_ok { $shell->text =~ /^.*LAST /m } 'before another command';
    $shell->press('q');
    is $shell->status, 0, 'which is run then';
    like $shell->text, qr/ icanon\b.* echo\b/s, 'on a terminal as before';
};

# Ctrl-Z, and on again.
subtest '--watch suspended' => sub {
    plan skip_all => 'no pseudo-terminals here' if !$on_terminal;
    my $shell = JR::Terminal->start(tmpdir(), 'bash --noprofile --norc -i', %env, PS1 => 'READY> ');
    my $seen = 0;
    my $next = sub {
        my ($keys, $want, $name) = @_;
        $seen = length $shell->text;
        $shell->press($keys);
        return wait_ok { substr($shell->text, $seen) =~ $want } $name;
    };
    wait_ok { $shell->text =~ /READY> / } 'a shell';
    $next->(binary() . " runs --watch\n", qr/\e\[\?1049h.*LAST/s, 'the screen is taken');
    $next->("\cZ", qr/\e\[\?25h\e\[\?1049l.*Stopped/s, 'and given back');
    $next->("fg\n", qr/\e\[\?1049h.*LAST/s, 'taken again');
    $next->('q', qr/\e\[\?25h\e\[\?1049l.*READY> /s, 'and given back');
    $shell->press("exit\n");
    is $shell->status, 0, 'done';
};

subtest '--watch in a pipe' => sub {
    my $times = sub {
        my (@args) = @_;
        pipe my $read, my $write or die "pipe: $!";
        my $pid = spawn(argv => [binary(), @args], env => \%env, out => $write, err => tmpdir() . '/watch.err');
        close $write;
        return ($read, $pid);
    };
    my ($read, $pid) = $times->('runs', '--watch=1');
    my ($marks, $titles) = (0, 0);
    while ($marks < 2) {
        my $line = <$read> // last;
        $marks++  if $line =~ /^=== \d{4}-\S+Z$/;
        $titles++ if $line =~ /^LAST EVENT/;
        fail "in a pipe: $line" if $line =~ /\e/;
    }
    is "$marks $titles", '2 1', 'one list behind the other, each below its time';
    close $read;
    my $status = reap($pid);
    ok defined $status && ($status == 0 || $status == 13), 'it ends when its reader leaves' or diag $status;
    ($read, $pid) = $times->('status', '--watch=1', '--json');
    my @documents = map { JSON::PP->new->decode(scalar <$read>) } 1, 2;
    ok $documents[1]{healthy}, 'JSON, one document behind the other';
    close $read;
    ok defined reap($pid), 'it ends, too';
    is -s tmpdir() . '/watch.err', 0, 'without a word';
    for my $wrong ('--watch=0', '--watch=3601', '--watch=soon') {
        my $result = tool(['runs', $wrong], %env);
        is $result->{status}, EX_USAGE, "$wrong: exit 2";
        like $result->{err}, qr/--watch: '\w+' is no number of seconds from 1 to 3600/, 'and what it may be';
    }
    is tool(['flaky', '--watch'], %env)->{status}, EX_USAGE, 'not every command has it';
};

# The program itself, when it is asked.
sub completed { my (@words) = @_; return tool(['complete', @words], %env)->{out} }

subtest 'what a word may become' => sub {
    my $commands = completed('');
    my @listed = tool(['--help'])->{out} =~ /^  ([a-z]+) +[a-z]/mg;
    like $commands, qr/^$_\t\w/m, "the command $_" for @listed;
    unlike $commands, qr/^complete\t/m, 'none that is for scripts';
    for my $command (@listed) {
        my @option = map {"--$_"} tool([$command, '--help'])->{out} =~ /^  .*?--([a-z-]+)/mg;
        my $offered = completed($command, '--');
        is_deeply [sort $offered =~ /^(--[a-z-]+)/mg], [sort @option], "the options of $command";
    }
    is completed('runs', '--js'), "--json\tthe same as -o json; the keys are in job-rerunner(8)\n", 'an option';
    is completed('runs', '--json', '--js'), '', 'none twice';
    like completed('replay', '--set=CATCH_UP=1d', '--s'), qr/^--set=\t/m, 'but one that may be';
    like completed('runs', '--reason', 'no-per'), qr/^no-permission\t\w/, 'its value';
    like completed('runs', '--reason=dry-run,no-per'), qr/^--reason=dry-run,no-permission\t/, 'of a list';
    is completed('runs', '--state='), "--state=open\t\n--state=due\t\n--state=closed\t\n", 'a closed set';
    is completed('resume', '--outage=reg'), "--outage=registry\t\n", 'a cause';
    is completed('policy', 'ch'), "check\t\n", 'a sub-command';
    is completed('policy', 'show', 'ca'), "careful\t\n:files\n", 'a preset, or a file';
    is completed('policy', 'check', ''), ":files\n", 'a file';
    is completed('policy', 'test', 'a.json', 'b.json', ''), ":files\n", 'one more file';
    is completed('backup', ''), ":folders\n", 'a folder';
    like completed('replay', '--set', 'CATCH'), qr/^CATCH_UP=\t/, 'a setting';
    like completed('why', ''), qr{^@{[ $refused->id ]}\tocto/web Night \x{ef}\x{bf}\x{bd}\[31mly: refused$}m, 'a run, and what it is';
    unlike completed('rerun', ''), qr/^@{[ $good->id ]}\t/m, 'to rerun, none that succeeded';
    is completed('why', $good->id, ''), '', 'no second one';
    like completed('--repo=octo/w'), qr{\A--repo=octo/web\t\n\z}, 'a repository before the command';
    is completed('--state', 'o'), "open\t\n", 'a state before the command';
    like completed('runs', '--repo=octo/w'), qr{\A--repo=octo/web\t\n\z}, 'a repository';
    like completed('runs', '--branch', 'rel'), qr{\Arelease/1\t\n\z}, 'a branch';
    is completed('runs', '--workflow', 'Night'), '', 'no name with what is not shown';
    like completed('pause', '--repo', 'octo/app,octo/w'), qr{^octo/app,octo/web\t}, 'a second one';
    is tool(['pause', '--repo', 'octo/l*', '--reason', 'moving'], %env)->{status}, 0, 'paused';
    is completed('resume', '--repo='), "--repo=octo/l*\tmoving\n", 'a pause to end';
    is tool(['resume', '--repo=*'], %env)->{status}, 0, 'resumed';
    for my $nothing (['nonsense', ''], ['why', '--nonsense='], ['why', '--', '--js'], ['runs', '--limit', ''], ['runs', '']) {
        is completed(@$nothing), '', "@$nothing: nothing";
    }
    my $none = tool(['complete', 'why', ''], STATE_DIR => '/nowhere');
    is_deeply [@$none{qw(status out err)}], [0, '', ''], 'without a store: nothing, in silence';
    is_deeply [@{ tool(['complete', 'runs', '--state=o'], STATE_DIR => '/nowhere') }{qw(out err)}], ["--state=open\t\n", ''],
        'but what is known without it';
};

# A folder of programs in which job-rerunner, when it is no question of a script's, only
# says what it was given.
my $bin = tmpdir() . '/bin';
mkdir $bin or die "$bin: $!";
write_file("$bin/job-rerunner", "#!/bin/sh\n[ \"\$1\" = complete ] && exec @{[ binary() ]} \"\$\@\"\nprintf 'GOT'; printf '<%s>' \"\$\@\"; echo\n");
chmod 0755, "$bin/job-rerunner";
my %shell_env = (%env, PATH => "$bin:/usr/bin:/bin", HOME => tmpdir(), ZDOTDIR => tmpdir(), COLUMNS => 200);
my $scripts = srcdir() . '/conf/completion';

# Type a line in a shell, with tabulators in it; and see what comes of it.
sub types {
    my ($shell, $line, $want, $name) = @_;
    my $from = length $shell->text;
    $shell->press("job-rerunner $line\n");
    my $came = wait_ok { index(substr($shell->text, $from), "GOT$want\n") >= 0 } $name // $line =~ s/\t/<Tab>/gr;
    diag substr $shell->text, $from if !$came;
    return;
}

my @lines = (
    ["pol\tch\tx", '<policy><check><x>'],
    ["runs --js\t", '<runs><--json>'],
    ["runs --reason=dry-run,no-per\t", '<runs><--reason=dry-run,no-permission>'],
    ["runs --repo octo/w\t --li\t7", '<runs><--repo><octo/web><--limit=7>'],
);

sub begin {
    my ($command) = @_;
    my $shell = JR::Terminal->start(tmpdir(), $command, %shell_env);
    wait_ok { $shell->text =~ /READY/ } 'it is there';
    return $shell;
}

# Anybody can name a branch so; a shell that runs it has "x" in its place.
my $EVIL = 'evil$(echo${IFS}x)`echo${IFS}x`';
played('success', head_branch => $EVIL);
played('success', head_branch => "quote'`echo\${IFS}x`'");

subtest 'Tab in bash' => sub {
    plan skip_all => 'no pseudo-terminals here' if !$on_terminal;
    my $rc = write_file(tmpdir() . '/bashrc', "bind 'set enable-bracketed-paste off'\n. $scripts/job-rerunner\nPS1='READY> '\n");
    my $shell = begin("bash --noprofile --rcfile $rc -i");
    types($shell, @$_) for @lines;
    types($shell, "check --env-file=" . tmpdir() . "/bash\t", '<check><--env-file=' . tmpdir() . '/bashrc>', 'a file');
    types($shell, "runs --branch evil\t", "<runs><--branch><$EVIL>", 'a name that is a command is none');
    types($shell, qq(runs --branch "evil\t"), '<runs><--branch><evil>', 'nor within quotes');
    types($shell, qq(runs --branch="evil\t"), '<runs><--branch=evil>', 'nor behind a `=`');
    types($shell, "runs --branch 'quote\t'", '<runs><--branch><quote>', 'of either kind');
    # What they have in common, that there is more, which.
    $shell->press("job-rerunner why \t\t\t");
    wait_ok { $shell->text =~ m{\b@{[ $refused->id ]} +\(octo/web [^\n]*?: refused\)} } 'what may come is listed with what it is';
    unlike $shell->text =~ s/\e\[\??\d*[hlKm]//gr, qr/\e\[31m/, 'no name brings a colour';
    $shell->press("\cU");
    $shell->press("exit\n");
    is $shell->status, 0, 'done';
};

subtest 'Tab in zsh' => sub {
    plan skip_all => 'no zsh, or no pseudo-terminals here' if !$on_terminal || !-x '/usr/bin/zsh';
    write_file(tmpdir() . '/.zshrc', "fpath=($scripts \$fpath)\nautoload -U compinit\ncompinit -D -u\nPS1='READY> '\n");
    my $shell = begin('zsh -i');
    types($shell, @$_) for @lines;
    types($shell, "check --env-file=" . tmpdir() . "/bash\t", '<check><--env-file=' . tmpdir() . '/bashrc>', 'a file');
    types($shell, "runs --branch evil\t", "<runs><--branch><$EVIL>", 'a name that is a command is none');
    $shell->press("job-rerunner why \t\t");
    wait_ok { $shell->text =~ m{@{[ $refused->id ]} +-- octo/web .*: refused} } 'what may come is listed with what it is';
    $shell->press("\cU");
    $shell->press("exit\n");
    is $shell->status, 0, 'done';
};

# Fish says itself what its Tab would bring.
subtest 'Tab in fish' => sub {
    plan skip_all => 'no fish' if !-x '/usr/bin/fish';
    my $tab = sub {
        my ($line) = @_;
        my $out = tmpdir() . '/fish.out';
        unlink $out;
        my $pid = spawn(
            argv => ['/usr/bin/fish', '--no-config', '-c', "source $scripts/job-rerunner.fish; complete -C 'job-rerunner $line'"],
            env  => \%shell_env, out => $out,
        );
        is reap($pid), 0, "$line: exit 0";
        return read_file_or_empty($out);
    };
    like $tab->('pol'), qr/^policy\t/m, 'a command';
    is $tab->('runs --js'), "--json\tthe same as -o json; the keys are in job-rerunner(8)\n", 'an option';
    like $tab->('runs --reason=dry-run,no-per'), qr/^--reason=dry-run,no-permission\t/, 'a list';
    like $tab->('why '), qr{^@{[ $refused->id ]}\tocto/web .*: refused$}m, 'a run';
    like $tab->('check --env-file=' . tmpdir() . '/bash'), qr{^--env-file=@{[ tmpdir() ]}/bashrc}m, 'a file';
};

finish();
