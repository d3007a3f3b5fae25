#!/bin/sh
# Installs ComfyUI and ComfyUI-Login in $COMFYUI_WORKSPACE, while an image is built or when a container starts for the first time.
#   install.sh [STEP]...    all steps, or some of them: source, venv, torch, requirements, login
# A step that has succeeded leaves a marker with what it was done for, and is done again only for something else, such as another commit.
# One that was killed begins again with what it left. Files that were not made here are neither deleted nor overwritten.
set -eu

workspace=${COMFYUI_WORKSPACE:-/workspace}
index=${PYTORCH_INDEX:-https://download.pytorch.org/whl/cu128}
comfyui_from=${COMFYUI_REPOSITORY:-https://github.com/comfyanonymous/ComfyUI.git}
comfyui_commit=${COMFYUI_COMMIT:-@COMFYUI_COMMIT@}
login_from=${LOGIN_REPOSITORY:-https://github.com/liusida/ComfyUI-Login.git}
login_commit=${LOGIN_COMMIT:-@LOGIN_COMMIT@}

comfyui=$workspace/ComfyUI
login=$comfyui/custom_nodes/ComfyUI-Login
python=$workspace/venv/bin/python
state=$workspace/.installed

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

# step NAME WHAT PROOF COMMAND...: does the step, unless its marker says that it was done for this and the proof of it still stands.
step() {
    name=$1 what=$2 proof=$3
    shift 3
    if [ "$(cat "$state/$name" 2>/dev/null)" = "$what" ] && [ -e "$proof" ]; then
        return
    fi

    mkdir -p "$state" 2>/dev/null || :
    [ -w "$state" ] || fail "$name is to be installed ($what), and user $(id -u) may not write to $state. Build the image anew, or let that user write there."
    exec 9>"$state/lock"
    flock -n 9 || fail "Another container installs in $workspace."

    # What a process leaves behind that was killed within this step is not to be trusted.
    interrupted=
    [ ! -e "$state/$name.begun" ] || interrupted=yes
    : >"$state/$name.begun"
    echo "install.sh: $name ($what)"
    "$@"
    printf '%s\n' "$what" >"$state/$name.new"
    mv "$state/$name.new" "$state/$name"
    rm -f "$state/$name.begun" "$state/$name.made"
}

in_folder() {
    git -c "safe.directory=$folder" -C "$folder" "$@"
}

# checkout FROM COMMIT FOLDER FILE: brings a repository to a commit; FILE is one of those that are in it.
checkout() {
    from=$1 commit=$2 folder=$3
    if [ ! -e "$folder/.git" ]; then
        [ ! -e "$folder/$4" ] || fail "$folder was not made by git. Move it away; models, pictures and settings are not in it."
        mkdir -p "$folder"
        : >"$state/$name.made"
    fi

    if [ -e "$state/$name.made" ]; then
        # Nobody's changes can be here yet. Folders that are mounted are left alone: they are the user's.
        rm -f "$folder/.git/index.lock" "$folder/.git/shallow.lock" "$folder/.git/HEAD.lock"
        in_folder init -q
        in_folder sparse-checkout set --no-cone '/*' '!/models/' '!/input/' '!/output/'
        in_folder fetch -q --depth 1 "$from" "$commit"
        in_folder checkout -q --force --detach "$commit"
    else
        in_folder cat-file -e "$commit^{commit}" 2>/dev/null || in_folder fetch -q "$from" "$commit"
        in_folder checkout -q --detach "$commit" || fail "$folder has changes of yours. Commit them, and name that commit, or take them back."
    fi

    [ "$(in_folder rev-parse HEAD)" = "$commit" ] || fail "$folder is not at commit $commit."
}

pip_install() {
    # pip takes a package for installed as soon as it has a name. It lists INSTALLER last, when all files are there.
    if [ -n "$interrupted" ]; then
        for package in "$workspace"/venv/lib/python*/site-packages/*.dist-info; do
            [ ! -d "$package" ] || grep -qs '/INSTALLER,' "$package/RECORD" || rm -r "$package"
        done
    fi

    "$python" -m pip install --disable-pip-version-check --no-input "$@"
}

install_torch() {
    # Another index has the same version for other processors.
    anew=
    [ ! -e "$state/torch" ] || anew=--force-reinstall
    pip_install ${anew:+"$anew"} --index-url "$index" torch==2.8.0 torchvision==0.23.0 torchaudio==2.8.0
}

install_requirements() {
    # The requirements have no upper bounds, and newer releases of these packages are not made for the pinned ComfyUI.
    set -- -r "$comfyui/requirements.txt"
    [ "$comfyui_commit" != @COMFYUI_COMMIT@ ] || set -- "$@" 'transformers<5' 'av<17'
    pip_install "$@"
}

install_login() {
    checkout "$login_from" "$login_commit" "$login" __init__.py
    pip_install -r "$login/requirements.txt"
}

install() {
    case $1 in
        source) step source "$comfyui_commit" "$comfyui/main.py" checkout "$comfyui_from" "$comfyui_commit" "$comfyui" main.py ;;
        venv) step venv "$(python3 --version)" "$python" python3 -m venv "$workspace/venv" ;;
        torch) step torch "2.8.0 $index" "$python" install_torch ;;
        requirements) step requirements "$comfyui_commit" "$python" install_requirements ;;
        login) step login "$login_commit" "$login/__init__.py" install_login ;;
        *) fail "There is no step $1." ;;
    esac
}

[ $# != 0 ] || set -- source venv torch requirements login
for wanted; do
    install "$wanted"
done
