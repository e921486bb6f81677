"""One site of a script: a subvolume with a limit, its path, and a client that may mount it. With its own connection, as a run of a script has.

argv: configuration, name of the site, "make" or "look". Ends with an error where a command is refused.
"""

import json
import os
import sys

import rados

conf, name, what = sys.argv[1:]
cluster = rados.Rados(conffile=conf, name="client.admin")
cluster.connect()


def ask(send, prefix, **words):
    code, out, error = send(json.dumps({"prefix": prefix, "format": "json", **words}), b"")
    if code != 0:
        sys.exit(f"{prefix}: {code} {error}")
    return out


place = {"vol_name": "cephfs", "group_name": "sites", "sub_name": name}
entity = f"client.{name}"
if what == "make":
    ask(cluster.mgr_command, "fs subvolume create", **place, mode="0755", uid=0, gid=0)
info = json.loads(ask(cluster.mgr_command, "fs subvolume info", **place))
if what == "make":
    caps = ["mon", "allow r fsname=cephfs", "mds", f"allow rw fsname=cephfs path={info['path']}"]
    ask(cluster.mon_command, "auth get-or-create", entity=entity, caps=caps)
ask(cluster.mon_command, "auth get", entity=entity)
os._exit(0)
