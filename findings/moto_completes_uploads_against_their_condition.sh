#!/usr/bin/env bash
# moto heeds conditions of a plain PUT, but ignores some of a completed multipart upload and of a copy.
#
# Versions: moto 5.2.5, boto3 1.44.8, Python 3.11.
#
# What happens: `If-Match` with an ETag other than the object's is refused for PutObject (412), but CompleteMultipartUpload with
# the same header answers 200 and replaces the object. `If-None-Match: *` is heeded by both, but not by CopyObject. So a program
# that uploads large objects in parts passes its tests with small ones: two writers that both read version 1 both win once the
# object is larger than a part.
#
# What was expected: 412 for each, as S3 answers for multipart uploads since 2024 and for copies since 2025, or an error that the
# header is not supported.
#
# Seen on 2026-11-29:
#
#   put, If-Match of another version: PreconditionFailed
#   put, If-None-Match: PreconditionFailed
#   complete, If-Match of another version: done, the object is now b'parts'
#   complete, If-None-Match: PreconditionFailed
#   copy, If-None-Match: done, the object is now b'copied'
#
# It needs Python with pip, and PyPI. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'moto[s3]==5.2.5' boto3==1.44.8
cat >conditions.py <<'PYTHON'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

OTHER = '"00000000000000000000000000000000"'


def complete(s3, **condition):
    upload = s3.create_multipart_upload(Bucket="data", Key="kept")["UploadId"]
    etag = s3.upload_part(Bucket="data", Key="kept", UploadId=upload, PartNumber=1, Body=b"parts")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(Bucket="data", Key="kept", UploadId=upload, MultipartUpload=parts, **condition)


def attempt(what, write):
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        s3.create_bucket(Bucket="data")
        s3.put_object(Bucket="data", Key="kept", Body=b"first")
        s3.put_object(Bucket="data", Key="source", Body=b"copied")
        try:
            write(s3)
        except ClientError as error:
            print(f"{what}: {error.response['Error']['Code']}")
        else:
            print(f"{what}: done, the object is now {s3.get_object(Bucket='data', Key='kept')['Body'].read()}")


attempt("put, If-Match of another version", lambda s3: s3.put_object(Bucket="data", Key="kept", Body=b"second", IfMatch=OTHER))
attempt("put, If-None-Match", lambda s3: s3.put_object(Bucket="data", Key="kept", Body=b"second", IfNoneMatch="*"))
attempt("complete, If-Match of another version", lambda s3: complete(s3, IfMatch=OTHER))
attempt("complete, If-None-Match", lambda s3: complete(s3, IfNoneMatch="*"))
attempt("copy, If-None-Match", lambda s3: s3.copy_object(Bucket="data", Key="kept", CopySource="data/source", IfNoneMatch="*"))
PYTHON
python/bin/python -W ignore conditions.py | tee seen
diff - seen <<'SEEN' || { echo "the behavior has changed" >&2; exit 1; }
put, If-Match of another version: PreconditionFailed
put, If-None-Match: PreconditionFailed
complete, If-Match of another version: done, the object is now b'parts'
complete, If-None-Match: PreconditionFailed
copy, If-None-Match: done, the object is now b'copied'
SEEN
