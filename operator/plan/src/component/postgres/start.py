"""Puts a member of a Patroni cluster in order, then becomes Patroni (the arguments). Runs once it holds the volume."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/"
DATA = "/data/postgres"
# There from before a database is made in an empty volume, or cloned, until Patroni says that it is made (`post_init`),
# or until the member starts once more.
UNFINISHED = "/data/.unfinished"
# Seconds the first database of a cluster takes at most.
OTHERS = 60


def read(name):
    with open(ACCOUNT + name) as file:
        return file.read()


def api(path, patch=None):
    """An object of this namespace; None when it is not there or was changed meanwhile. Asked again for half a minute:
    whoever starts after a power cut may be earlier than the network."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    host = f"[{host}]" if ":" in host else host
    url = f"https://{host}:{port}/api/v1/namespaces/{read('namespace')}/{path}"
    trusted = ssl.create_default_context(cafile=ACCOUNT + "ca.crt")
    # As every other client of a cluster: its authority need not say what its key is for.
    trusted.verify_flags &= ~ssl.VERIFY_X509_STRICT
    for left in range(30, -1, -1):
        headers = {"Authorization": "Bearer " + read("token"), "Content-Type": "application/merge-patch+json"}
        body = patch and json.dumps(patch).encode()
        request = urllib.request.Request(url, body, headers, method="PATCH" if patch else "GET")
        try:
            with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:
                return json.load(answer)
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError) and error.code in (404, 409):
                return None
            if not left:
                sys.exit(f"{request.method} {url}: {error}")
            time.sleep(1)


def annotations(thing):
    return (thing or {}).get("metadata", {}).get("annotations") or {}


def forget_old_address():
    """After a restart of its node the pod has another address, and somebody else may have the one it told. Patroni
    would find a member of its own name answering there, and refuse to start for as long as it does."""
    pod = "pods/" + os.environ["PATRONI_NAME"]
    told = annotations(api(pod)).get("status", "")
    if told and f"//{os.environ['POD_IP']}:" not in told:
        api(pod, {"metadata": {"annotations": {"status": None}}})


def control():
    """What the server's control file says; None without a whole one."""
    told = subprocess.run(["pg_controldata", DATA], capture_output=True, text=True)
    return None if told.returncode else told.stdout


def said(told, name):
    line = re.search(rf"^{re.escape(name)}: *(.*)$", told or "", re.M)
    return line[1] if line else ""


def half_made(told):
    """Less than three segments of the first timeline were written, and not by another server."""
    if told is None:
        return True
    high, _, low = said(told, "Latest checkpoint location").partition("/")
    if not low or "recovery" in said(told, "Database cluster state") or os.path.exists(DATA + "/standby.signal"):
        return False
    segments = int(high, 16) << 8 | int(low, 16) >> 24
    return segments < 3 and said(told, "Latest checkpoint's TimeLineID") == "1"


def remove_data():
    print("removing a database that was cut off while it was made or cloned", flush=True)
    shutil.rmtree(DATA)


def in_order(config, waited):
    """One look at the volume and at who makes, or made, the cluster's database; False to look again. Only what was cut
    off while it was made is touched: Patroni would run half a database, or wait for a person, for ever."""
    # Absent: nobody began. Empty: somebody did. Then the database's identity.
    identity = annotations(config).get("initialize")
    unfinished = os.path.exists(UNFINISHED)
    if not os.path.isdir(DATA) or not os.listdir(DATA):
        open(UNFINISHED, "w").close()
        if not unfinished or identity != "":
            return True
        # Another member may be at it.
        return waited >= OTHERS and forget_beginning(config)
    if not unfinished:
        return True
    told = control()
    if identity:
        if said(told, "Database system identifier") == identity:
            os.remove(UNFINISHED)
        elif half_made(told):
            remove_data()
        return True
    if not half_made(told):
        return True
    if identity is None and not os.environ["PATRONI_NAME"].endswith("-0"):
        # A shop made again over its volumes: the database may be in another member's.
        return False
    # This member began, and nobody was ever served by what it made.
    remove_data()
    return identity is None or forget_beginning(config)


def forget_beginning(config):
    """Patroni waits for the one that began, whoever it was."""
    metadata = {"resourceVersion": config["metadata"]["resourceVersion"], "annotations": {"initialize": None}}
    return api(f"endpoints/{sys.argv[1]}-config", {"metadata": metadata}) is not None


forget_old_address()
since = time.monotonic()
while not in_order(api(f"endpoints/{sys.argv[1]}-config"), time.monotonic() - since):
    time.sleep(1)
os.execv(sys.argv[2], sys.argv[2:])
