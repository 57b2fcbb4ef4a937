#!/bin/sh
# Tries install.sh from a bare Debian: each half of a dependency, twice, an upgrade under a running bot, and away again.
#
#     sudo ./deploy/test-install.sh [--without-claude] target/release/telecoder
#
# Needs root, debootstrap and a Debian mirror (MIRROR, SUITE). All of it is in a folder that is removed at the end, in
# namespaces of its own for mounts and processes: it sees no process of this machine, and leaves none.
set -eu

if [ "${IN_NAMESPACES:-}" != yes ]; then
    IN_NAMESPACES=yes exec unshare --mount --pid --fork --kill-child -- "$0" "$@"
fi

with_claude=yes
if [ "${1:-}" = --without-claude ]; then
    with_claude=no
    shift
fi
binary=$(realpath "${1:?which telecoder? Give the path of a built binary}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/telecoder-install.XXXXXX")
# It becomes /, which everybody may enter.
chmod 755 "$root"
clean_up() {
    umount "$root/proc" 2>/dev/null || umount --lazy "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

case_() { printf '\n== %s (%s s)\n' "$1" "$(($(date +%s) - began))"; }
wrong() {
    printf '\nWRONG: %s\n' "$1"
    exit 1
}
inside() { # inside COMMAND...; with as much of this machine's environment as its certificates need
    chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${certificates:+NODE_EXTRA_CA_CERTS=/root/certificates.crt CURL_CA_BUNDLE=/root/certificates.crt} \
        ${npm_registry:+npm_config_registry="$npm_registry"} "$@"
}
# Runs install.sh, shows what it says, and compares the exit code.
install_sh() { # install_sh EXIT_CODE ARGUMENT...
    expected=$1 code=0
    shift
    inside /root/telecoder/deploy/install.sh "$@" >"$root/root/said" 2>&1 </dev/null || code=$?
    sed 's/^/    /' "$root/root/said"
    [ $code = "$expected" ] || wrong "install.sh $* ended with $code and not with $expected"
}
said() { grep -qF -- "$1" "$root/root/said" || wrong "it did not say: $1"; }
did_exactly() { # did_exactly N; so many things were done, and all others were there
    done_=$(grep -c '^✓' "$root/root/said" || true)
    [ "$done_" = "$1" ] || wrong "$done_ things were done, and not $1"
}
# Everything on the machine: name, rights, owner, and of files also size and time. What is said is not part of it.
listing() {
    find "$root" -xdev \( -path "$root/proc" -o -path "$root/tmp" -o -path "$root/root/said" \) -prune -o \
        -type d -printf '%P %m %U %G\n' -o -printf '%P %m %U %G %s %T@\n' | sort
}
unchanged_since() {
    listing >"$root/tmp/now"
    cmp -s "$1" "$root/tmp/now" || {
        diff "$1" "$root/tmp/now" | head -n 20
        wrong "something was changed"
    }
}
remember() { listing >"$root/tmp/before"; }
without() { inside dpkg --remove --force-depends "$@" >/dev/null 2>&1 || wrong "$* cannot be removed"; }
stub() { # stub NAME LINES; a program of the administrator's own
    printf '#!/bin/sh\n%s\n' "$2" >"$root/usr/local/bin/$1"
    chmod 755 "$root/usr/local/bin/$1"
}
unstub() { rm -f "$root/usr/local/bin/$1"; }

began=$(date +%s)
case_ "a bare Debian"
debootstrap --variant=minbase "${SUITE:-bookworm}" "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$root.log" 2>&1 || {
    tail "$root.log"
    wrong "there is no bare Debian"
}
rm -f "$root.log"
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
certificates=${SSL_CERT_FILE:-} npm_registry=$(npm config get registry 2>/dev/null || true)
[ -z "$certificates" ] || cp "$certificates" "$root/root/certificates.crt"
mkdir -p "$root/root/telecoder/deploy"
cp "$here/install.sh" "$root/root/telecoder/deploy/"
cp "$here/../Cargo.toml" "$root/root/telecoder/"
cp "$binary" "$root/root/new"

case_ "from nothing"
install_sh 0 --binary /root/new --no-claude
said "✓ git: installed"
said "✓ ssh, for git: installed"
said "✓ certificates for TLS: installed"
said "✓ user telecoder: made"
said "su - telecoder -c 'telecoder init'"
[ "$(stat -c '%a' "$root/var/lib/telecoder" "$root/home/telecoder" | tr '\n' ' ')" = "700 700 " ] || wrong "others can read what is telecoder's"

case_ "a second time: nothing is changed"
remember
install_sh 0 --binary /root/new --no-claude
did_exactly 0
unchanged_since "$root/tmp/before"

case_ "git is there, ssh is not"
without openssh-client
install_sh 0 --binary /root/new --no-claude
said "✓ ssh, for git: installed"
did_exactly 1

case_ "curl is there, certificates are not"
inside apt-get install -y -qq --no-install-recommends curl >/dev/null 2>&1 || wrong "there is no curl"
without ca-certificates
rm -f "$root/etc/ssl/certs/ca-certificates.crt"
install_sh 0 --binary /root/new --no-claude
said "✓ certificates for TLS: installed"
did_exactly 1

case_ "another system than Debian: all that is missing is named at once"
without git openssh-client
mv "$root/usr/bin/apt-get" "$root/root/apt-get"
remember
install_sh 1 --binary /root/new --no-claude
said "✗ git is missing"
said "✗ ssh, for git is missing"
unchanged_since "$root/tmp/before"
mv "$root/root/apt-get" "$root/usr/bin/apt-get"
install_sh 0 --binary /root/new --no-claude
did_exactly 2

case_ "no room on the disk"
stub df "printf 'Filesystem 1024-blocks Used Available Capacity Mounted\n/dev/x 9 9 102400 9%% /\n'"
install_sh 1 --binary /root/new --no-claude
said "has 100 MiB free, and 1000 are needed"
unstub df

case_ "a binary that does not start leaves the one that was there"
printf 'no program' >"$root/root/broken"
remember
install_sh 1 --binary /root/broken --no-claude
said "does not start on this machine"
unchanged_since "$root/tmp/before"
install_sh 1 --binary /root/missing --no-claude
said "there is no file /root/missing"
unchanged_since "$root/tmp/before"

case_ "no compiler, and no Rust to be had"
stub cc 'exit 1'
stub gcc 'exit 1'
stub curl 'echo "curl: (6) Could not resolve host" >&2; exit 6'
mv "$root/usr/bin/apt-get" "$root/root/apt-get"
install_sh 1 --no-claude
said "✗ a C compiler is missing"
said "or give --binary FILE"
mv "$root/root/apt-get" "$root/usr/bin/apt-get"
stub cc 'exit 0'
install_sh 1 --no-claude
said "or newer cannot be had"
said "https://rustup.rs"
unstub cc
unstub gcc
unstub curl

if [ $with_claude = yes ]; then
    case_ "node is there, npm is not; claude comes from npm, and needs neither"
    inside apt-get install -y -qq --no-install-recommends nodejs >/dev/null 2>&1 || wrong "there is no node"
    install_sh 0 --binary /root/new
    said "✓ npm: installed"
    said "(Claude Code): installed"
    did_exactly 2
    inside runuser -u telecoder -- claude --version >/dev/null || wrong "claude does not start"

    case_ "claude is there: nothing is changed"
    install_sh 0 --binary /root/new
    did_exactly 0
fi

case_ "the settings, by flags alone"
cat >"$root/root/stand-in" <<'STAND_IN'
#!/bin/sh
case $1 in
    --version) echo "telecoder 0.0.0" ;;
    init)
        echo "$*" >"$HOME/asked"
        mkdir -p "$HOME/.config/telecoder"
        printf 'TELEGRAM_BOT_TOKEN=%s\n' "$(cat "$3")" >"$HOME/.config/telecoder/telecoder.env"
        ;;
    *) exit 2 ;;
