#!/usr/bin/env bats
# What the unit promises systemd, held against the program; how much the unit shuts.
# shellcheck disable=SC2154 # place, root and watchdog are the helper's

load ../cli/helper

# What the watchdog says to its supervisor, a line each.
start_supervisor() {
  socat -u UNIX-RECV:notify.sock - >said 3>&- &
  started="${started:-} $!"
  await test -S notify.sock
}

said() {
  tr '\0' '\n' <said | grep -q "$1"
}

# socat writes datagrams one behind the other.
count_pats() {
  grep -o WATCHDOG=1 said | wc -l
}

@test "Type=notify: it is ready, says what it does, reloads and stops" {
  command -v socat >/dev/null || skip "no socat"
  start_engine
  start_supervisor
  export NOTIFY_SOCKET=$place/notify.sock
  start_watchdog
  await said READY=1
  await said 'STATUS=guarding 0 services'
  kill -HUP "$watchdog"
  await said 'RELOADING=1'
  stop_watchdog
  await said STOPPING=1
}

@test "WatchdogSec=: it pats twice as often as is asked for, and only where it is meant" {
  command -v socat >/dev/null || skip "no socat"
  start_engine
  start_supervisor
  export NOTIFY_SOCKET=$place/notify.sock WATCHDOG_USEC=200000
  WATCHDOG_PID=1 start_watchdog
  sleep 0.5
  stop_watchdog
  [ "$(count_pats)" -eq 0 ]
  unset WATCHDOG_PID
  start_watchdog
  sleep 1
  stop_watchdog
  [ "$(count_pats)" -ge 5 ]
}

@test "RestartPreventExitStatus=: a faulty configuration is 2, a second seadog 5" {
  start_engine
  start_watchdog
  run -5 sea run
  echo '[nonsense]' >faulty.conf
  run -2 seadog --config faulty.conf run
  grep -qx 'RestartPreventExitStatus=2 5' "$root/conf/seadog.service"
}

@test "StateDirectory= and RuntimeDirectory= are used by who is not root" {
  [ "$(id -u)" -eq 0 ] || skip "needs root to be somebody else"
  mkdir state run
  chown nobody state run
  chmod 755 .
  start_engine
  chmod 666 engine.sock
  install -m 755 "$root/build/seadog" program # the clone may be where only its owner looks, as in /root
  setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent STATE_DIRECTORY="$place/state" \
    RUNTIME_DIRECTORY="$place/run" "$place/program" --host "unix://$place/engine.sock" run >run.out 2>run.err 3>&- &
  started="${started:-} $!"
  await test -S run/seadog.sock
  await test -f state/seadog.db
}

@test "systemd finds the unit shut to 1.5 and nothing wrong with it" {
  command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
  sed "s|/usr/local/bin/seadog|$root/build/seadog|" "$root/conf/seadog.service" >seadog.service
  run -0 systemd-analyze security --offline=true --threshold=15 ./seadog.service
  run systemd-analyze verify --man=no ./seadog.service
  [ -z "$output" ]
}
