#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What conf/ offers for a real host is accepted by the programs that read it, and
# names the settings that the program has.  (nginx.conf.example: edge.t.)

use strict;
use warnings;
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::File qw(read_file write_file);
use JR::Process qw(spawn reap);
use JR::Test;

my $tmp = tmpdir();

# Run something to its end: (status, everything it wrote).
my $runs = 0;
sub run {
    my (@argv) = @_;
    my $log    = "$tmp/run" . ++$runs;
    my $status = reap(spawn(argv => \@argv, env => { PATH => '/usr/sbin:/usr/bin:/sbin:/bin' }, out => $log));
    return ($status, read_file($log));
}

sub unit { my ($name) = @_; return read_file(srcdir() . "/conf/$name") }

subtest 'units' => sub {
    my ($status) = run('systemd-analyze', '--version');
    plan skip_all => 'no systemd-analyze' if $status != 0;
    my $dir = binary() =~ s{/[^/]*$}{}r;
    my @services = map {"$_.service"} qw(job-rerunner job-rerunner-spawn);
    my @files = write_file("$tmp/job-rerunner.socket", unit('job-rerunner.socket'));
    for my $name (@services) {
        my $text = unit("$name.in") =~ s/\@(?:bindir|docdir)\@/$dir/gr;
        unlike $text, qr/\@\w+\@/, "$name: nothing else is to be replaced";
        push @files, write_file("$tmp/$name", $text);
    }
    ($status, my $said) = run('systemd-analyze', 'verify', '--man=no', @files);
    is $status, 0, 'systemd-analyze verify' or diag $said;
    # Other units of this host may be complained of.
    unlike $said, qr/job-rerunner/, 'without a complaint' or diag $said;
    for my $name (@services) {
        ($status, $said) = run('systemd-analyze', 'security', '--offline=1', "$tmp/$name");
        my ($exposure) = $said =~ /exposure level for \S+: ([0-9.]+)/;
        cmp_ok $exposure // 10, '<=', 1.5, "$name: systemd-analyze security finds it hardened: " . ($exposure // 'no answer');
    }
};

