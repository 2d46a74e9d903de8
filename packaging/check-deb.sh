#!/usr/bin/env bash
# Installs the .deb in a Debian root that holds nothing else, cuts the network, and tries what was installed.
#
#   check-deb.sh PACKAGE FOLDER
#
# FOLDER keeps the empty root for the next time, and the picture of the window. AULA_CHECK_SUITE names another release
# than this computer's, AULA_DEBIAN_MIRROR another mirror. Needs root: it makes namespaces and changes its root folder.
set -euo pipefail

if [ "${AULA_CHECK_INSIDE:-}" != 1 ]; then
  [ "$(id -u)" = 0 ] || { echo "error: this check has to be started by root" >&2; exit 1; }
  # Mounts and processes of the check end with it, however it ends.
  exec unshare --mount --pid --fork --kill-child env AULA_CHECK_INSIDE=1 bash "$0" "$@"
fi

package=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
suite=${AULA_CHECK_SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")}
mirror=${AULA_DEBIAN_MIRROR:-http://deb.debian.org/debian}
root="$folder/root"
home=/home/ana
data="$home/.local/share/aula"

say() { printf '\n== %s\n' "$*"; }
fail() { echo "error: $*" >&2; exit 1; }
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
# As a person without rights, in a network namespace that has no route and not even loopback.
offline() {
  exec unshare --net chroot --userspec=ana:ana "$root" \
    env -i PATH=/usr/bin:/bin HOME="$home" LANG=es_CO.UTF-8 USER=ana "${screen[@]}" "$@"
}
screen=()

say "an empty Debian ($suite)"
if [ ! -d "$folder/base-$suite" ]; then
  rm -rf "$folder/base.partial"
  debootstrap --variant=minbase "$suite" "$folder/base.partial" "$mirror" >"$folder/debootstrap.log"
  mv "$folder/base.partial" "$folder/base-$suite"
fi
rm -rf "$root"
cp -a "$folder/base-$suite" "$root"
mount -t proc proc "$root/proc"
mount --rbind --make-rslave /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
inside useradd --create-home ana

say "install, with nothing but what it depends on"
cp "$package" "$root/root/aula.deb"
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends /root/aula.deb >"$folder/apt.log" 2>&1 || { tail -20 "$folder/apt.log"; fail "the installation failed"; }
inside dpkg-query -W -f '${Package} ${Version} ${Installed-Size} KiB\nDepends: ${Depends}\n' aula
inside dpkg -L aula | while read -r path; do [ -d "$root$path" ] || echo "$path"; done | tee "$folder/files.txt"
for program in aula aula-desktop; do
  ! inside ldd "/usr/bin/$program" | grep 'not found' || fail "$program lacks a library"
done
[ -z "$(ls "$root"/var/lib/dpkg/info/aula.*inst "$root"/var/lib/dpkg/info/aula.*rm 2>/dev/null)" ] || fail "the package runs scripts"

say "the network is cut"
inside getent hosts deb.debian.org >/dev/null || fail "there was no network to cut: this check would prove nothing"
! (offline getent hosts deb.debian.org) || fail "a name was found without a network"
echo "no name is found any more"

say "the terminal answers with the demo model"
answer=$(offline aula ask --temperature 0 "¿Cuánto es 7 × 8?")
echo "$answer"
grep -q 56 <<<"$answer" || fail "that is no answer"
(offline aula doctor --json) >"$folder/doctor.json"
(offline aula models list)

say "a computer room: models from a share, in one folder for everybody"
mkdir -p "$root/srv/share" "$root/etc/aula"
inside aula models import --quiet --json /usr/lib/Aula/models/demo/aula-demo.gguf >"$folder/import.json"
model=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).id' "$folder/import.json")
inside aula models export --quiet "$model" /srv/share
inside aula models remove "$model"
cat >"$root/etc/aula/aula.toml" <<'TOML'
models_dir = "/srv/aula/models"

[setup]
language = "es"
kind = "learner"
done = true
TOML
inside aula models import --quiet /srv/share/AULA
[ -n "$(ls "$root/srv/aula/models")" ] || fail "the model did not come into the folder for everybody"
(offline aula models list) | tee "$folder/list.txt"
grep -q "^$model " "$folder/list.txt" || fail "a person does not see the room's model"
(offline aula models verify --quiet "$model") || fail "the model does not pass its own checksums"
(offline aula doctor --json) >"$folder/doctor.json"
grep -q "$model" "$folder/doctor.json" || fail "the report does not name the room's model"

say "the window opens"
mkdir -p "$root/tmp/.X11-unix" "$folder/screen" /tmp/.X11-unix
mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
exec {number}<> <(:)
Xvfb -displayfd "$number" -screen 0 1280x800x24 -nolisten tcp -fbdir "$folder/screen" 2>"$folder/xvfb.log" &
read -r -t 30 -u "$number" display || fail "Xvfb did not start"
screen=(DISPLAY=":$display")
(offline aula-desktop) >"$folder/window.log" 2>&1 &
window=$!
for _ in $(seq 600); do
  ! grep -q 'the page has painted' "$folder/window.log" || break
  kill -0 "$window" 2>/dev/null || { cat "$folder/window.log"; fail "the window closed"; }
  sleep 0.1
done
grep 'the page has painted' "$folder/window.log" || { cat "$folder/window.log"; fail "the page never painted"; }
node "$here/picture.mjs" "$folder/screen/Xvfb_screen0" "$folder/window-$suite.png" || fail "the screen is empty"
kill -TERM "$window"
wait "$window" || fail "the window did not end in order ($?)"
[ -f "$root$data/aula.db" ] || fail "nothing was kept in $data"

say "the desktop's own files are well-formed"
inside apt-get install -y -qq --no-install-recommends desktop-file-utils appstream >>"$folder/apt.log" 2>&1
inside desktop-file-validate /usr/share/applications/Aula.desktop
inside appstreamcli validate --no-net /usr/share/metainfo/app.aula.desktop.metainfo.xml

say "removed, it leaves what a person made"
kept=$(cd "$root$home" && find . -type f -exec sha256sum {} + | sort)
inside apt-get purge -y -qq aula >>"$folder/apt.log" 2>&1
while read -r path; do [ ! -e "$root$path" ] || fail "$path was left behind"; done <"$folder/files.txt"
[ "$kept" = "$(cd "$root$home" && find . -type f -exec sha256sum {} + | sort)" ] || fail "files of a person were touched"
[ -f "$root$data/aula.db" ] || fail "the conversations are gone"
echo "the programs are gone; $data is as it was"

umount -R "$root/dev" "$root/proc" "$root/tmp/.X11-unix"
rm -rf "$root"
say "all is well on $suite; the window: $folder/window-$suite.png"
