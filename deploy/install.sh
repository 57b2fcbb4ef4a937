#!/bin/sh
# Installs telecoder on this machine, upgrades it in place, or takes it away again. deploy/README.md has the whole story.
# Safe to run again at any time: what is there already is left alone. Runs go on through an upgrade.
set -eu

usage() {
    cat <<'USAGE'
Usage: sudo ./deploy/install.sh [OPTIONS]
       sudo ./deploy/install.sh uninstall [--purge] [--unattended] [--user NAME]

  --binary FILE       install this telecoder instead of building one from this folder
  --version VERSION   build this version (a tag or commit of this repository) instead of what is checked out
  --user NAME         the user as whom the bot and claude run (who it is by now, else telecoder; made where missing)
  --no-claude         do not look for claude, nor install it
  --no-service        do not install the systemd service
  --unattended        with --purge: do not ask
  --token-file FILE   a file with the bot's token; with --owner, the settings are written too
  --owner ID          your Telegram user id
  --purge             with uninstall: delete data, settings, and the user where this script made it

TELEGRAM_BOT_TOKEN_FILE is the same as --token-file.
USAGE
}

readonly PROGRAM=/usr/local/bin/telecoder
readonly DATA=/var/lib/telecoder
readonly ETC=/etc/telecoder
readonly SHARE=/usr/local/share
readonly UNIT=/etc/systemd/system/telecoder.service
# How the user that this script makes is known again.
readonly MADE_BY='telecoder (made by its install.sh)'
readonly CLAUDE_VERSION=2.1.332
readonly CLAUDE=/usr/local/lib/claude-code
readonly MIB_NEEDED=1000
readonly MIB_TO_BUILD=3000

command=install user='' binary='' version='' owner=''
token_file=${TELEGRAM_BOT_TOKEN_FILE:-}
with_claude=yes with_service=yes unattended=no purge=no
missing=no updated=no replaced=no

# ---- what is said -----------------------------------------------------------------------------------------------

ok() { printf '✓ %s\n' "$1"; }
there() { printf '– %s\n' "$1"; }
fail() { # fail WHAT REMEDY
    printf '✗ %s\n  %s\n' "$1" "$2"
    exit 1
}
# Runs something whose output matters only when it fails.
quietly() { # quietly COMMAND...
    if "$@" >"$work/log" 2>&1 </dev/null; then return 0; fi
    tail -n 15 "$work/log" | sed 's/^/  | /'
    return 1
}

# ---- what the machine has ---------------------------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

# Debian and Ubuntu: installed. Elsewhere: named, all of them, before giving up.
package() { # package WHAT PACKAGE...
    what=$1
    shift
    if ! has apt-get; then
        printf '✗ %s is missing\n  Install it with the package manager of this system (on Debian it is: %s).\n' "$what" "$*"
        missing=yes
        return 0
    fi
    if [ $updated = no ]; then
        quietly apt-get update -qq || fail "the lists of packages cannot be fetched" \
            "Is the machine online? Try: apt-get update"
        updated=yes
    fi
    DEBIAN_FRONTEND=noninteractive quietly apt-get install -y -qq --no-install-recommends "$@" ||
        fail "$what cannot be installed" "Try: apt-get install $*"
    ok "$what: installed ($*)"
}

# Whether a TLS connection fails for want of certificates; a machine that is offline is another matter.
certificates_are_refused() {
    [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -s /etc/pki/tls/certs/ca-bundle.crt ] || return 0
    has curl || return 1
    code=0
    curl --silent --show-error --max-time 20 --output /dev/null https://api.telegram.org 2>/dev/null || code=$?
    case $code in 60 | 77) return 0 ;; *) return 1 ;; esac
}

check_space() {
    needed=$MIB_NEEDED
    [ -n "$binary" ] || needed=$MIB_TO_BUILD
    for folder in /usr/local /var/lib "$(dirname "$(user_home)")"; do
        [ -d "$folder" ] || continue
        free=$(($(df -Pk "$folder" | awk 'NR == 2 { print $4 }') / 1024))
        [ "$free" -ge "$needed" ] || fail "$folder has $free MiB free, and $needed are needed" \
            "Make room, then run this again."
    done
    there "room on the disk"
}