# Both serve the same nginx, with the same settings, as the same user, so that one can be had for the other.
subtest 'two ways' => sub {
    my ($spawn, $plain) = map { unit("$_.service.in") } qw(job-rerunner-spawn job-rerunner);
    my ($socket) = $spawn =~ /^ExecStart=.* -s (\S+)/m;
    like unit('job-rerunner.socket'), qr/^ListenStream=\Q$socket\E$/m, 'the same socket';
    like read_file(srcdir() . '/nginx.conf.example'), qr/server unix:\Q$socket\E /, 'which is that of nginx.conf.example';
    my $ours = sub { return [grep { !/^(?:#|Group=|Runtime|Standard|Also=|Conflicts=|Requires=|Exec(?!Reload)|After=job)/ } split /\n+/, $_[0]] };
    is_deeply $ours->($spawn), $ours->($plain), 'all else is the same';
    like $plain, qr/^$_$/m, "one has it from systemd: $_" for 'StandardInput=socket', 'Requires=job-rerunner.socket';
    like $plain, qr/^WatchdogSec=\d+$/m, 'and is watched';
};

# What runs as root before the start looks at the file that systemd has read for the service.
subtest 'names in the file of settings' => sub {
    my $dir = binary() =~ s{/[^/]*$}{}r;
    for my $name (qw(job-rerunner job-rerunner-spawn)) {
        my ($file) = unit("$name.service.in") =~ /^EnvironmentFile=-(\S+)$/m;
        my ($command) = unit("$name.service.in") =~ /^ExecStartPre=\+(.*)$/m;
        like $command // '', qr/ \Q$file\E$/, "$name: of the same file" or next;
        my $here = "$tmp/$name.env";
        my @argv = split / /, $command =~ s/\@bindir\@/$dir/r =~ s/\Q$file\E/$here/r;
        is +(run(@argv))[0], 0, 'without a file it starts';
        write_file($here, "STATE_DIR=/nowhere\nTZ=UTC\nhttps_proxy=http://127.0.0.1:9\n");
        is +(run(@argv))[0], 0, 'with good names too';
        write_file($here, "STATE_DIR=/nowhere\nFOO=bar\nNO_RETRY_REPOSITORIES=octo/deploy\n");
        my ($status, $said) = run(@argv);
        is $status >> 8, 78, 'with another it does not';
        like $said, qr/:2: FOO is no setting/, 'which is told';
        like $said, qr/:3: NO_RETRY_REPOSITORIES is no setting; is NO_RETRY_REPOS meant\?/, 'with what was meant';
    }
};

subtest 'job-rerunner.sysusers' => sub {
    my $root = "$tmp/root";
    mkdir $_ or die "$_: $!" for map {"$root$_"} '', qw(/etc /usr /usr/lib /usr/lib/sysusers.d);
    write_file("$root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    write_file("$root/etc/group", "root:x:0:\n");
    write_file("$root/usr/lib/sysusers.d/job-rerunner.conf", read_file(srcdir() . '/conf/job-rerunner.sysusers'));
    my ($status, $said) = run('systemd-sysusers', "--root=$root", 'job-rerunner.conf');
    if ($> != 0) {
        plan skip_all => 'systemd-sysusers wants to be root' if $status != 0;
    }
    is($status, 0, 'systemd-sysusers') or diag($said);
    like(read_file("$root/etc/passwd"), qr/^job-rerunner:/m, 'the user is made');
    my ($user) = read_file(srcdir() . '/conf/job-rerunner.service.in') =~ /^User=(.*)$/m;
    is($user, 'job-rerunner', 'and it is that of the unit');
};

# Name and default of each setting, from the example.
sub example_settings {
    return read_file(srcdir() . '/conf/job-rerunner.env.example') =~ /^#([A-Z_]+)=(.*)$/mg;
}

subtest 'job-rerunner.env.example' => sub {
    my %settings = example_settings();
    my $help = tool(['--help']);
    my %known = map { $_ => 1 } ($help->{out} . $help->{err}) =~ /\b([A-Z]+(?:_[A-Z]+)*)\b/g;
    for my $name (sort keys %settings) {
        ok($known{$name} || $known{ $name =~ s/_FILE$//r }, "$name is a setting of the program");
    }
    my @all = $help->{out} =~ /^  ([A-Z_]+) /mg;
    cmp_ok(scalar @all, '>', 20, '--help names settings');
    ok(exists $settings{$_} || exists $settings{"${_}_FILE"}, "$_ is in the example") for @all;

    # With all defaults written out the program starts as without them.
    my %env = map { $_ => $settings{$_} } grep { length $settings{$_} } keys %settings;
    mkdir "$tmp/state", 0700 or die "state: $!";
    my %given = (
        STATE_DIR       => "$tmp/state",
        MAP_SIZE        => '64M',
        GITHUB_SIGN_KEY => 'a-signing-key-for-tests-only-000001',
        DRY_RUN         => 'yes',
    );
    my $plain = tool(['check'], %given);
    is($plain->{status}, 0, 'check, without the example') or diag($plain->{err});
    my $full = tool(['check'], %env, %given);
    is($full->{status}, 0, 'check, with it') or diag($full->{err});
    is($full->{out}, $plain->{out}, 'the defaults in it are those of the program');
};

# What there is for containers says the same thing in three files.  (t/image/run runs it.)
subtest 'containers' => sub {
    plan skip_all => 'no python3-yaml' if (run('python3', '-c', 'import yaml'))[0] != 0;
    my $documents = sub {
        my ($status, $said) = run('python3', '-c', 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))',
            srcdir() . "/conf/$_[0]");
        is $status, 0, "$_[0] is YAML" or diag $said;
        return @{ JSON::PP->new->decode($said) };
    };
    my $containerfile = read_file(srcdir() . '/Containerfile');
    my ($version) = read_file(srcdir() . '/configure.ac') =~ /^AC_INIT\(\[[^]]+\], \[([^]]+)\]/m;
    my ($id) = read_file(srcdir() . '/conf/image-root') =~ /^id=(\d+)$/m;
    my ($volumes) = map { JSON::PP->new->decode($_) } $containerfile =~ /^VOLUME (.*)$/m;
    like $containerfile, qr/^USER $id:$id$/m, 'Containerfile: the user';
    my %secret = map { lc $_ => 1 } qw(GITHUB_TOKEN GITHUB_APP_KEY GITHUB_SIGN_KEY GITHUB_SIGN_KEY_OLD);

    my ($compose) = $documents->('compose.yaml');
    for my $name (sort keys %{ $compose->{services} }) {
        my $service = $compose->{services}{$name};
        is $service->{image}, "localhost/job-rerunner:$version", "compose.yaml, $name: the image of this version";
        ok $service->{read_only} && "@{ $service->{cap_drop} }" eq 'ALL', "compose.yaml, $name: it may nothing";
        is join(' ', grep { !$secret{$_} } @{ $service->{secrets} // [] }), '', "compose.yaml, $name: secrets";
    }
    is_deeply [sort map { (split /:/)[1] } @{ $compose->{services}{'job-rerunner'}{volumes} }], [sort @$volumes], 'compose.yaml: a volume for each';
    is $compose->{services}{nginx}{secrets}, undef, 'compose.yaml: nginx has no secret';

    my %of = map { $_->{kind} => $_ } $documents->('kubernetes.yaml');
    is join(' ', sort keys %of), 'ConfigMap Deployment Ingress NetworkPolicy PersistentVolumeClaim Secret Service', 'kubernetes.yaml: what there is';
    my $spec = $of{Deployment}{spec};
    is "$spec->{replicas} $spec->{strategy}{type}", '1 Recreate', 'kubernetes.yaml: never two';
    my $pod = $spec->{template}{spec};
    is_deeply [@{ $pod->{securityContext} }{qw(runAsUser runAsGroup fsGroup)}], [$id, $id, $id], 'kubernetes.yaml: the user';
    ok $pod->{securityContext}{runAsNonRoot}, 'kubernetes.yaml: who is not root';
    for my $container (@{ $pod->{containers} }) {
        my $may = $container->{securityContext};
        like $container->{image}, qr{/job-rerunner:\Q$version\E$}, "kubernetes.yaml, $container->{name}: the image of this version";
        ok $may->{readOnlyRootFilesystem} && !$may->{allowPrivilegeEscalation} && "@{ $may->{capabilities}{drop} }" eq 'ALL',
            "kubernetes.yaml, $container->{name}: it may nothing";
        ok $container->{livenessProbe}, "kubernetes.yaml, $container->{name}: it is looked after";
        is join(' ', grep { my $mount = $_; !grep { $_->{name} eq $mount->{name} } @{ $pod->{volumes} } } @{ $container->{volumeMounts} }), '',
            "kubernetes.yaml, $container->{name}: its volumes";
    }
    is_deeply $pod->{containers}[1]{command}, $compose->{services}{nginx}{command}, 'nginx is started in the same way';
    is_deeply $_, $of{Deployment}{spec}{template}{metadata}{labels}, 'kubernetes.yaml: the pod is meant'
        for $spec->{selector}{matchLabels}, $of{Service}{spec}{selector}, $of{NetworkPolicy}{spec}{podSelector}{matchLabels};
    is join(' ', grep { !$secret{$_} } keys %{ $of{Secret}{stringData} }), '', 'kubernetes.yaml: secrets';
    my %known = map { $_ => 1 } tool(['--help'])->{out} =~ /^  ([A-Z_]+) /mg;
    is join(' ', grep { !$known{$_} } map { keys %$_ } $of{ConfigMap}{data}, $compose->{services}{'job-rerunner'}{environment}), '', 'settings that there are';
};

finish();
