#!/bin/sh
# From the readable crash event to the stop request on the wire: seadog's own share of the reaction.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

loops=${LOOPS:-$(by_length 200 2000)}

rounds() { by_length 3 5; }

claims() {
  title 'crash event readable -> stop request on the wire' "$loops containers of the model Engine begin to crash, ten a
    second. A proxy on the socket, the same for each subject, notes when the fifth die was written to the subject and
    when the first byte of the stop came back."
  most 'event -> stop, 99th percentile' share p99 seadog '' 1 ms
  less 'event -> stop, median' share median seadog pipe 1 ms
  most 'loops that were not stopped' missed sum seadog '' 0 loops
}

prepare() { :; }

# Each lives for 20 ms and is restarted as an Engine does it, with a longer wait each time.
break_all() {
  for i in $(seq "$loops"); do
    fake POST container "{\"name\":\"l-$i\",\"image\":\"acme/l:1\",\"policy\":\"always\",
      \"script\":{\"lives\":\"20ms\",\"exit_code\":3}}"
    sleep 0.09
  done
}

stopped() {
  [ "$(wc -l <"$place/stops")" -ge "$loops" ]
}

measure() {
  break_all
  tries=0
  until stopped || [ $((tries += 1)) -gt 100 ]; do sleep 0.1; done
  # shellcheck disable=SC2046 # numbers
  say share $(awk '{ printf "%.4f ", ($3 - $2) / 1e6 }' "$place/stops")
  say missed $((loops - $(wc -l <"$place/stops")))
}

wire_up() {
  fake_up 10
  begin_aside "$build/tests/bench/tap" "$place/wire.sock" "$model" >"$place/stops"
  await test -S "$place/wire.sock"
}

measure_seadog() {
  wire_up
  seadog_up "$place/wire.sock" 10
  measure
}

measure_pipe() {
  wire_up
  begin bash "$root/tests/bench/rivals/pipe.sh" "$place/wire.sock"
  sleep 1
  measure
}

row seadog pipe
