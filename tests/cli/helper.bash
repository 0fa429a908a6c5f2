# helper.bash: a place of its own for each test, with a configuration, and what can be started in it: the fake Engine and
# the watchdog. Everything ends with the test.
# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120
bats_require_minimum_version 1.5.0

setup() {
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  PATH=$root/build:$PATH
  FAKE=${FAKE:-$root/build/release/tests/fake/seadog-fake-engine}
  place=$(mktemp -d /tmp/seadog-cli-XXXXXX)
  cd "$place" || return 1
  unset DOCKER_HOST NO_COLOR SEADOG_SEADOG_MODE
  export TERM=xterm TZ=UTC LC_ALL=C.UTF-8
  write_config
}

teardown() {
  local pid
  for pid in ${started:-}; do
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  cd / && rm -rf "$place"
}

# The usual configuration, and what is given as further lines.
write_config() {
  printf '%s\n' '[engine]' "host = unix://$place/engine.sock" '[seadog]' "state_dir = $place/state" \
    "control = $place/seadog.sock" '[safety]' 'grace = 10ms' "$@" >seadog.conf
}

# seadog with that configuration.
sea() {
  seadog --config seadog.conf "$@"
}

# Waits for a command to succeed, half a minute at the most.
await() {
  local end=$((SECONDS + 30))
  while ((SECONDS < end)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  echo "in vain: $*" >&2
  return 1
}

start_engine() {
  "$FAKE" engine.sock 3>&- &
  engine=$!
  started="${started:-} $engine"
  await test -S engine.sock
}

stop_engine() {
  kill "$engine"
  wait "$engine" || true
}

# A command of seadog that goes on until the test ends: what it says is in a file. goes_on FILE WORD…
# It has asked, and waits for what comes.
goes_on() {
  seadog --config seadog.conf "${@:2}" >"$1" 2>"$1.err" 3>&- &
  goer=$!
  started="${started:-} $goer"
  await waits "$goer"
}

waits() {
  [ -n "$(find "/proc/$1/fd" -lname 'socket:*')" ] && grep -q '^State:.S' "/proc/$1/status"
}

# Tells the fake Engine something: fake METHOD PATH [BODY]
fake() {
  curl -sSf --unix-socket engine.sock -X "$1" "http://localhost/_fake/$2" -d "${3:-}" >/dev/null
}

start_watchdog() {
  seadog --config seadog.conf run "$@" >run.out 2>run.err 3>&- &
  watchdog=$!
  started="${started:-} $watchdog"
  await sea healthcheck || { cat run.err >&2; return 1; }
}

stop_watchdog() {
  kill "$watchdog"
  wait "$watchdog" || true
}

# A verdict of a service is reached: is_verdict NAME VERDICT
is_verdict() {
  [ "$(sea status --json "$1" | jq -r '.services[0].verdict')" = "$2" ]
}
