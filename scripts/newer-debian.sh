#!/usr/bin/env bash
# Unpacks programs of another Debian suite, without installing anything: servers that are newer than the machine's.
#   scripts/newer-debian.sh SUITE NAME PACKAGE...
#   scripts/newer-debian.sh trixie redis-8 redis-server redis-tools
# They go to a folder of that name in SOJOURN_SERVERS, which is by default /var/cache/sojourn/servers for root, since servers
# run as another user, and ~/.cache/sojourn/servers for everybody else. In its bin/ is a starter for each program, which
# runs it with the libraries of its own suite. A folder that is complete is left as it is; remove it to get newer packages.
# Packages come from where apt already gets Debian's, and are verified by apt as ever.
set -euo pipefail

[ $# -ge 3 ] || { sed -n '3,4s/^#  *//p' "$0" >&2; exit 2; }
suite=$1
name=$2
shift 2
if [ "$(id -u)" -eq 0 ]; then cache=/var/cache; else cache=${XDG_CACHE_HOME:-$HOME/.cache}; fi
servers=${SOJOURN_SERVERS:-$cache/sojourn/servers}
target=$servers/$name
[ -e "$target/complete" ] && exit 0

echo "Unpacking from Debian $suite: $*"
mkdir -p "$servers"
# Beside the target, so that only a folder that is complete ever has its name.
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/apt/{sources,lists/partial,cache/archives/partial} "$work"/{debs,root,bin}

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
archive=$(apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
  awk -v codename="$codename" '$1 == codename { print $2; exit }')
[ -n "$archive" ] || { echo "apt has no source for Debian $codename" >&2; exit 1; }
keys=/usr/share/keyrings/debian-archive-keyring.gpg
cat >"$work/apt/sources/suite.sources" <<SOURCES
Types: deb
URIs: $archive
Suites: $suite
Components: main
$([ -e "$keys" ] && echo "Signed-By: $keys")
SOURCES
cat >"$work/apt/conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/apt/sources";
Dir::State::lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "$(id -un)";
CONF
export APT_CONFIG="$work/apt/conf"

apt-get update -qq
# Libraries alone: what else a package depends on serves to install it, and this installs nothing.
libraries=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
  --no-enhances "$@" | grep -E '^(lib|zlib|gcc-)[a-z0-9.+-]*$' | sort -u)
(
  cd "$work/debs"
  # The suite's own name is asked for: a backport is otherwise passed over for what the machine has. One by one where all
  # at once fails, since a name may be one that only others provide.
  apt-get download -qq -t "$suite" "$@"
  # shellcheck disable=SC2086
  apt-get download -qq -t "$suite" $libraries 2>/dev/null ||
    for library in $libraries; do apt-get download -qq -t "$suite" "$library" 2>/dev/null || true; done
  for deb in *.deb; do dpkg-deb --extract "$deb" ../root; done
)

# Programs need the C library that they were built with, so each is run by the loader that comes with it; a backport has
# none of its own and runs with the machine's.
loader=$(find "$work/root" -name 'ld-linux-*.so.*' | head -n 1)
triplet=$(find "$work/root/usr/lib" -maxdepth 1 -name '*-linux-gnu' -printf '%f\n' | head -n 1)
for program in "$work"/root/usr/bin/* "$work"/root/usr/sbin/*; do
  [ -f "$program" ] && [ -x "$program" ] || continue
  starter=$work/bin/$(basename "$program")
  cat >"$starter" <<STARTER
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/../root
program=\$root${program#"$work/root"}
libraries=\$root/usr/lib/$triplet:\$root/lib/$triplet
STARTER
  if [ -n "$loader" ]; then
    echo "exec \"\$root${loader#"$work/root"}\" --argv0 \"\$0\" --library-path \"\$libraries\" \"\$program\" \"\$@\"" >>"$starter"
  else
    echo 'LD_LIBRARY_PATH=$libraries exec "$program" "$@"' >>"$starter"
  fi
  chmod +x "$starter"
done

rm -rf "$work/apt" "$work/debs"
touch "$work/complete"
# Servers may run as another user than the one who unpacks them.
chmod -R a+rX "$work"
# Another one may have been quicker.
[ -e "$target/complete" ] || { rm -rf "$target" && mv -T "$work" "$target"; }
