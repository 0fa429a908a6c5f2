#!/usr/bin/env bats
# seadog top on terminals of several kinds, which tmux plays.
# shellcheck disable=SC2154 # place: helper.bash
load helper

term() { tmux -S "$place/tmux.sock" -f /dev/null "$@"; }

# The screen as text; with -e the colours too.
screen() { term capture-pane -p "$@"; }

shows() { screen | grep -qE -- "$1"; }
shows_not() { ! shows "$1"; }
press() { term send-keys "$@"; }

# top COLUMNS ROWS [VARIABLE=VALUE…] [-- WORD…]: in a terminal of that size; its exit code is on the screen behind it.
top() {
  local columns=$1 rows=$2 words=
  shift 2
  while [ $# -gt 0 ] && [ "$1" != -- ]; do words+=" $1" && shift; done
  # the server keeps the environment of its first window: what matters is said again
  term new-session -d -x "$columns" -y "$rows" \
    "env -u NO_COLOR TERM=tmux-256color LC_ALL=C.UTF-8$words seadog --config seadog.conf top ${*:2}; echo over \$?; sleep 60"
}

teardown() {
  term kill-server 2>/dev/null
  local pid
  for pid in ${started:-}; do
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  cd / && rm -rf "$place"
}

services() {
  write_config '[defaults]' 'restarts = 3/60s'
  start_engine
  start_watchdog
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  fake POST container '{"name":"db","image":"postgres:15","policy":"always"}'
  fake POST container '{"name":"loop","image":"acme/loop:1","policy":"always","script":{"lives":"20ms","exit_code":3}}'
  await is_verdict loop held
}

# The program alone gets the signal, not the shell around it.
end_it() { kill "-$1" "$(pgrep -P "$(term list-panes -F "#{pane_pid}")" seadog)"; }

widest() { screen | awk '{ if (length($0) > most) most = length($0) } END { print most }'; }

@test "80x24: all services, what is wrong first, and the keys" {
  services
  top 80 24
  await shows '^> loop +held'
  await shows '1 held +2 well'
  shows 'NAME +VERDICT +RESTARTS +MEMORY +CPU +PIDS +HEALTH'
  shows '^  db +well +░+ 0/3'
  shows 'loop: on hold, incident 1'
  shows 'q quit'
  [ "$(widest)" -le 80 ]
  press q
  await shows '^over 0'
}

@test "a service is opened, held and released from there, after a question" {
  services
  top 100 30
  await shows '^> loop'
  press s
  await shows 's by name'
  press Home Down Down
  await shows '^> web'
  press Enter
  await shows 'How near each trigger is'
  await shows 'no incidents'
  press h
  await shows 'Hold web\?'
  press n
  await shows 'nothing was done'
  is_verdict web well
  press h
  await shows 'Hold web\?'
  press y
  await is_verdict web held
  await shows 'hold web: .*kept for release'
  press r
  await shows 'Release web\?'
  press y
  await is_verdict web well
  await shows 'release web: '
  press Escape
  await shows '^> web +well'
  press r
  await shows 'it is not on hold'
}

@test "filter, sort and help" {
  services
  top 80 24
  await shows '^> loop'
  press /
  await shows 'filter: _'
  press -l post
  await shows_not 'web +well'
  shows 'db +well' # its image is postgres
  press Enter
  await shows 'filter: post$'
  press Escape
  await shows 'web +well'
  press '?'
  await shows 'any key back'
  shows 'release: end its hold'
  press x
  await shows '^> '
  for by in name memory cpu pids restarts trouble; do
    press s
    await shows "s by $by"
  done
}

@test "it follows the size of the terminal, down to nothing" {
  services
  top 120 40
  await shows 'on hold, incident 1'
  screen | grep -qE 'loop .*░{5,} '
  term resize-window -x 44 -y 10
  await shows_not HEALTH
  shows '^> loop +held'
  [ "$(widest)" -le 44 ]
  term resize-window -x 15 -y 3
  await shows 'too small'
  term resize-window -x 80 -y 24
  await shows 'HEALTH'
}

@test "colours where there are any, and none with NO_COLOR or on a monochrome terminal" {
  services
  top 80 24
  await shows '^> loop'
  screen -e | grep -q $'\033\\[[0-9;]*31m'
  press q
  await shows '^over 0'
  term kill-server
  top 80 24 NO_COLOR=1
  await shows '^> loop'
  run ! grep -E $'\033\\[[0-9;]*3[0-7]m' <<<"$(screen -e)"
  term kill-server
  top 80 24 TERM=vt100
  await shows '^> loop'
  run ! grep -E $'\033\\[[0-9;]*3[0-7]m' <<<"$(screen -e)"
}

@test "no UTF-8: nothing but ASCII is sent" {
  services
  fake POST container '{"name":"a-name-that-is-longer-than-its-column","image":"acme/web:1","policy":"always"}'
  top 80 24 LC_ALL=C
  await shows '^> loop +held +---- 0/3'
  await shows '  a-name-that'
  run ! grep -P '[^\x00-\x7f]' <<<"$(screen)"
  shows 'quit'
}

@test "the watchdog ends and comes back: both are seen, and what was known stays on the screen" {
  services
  top 80 24
  await shows '^> loop'
  stop_watchdog
  await shows 'the watchdog is not running'
  shows '^> loop +held'
  press h
  await shows 'the watchdog must run for that'
  start_watchdog
  await shows_not 'is not running'
  await shows '1 held'
}

@test "the Engine goes away: said so" {
  services
  top 80 24
  await shows '^> loop'
  stop_engine
  await shows 'the Engine is away'
}

@test "without a watchdog from the start it waits for one" {
  write_config
  top 80 24
  await shows 'the watchdog is not running'
  start_engine
  start_watchdog
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  await shows '^> web'
}

@test "TERM=dumb and no terminal at all: status, again and again" {
  services
  top 80 24 TERM=dumb
  await shows '^loop +exited +held'
  end_it INT
  await shows '^over 130'
  seadog --config seadog.conf top >out 2>err </dev/null 3>&- &
  started="${started:-} $!"
  twice() { [ "$(grep -c '^NAME' out)" -ge 2 ]; }
  await twice
  grep -q '^loop *exited *held' out
  run -0 bash -c "seadog --config seadog.conf top --json 2>/dev/null </dev/null | head -n 1 | jq -r '.services | length'"
  [ "$output" = 3 ]
}

@test "it leaves the terminal as it was when it is ended" {
  services
  top 80 24
  await shows '^> loop'
  end_it TERM
  await shows '^over 143'
}
