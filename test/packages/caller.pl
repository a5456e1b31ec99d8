# `caller.pl CGROUP ADDRESS COUNT|STOPFILE`: moves into a control group and connects datagram sockets to ADDRESS, COUNT
# times or until STOPFILE is there; prints how often each outcome was. Perl, because every Debian has it.
use strict;
use warnings;
use Socket;
use Errno;

my ($cgroup, $address, $until) = @ARGV;
open(my $procs, '>', "$cgroup/cgroup.procs") or die "$cgroup: $!";
print $procs $$;
close($procs) or die "$cgroup: $!";

my %outcomes;
my $left = $until =~ /^\d+$/ ? $until : -1;
while ($left != 0 && ($left > 0 || !-e $until)) {
  socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
  my $done = connect($socket, sockaddr_in(9, inet_aton($address)));
  my ($name) = $done ? 'ok' : grep { $!{$_} } qw(EACCES EPERM ENETUNREACH);
  $outcomes{$name // "errno " . ($! + 0)}++;
  $left-- if $left > 0;
}
print join(' ', map { "$_=$outcomes{$_}" } sort keys %outcomes), "\n";
