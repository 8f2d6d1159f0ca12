# What is done on a host that runs jobs: POSIX sh, coreutils and setsid, so that it works wherever a
# prefix such as `ssh host` leads. Called as: sh -c "<this text>" foresail-job VERB ARGUMENT...
#
# An attempt has a directory. Whoever is there first decides, so each of these is made once:
#   lock/   the supervisor that made it is the only one
#   go/     made by the supervisor before the command starts, or by `cancel`: then it never does
#   id      pid, start time and boot id of the supervisor
#   child   pid and start time of the command, which leads a session of its own
#   rc      exit code of the command (128 + n: ended by signal n) and how long it ran, in hundredths of
#           a second; or `cancelled`, or `unable REASON`
#   stopped it was told to end before it had ended
#   paused  it was told to stand still
set -u
read -r BOOT </proc/sys/kernel/random/boot_id

# Start time of process $1 in $started; false when there is none, or only a zombie.
started_of() {
  line=
  { while read -r part; do line="$line $part"; done <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The name of the program may hold spaces and brackets.
  set -- ${line##*) }
  case ${1-Z} in Z | X) return 1 ;; esac
  started=${20}
}

# True when process $1 leads a process group, and when it is gone.
leads_group() {
  started_of "$1" || return 0
  set -- "$1" ${line##*) }
  [ "$4" = "$1" ]
}

is_alive() {
  started_of "$1" && [ "$started" = "$2" ]
}

# Hundredths of a second since the start of the host, in $uptime.
read_uptime() {
  read -r uptime _ </proc/uptime
  uptime=${uptime%.*}${uptime#*.}
}

# True when this folder, wherever links have led, lies in one of those in $1, one per line.
is_allowed() {
  [ -n "$1" ] || return 0
  here=$(pwd -P)
  printf '%s\n' "$1" | while read -r root; do
    root=$(cd "$root" 2>/dev/null && pwd -P) || continue
    case $here/ in "${root%/}"/*) echo yes ;; esac
  done | grep -q yes
}

# Puts text $2 into file $1 of the attempt: all of it or nothing, also when the power fails.
put() {
  printf '%s\n' "$2" >"$dir/.$1" && { sync "$dir/.$1" || sync; } && mv "$dir/.$1" "$dir/$1"
  sync "$dir" || sync
} 2>/dev/null

# The processes of attempt $1 in $marked, but for its supervisor $2: those that left its session too.
find_marked() {
  marked=
  for file in $(grep -lsF "TASK_DISPATCH_ID=$1" /proc/[0-9]*/environ); do
    pid=${file#/proc/}
    pid=${pid%/environ}
    [ "$pid" = "$2" ] || [ "$pid" = $$ ] || ! started_of "$pid" || marked="$marked $pid"
  done
}

# start SCRIPT DIR LOG WORKDIR ROOTS LIMITS COMMAND: by a supervisor, unless there is or was one. 75: it
# was not seen to begin. COMMAND is not looked at when the directory has a file of that name; LIMITS
# are calls of ulimit, ROOTS the folders in which WORKDIR may be. What COMMAND has set is exported by
# the lines in FORESAIL_JOB_ENVIRONMENT, which the supervisor itself does not heed.
start() {
  script=$1 dir=$2
  shift
  mkdir -p "$dir" || exit
  setsid sh -c "$script" foresail-job supervise "$@" </dev/null >/dev/null 2>&1 &
  tries=0
  until [ -d "$dir/lock" ]; do
    [ $((tries += 1)) -lt 500 ] || exit 75
    sleep 0.01
  done
  echo begun
}

# supervise DIR LOG WORKDIR ROOTS LIMITS COMMAND
supervise() {
  dir=$1 log=$2 workdir=$3 roots=$4 limits=$5 command=$6
  mkdir "$dir/lock" 2>/dev/null || exit 0
  started_of $$
  put id "$$ $started $BOOT"
  mkdir -p "$workdir" "${log%/*}" 2>"$dir/complaint" && cd "$workdir" 2>"$dir/complaint" || {
    put rc "unable $(head -c 500 "$dir/complaint" | tr '\n' ' ')"
    exit 0
  }
  is_allowed "$roots" || {
    put rc "unable the folder $(pwd -P) is in none of those where commands may work"
    exit 0
  }
  mkdir "$dir/go" 2>/dev/null || {
    put rc cancelled
    exit 0
  }
  # A handler, not '': what is ignored here would be ignored by the command.
  trap 'again=1' TERM INT HUP
  read_uptime
  begun=$uptime
  (
    trap - TERM INT HUP
    eval "$limits" 2>/dev/null
    exec </dev/null >>"$log" 2>&1
    # An argument cannot be of any length.
    if [ -e "$dir/command" ]; then set -- "$dir/command"; else set -- -c "$command"; fi
    set -- "$(command -v setsid)" "$(command -v sh)" "$@"
    # Last, and nothing by name after it: it may hide programs, and have names that are used here.
    eval "unset FORESAIL_JOB_ENVIRONMENT; ${FORESAIL_JOB_ENVIRONMENT-}"
    exec "$@"
  ) &
  child=$!
  # Not before it leads its session: a signal to its group has to meet all of it.
  until leads_group $child; do sleep 0.01; done
  ! started_of $child || put child "$child $started"
  again=1
  while [ $again = 1 ]; do
    again=0
    wait $child
    code=$?
  done
  read_uptime
  put rc "$code $((uptime - begun))"
}

# state DISPATCH DIR: one line, how many processes of the attempt are left, what it was told (s: to end,
# p: to stand still), and what became of it
state() {
  dir=$2 pid=0
  what=absent
  [ ! -d "$dir" ] || what=begun
  if [ -e "$dir/id" ]; then
    read -r pid start boot <"$dir/id"
    if [ "$boot" != "$BOOT" ]; then
      what=rebooted pid=0
    elif is_alive "$pid" "$start"; then
      what=begun
      [ ! -e "$dir/child" ] || what=running
    else
      what=orphaned
    fi
  fi
  # After the rest: it may have ended meanwhile.
  if [ -e "$dir/rc" ]; then
    read -r what <"$dir/rc"
    case $what in [0-9]*) what="exited $what" ;; esac
  fi
  left=0
  case $what in
    running | absent) ;;
    *)
      find_marked "$1" "$pid"
      set -- "$1" $marked
      left=$(($# - 1))
      ;;
  esac
  told=-
  [ ! -e "$dir/stopped" ] || told=${told}s
  [ ! -e "$dir/paused" ] || told=${told}p
  printf '%s %s %s %s\n' "$1" "$left" "$told" "$what"
}

# states DISPATCH DIR [DISPATCH DIR]...
states() {
  while [ $# -gt 1 ]; do
    state "$1" "$2"
    shift 2
  done
}

# cancel DIR: the command does not start any more, or was started already
cancel() {
  mkdir -p "$1" && mkdir "$1/go" 2>/dev/null && echo cancelled || echo started
}

# signal DISPATCH DIR SIGNAL...: to the whole session of the command and to whoever left it
signal() {
  id=$1 dir=$2 pid=0
  shift 2
  [ ! -e "$dir/id" ] || read -r pid start boot <"$dir/id"
  for name; do
    # Before the signal: an end that it brings must not be taken for one of the command's own.
    case $name in
      TERM | KILL) [ ! -d "$dir" ] || [ -e "$dir/rc" ] || true >"$dir/stopped" ;;
    esac
    if [ -e "$dir/child" ] && [ "${boot-}" = "$BOOT" ]; then
      read -r child begun <"$dir/child"
      ! is_alive "$child" "$begun" || kill -s "$name" -- "-$child" 2>/dev/null
    fi
    find_marked "$id" "$pid"
    for stray in $marked; do kill -s "$name" "$stray" 2>/dev/null; done
    case $name in
      STOP) [ ! -d "$dir" ] || true >"$dir/paused" ;;
      CONT) rm -f "$dir/paused" ;;
    esac
  done
  find_marked "$id" "$pid"
  set -- $marked
  echo $#
}

# last LINES BYTES LOG: the last lines, as far as they are among the last bytes
last() {
  [ ! -e "$3" ] || tail -c "$2" "$3" | tail -n "$1"
}

# cut_log BYTES LOG: keeps the head and the tail of a log that is longer; its writer appends
cut_log() {
  [ -e "$2" ] || return 0
  size=$(wc -c <"$2")
  [ "$size" -gt "$1" ] || return 0
  head=$(($1 / 2)) tail=$(($1 / 4))
  tail -c "$tail" "$2" >"$2.tail" && truncate -s "$head" "$2" &&
    printf '\n[foresail: %s bytes left out]\n' $((size - head - tail)) >>"$2" &&
    cat "$2.tail" >>"$2"
  rm -f "$2.tail"
}

verb=$1
shift
case $verb in
  start | supervise | states | cancel | signal | last | cut_log) "$verb" "$@" ;;
  *) exit 64 ;;
esac
