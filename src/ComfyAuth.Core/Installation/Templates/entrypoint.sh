#!/bin/sh
# Starts ComfyUI with the arguments given, and installs it first where that was not done yet.
# Refuses to start where everybody would be let in: ComfyUI-Login takes the empty token where PASSWORD is missing or empty, and
# ComfyUI goes on without a login where ComfyUI-Login cannot be loaded. No message holds the token.
set -eu
export LC_ALL=C.UTF-8

workspace=${COMFYUI_WORKSPACE:-/workspace}
comfyui=$workspace/ComfyUI
login=$comfyui/custom_nodes/ComfyUI-Login
password=$comfyui/login/PASSWORD
python=$workspace/venv/bin/python

# 78 is EX_CONFIG of sysexits.h: the configuration is at fault.
refuse() {
    echo "Not started: $1" >&2
    exit 78
}

check_password() {
    [ ! -d "$password" ] || refuse "$password is a folder, which the engine makes where the file to be mounted is missing. Remove the container and the folder, make the file (Sync-ComfyToken), and start again."
    [ -e "$password" ] || refuse "there is no $password: an empty token would open everything, and the first visitor would choose the password. Make the file (Sync-ComfyToken) and mount it."
    [ -r "$password" ] || refuse "user $(id -u) may not read $password. Set COMFYUI_UID and COMFYUI_GID in .env to the owner of the file."
    [ -s "$password" ] || refuse "$password is empty: an empty token would open everything. Make the file anew (Sync-ComfyToken)."
    [ "$(wc -c <"$password")" -le 4096 ] || refuse "$password is too large for a hash and a name."

    case $(head -c 3 "$password" | od -A n -t x1 | tr -d ' \n') in
        efbbbf) refuse "$password begins with a byte order mark, with which the token is never accepted. Save it as UTF-8 without one." ;;
        fffe* | feff*) refuse "$password is UTF-16. Save it as UTF-8 without a byte order mark." ;;
    esac
    [ "$(tr -d '\000' <"$password" | wc -c)" = "$(wc -c <"$password")" ] || refuse "$password holds zero bytes, as UTF-16 does. Save it as UTF-8 without a byte order mark."
    [ "$(tr -d '\r' <"$password" | wc -c)" = "$(wc -c <"$password")" ] || refuse "$password has Windows line ends, with which the web login always fails. Save it with LF."

    hash=$(head -n 1 "$password")
    tail=${hash#???????}
    case $hash in
        "\$2"[aby]"\$"[0-3][0-9]"\$"*) ;;
        *) tail= ;;
    esac
    case $tail in
        *[!./0-9A-Za-z]*) tail= ;;
    esac
    [ ${#tail} = 53 ] || refuse "line 1 of $password is not a whole bcrypt hash. Make the file anew (Sync-ComfyToken)."
    unset hash tail
}

check_login() {
    [ -f "$login/password.py" ] || refuse "$login is missing, and without it there is no login."
    "$python" -c 'import aiohttp, aiohttp_session.cookie_storage, bcrypt, jinja2, Crypto.Cipher.AES' || refuse "what ComfyUI-Login needs cannot be imported, and without it there is no login. Run 'pip install -r $login/requirements.txt', or build the image anew."

    # The key of the session cookies and its date: with half of one, or no place for a new one, ComfyUI-Login cannot be loaded. It makes one
    # every 30 days.
    key=$login/.secret-key.txt
    if [ -e "$key" ] && ! grep -Eqsx '[0-9A-Za-z_-]{43}=,[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?' "$key"; then
        rm -f "$key"
    fi
    place=$key
    [ -e "$key" ] || place=$login
    [ -w "$place" ] || refuse "user $(id -u) may not write to $login, where ComfyUI-Login keeps the key of its session cookies."
}

check_password
for argument; do
    # Python takes the beginning of an option for it where no other begins so.
    case $argument in
        --disable-al*) refuse "$argument leaves ComfyUI-Login out, and without it there is no login." ;;
        --ba*) refuse "$argument makes ComfyUI look for custom nodes elsewhere, and without ComfyUI-Login there is no login." ;;
    esac
done

# In the background, so that a stop need not wait until pip is done.
trap 'exit 143' TERM INT
sh "$(dirname "$0")/install.sh" &
wait $!
trap - TERM INT

check_login
for folder in input output user; do
    [ ! -d "$comfyui/$folder" ] || [ -w "$comfyui/$folder" ] || echo "Warning: user $(id -u) may not write to $comfyui/$folder. Set COMFYUI_UID and COMFYUI_GID in .env to its owner." >&2
done

cd "$comfyui"
exec "$python" main.py "$@"
