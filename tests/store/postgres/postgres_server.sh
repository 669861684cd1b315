#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A PostgreSQL server of a test's own, on loopback.
#
#   postgres_server.sh create          prints the folder and the port of a new one
#   postgres_server.sh start FOLDER    returns when it takes connections
#   postgres_server.sh stop FOLDER [fast|immediate]
#   postgres_server.sh kill FOLDER     ends it at once, without a checkpoint
#   postgres_server.sh remove FOLDER   stops it, too
#   postgres_server.sh guard FOLDER PID
#                                      removes it when that process has ended
#   postgres_server.sh standby FOLDER  prints the folder and port of a new standby
#   postgres_server.sh database FOLDER NAME
#                                      creates an empty database
#
# PostgreSQL refuses to run as root, so root runs it as the user `postgres` of Debian's
# package. TOKENUSAGE_POSTGRES_BIN is the folder of its programs; by default those of the
# newest PostgreSQL that Debian has installed.
set -euo pipefail

workers=${TOKENUSAGE_CITUS_WORKERS:-0}
bin=${TOKENUSAGE_POSTGRES_BIN:-}
if [[ -z $bin ]]; then
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
fi
if [[ ! -x $bin/postgres ]]; then
  echo "There is no PostgreSQL in '$bin': tools/install_dependencies installs it" >&2
  exit 1
fi

as_owner=()
((EUID != 0)) || as_owner=(runuser -u postgres --)

run() { (cd / && "${as_owner[@]}" "$@"); }

free_port() {
  /usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# Makes a folder outside the test's own, which the user `postgres` may not be able to reach.
new_folder() {
  local folder
  folder=$(mktemp -d /tmp/tokenusage-postgres-XXXXXXXX)
  chmod 755 "$folder"
  ((EUID != 0)) || chown postgres "$folder"
  echo "$folder"
}

configure() {  # folder port
  run tee -a "$1/data/postgresql.conf" >/dev/null <<CONFIG
listen_addresses = '127.0.0.1'
port = $2
unix_socket_directories = '$1'
max_connections = 60
shared_buffers = 64MB
CONFIG
  ((workers == 0)) || run tee -a "$1/data/postgresql.conf" >/dev/null <<CONFIG
max_connections = 200
shared_preload_libraries = 'citus'
wal_level = logical
citus.shard_count = 4
CONFIG
}

create() {
  local folder port
  folder=$(new_folder)
  port=$(create_node "$folder")
  for ((i = 1; i <= workers; ++i)); do
    run mkdir "$folder/worker$i"
    create_node "$folder/worker$i" >/dev/null
  done
  echo "$folder $port"
}

create_node() {  # folder
  local folder=$1 port locale=(--locale=C.UTF-8)
  port=$(free_port)
  # An order of text that is not by bytes, so that a test fails if a column
  # forgets to say COLLATE "C".
  if [[ -z ${TOKENUSAGE_POSTGRES_BIN:-} ]]; then
    locale=(--locale=C.UTF-8 --locale-provider=icu --icu-locale=en)
  fi
  run "$bin/initdb" -D "$folder/data" -U tokenusage -A trust -E UTF8 \
    "${locale[@]}" --no-sync 2>&1 | run tee "$folder/initdb.log" >/dev/null ||
    { cat "$folder/initdb.log" >&2; exit 1; }
  configure "$folder" "$port"
  echo "$port"
}

standby() {  # folder of the primary
  local folder port
  folder=$(new_folder)
  port=$(free_port)
  stop "$1"
  run cp -r "$1/data" "$folder/data"
  start "$1"
  run touch "$folder/data/standby.signal"
  run tee -a "$folder/data/postgresql.conf" >/dev/null <<CONFIG
primary_conninfo = 'host=127.0.0.1 port=$(port_of "$1") user=tokenusage'
CONFIG
  configure "$folder" "$port"
  echo "$folder $port"
}

port_of() { sed -n 's/^port = //p' "$1/data/postgresql.conf" | tail -n 1; }

# Prints the folders of a server's nodes: itself and its workers.
nodes() { ls -d "$1"/worker* "$1" 2>/dev/null || true; }

each_node() {  # function folder arguments...
  local node
  for node in $(nodes "$2"); do "$1" "$node" "${@:3}"; done
}

sql() {  # folder database statement
  run "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(port_of "$1")" \
    -U tokenusage -d "$2" -c "$3" >/dev/null
}

create_database() {  # folder name
  sql "$1" postgres "CREATE DATABASE $2"
  ((workers == 0)) || sql "$1" "$2" "CREATE EXTENSION citus"
}

database() {  # folder name
  local node add=citus_set_coordinator_host
  each_node create_database "$1" "$2"
  ((workers == 0)) || for node in "$1" "$1"/worker*; do
    sql "$1" "$2" "SELECT $add('127.0.0.1', $(port_of "$node"))"
    add=citus_add_node
  done
}

start() {
  # Without pg_ctl's own messages, which the caller would wait for on a pipe.
  run "$bin/pg_ctl" -D "$1/data" -w -t 60 -l "$1/server.log" start \
    >"$1/start.log" 2>&1 </dev/null || { cat "$1"/*.log >&2; exit 1; }
}

stop() {
  [[ -f $1/data/postmaster.pid ]] || return 0
  run "$bin/pg_ctl" -D "$1/data" -w -t 60 -m "${2:-fast}" stop >/dev/null
}

# SIGQUIT is PostgreSQL's immediate shutdown: the next start recovers from the log.
crash() {
  local pid
  pid=$(head -n 1 "$1/data/postmaster.pid")
  kill -QUIT "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}

remove() {
  [[ $1 == /tmp/tokenusage-postgres-* ]] || exit 1
  each_node stop "$1" immediate || true
  rm -rf "$1"
}

guard() {  # folder pid
  while kill -0 "$2" 2>/dev/null; do sleep 1; done
  [[ ! -d $1 ]] || remove "$1"
}

case ${1:-} in
  create) create ;;
  start) each_node start "$2" ;;
  stop) each_node stop "$2" "${3:-fast}" ;;
  kill) each_node crash "$2" ;;
  remove) remove "$2" ;;
  guard) guard "$2" "$3" ;;
  standby) standby "$2" ;;
  database) database "$2" "$3" ;;
  *)
    echo "usage: $0 create|start|stop|kill|remove|guard|standby ..." >&2
    exit 2
    ;;
esac
