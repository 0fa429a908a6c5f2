#!/usr/bin/env bats
# Rungs beside restart and stop: throttle and hook.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

outcome_is() { [ "$(incident "$1" .outcome)" = "$2" ]; }
steps() { incident "$1" '.steps | map(.action + " " + .result) | join(", ")'; }
limits() { inspect "$1" '{{.HostConfig.CpuQuota}} {{.HostConfig.CpuPeriod}} {{.HostConfig.NanoCpus}}'; }
hold_kind() { [ "$(service "$1" .hold.kind)" = "$2" ]; }

# Two busy processes, and a health check that the test decides on.
burner() {
  local name=$1
  shift
  docker run -d --name "$name" --restart always --health-cmd 'test -f /tmp/well' --health-interval 1s \
    --health-retries 1 --health-timeout 5s --tmpfs /tmp "$@" bb:1 \
    sh -c 'while :; do :; done & while :; do :; done' >/dev/null
}

has_tripped_again() { [ "$(incidents)" -ge 2 ]; }
unhealthy() { [ "$(inspect "$1" '{{.State.Health.Status}}')" = unhealthy ]; }

# A file of the container's cgroup, of v1 ($2) or v2 ($3), as its Engine sees the tree.
of_cgroup() {
  local pid path
  pid=$(inspect "$1" '{{.State.Pid}}')
  path=$(sed -n 's/^[0-9]*:\(.*,\)*cpu\(,.*\)*:\(.*\)$/\3/p' "/proc/$pid/cgroup")
  if [ -n "$path" ]; then
    nsenter -t "$(cat "$E2E_DIR/docker.pid")" -m cat "/sys/fs/cgroup/${2%/*}$path/${2#*/}"
  else
    path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
    nsenter -t "$(cat "$E2E_DIR/docker.pid")" -m cat "/sys/fs/cgroup$path/$3"
  fi
}

# Microseconds of each period: "-1" or "max" where there is no limit.
kernel_quota() { of_cgroup "$1" cpu/cpu.cfs_quota_us cpu.max | cut -d' ' -f1; }

# CPU time of all its processes, in milliseconds.
burnt() {
  of_cgroup "$1" cpuacct/cpuacct.usage cpu.stat |
    awk '/^[0-9]/ { print int($1 / 1000000) } /^usage_usec/ { print int($2 / 1000) }'
}

# In hundredths of a CPU, over four seconds.
burns() {
  local before at
  before=$(burnt "$1")
  at=$(date +%s%3N)
  sleep 4
  echo $((($(burnt "$1") - before) * 100 / ($(date +%s%3N) - at)))
}

is_not_bound() { [ "$(service "$1" .hold)" = null ]; }
throttled_is() {
  hold_kind "$1" throttle && [ "$(limits "$1")" = "$2" ]
}

@test "throttle: what burns CPUs is slowed down, runs on, and gets them back by release" {
  configure <<<$'[defaults]\nunhealthy = 2s\non_unhealthy = throttle:0.5\nverify = 25s'
  burner web
  wait_until 20 unhealthy web
  local before
  before=$(started web)
  watch
  wait_until 40 throttled_is web "50000 0 0"
  expect "$(kernel_quota web)" 50000
  local share
  share=$(burns web)
  [ "$share" -gt 0 ] && [ "$share" -le 60 ] || { # a busy machine gives it less than it may have
    echo "it burns $share hundredths of a CPU" && false
  }
  docker exec web touch /tmp/well
  wait_until 60 outcome_is 1 recovered
  expect "$(steps 1)" "throttle done"
  expect "$(state web) $(policy web)" "running always:0"
  expect "$(started web)" "$before"
  expect "$(service web .hold.cpus)" 0.5
  seadog status | grep -q 'throttled to 0.5 CPUs'
  run -0 seadog release -n web
  expect_like "$output" "update CpuQuota=-1"
  expect "$(limits web)" "50000 0 0"
  seadog release web
  expect "$(limits web)" "-1 0 0"
  expect_like "$(kernel_quota web)" "^(-1|max)$"
  expect "$(started web) $(policy web)" "$before always:0"
  expect "$(service web .hold)" null
}

