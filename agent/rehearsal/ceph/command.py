"""One command of Ceph as its administrator, for people on a stage.

argv: the configuration, then maybe `--within=SECONDS`, then the words of the command and its arguments as `key=value`; one that takes several
values stands once for each. Which daemon answers, and of which type an argument is, the cluster tells itself. The answer is printed as JSON;
an error goes to standard error, with its errno as the exit code.
"""

import errno
import json
import os
import sys
import threading

import rados

WITHIN_S = 30
# Of a command: the manager daemon answers it.
OF_MANAGER = 8
CONVERTED = {"CephInt": int, "CephFloat": float, "CephBool": {"true": True, "false": False}.__getitem__}


def fail(code, text):
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)
    # Its threads may hang on daemons that are away.
    os._exit(min(abs(code), 255) or 1)


def wrong(text):
    fail(errno.EINVAL, text)


def connected(conf):
    try:
        cluster = rados.Rados(conffile=conf, name="client.admin", conf={"client_mount_timeout": "5"})
        cluster.connect()
        return cluster
    except rados.Error as error:
        fail(getattr(error, "errno", None) or errno.EIO, f"the monitors do not let it in: {error}")


def descriptions(cluster, prefix):
    """All that a cluster knows of a command: some have several forms."""
    code, out, error = cluster.mon_command(json.dumps({"prefix": "get_command_descriptions"}), b"")
    if code != 0:
        fail(code, error)
    every = json.loads(out).values()
    words = lambda one: " ".join(word for word in one["sig"] if isinstance(word, str))
    found = [one for one in every if words(one) == prefix]
    if not found:
        begins = sorted({words(one) for one in every if words(one).startswith(prefix + " ")})
        wrong(f"Ceph has no command `{prefix}`" + (f"; it has {', '.join(begins)}" if begins else ""))
    return found


def typed(prefix, found, words):
    """The arguments, each as what the command takes."""
    takes = {part["name"]: part for one in found for part in one["sig"] if isinstance(part, dict)}
    given = {}
    for word in words:
        name, text = word.split("=", 1)
        if name not in takes:
            wrong(f"`{prefix}` takes no `{name}`" + (f"; it takes {', '.join(takes)}" if takes else ""))
        kind = takes[name]["type"]
        try:
            value = CONVERTED.get(kind, str)(text)
        except (KeyError, ValueError):
            what = {"CephInt": "a whole number", "CephFloat": "a number"}.get(kind, "true or false")
            wrong(f"`{name}` of `{prefix}` is {what}, and not `{text}`")
        if "n" in takes[name]:
            given.setdefault(name, []).append(value)
        elif name in given:
            wrong(f"`{name}` of `{prefix}` has one value")
        else:
            given[name] = value
    return given


def late(prefix, within):
    fail(errno.ETIMEDOUT, f"Ceph did not answer `{prefix}` within {within:g} s; it may be carried out all the same")


def deadline(words):
    if not words or not words[0].startswith("--within="):
        return WITHIN_S, words
    text = words[0].split("=", 1)[1]
    try:
        return float(text), words[1:]
    except ValueError:
        wrong(f"`--within` is a number of seconds, and not `{text}`")


def main(conf, *argv):
    within, words = deadline(argv)
    prefix = " ".join(word for word in words if "=" not in word)
    if not prefix:
        wrong("name a command, such as `status` or `fs subvolume ls vol_name=cephfs`")
    cluster = connected(conf)
    # librados has no safe way to give up on a command: the process ends.
    timer = threading.Timer(within, late, (prefix, within))
    timer.daemon = True
    timer.start()
    found = descriptions(cluster, prefix)
    given = typed(prefix, found, [word for word in words if "=" in word])
    is_manager = any(one.get("flags", 0) & OF_MANAGER for one in found)
    send = cluster.mgr_command if is_manager else cluster.mon_command
    code, out, error = send(json.dumps({"format": "json-pretty", **given, "prefix": prefix}), b"")
    print(out.decode("utf8", "replace").strip(), flush=True)
    if error:
        print(error, file=sys.stderr, flush=True)
    os._exit(min(abs(code), 255))


try:
    main(*sys.argv[1:])
except rados.Error as error:
    fail(getattr(error, "errno", None) or errno.EIO, str(error))
