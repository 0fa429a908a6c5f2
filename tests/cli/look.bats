#!/usr/bin/env bats
# Colours, widths, completions.
# shellcheck disable=SC2154 # root, place, watchdog: helper.bash
load helper

@test "no colour where nobody looks, or nobody wants it" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  start_watchdog
  run -0 sea status
  [[ $output != *$'\e'* ]]
  run -0 sea status --color=always
  [[ $output == *$'\e[32mwell'* ]]
  on_terminal() { script -qec "TERM=${2:-xterm} ${3:-} $root/build/seadog --config seadog.conf $1" /dev/null </dev/null; }
  run -0 on_terminal status
  [[ $output == *$'\e[32mwell'* ]]
  run -0 on_terminal status dumb
  [[ $output != *$'\e'* ]]
  run -0 on_terminal status xterm NO_COLOR=1
  [[ $output != *$'\e'* ]]
  run -0 on_terminal "status --color=never"
  [[ $output != *$'\e'* ]]
}

@test "lines are as wide as the terminal, unless --no-trunc" {
  start_engine
  name=a-name-that-is-much-too-long-for-a-narrow-terminal
  fake POST container "{\"name\":\"$name\",\"image\":\"acme/web:1\",\"policy\":\"always\"}"
  start_watchdog
  run -0 script -qec "stty cols 40; $root/build/seadog --config seadog.conf status" /dev/null </dev/null
  [[ $output != *$name* ]]
  [[ $output == *…* ]]
  run -0 script -qec "stty cols 40; $root/build/seadog --config seadog.conf status --no-trunc" /dev/null </dev/null
  [[ $output == *$name* ]]
}

@test "a terminal is asked before every service is released" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  start_watchdog
  sea hold web
  run -5 script -qec "$root/build/seadog --config seadog.conf release --all" /dev/null <<<n
  is_verdict web held
  run -0 script -qec "$root/build/seadog --config seadog.conf release --all --yes" /dev/null </dev/null
  await is_verdict web well
}

# complete WORD… completes the last word as bash would, in COMPREPLY.
complete_words() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  COMPREPLY=()
  _seadog || true
}

@test "bash completes commands, flags, names and incidents" {
  # shellcheck disable=SC1090
  source <(seadog completion bash)
  complete_words seadog sta
  [ "${COMPREPLY[*]}" = status ]
  complete_words seadog --config seadog.conf inc
  [ "${COMPREPLY[*]}" = incidents ]
  complete_words seadog incidents --fo
  [ "${COMPREPLY[*]}" = --follow ]
  complete_words seadog status --js
  [ "${COMPREPLY[*]}" = --json ]
  complete_words seadog status --fo
  [ "${COMPREPLY[*]}" = "" ]
  complete_words seadog --color = al
  [ "${COMPREPLY[*]}" = always ]
  complete_words seadog completion ""
  [ "${COMPREPLY[*]}" = "bash zsh fish" ]
  complete_words seadog help rel
  [ "${COMPREPLY[*]}" = release ]
  complete_words seadog --config sea
  [ "${COMPREPLY[*]}" = seadog.conf ]
  start_engine
  fake POST container '{"name":"webshop","image":"acme/web:1","policy":"always"}'
  start_watchdog
  export SEADOG_SEADOG_CONTROL=$place/seadog.sock
  complete_words seadog hold webs
  [ "${COMPREPLY[*]}" = webshop ]
}

@test "completions are what their shells read" {
  seadog completion bash | bash -n
  seadog completion zsh >_seadog
  seadog completion fish >seadog.fish
  grep -q '^#compdef seadog' _seadog
  if command -v zsh; then zsh -n _seadog; fi
  if command -v fish; then fish -n seadog.fish; fi
  for command in $(seadog __offer commands); do
    grep -q "'$command:" _seadog
    grep -q -- "-a $command " seadog.fish
  done
}
