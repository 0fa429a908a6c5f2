#!/usr/bin/env bats
# What a person meets first: help, mistakes, exit codes.
# shellcheck disable=SC2154 # root, place, watchdog: helper.bash
load helper

@test "seadog alone says how it is used and fails as wrong usage" {
  run -2 --separate-stderr seadog
  [ -z "$output" ]
  [[ $stderr == "usage: seadog COMMAND"* ]]
}

@test "help lists the commands that there are, and only those" {
  run -0 --separate-stderr seadog help
  [ -z "$stderr" ]
  for command in run check config status top incidents show explain hold release rollback snapshot pin unpin pins forgive mute unmute events healthcheck completion version help; do
    [[ $output == *$'\n'"  $command "* ]]
  done
  for later in audit replay notify vault __offer; do
    [[ $output != *$'\n'"  $later "* ]]
  done
}

@test "--help, -h and help NAME are the same, wherever they stand" {
  run -0 seadog help release
  expected=$output
  [[ $expected == "usage: seadog release NAME|--all"* ]]
  run -0 seadog release --help
  [ "$output" = "$expected" ]
  run -0 seadog -h release
  [ "$output" = "$expected" ]
  run -0 seadog --help
  [[ $output == *Commands:* ]]
}

@test "every command has help, which names its flags" {
  for command in $(seadog __offer commands); do
    run -0 seadog help "$command"
    [[ $output == *--config* ]]
  done
}

@test "a command that comes later is unknown now" {
  for later in audit replay notify; do
    run -2 seadog "$later"
  done
}

@test "mistakes are met with what was meant" {
  run -2 --separate-stderr seadog statsu
  [ "$stderr" = "seadog: unknown command statsu, did you mean status" ]
  run -2 --separate-stderr seadog help relaese
  [ "$stderr" = "seadog: unknown command relaese, did you mean release" ]
  run -2 --separate-stderr seadog status --no-trnc
  [ "$stderr" = "seadog: unknown flag --no-trnc, did you mean --no-trunc" ]
  run -2 --separate-stderr seadog status -z
  [ "$stderr" = "seadog: unknown flag -z" ]
  run -2 --separate-stderr seadog status --follow
  [ "$stderr" = "seadog: status takes no --follow" ]
  run -2 --separate-stderr seadog status --config
  [ "$stderr" = "seadog: --config needs FILE" ]
  run -2 --separate-stderr seadog status --json=yes
  [[ $stderr == *"--json takes no argument"* ]]
  run -2 --separate-stderr seadog show
  [ "$stderr" = "seadog: show needs ID" ]
  run -2 --separate-stderr seadog show 1 2
  [ "$stderr" = "seadog: show: one word too many: 2" ]
  run -2 seadog show seven
  run -2 seadog incidents --since yesterday
  run -2 --separate-stderr seadog incidents --since 2999-01-02T03:04:05Z
  [ "$stderr" = "seadog: --since 2999-01-02T03:04:05Z: that is in the future" ]
  for span in ever 0 0s 1ms 367d 100000d; do
    run -2 --separate-stderr seadog mute --for $span
    [ "$stderr" = "seadog: --for $span: from 1s to 366d, written like 30m or 2h" ]
  done
  run -2 seadog release
  run -2 seadog release web --all
  run -2 seadog status --color=sometimes
  run -2 seadog completion csh
}

@test "with --json a mistake is one object on standard error" {
  run -2 --separate-stderr seadog --json statsu
  [ "$stderr" = '{"error":"unknown command statsu, did you mean status","exit":2}' ]
  run -2 --separate-stderr seadog status --nonsense --json
  [ "$(jq -r .exit <<<"$stderr")" = 2 ]
}

@test "what is typed cannot harm the terminal" {
  run -2 --separate-stderr seadog $'\e[2Jx'
  [[ $stderr != *$'\e'* ]]
  [[ $stderr == *'\x1b[2Jx'* ]]
}

@test "the version" {
  run -0 seadog version
  [ "$output" = "seadog $(cat "$root/VERSION")" ]
  run -0 seadog --version
  [ "$output" = "seadog $(cat "$root/VERSION")" ]
  run -0 seadog version --json
  [ "$(jq -r .version <<<"$output")" = "$(cat "$root/VERSION")" ]
}

@test "data that cannot be written is a failure" {
  run -1 --separate-stderr bash -c 'seadog help >/dev/full'
  [ "$stderr" = "seadog: standard output: No space left on device" ]
  run -1 bash -c 'seadog help >&-'
  run -1 bash -c 'seadog --config seadog.conf config --json >/dev/full'
}

@test "a reader that has enough hears no complaint, but it is a failure" {
  { sleep 0.3; seadog config --example 2>said || echo $? >code; } | true
  [ "$(cat code)" = 1 ]
  [ ! -s said ]
}

@test "standard descriptors that are closed break no file" {
  seadog --config seadog.conf check >&- 2>&- <&- || true
  run -0 cat seadog.conf
  [[ $output == "[engine]"* ]]
}
