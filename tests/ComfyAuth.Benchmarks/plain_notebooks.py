"""Reads and parses every notebook below a folder, and looks for byte order marks."""
import json
import os
import resource
import sys

BOM = b"\xef\xbb\xbf"
notebooks = bad = 0
for folder, _, names in os.walk(os.path.join(sys.argv[1], "notebooks")):
    for name in names:
        if not name.endswith(".ipynb"):
            continue
        notebooks += 1
        with open(os.path.join(folder, name), "rb") as file:
            content = file.read()
        if content.startswith(BOM):
            bad += 1
            content = content[len(BOM):]
        try:
            json.loads(content)
        except ValueError:
            bad += 1

usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "Notebooks": notebooks,
    "Bad": bad,
    "CpuSeconds": usage.ru_utime + usage.ru_stime,
    "PeakBytes": usage.ru_maxrss * 1024,
}))
