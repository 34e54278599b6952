#!/bin/sh
# Makes sure that commands are there, installing their Debian packages when run as root.
# usage: need.sh COMMAND:PACKAGE ...   (a command may be a path pattern, e.g. /usr/lib/php/*/pdo_sqlite.so)
set -eu

missing=""
for pair in "$@"; do
  command=${pair%%:*}
  package=${pair#*:}
  case "$command" in
    */*) for file in $command; do [ -e "$file" ] && continue 2; done ;;
    *) PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null 2>&1 && continue ;;
  esac
  missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "These are missing, please install them with your package manager:$missing" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "Please run: sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
  exit 1
fi

# What is installed for tests must not start as a service of this machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing:$missing"
# shellcheck disable=SC2086 # a list of packages
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