# Its use is measured by what it may use without the throttle: else the throttle itself would keep it at its limit.
@test "throttle: what trips cpu clears by it, and is let go by release" {
  configure <<<$'[defaults]\ncpu = 4% for 3s\non_cpu = throttle:0.02, stop\nverify = 20s'
  sed -i 's/^.seadog.$/&\nsample_interval = 1s/' "$home/seadog.conf"
  docker run -d --name web --restart always bb:1 sh -c 'while :; do :; done' >/dev/null
  watch
  wait_until 90 throttled_is web "2000 0 0"
  expect "$(incident 1 .trigger)" cpu
  expect_like "$(incident 1 .why)" "^cpu [0-9]+% \([0-9.]+ of [0-9.]+ CPUs\) for [0-9]+s \(limit 4% for 3s\)$"
  wait_until 90 outcome_is 1 recovered
  expect "$(steps 1)" "throttle done"
  expect "$(state web) $(policy web)" "running always:0"
  expect "$(kernel_quota web)" 2000
  seadog release web
  expect "$(limits web)" "-1 0 0"
  wait_until 90 has_tripped_again
  expect "$(incident 2 .trigger)" cpu
}

@test "throttle: a limit that was given comes back as it was, quota and NanoCpus alike" {
  configure <<<$'[defaults]\nunhealthy = 2s\non_unhealthy = throttle:0.5\nverify = 10s'
  burner quota --cpu-period 50000 --cpu-quota 60000
  burner nano --cpus 1.5
  watch
  wait_until 40 throttled_is quota "25000 50000 0"
  wait_until 40 throttled_is nano "0 0 500000000"
  expect "$(kernel_quota nano)" 50000
  docker exec quota touch /tmp/well
  docker exec nano touch /tmp/well
  wait_until 40 outcome_is 1 recovered
  wait_until 40 outcome_is 2 recovered
  seadog release --all
  expect "$(limits quota)" "60000 50000 0"
  expect "$(limits nano)" "0 0 1500000000"
  expect "$(kernel_quota nano)" 150000
}

@test "throttle: it does not help, so it is held; the release gives both back" {
  configure <<<$'[defaults]\nunhealthy = 2s\non_unhealthy = throttle:0.5\nverify = 10s'
  burner web
  watch
  wait_until 60 outcome_is 1 held
  expect "$(steps 1)" "throttle failed, stop done"
  expect "$(state web) $(policy web) $(limits web)" "exited no:0 50000 0 0"
  seadog release web
  expect "$(state web) $(policy web) $(limits web)" "running always:0 -1 0 0"
}

@test "throttle: killed with seadog at any moment, and released without one" {
  configure <<<$'[defaults]\nunhealthy = 1s\non_unhealthy = throttle:0.5\nverify = 10s'
  burner web
  wait_until 20 unhealthy web
  for moment in 1 1.2 1.4 1.6; do
    "$program" --config "$home/seadog.conf" run >>"$log" 2>&1 </dev/null 3>&- &
    # shellcheck disable=SC2034 # lib.bash reads it
    watchdog=$!
    sleep "$moment"
    end_watch KILL
  done
  watch
  wait_until 60 throttled_is web "50000 0 0"
  docker exec web touch /tmp/well
  wait_until 60 verdict_is web well
  end_watch KILL
  seadog release web
  expect "$(state web) $(limits web)" "running -1 0 0"
  watch
  expect "$(service web .hold)" null
}

@test "throttle: what somebody sets meanwhile is theirs" {
  configure <<<$'[defaults]\nunhealthy = 1s\non_unhealthy = throttle:0.5\nverify = 10s'
  burner web
  watch
  wait_until 40 throttled_is web "50000 0 0"
  docker exec web touch /tmp/well
  wait_until 40 outcome_is 1 recovered
  docker update --cpu-quota 120000 web
  wait_until 20 is_not_bound web
  run -5 seadog release web
  expect "$(limits web)" "120000 0 0"
}

@test "hook: told while the loop is being stopped, and its word is kept" {
  printf '%s\n' '#!/bin/sh' "cat >$home/told" 'echo paged' >"$home/page"
  chmod 755 "$home/page"
  configure <<<$'[hook page]\ncommand = '"$home/page"$'\n[defaults]\nrestarts = 3/60s\non_restarts = hook:page, stop'
  watch
  loop web 3 0 --restart always
  wait_until 30 is_held web
  expect "$(jq -r .name "$home/told")" web
  hook_said() { [[ $(incident 1 '.steps[0].detail') =~ "page: exit code 0".*": paged" ]]; }
  wait_until 20 hook_said
  expect "$(steps 1)" "hook done, stop done"
}
