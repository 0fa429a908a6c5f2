#!/bin/sh
# Functions that have no place in this house, and what stands in for them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}"

banned='strcpy|stpcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets' # snprintf, wd_text_*, memcpy with a length
banned="$banned|strtok|strtok_r"                                    # wd_list_split, wd_words_split
banned="$banned|system|popen|pclose|wordexp|execlp|execvp"          # no shell, no PATH: spawn with a list
banned="$banned|atoi|atol|atoll|atof"                               # wd_number_parse: these know no error
banned="$banned|localtime|gmtime|ctime|ctime_r|asctime|asctime_r"   # the _r forms, wd_stamp_print
banned="$banned|mktemp|tmpnam|tempnam|tmpfile"                      # mkstemp, or a name beside its target
banned="$banned|rand|srand|random|srandom|drand48"                  # getrandom
banned="$banned|alloca|strdupa|setjmp|longjmp|sleep|usleep|vfork"
banned="$banned|strdup|strndup|asprintf"                            # wd_copy, wd_copy_part, wd_format

found=0
for file in $(find watchdog include -name '*.[ch]' | sort); do
  awk -f "$here/strip.awk" "$file" | grep -nE "(^|[^A-Za-z0-9_.>])($banned)[ \t]*\(" |
    sed "s|^|$file:|; s|\$|    <- banned, see contrib/checks/banned.sh|" | grep . && found=1
done
exit $found
