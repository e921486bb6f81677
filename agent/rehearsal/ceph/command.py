"""One command of Ceph as its administrator, for people on a stage.

argv: the configuration, then the words of the command, and its arguments as `key=value`; `fs subvolume ...` and what else the manager daemon
answers goes there. The answer is printed as JSON; an error goes to standard error, with its errno as the exit code.
"""

import json
import os
import sys

import rados

conf, *words = sys.argv[1:]
if not words:
    sys.exit("name a command, such as `status` or `fs subvolume ls vol_name=cephfs`")
prefix = " ".join(word for word in words if "=" not in word)
given = dict(word.split("=", 1) for word in words if "=" in word)
cluster = rados.Rados(conffile=conf, name="client.admin", conf={"client_mount_timeout": "5"})
cluster.connect()
is_manager = prefix.startswith(("fs subvolume", "fs volume", "pg "))
send = cluster.mgr_command if is_manager else cluster.mon_command
code, out, error = send(json.dumps({"prefix": prefix, "format": "json-pretty", **given}), b"")
print(out.decode("utf8", "replace").strip(), flush=True)
if error:
    print(error, file=sys.stderr, flush=True)
os._exit(min(abs(code), 255))
