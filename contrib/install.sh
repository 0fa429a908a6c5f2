#!/bin/sh
# Puts a built seadog into place, or takes it away again; `make install` and `make uninstall` call it.
#
#   DESTDIR=… PREFIX=/usr/local SYSCONFDIR=/etc contrib/install.sh install|uninstall
#
# The program looks for its configuration in /etc/seadog whatever the prefix is. One that is there is never overwritten:
# the example goes beside it. A configuration that its owner changed outlives an uninstall, as does /var/lib/seadog.
set -eu
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}
config=$root${SYSCONFDIR:-/etc}/seadog
share=$root$prefix/share

# mode, source, target
files() {
  echo "755 build/seadog $root$prefix/bin/seadog"
  for page in contrib/man/*.[157]; do
    section=${page##*.}
    echo "644 $page $share/man/man$section/${page##*/}"
  done
  echo "644 conf/seadog.sysusers $root$prefix/lib/sysusers.d/seadog.conf"
  echo "644 conf/seadog.tmpfiles $root$prefix/lib/tmpfiles.d/seadog.conf"
  for text in README.md CHANGELOG.md SECURITY.md conf/seadog.conf; do
    echo "644 $text $share/doc/seadog/${text##*/}"
  done
}

# What is made on the way: target only.
unit=$root$prefix/lib/systemd/system/seadog.service
bash_words=$share/bash-completion/completions/seadog
zsh_words=$share/zsh/site-functions/_seadog
fish_words=$share/fish/vendor_completions.d/seadog.fish

put() { # target, from standard input
  mkdir -p "$(dirname "$1")"
  cat >"$1.new"
  chmod 644 "$1.new"
  mv "$1.new" "$1"
}

put_config() {
  mkdir -p "$config/seadog.conf.d"
  if [ ! -e "$config/seadog.conf" ]; then
    install -m 644 conf/seadog.conf "$config/seadog.conf"
  elif ! cmp -s conf/seadog.conf "$config/seadog.conf"; then
    install -m 644 conf/seadog.conf "$config/seadog.conf.example"
    echo "$config/seadog.conf is yours and stays; what this version knows is in seadog.conf.example beside it"
  fi
}

install_all() {
  files | while read -r mode source target; do install -D -m "$mode" "$source" "$target"; done
  sed "s|/usr/local/bin/seadog|$prefix/bin/seadog|" conf/seadog.service | put "$unit"
  build/seadog completion bash | put "$bash_words"
  build/seadog completion zsh | put "$zsh_words"
  build/seadog completion fish | put "$fish_words"
  put_config
  [ -n "$root" ] || say_next
}

say_next() {
  [ -d /run/systemd/system ] || return 0
  echo "next: systemd-sysusers && systemctl daemon-reload && systemctl enable --now seadog"
}

# A program that is gone releases nothing: whoever takes it away is told so.
say_holds() {
  [ -z "$root" ] || return 0
  [ ! -e /var/lib/seadog/seadog.db ] ||
    echo "/var/lib/seadog stays; what is on hold stays on hold (seadog release --all, before seadog is removed)"
}

uninstall_all() {
  say_holds
  files | while read -r _ _ target; do rm -f "$target"; done
  rm -f "$unit" "$bash_words" "$zsh_words" "$fish_words" "$config/seadog.conf.example"
  if cmp -s conf/seadog.conf "$config/seadog.conf"; then
    rm -f "$config/seadog.conf"
  elif [ -e "$config/seadog.conf" ]; then
    echo "$config/seadog.conf was changed and stays"
  fi
  for directory in "$share/doc/seadog" "$config/seadog.conf.d" "$config"; do
    [ ! -d "$directory" ] || rmdir "$directory" 2>/dev/null || true
  done
}

case ${1:-} in
install) install_all ;;
uninstall) uninstall_all ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