esac
STAND_IN
printf '42:of-the-test\n' >"$root/root/token"
chmod 600 "$root/root/token"
install_sh 0 --binary /root/stand-in --no-claude --unattended --token-file /root/token --owner 7
said "✓ settings: written for telecoder"
grep -q -- '--owner 7 --no-service' "$root/home/telecoder/asked" || wrong "init was asked for something else"
! grep -q of-the-test "$root/home/telecoder/asked" "$root/root/said" || wrong "the token was told"
grep -q of-the-test "$root/home/telecoder/.config/telecoder/telecoder.env" || wrong "the token did not arrive"
[ -z "$(find "$root/tmp" -name 'tmp.*')" ] || wrong "a temporary folder was left"
install_sh 0 --binary /root/stand-in --no-claude --unattended --token-file /root/token --owner 7
did_exactly 0
rm -rf "$root/home/telecoder/.config" "$root/home/telecoder/asked"
install_sh 0 --binary /root/new --no-claude

case_ "an upgrade while the bot and a run are at work"
as_telecoder() { inside runuser -u telecoder -- env HOME=/home/telecoder TELECODER_DATA=/var/lib/telecoder "$@"; }
as_telecoder TELEGRAM_BOT_TOKEN=42:of-the-test TELEGRAM_API_URL=http://127.0.0.1:9 telecoder serve >"$root/root/bot" 2>&1 &
run=01890a5d-ac96-774b-bcce-b302099a8057
as_telecoder sh -c "umask 077; mkdir -p /var/lib/telecoder/runs/$run && cd /var/lib/telecoder/runs/$run &&
    printf '%s' '{\"run\":\"$run\",\"program\":\"sh\",\"arguments\":[\"-c\",\"until [ -e /tmp/end ]; do sleep 0.1; done\"],\"workspace\":\"/tmp\",\"first_input\":\"\",\"time_limit_ms\":null}' > spec.json &&
    : > events.jsonl && : > stderr.log"
