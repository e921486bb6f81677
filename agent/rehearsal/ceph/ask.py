"""Carries out commands on a cluster as its administrator, one after the other, and ends.

stdin: {"conf": path, "commands": [{"to": "mon" | "mgr", "command": {...}, "input": text}]}; stdout: [{"code", "out", "error"}].
Whoever starts it ends it when it takes too long: librados has no safe way to give up on a command.
"""

import json
import os
import sys

import rados

asked = json.load(sys.stdin)
cluster = rados.Rados(
    conffile=asked["conf"], name="client.admin", conf={"client_mount_timeout": "5"}
)
cluster.connect()
answers = []
for one in asked["commands"]:
    send = cluster.mgr_command if one["to"] == "mgr" else cluster.mon_command
    code, out, error = send(
        json.dumps({"format": "json", **one["command"]}), one.get("input", "").encode()
    )
    answers.append({"code": -abs(code), "out": out.decode("utf8", "replace"), "error": error})
print(json.dumps(answers), flush=True)
# Its threads may hang on daemons that were killed.
os._exit(0)