check_packages() {
    if certificates_are_refused; then
        package "certificates for TLS" ca-certificates
        ! certificates_are_refused || [ $missing = yes ] || fail "TLS connections are refused for want of certificates" \
            "Is the clock right ($(date))? Is there a proxy with a certificate of its own? See update-ca-certificates(8)."
    else
        there "certificates for TLS"
    fi
    if has git; then there "git"; else package git git; fi
    if has ssh; then there "ssh, for git"; else package "ssh, for git" openssh-client; fi
    if has runuser; then there "runuser"; else package runuser util-linux; fi
    [ $missing = no ] || fail "something is missing that telecoder needs" "Install what is named above, then run this again."
}

# ---- the program ------------------------------------------------------------------------------------------------

# What is built is built as who owns the folder, so that root leaves nothing in it.
as_builder() { # as_builder COMMAND...
    if [ "$builder" = "$(id -un)" ]; then
        env PATH="$builder_home/.cargo/bin:$PATH" "$@"
    else
        runuser -u "$builder" -- env HOME="$builder_home" PATH="$builder_home/.cargo/bin:$PATH" "$@"
    fi
}

compiler_works() { printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | cc -x c -o "$work/compiled" - 2>/dev/null; }

# Debian's own is too old; that of rustup is not.
cargo_is_new_enough() {
    # shellcheck disable=SC2016 # the builder's shell expands it
    found=$(cd "$source" && as_builder sh -c 'cargo --version 2>/dev/null | cut -d" " -f2') || return 1
    [ -n "$found" ] && [ "$(printf '%s\n' "$rust_needed" "$found" | sort -V | head -n 1)" = "$rust_needed" ]
}

get_rust() {
    if as_builder sh -c 'command -v rustup'; then
        as_builder rustup toolchain install stable --profile minimal
        as_builder rustup default stable
        return
    fi
    # What sh.rustup.rs leads to; from the host that Rust itself comes from.
    curl --proto '=https' --tlsv1.2 -sSf https://static.rust-lang.org/rustup/rustup-init.sh -o "$work/rustup.sh" || return 1
    chmod 711 "$work"
    chmod 644 "$work/rustup.sh"
    as_builder sh "$work/rustup.sh" -y --profile minimal --no-modify-path
}

build() {
    source=$(cd "$(dirname "$0")/.." && pwd)
    [ -f "$source/Cargo.toml" ] || fail "there is nothing to build here" \
        "Run this script inside telecoder's source folder, or give --binary FILE."
    builder=$(stat -c %U "$source")
    getent passwd "$builder" >/dev/null || builder=$(id -un)
    builder_home=$(getent passwd "$builder" | cut -d: -f6)
    rust_needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$source/Cargo.toml")
    if compiler_works; then there "a C compiler"; else package "a C compiler" gcc libc6-dev; fi
    if has curl; then there "curl"; else package "curl, to fetch Rust" curl; fi
    [ $missing = no ] || fail "something is missing to build telecoder" "Install it, or give --binary FILE."
    if cargo_is_new_enough; then
        there "Rust $found"
    else
        get_rust >"$work/log" 2>&1 </dev/null || tail -n 5 "$work/log" | sed 's/^/  | /'
        cargo_is_new_enough || fail "Rust $rust_needed or newer cannot be had${found:+; there is $found}" \
            "See https://rustup.rs, or build telecoder on another machine and give --binary FILE."
        ok "Rust $found"
    fi
    target=$source/target
    manifest=$source/Cargo.toml
    if [ -n "$version" ]; then
        commit=$(as_builder git -C "$source" rev-parse --quiet --verify "$version^{commit}") ||
            fail "there is no version $version in $source" "git tag shows what there is; git fetch --tags gets what is new."
        # A folder of its own: cargo takes files of another version for unchanged when they are older.
        target=$source/target/versions/$commit
        manifest=$target/source/Cargo.toml
        as_builder mkdir -p "$target/source"
        as_builder git -C "$source" archive --format=tar -o "$target/source.tar" "$commit"
        as_builder tar -xf "$target/source.tar" -C "$target/source"
    fi
    printf '  building telecoder; that takes some minutes …\n'
    as_builder cargo build --release --locked --quiet --manifest-path "$manifest" --target-dir "$target" \
        >"$work/log" 2>&1 </dev/null || {
        tail -n 15 "$work/log" | sed 's/^/  | /'
        fail "telecoder cannot be built" "What is above says why. The telecoder that was here, if any, is unchanged."
    }
    binary=$target/release/telecoder
    ok "telecoder: built"
}

