"""What a plain script would do: read, compare, write. Usage: plain_sync.py --plain|--durable FOLDER audit|sync

Knows seven places by heart, compares texts, asks no bcrypt, keeps no journal and makes no backup. --plain writes each
file in place; --durable writes it beside, flushes it, renames it and flushes its folder.
"""
import json
import os
import re
import sys
import time

SERVICE = "docker-configurations/services/comfyui-qwen"
PLACES = [
    (".env", {"COMFYUI_API_TOKEN": "hash", "COMFYUI_RAW_TOKEN": "password"}),
    (".secrets/qwen-api-user.token", None),
    (f"{SERVICE}/.env", {"COMFYUI_PASSWORD": "password", "COMFYUI_BEARER_TOKEN": "hash"}),
    (f"{SERVICE}/.secrets/qwen-api-user.token", None),
    ("MyIA.AI.Notebooks/GenAI/.env", {"COMFYUI_API_TOKEN": "hash"}),
]
LINE = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=(.*)$")


def write(path, text, durable):
    if not durable:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return
    beside = path + ".tmp"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def main():
    durable = sys.argv[1] == "--durable"
    folder, work = sys.argv[2:]
    places = wrong = changed = 0
    for name in os.listdir(folder):
        root = os.path.join(folder, name)
        with open(os.path.join(root, ".secrets/comfyui_auth_tokens.conf"), encoding="utf-8") as file:
            source = json.load(file)
        wanted = {"hash": source["bcrypt_hash"], "password": source["raw_token"]}
        for relative, variables in PLACES:
            path = os.path.join(root, relative)
            with open(path, encoding="utf-8", newline="") as file:
                old = file.read()
            if variables is None:
                places += 1
                differing = int(old.rstrip("\n") != wanted["hash"])
                new = wanted["hash"]
            else:
                lines = old.split("\n")
                differing = 0
                for index, line in enumerate(lines):
                    match = LINE.match(line)
                    if match is None or match[1] not in variables:
                        continue
                    places += 1
                    value = wanted[variables[match[1]]]
                    if match[2].strip("'") != value:
                        differing += 1
                        lines[index] = f"{match[1]}='{value}'"
                new = "\n".join(lines)
            if differing and work == "sync":
                write(path, new, durable)
                changed += differing
            else:
                wrong += differing
    print(json.dumps({
        "Places": places, "Wrong": wrong, "Changed": changed, "Computations": 0,
        "CpuSeconds": time.process_time(),
        "AllocatedBytes": 0, "Collections": 0, "WorkingSetBytes": 0,
    }))


main()