as_telecoder telecoder keep "/var/lib/telecoder/runs/$run" >"$root/root/run" 2>&1 &
process_of() { # process_of WORD; the telecoder with this word in its command line
    for process in "$root"/proc/[0-9]*; do
        tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "^telecoder $1" && basename "$process" && return
    done
    return 1
}
tries=0
until [ -s "$root/var/lib/telecoder/runs/$run/lock" ] && [ -s "$root/var/lib/telecoder/telecoder.lock" ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || {
        cat "$root/root/bot" "$root/root/run"
        wrong "the bot and the run did not start"
    }
    sleep 0.1
done
bot=$(process_of serve)
keeper=$(process_of keep)
cp "$root/root/new" "$root/root/newer"
printf 'another build' >>"$root/root/newer"
install_sh 0 --binary /root/newer --no-claude
said "✓ the database, as it is before the upgrade: in /var/lib/telecoder/before-upgrade.db"
did_exactly 2
for process in "$bot" "$keeper"; do
    case $(readlink "$root/proc/$process/exe") in
        *"(deleted)") ;;
        *) wrong "process $process did not go on with the old program" ;;
    esac
done
cmp -s "$root/usr/local/bin/telecoder" "$root/root/newer" || wrong "the new program is not in place"
cmp -s "$root/usr/local/bin/telecoder.old" "$root/root/new" || wrong "the old program is not kept"
kill "$bot"
: >"$root/tmp/end"
tries=0
until [ -s "$root/var/lib/telecoder/runs/$run/exit.json" ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || wrong "the run did not end"
    sleep 0.1
done
grep -q '"code": *0' "$root/var/lib/telecoder/runs/$run/exit.json" || wrong "the run did not end well"
printf '    the run that the old program kept has ended well, under the new one\n'

case_ "with systemd (a stand-in that writes down what it is asked)"
mkdir -p "$root/run/systemd/system"
# shellcheck disable=SC2016 # the stand-in expands it
stub systemctl 'echo "$*" >>/root/asked
case "$*" in "show "*) echo LoadState=loaded; echo ActiveState=$(cat /root/state); echo MainPID=0; [ ! -e /root/enabled ] || echo UnitFileState=enabled;;
enable*) : >/root/enabled;; start*) echo active >/root/state;; esac'
echo inactive >"$root/root/state"
install_sh 0 --binary /root/newer --no-claude
said "✓ service: /etc/systemd/system/telecoder.service"
said "telecoder service start"
grep -q '^User=telecoder$' "$root/etc/systemd/system/telecoder.service" || wrong "the unit has no user"
grep -q '^ExecStart=/usr/local/bin/telecoder serve$' "$root/etc/systemd/system/telecoder.service" || wrong "the unit starts something else"
! grep -q '^start' "$root/root/asked" || wrong "a bot without settings was started"
as_telecoder sh -c 'umask 077; mkdir -p ~/.config/telecoder; echo TELEGRAM_BOT_TOKEN=42:of-the-test >~/.config/telecoder/telecoder.env'
install_sh 0 --binary /root/newer --no-claude
grep -q '^start' "$root/root/asked" || wrong "the bot was not started"
: >"$root/root/asked"
install_sh 0 --binary /root/newer --no-claude
did_exactly 0
! grep -qE '^(start|restart|enable|daemon-reload)' "$root/root/asked" || wrong "a second time did something"
install_sh 0 --binary /root/new --no-claude
said "✓ telecoder is restarted; runs were left alone"
grep -q '^restart' "$root/root/asked" || wrong "the new program was not taken up"

case_ "away again: data, settings and the user stay"
install_sh 0 uninstall
said "✓ service: stopped and removed"
for gone in usr/local/bin/telecoder usr/local/bin/telecoder.old etc/systemd/system/telecoder.service; do
    [ ! -e "$root/$gone" ] || wrong "$gone is still there"
done
for kept in var/lib/telecoder/telecoder.db home/telecoder/.config/telecoder/telecoder.env etc/telecoder/telecoder.env; do
    [ -e "$root/$kept" ] || wrong "$kept is gone"
done
remember
install_sh 0 uninstall
did_exactly 0
unchanged_since "$root/tmp/before"

case_ "and with everything"
install_sh 1 uninstall --purge
said "Add --unattended"
unchanged_since "$root/tmp/before"
install_sh 0 uninstall --purge --unattended
for gone in var/lib/telecoder home/telecoder etc/telecoder; do
    [ ! -e "$root/$gone" ] || wrong "$gone is still there"
done
! grep -q telecoder "$root/etc/passwd" "$root/etc/group" || wrong "the user is still there"

case_ "an account that was there before is not deleted"
inside useradd --create-home ada
install_sh 0 --binary /root/new --no-claude --no-service --user ada
# An upgrade says no name: it stays whose it is.
install_sh 0 --binary /root/newer --no-claude --no-service
said "– user ada"
install_sh 0 uninstall --purge --unattended
said "user ada: kept"
[ -d "$root/home/ada" ] || wrong "ada's home is gone"

printf '\nAll of it is right, after %s s.\n' "$(($(date +%s) - began))"