put_in_place() {
    [ -f "$binary" ] || fail "there is no file $binary" "Give the path of a telecoder binary to --binary."
    if cmp -s "$binary" $PROGRAM; then
        there "$($PROGRAM --version) in $PROGRAM"
        return 0
    fi
    mkdir -p "$(dirname $PROGRAM)"
    # Beside the old one, so that the renaming below is one step.
    install -m 755 "$binary" $PROGRAM.new
    said=''
    if quietly $PROGRAM.new --version; then said=$(head -n 1 "$work/log"); fi
    if [ "${said#telecoder }" = "$said" ]; then
        rm -f $PROGRAM.new
        fail "$binary does not start on this machine" \
            "Was it built for another one ($(uname -m))? The telecoder that was here, if any, is unchanged."
    fi
    if [ -x $PROGRAM ]; then
        keep_a_backup
        # The way back: sudo mv /usr/local/bin/telecoder.old /usr/local/bin/telecoder
        ln -f $PROGRAM $PROGRAM.old
        replaced=yes
    fi
    mv -f $PROGRAM.new $PROGRAM
    ok "$said: in $PROGRAM"
}

# A newer telecoder may change the database in a way that an older one does not read.
keep_a_backup() {
    getent passwd "$user" >/dev/null || return 0
    data=$(user_home)/.telecoder
    [ -f "$data/telecoder.db" ] || data=$DATA
    [ -f "$data/telecoder.db" ] || return 0
    as_user rm -f "$data/before-upgrade.db.new"
    if quietly as_user $PROGRAM backup "$data/before-upgrade.db.new"; then
        as_user mv -f "$data/before-upgrade.db.new" "$data/before-upgrade.db"
        ok "the database, as it is before the upgrade: in $data/before-upgrade.db"
    else
        printf '! there is no copy of the database before the upgrade; it goes on without\n'
    fi
}

# ---- the user, and where things are -----------------------------------------------------------------------------

user_home() {
    home=$(getent passwd "$user" | cut -d: -f6) || home=''
    printf '%s\n' "${home:-/home/$user}"
}

as_user() { # as_user COMMAND...; with the PATH that the service has, and nothing of root's environment
    runuser -u "$user" -- env -i HOME="$(user_home)" LANG=C.UTF-8 ${TERM:+TERM="$TERM"} \
        PATH="$(user_home)/.local/bin:$(user_home)/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        sh -c 'cd && exec "$@"' sh "$@"
}

make_user() {
    if getent passwd "$user" >/dev/null; then
        there "user $user"
    else
        quietly useradd --system --user-group --create-home --home-dir "/home/$user" --shell /bin/bash \
            --comment "$MADE_BY" "$user" || fail "the user $user cannot be made" "Make one, and give its name to --user."
        chmod 700 "/home/$user"
        ok "user $user: made, with the home /home/$user"
    fi
}

