"""A server of S3 on this computer, for tests of what is read from and written to one."""

import logging
from contextlib import contextmanager

import requests
import s3fs
from moto.server import ThreadedMotoServer


@contextmanager
def object_store(monkeypatch):
    """Yield an empty `s3://bucket` of a server on this computer, as s3fs sees it; it is what the variables name."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        # What it holds, and whether it asks for keys, is kept by the process.
        requests.post(f"{address}/moto-api/reset", timeout=10).raise_for_status()
        requests.post(f"{address}/moto-api/reset-auth", data=b"inf", timeout=10).raise_for_status()
        system = s3fs.S3FileSystem()
        system.mkdir("bucket")
        yield system
    finally:
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
