#!/usr/bin/env bats
# What containers use, beside what the docker client says of the same container at the same moment.
# shellcheck disable=SC2154 # home: lib.bash

load lib

begin_watch() {
  configure <<<$'[seadog]\nsample_interval = 1s'
  watch
}

# "32.57MiB" in bytes; the client's units are powers of two.
bytes_of() {
  awk -v text="$1" 'BEGIN {
    match(text, /[A-Za-z]+$/)
    unit = substr(text, RSTART)
    power = index("BKMGT", toupper(substr(unit, 1, 1))) - 1
    printf "%.0f", substr(text, 1, RSTART - 1) * 1024 ^ power
  }'
}

# agree NAME CPUS: memory within 1 % (or what the client rounds away), CPU within 5 points of one CPU, pids to the last one.
agree() {
  local line client_cpu client_memory ours
  line=$(docker stats --no-stream --format '{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}' "$1") # 20.01% 32.57MiB / 64MiB 1
  ours=$(service "$1" '"\(.memory.bytes) \(.cpu_ratio * 100) \(.pids)"') || return 1
  # shellcheck disable=SC2086 # words
  set -- $2 $line $ours
  client_cpu=${2%\%} client_memory=$(bytes_of "$3")
  said="client: $client_memory B, $client_cpu %, ${6} pids; seadog: $7 B, $8 % of $1 CPUs, $9 pids"
  echo "$said" >"$home/said"
  awk -v cpus="$1" -v client_memory="$client_memory" -v client_cpu="$client_cpu" -v memory="$7" -v share="$8" '
    function distance(a, b) { return a > b ? a - b : b - a }
    BEGIN {
      exit !(distance(memory, client_memory) <= client_memory / 100 + 512 && distance(share * cpus, client_cpu) <= 5)
    }' && [ "$6" = "$9" ]
}

# is NAME CONDITION, in quiet
is() { service "$@" >/dev/null; }

# The two look at different moments: what dances is given a few chances to stand still.
expect_agreement() {
  wait_until 60 agree "$@" || { cat "$home/said" && return 1; }
}

run_container() {
  local name=$1
  shift
  docker run -d --name "$name" "$@" >/dev/null
}

@test "busy: all of the fifth of a CPU that it may use" {
  run_container busy --cpus 0.2 --cpu-shares 20000 bb:1 sh -c 'while :; do :; done'
  begin_watch
  expect_agreement busy 0.2
  wait_until 30 is busy '.cpu_ratio > 0.5'
}

@test "idle, with children" {
  run_container idle bb:1 sh -c 'sleep 1000 & sleep 1000 & sleep 1000'
  begin_watch
  expect_agreement idle "$(nproc)"
  expect "$(service idle .pids)" 3
  expect "$(service idle '.cpu_ratio < 0.05')" true
}

@test "page cache that can be given back is not counted" {
  run_container cache --memory 128m bb:1 sh -c 'dd if=/dev/zero of=/big bs=1M count=90; busybox sync; sleep 1000'
  begin_watch
  wait_until 60 is cache '.memory.bytes < 20000000 and .memory.ratio < 0.2'
  expect_agreement cache "$(nproc)"
  expect "$(service cache .memory.limit_bytes)" 134217728
}

@test "tmpfs is counted" {
  run_container tmpfs --memory 128m --tmpfs /t bb:1 sh -c 'dd if=/dev/zero of=/t/big bs=1M count=64; sleep 1000'
  begin_watch
  wait_until 60 is tmpfs '.memory.bytes > 67108864 and .memory.ratio > 0.5'
  expect_agreement tmpfs "$(nproc)"
}

@test "started anew it is looked at anew, stopped no more, and docker update is seen" {
  begin_watch
  run_container web --memory 64m bb:1 sleep 1000
  wait_until 20 is web '.memory.limit_bytes == 67108864 and .cpu_ratio != null'
  docker update --memory 96m --memory-swap 96m web >/dev/null
  wait_until 20 is web '.memory.limit_bytes == 100663296'
  local before
  before=$(open_files)
  [ "$before" -ge 4 ] # usage, CPU time, memory.stat, pids; more where the kernel tells of memory
  docker stop -t 0 web >/dev/null
  wait_until 20 is web '.memory == null and .cpu_ratio == null and .pids == null'
  wait_until 20 none_open
  docker start web >/dev/null
  wait_until 20 is web '.memory.limit_bytes == 100663296 and .pids == 1'
  wait_until 20 are_open "$before"
}

open_files() { find "/proc/$watchdog/fd" -lname '*/cgroup/*' | grep -c .; }
are_open() { [ "$(open_files)" -eq "$1" ]; }
none_open() { are_open 0; }

@test "a loop leaves no files open" {
  configure <<<$'[seadog]\nsample_interval = 100ms\n[defaults]\nrestarts = 100/60s\nflapping = 100/1h'
  loop web 3 0.3 --restart always
  watch
  wait_until 60 has_restarted web 5
  docker rm -f web >/dev/null
  wait_until 20 none_open
}

@test "check tries it" {
  run_container web bb:1 sleep 1000
  expect_like "$(seadog check --json | jq -r '.checks[] | select(.what == "cgroups") | .state + ": " + .detail')" \
    "^ok: cgroup v[12].*1 of 1 containers tried can be read; the kernel calls at a limit$"
}

# --- where seadog sees no cgroups ----------------------------------------------------------------------------------------

# As in a container that was not given the host's tree.
blind() {
  exec unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' blind "$program" --config "$home/seadog.conf" "$@"
}

watch_blind() {
  (blind run >>"$log" 2>&1 </dev/null 3>&-) &
  watchdog=$!
  wait_until 20 watches
}

@test "without cgroups the Engine is asked: memory and CPU as the client says" {
  run_container busy --memory 64m --cpus 0.2 --cpu-shares 20000 bb:1 sh -c 'dd if=/dev/zero of=/big bs=1M count=20; while :; do :; done'
  run_container tmpfs --memory 128m --tmpfs /t bb:1 sh -c 'dd if=/dev/zero of=/t/big bs=1M count=64; sleep 1000'
  watch_blind
  log_has 'no cgroup tree is mounted there: the Engine is asked what containers use'
  wait_until 90 is busy '.cpu_ratio > 0.5 and .usage_from == "engine"'
  expect_agreement busy 0.2
  wait_until 30 is tmpfs '.memory.bytes > 67108864 and .memory.ratio > 0.5'
  expect_agreement tmpfs "$(nproc)"
  docker stop -t 0 busy >/dev/null
  wait_until 20 is busy '.memory == null and .usage_from == null'
  run blind check
  expect_like "$output" '0 of 1 containers tried can be read, of the others the Engine tells: .*no cgroup tree'
}

@test "without cgroups memory trips on what the Engine tells" {
  configure <<<$'[defaults]\nmemory = 50% for 15s\non_memory = notify'
  run_container web --memory 64m --tmpfs /t bb:1 sh -c 'dd if=/dev/zero of=/t/big bs=1M count=48; sleep 1000'
  watch_blind
  wait_until 120 has_incident
  expect "$(incident 1 .trigger)" memory
}

has_incident() { [ "$(incidents)" -gt 0 ]; }