make_folders() {
    home=$(user_home)
    if [ -f "$home/.telecoder/telecoder.db" ]; then
        there "data in $home/.telecoder"
        return 0
    fi
    if [ "$(stat -c '%U %a' $DATA 2>/dev/null)" = "$user 700" ]; then
        there "data in $DATA"
    else
        install -d -o "$user" -g "$(id -gn "$user")" -m 700 $DATA
        ok "data in $DATA: made"
    fi
    if grep -qs '^TELECODER_DATA=' $ETC/telecoder.env; then
        there "$ETC/telecoder.env"
    else
        mkdir -p $ETC
        printf '%s\n' '# For everybody on this machine who runs telecoder; no secrets here. The settings of the service are in' \
            "# $home/.config/telecoder/telecoder.env, and win over these." "TELECODER_DATA=$DATA" >>$ETC/telecoder.env
        chmod 644 $ETC/telecoder.env
        ok "$ETC/telecoder.env: says where the data is"
    fi
}

# Shells complete the commands, and man explains them, where this telecoder has that.
put_extras() {
    while read -r file shell; do
        $PROGRAM completions "$shell" >"$work/extra" 2>/dev/null </dev/null || continue
        put_extra "$work/extra" "$file" && ok "$SHARE/$file"
    done <<EXTRAS
bash-completion/completions/telecoder bash
zsh/site-functions/_telecoder zsh
fish/vendor_completions.d/telecoder.fish fish
EXTRAS
    $PROGRAM man --dir "$work/man" >/dev/null 2>&1 </dev/null || return 0
    pages=0
    for page in "$work"/man/*.1; do
        if put_extra "$page" "man/man1/${page##*/}"; then pages=$((pages + 1)); fi
    done
    [ $pages = 0 ] || ok "$SHARE/man/man1: $pages pages"
}

# Fails where there is nothing to do.
put_extra() { # put_extra FILE PLACE
    [ -s "$1" ] || return 1
    ! cmp -s "$1" "$SHARE/$2" || return 1
    mkdir -p "$(dirname "$SHARE/$2")"
    install -m 644 "$1" "$SHARE/$2"
}

# ---- claude -----------------------------------------------------------------------------------------------------

# npm brings the program of this platform alone, by its number: it needs no node, and no script of a package is run.
install_claude() {
    found=$(as_user claude --version 2>/dev/null </dev/null) || found=''
    if [ -n "$found" ]; then
        there "claude $found"
        return 0
    fi
    case $(uname -m) in
        x86_64) package=@anthropic-ai/claude-code-linux-x64 ;;
        aarch64) package=@anthropic-ai/claude-code-linux-arm64 ;;
        *) fail "there is no claude for this machine ($(uname -m))" "Run this with --no-claude." ;;
    esac
    if has npm; then there "npm"; else package npm npm; fi
    [ $missing = no ] || fail "claude is fetched by npm" "Install npm, or run this with --no-claude."
    quietly npm install --prefix "$CLAUDE" --ignore-scripts --no-audit --no-fund "$package@$CLAUDE_VERSION" ||
        fail "claude cannot be fetched by npm" \
            "Is the machine online? Try again, or run this with --no-claude, and install claude yourself."
    ln -sfn "$CLAUDE/node_modules/$package/claude" /usr/local/bin/claude
    found=$(as_user claude --version 2>&1 </dev/null) || fail "claude is installed, but does not start as $user: $found" \
        "It must be on the PATH of $user, or TELECODER_RUNTIME in the settings must say where it is."
    ok "claude $found: installed"
}

# ---- settings and service ---------------------------------------------------------------------------------------

has_settings() {
    grep -qs '^ *TELEGRAM_BOT_TOKEN *= *[^ ]' "$(user_home)/.config/telecoder/telecoder.env" $ETC/telecoder.env
}

write_settings() {
    if has_settings; then
        there "settings"
        return 0
    fi
    [ -n "$token_file" ] || return 0
    [ -r "$token_file" ] || fail "the token's file $token_file cannot be read" "Is the path right?"
    # Root's file is not for the user to read, nor is the token for any command line.
    install -d -o "$user" -m 700 "$work/token"
    install -o "$user" -m 600 "$token_file" "$work/token/file"
    chmod 711 "$work"
    quietly as_user $PROGRAM init --token-file "$work/token/file" --owner "$owner" --no-service ||
        fail "the settings could not be written" "What is above says why. Nothing was started."
    rm -rf "$work/token"
    ok "settings: written for $user"
}

