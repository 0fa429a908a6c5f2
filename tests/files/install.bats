#!/usr/bin/env bats
# What make install puts where, and that make uninstall takes it away again.

bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  place=$(mktemp -d /tmp/seadog-files-XXXXXX)
}

teardown() {
  rm -rf "$place"
}

installer() {
  DESTDIR=$place PREFIX=${prefix:-/usr/local} SYSCONFDIR=/etc contrib/install.sh "$1"
}

installed() {
  (cd "$place" && find . -type f | sort)
}

@test "everything is put where its readers look for it" {
  installer install
  run -0 installed
  diff - <(echo "$output") <<'END'
./etc/seadog/seadog.conf
./usr/local/bin/seadog
./usr/local/lib/systemd/system/seadog.service
./usr/local/lib/sysusers.d/seadog.conf
./usr/local/lib/tmpfiles.d/seadog.conf
./usr/local/share/bash-completion/completions/seadog
./usr/local/share/doc/seadog/CHANGELOG.md
./usr/local/share/doc/seadog/README.md
./usr/local/share/doc/seadog/SECURITY.md
./usr/local/share/doc/seadog/seadog.conf
./usr/local/share/fish/vendor_completions.d/seadog.fish
./usr/local/share/man/man1/seadog.1
./usr/local/share/man/man5/seadog.conf.5
./usr/local/share/man/man7/seadog.7
./usr/local/share/zsh/site-functions/_seadog
END
  [ "$("$place/usr/local/bin/seadog" version)" = "seadog $(cat VERSION)" ]
  bash -n "$place/usr/local/share/bash-completion/completions/seadog"
}

@test "the unit runs the program of its own prefix" {
  prefix=/opt/dog installer install
  grep -qx 'ExecStart=/opt/dog/bin/seadog run' "$place/opt/dog/lib/systemd/system/seadog.service"
}

@test "nothing is left behind" {
  mkdir -p "$place/etc" "$place/usr/local/bin"
  echo mine >"$place/usr/local/bin/other"
  installer install
  run -0 installer uninstall
  [ "$(installed)" = ./usr/local/bin/other ]
  [ -z "$(find "$place" -mindepth 1 -name '*seadog*')" ]
}

@test "a configuration that is there is not overwritten, and outlives seadog" {
  mkdir -p "$place/etc/seadog"
  echo '[seadog]' >"$place/etc/seadog/seadog.conf"
  run -0 installer install
  [[ $output == *"is yours and stays"* ]]
  [ "$(cat "$place/etc/seadog/seadog.conf")" = '[seadog]' ]
  cmp conf/seadog.conf "$place/etc/seadog/seadog.conf.example"
  run -0 installer uninstall
  [ "$(installed)" = ./etc/seadog/seadog.conf ]
}

@test "installed twice is installed once" {
  installer install
  before=$(installed)
  run -0 installer install
  [ -z "$output" ]
  [ "$(installed)" = "$before" ]
}

@test "a folder with a space in its name" {
  place="$place/a folder"
  installer install
  [ -x "$place/usr/local/bin/seadog" ]
  installer uninstall
  [ -z "$(installed)" ]
  place=${place%/*}
}
