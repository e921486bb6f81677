"""Carries out commands on a Ceph cluster for a parent process, several at a time, and checks none of them.

First line of stdin: {"conf": path, "keyring": path, "client": name, "connectS": seconds}. First line of stdout: {"fsid": ...}, or
{"failed": "module" | "conf" | "keyring" | "connect", "code": errno, "text": ...}, and then it ends.
Then, a line each: {"id": 1, "to": "mon" | "mgr", "command": {...}, "input": base64} is answered, whenever it is done, by
{"id": 1, "code": errno or 0, "out": text, "error": text}.

Commands have no time limit here: of one that librados gave up on the late answer ends the process. The parent has the limit, and
kills. It ends with the pipe of its parent.
"""

import base64
import concurrent.futures
import json
import os
import signal
import sys
import threading

AT_ONCE = 8
# Beats whatever the configuration file says. An own log or socket could be refused, or be another client's.
SETTINGS = {
    "rados_mon_op_timeout": "0",
    "rados_osd_op_timeout": "0",
    "log_file": "",
    "log_to_stderr": "false",
    "err_to_stderr": "false",
    "admin_socket": "",
}

turn = threading.Lock()


def say(message):
    try:
        with turn:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()
    except OSError:
        os._exit(1)


def fail(part, error):
    say({"failed": part, "code": abs(getattr(error, "errno", None) or 5), "text": str(error)})
    os._exit(1)


def connect(place):
    try:
        import rados
    except ImportError as error:
        fail("module", error)
    for part in ("conf", "keyring"):
        try:
            with open(place[part], "rb"):
                pass
        except OSError as error:
            fail(part, error)
    settings = {**SETTINGS, "keyring": place["keyring"], "client_mount_timeout": str(place["connectS"])}
    try:
        cluster = rados.Rados(conffile=place["conf"], name=place["client"], conf=settings)
    except rados.Error as error:
        fail("conf", error)
    try:
        cluster.connect()
    except rados.Error as error:
        fail("connect", error)
    return cluster


def carry_out(cluster, asked):
    try:
        send = cluster.mgr_command if asked["to"] == "mgr" else cluster.mon_command
        given = base64.b64decode(asked.get("input", ""))
        code, out, error = send(json.dumps({"format": "json", **asked["command"]}), given)
        answer = {"code": abs(code), "out": out.decode("utf8", "replace"), "error": error}
    except Exception as error:
        answer = {"code": abs(getattr(error, "errno", None) or 5), "out": "", "error": str(error)}
    say({"id": asked["id"], **answer})


# A person who interrupts the parent interrupts us as well; how we end is its decision.
signal.signal(signal.SIGINT, signal.SIG_IGN)
cluster = connect(json.loads(sys.stdin.readline()))
say({"fsid": cluster.get_fsid()})
workers = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
for line in sys.stdin:
    workers.submit(carry_out, cluster, json.loads(line))
os._exit(0)