install_service() {
    if [ ! -d /run/systemd/system ]; then
        there "no service: systemd does not run this machine"
        return 0
    fi
    if has_settings; then set -- ; else set -- --no-start; fi
    said=$($PROGRAM service install --system --run-as "$user" "$@" 2>&1) || {
        printf '%s\n' "$said" | sed 's/^/  | /'
        fail "the service cannot be installed or started" "What is above says why; telecoder itself is installed."
    }
    case $said in
        *"is written"*) ok "service: $UNIT" ;;
        *)
            there "service"
            # A changed unit has been taken up with the new program already.
            if [ $replaced = yes ] && has_settings; then
                quietly $PROGRAM service restart --system || fail "telecoder cannot be restarted" \
                    "telecoder service logs says why. The old program is $PROGRAM.old."
                ok "telecoder is restarted; runs were left alone"
            fi
            ;;
    esac
}

# How the person becomes the user, with the sudo that some machines do not have.
by_hand() { # by_hand COMMAND
    if has sudo; then printf 'sudo -u %s -H %s' "$user" "$1"; else printf "su - %s -c '%s'" "$user" "$1"; fi
}

say_what_next() {
    if has sudo; then as_root='sudo '; else as_root=''; fi
    as_service=no
    if [ -d /run/systemd/system ] && [ $with_service = yes ]; then as_service=yes; fi
    printf '\ntelecoder is installed.\n'
    if ! has_settings; then
        printf 'Now give it its token, and tell it who you are:\n\n    %s\n' "$(by_hand "telecoder init")"
        if [ $as_service = yes ]; then
            printf '    %stelecoder service start\n\n' "$as_root"
        else
            printf '    %s\n\n' "$(by_hand telecoder)"
        fi
    elif [ $as_service = yes ]; then
        printf 'It runs as a service; this shows how it is:  %stelecoder service status\n' "$as_root"
    else
        printf 'Start it in a terminal that stays:  %s\n' "$(by_hand telecoder)"
    fi
    if [ $with_claude = yes ]; then
        printf 'claude has to be logged in, once:  %s\n' "$(by_hand claude)"
    fi
}

# ---- taking it away ---------------------------------------------------------------------------------------------

# Of this user's processes.
processes_of() {
    for process in /proc/[0-9]*; do
        [ "$(stat -c %U "$process" 2>/dev/null)" != "$1" ] || printf '%s\n' "${process#/proc/}"
    done
}

end_processes_of() {
    for signal in TERM KILL; do
        left=$(processes_of "$1")
        [ -n "$left" ] || return 0
        # shellcheck disable=SC2086 # these are words
        kill -s $signal $left 2>/dev/null || true
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            [ -n "$(processes_of "$1")" ] || return 0
            sleep 1
        done
    done
}

