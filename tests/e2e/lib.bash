# What the end-to-end tests share: one private Engine per file, one seadog with an empty memory per test.
#
# $E2E_ENGINE is the version (default host), $E2E_DIR the file's folder. Everything is waited for with a deadline that a
# loaded machine keeps; a fixed pause stands only where the proof is that nothing happens.

bats_require_minimum_version 1.5.0

here=$BATS_TEST_DIRNAME
program=$here/../../build/seadog

# --- the Engine ---------------------------------------------------------------------------------------------------------

engine() { sh "$here/engine.sh" "$@" 3>&-; }

setup_file() {
  E2E_DIR=${E2E_DIR:-$(mktemp -d /tmp/seadog-e2e.XXXXXX)}
  export E2E_DIR
  export DOCKER_HOST=unix://$E2E_DIR/docker.sock
  engine start "${E2E_ENGINE:-host}" "$E2E_DIR"
  engine image "$E2E_DIR" bb:1
}

teardown_file() { engine remove "$E2E_DIR"; }

restart_engine() {
  engine stop "$E2E_DIR"
  engine start "${E2E_ENGINE:-host}" "$E2E_DIR"
}

# --- seadog -------------------------------------------------------------------------------------------------------------

setup() { common_setup; }

common_setup() {
  home=$E2E_DIR/test.$BATS_TEST_NUMBER
  mkdir -p "$home"
  log=$home/log
  : >"$log"
  watchdog=
  configure </dev/null
}

teardown() { common_teardown; }

common_teardown() {
  if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
    echo "--- seadog's log" && tail -n 40 "$log" | cut -c1-300
    echo "--- containers" && timeout 20 docker ps -a --no-trunc
  fi
  [ -z "$watchdog" ] || kill -9 "$watchdog" 2>/dev/null || true
  for _ in 1 2 3; do if remove_all; then break; fi; done
}

# One that is linked to, or restarts while it is removed, may be refused once.
remove_all() {
  local left
  left=$(docker ps -aq)
  # shellcheck disable=SC2086
  [ -z "$left" ] || timeout 60 docker rm -fv $left >/dev/null 2>&1
}

# Writes the configuration: where things are, and what standard input adds. Tests break one service at a time, and soon.
configure() {
  {
    printf '[engine]\nhost = %s\n' "$DOCKER_HOST"
    printf '[seadog]\nstate_dir = %s/state\ncontrol = %s/seadog.sock\nlog_level = debug\n' "$home" "$home"
    printf '[safety]\nmass_failure = off\ngrace = 1s\n'
    cat
  } >"$home/seadog.conf"
}

seadog() { timeout 60 "$program" --config "$home/seadog.conf" "$@" 3>&-; }

# Starts the watchdog and waits until it has seen what there is.
watch() {
  "$program" --config "$home/seadog.conf" run "$@" >>"$log" 2>&1 </dev/null 3>&- &
  watchdog=$!
  wait_until 20 watches
}

watches() { seadog healthcheck >/dev/null 2>&1; }

end_watch() {
  kill "-${1:-TERM}" "$watchdog"
  wait "$watchdog" 2>/dev/null || true
  watchdog=
}

# --- questions ----------------------------------------------------------------------------------------------------------

service() { seadog status --json 2>/dev/null | jq -er --arg name "$1" ".services[] | select(.name == \$name) | $2"; }
verdict() { service "$1" .verdict; }
verdict_is() { [ "$(verdict "$1")" = "$2" ]; }
is_held() { verdict_is "$1" held; }

# incident N EXPRESSION: of the N-th incident in order of their numbers.
incident() { seadog incidents --json 2>/dev/null | jq -er ".incidents | sort_by(.id) | .[$1 - 1] | $2"; }
incidents() { seadog incidents --json 2>/dev/null | jq -r '.incidents | length'; }

inspect() { docker inspect -f "$2" "$1"; }
policy() { inspect "$1" '{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}'; }
state() { inspect "$1" '{{.State.Status}}'; }
state_is() { [ "$(state "$1")" = "$2" ]; }
started() { inspect "$1" '{{.State.StartedAt}}'; }
restarts() { inspect "$1" '{{.RestartCount}}'; }
has_restarted() { [ "$(restarts "$1")" -ge "$2" ]; }
log_has() { grep -qE -- "$1" "$log"; }

# How often it was started, as the Engine tells it.
starts() {
  local id
  id=$(inspect "$1" "{{.Id}}")
  docker events --since 1 --until "$(date +%s.%N)" --filter "container=$id" --filter event=start --format x | wc -l
}

# --- waiting and expecting ----------------------------------------------------------------------------------------------

wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "waited in vain for: $*"
      return 1
    fi
    sleep 0.1
  done
}

expect() {
  [ "$1" = "$2" ] || { echo "expected: $2" && echo "     got: $1" && return 1; }
}

expect_like() {
  [[ $1 =~ $2 ]] || { echo "expected: $2" && echo "     got: $1" && return 1; }
}

# A container that leaves with $2 at once (or after $3 seconds), again and again: loop NAME CODE SECONDS [docker run's …]
loop() {
  local name=$1 code=$2 life=$3
  shift 3
  docker run -d --name "$name" "$@" bb:1 sh -c "echo $name is leaving; sleep $life; exit $code" >/dev/null
}

# A container that runs until it is told to break: live NAME [docker run's …]; crash NAME makes it leave with 3.
live() {
  local name=$1
  shift
  docker run -d --name "$name" "$@" bb:1 \
    sh -c 'trap "exit 0" TERM; trap "exit 3" USR1; while :; do sleep 0.1; done' >/dev/null
}

# From the host, as a crash comes: no word of the Engine is in it. A signal that comes before the trap is lost.
crash() {
  local pid
  wait_until 20 state_is "$1" running
  pid=$(inspect "$1" '{{.State.Pid}}')
  [ "$pid" -gt 0 ]
  wait_until 20 leaves "$pid"
}

leaves() { ! kill -USR1 "$1" 2>/dev/null || ! sleep 0.2 || ! kill -0 "$1" 2>/dev/null; }

# It is held, stays down for longer than the Engine's back-off, and was not started since.
expect_stays_down() {
  local before
  before=$(started "$1")
  sleep "${2:-3}"
  expect "$(state "$1")" exited
  expect "$(started "$1")" "$before"
}
