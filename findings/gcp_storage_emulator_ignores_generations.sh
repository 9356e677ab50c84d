#!/usr/bin/env bash
# gcp-storage-emulator accepts `ifGenerationMatch` and ignores it: a create-only write replaces the object.
#
# Versions: gcp-storage-emulator 2026.7.19, google-cloud-storage 3.17.1, Python 3.11.
#
# What happens: the emulator numbers generations and reports them, so a client can send them back. But an upload with
# `if_generation_match=0` ("only if there is no such object") succeeds beside an object, one with a generation that no object ever
# had succeeds as well, and so does a deletion. So code that lets two writers compete, as for a lock or for an append by reading and
# replacing, passes its tests there, and both writers win.
#
# What was expected: 412, as Google answers, or an error that the parameter is not supported.
#
# Seen on 2026-12-01:
#
#   create where nothing is: done, the object is now b'first'
#   create beside an object: done, the object is now b'second'
#   replace a generation that never was: done, the object is now b'third'
#   delete a generation that never was: done, it is gone
#
# It needs Python with pip, and PyPI. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check gcp-storage-emulator==2026.7.19 google-cloud-storage==3.17.1
cat >generations.py <<'PYTHON'
import os
import socket

from gcp_storage_emulator.server import create_server
from google.api_core.exceptions import GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = create_server("127.0.0.1", port, in_memory=True)
server.start()
os.environ["STORAGE_EMULATOR_HOST"] = f"http://127.0.0.1:{port}"
bucket = storage.Client(project="test", credentials=AnonymousCredentials()).create_bucket("data")
NEVER = 12345


def attempt(what, act):
    try:
        act(bucket.blob("kept"))
    except GoogleAPIError as error:
        print(f"{what}: {type(error).__name__}")
        return
    there = bucket.get_blob("kept")
    print(f"{what}: done, " + (f"the object is now {there.download_as_bytes()}" if there else "it is gone"))


attempt("create where nothing is", lambda blob: blob.upload_from_string("first", if_generation_match=0))
attempt("create beside an object", lambda blob: blob.upload_from_string("second", if_generation_match=0))
attempt("replace a generation that never was", lambda blob: blob.upload_from_string("third", if_generation_match=NEVER))
attempt("delete a generation that never was", lambda blob: blob.delete(if_generation_match=NEVER))
server.stop()
PYTHON

python/bin/python generations.py >seen 2>log || { cat log; exit 1; }
cat >expected <<'SEEN'
create where nothing is: done, the object is now b'first'
create beside an object: done, the object is now b'second'
replace a generation that never was: done, the object is now b'third'
delete a generation that never was: done, it is gone
SEEN
cat seen
diff expected seen