uninstall() {
    home=$(user_home)
    if [ $purge = yes ] && [ $unattended = no ]; then
        printf 'This deletes for good: %s, %s, %s/.config/telecoder, %s/.telecoder' $DATA $ETC "$home" "$home"
        ! is_made_by_us || printf ', and the user %s with all of %s' "$user" "$home"
        printf '.\nType yes to go on: '
        answer=''
        read -r answer </dev/tty 2>/dev/null || fail "there is no terminal to ask at" "Add --unattended to delete without being asked."
        [ "$answer" = yes ] || fail "nothing was deleted" "The answer was not yes."
    fi
    if [ -f $UNIT ] && [ -d /run/systemd/system ] && [ -x $PROGRAM ]; then
        said=$($PROGRAM service uninstall --system 2>&1) || fail "the service cannot be removed: $said" \
            "Try: systemctl disable --now telecoder"
        ok "service: stopped and removed"
        printf '%s\n' "$said" | sed -n 's/^.* removed\. \(.*\)/  \1/p'
    elif [ -f $UNIT ]; then
        rm -f $UNIT /etc/systemd/system/multi-user.target.wants/telecoder.service
        ok "service: removed"
    else
        there "no service"
    fi
    for file in $PROGRAM $PROGRAM.old $PROGRAM.new $SHARE/bash-completion/completions/telecoder \
        $SHARE/zsh/site-functions/_telecoder $SHARE/fish/vendor_completions.d/telecoder.fish $SHARE/man/man1/telecoder.1; do
        [ -e "$file" ] || continue
        rm -f "$file"
        ok "$file: removed"
    done
    rm -f "$SHARE"/man/man1/telecoder-*.1
    if [ $purge = no ]; then
        printf '\ntelecoder is gone. Kept: the user %s, its home %s with the settings, and the data in %s.\n' \
            "$user" "$home" $DATA
        printf 'git, npm and claude were left alone. This deletes data and settings too:  %s uninstall --purge\n' "$0"
        return 0
    fi
    if is_made_by_us; then
        end_processes_of "$user"
        quietly userdel --remove "$user" || [ ! -d "$home" ] || fail "the user $user cannot be removed" "Try: userdel --remove $user"
        ok "user $user: removed, with $home"
    else
        there "user $user: kept, because this script did not make it"
    fi
    for folder in $DATA $ETC "$home/.config/telecoder" "$home/.telecoder"; do
        [ -e "$folder" ] || continue
        rm -rf "$folder"
        ok "$folder: deleted"
    done
    printf '\ntelecoder is gone, with its data and its settings. git, npm and claude were left alone.\n'
}

is_made_by_us() { [ "$(getent passwd "$user" | cut -d: -f5)" = "$MADE_BY" ]; }

# ---- the whole --------------------------------------------------------------------------------------------------

wrong() { # wrong SENTENCE
    printf 'install.sh: %s\n\n' "$1" >&2
    usage >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
        uninstall) command=uninstall ;;
        --binary)
            [ $# -ge 2 ] || wrong "$1 needs a value"
            binary=$2
            shift
            ;;
        --version)
            [ $# -ge 2 ] || wrong "$1 needs a value"
            version=$2
            shift
            ;;
        --user)
            [ $# -ge 2 ] || wrong "$1 needs a value"
            user=$2
            shift
            ;;
        --token-file)
            [ $# -ge 2 ] || wrong "$1 needs a value"
            token_file=$2
            shift
            ;;
        --owner)
            [ $# -ge 2 ] || wrong "$1 needs a value"
            owner=$2
            shift
            ;;
        --no-claude) with_claude=no ;;
        --no-service) with_service=no ;;
        --unattended) unattended=yes ;;
        --purge) purge=yes ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) wrong "there is no option $1" ;;
    esac
    shift
done
[ -z "$binary" ] || [ -z "$version" ] || wrong "--binary and --version are two answers to one question"
[ -z "$owner" ] || [ -n "$token_file" ] || wrong "--owner needs --token-file"
[ -z "$token_file" ] || [ -n "$owner" ] || wrong "--token-file needs --owner, your Telegram user id"

[ "$(id -u)" = 0 ] || fail "this needs root" "Try: sudo $0"
# What is upgraded or removed stays whose it is.
[ -n "$user" ] || user=$(sed -n 's/^User=//p' $UNIT 2>/dev/null | tail -n 1)
[ -n "$user" ] || user=$(stat -c %U $DATA 2>/dev/null | grep -vxE 'root|UNKNOWN') || user=telecoder
[ "$user" != root ] || fail "telecoder is not to run as root, because claude would" "Give another name to --user."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

if [ $command = uninstall ]; then
    uninstall
    exit 0
fi
check_space
check_packages
[ -n "$binary" ] || build
put_in_place
make_user
make_folders
put_extras
[ $with_claude = no ] || install_claude
write_settings
[ $with_service = no ] || install_service
say_what_next
