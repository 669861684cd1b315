# SPDX-License-Identifier: Apache-2.0
"""Makes certificates for tests with openssl: a CA, and those that it signs."""

import os
import subprocess

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def _openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def read(path):
    """Returns a file's bytes."""
    with open(path, "rb") as file:
        return file.read()


class Authority:
    """A CA whose files are in `folder`."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.certificate = os.path.join(folder, name + ".crt")
        self._key = os.path.join(folder, name + ".key")
        _openssl(
            "req", "-x509", *_CURVE, "-days", "2", "-subj", "/CN=" + name,
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", self._key, "-out", self.certificate,
        )

    def sign(self, name, alternative, common_name="test", days=2):
        """Makes NAME.crt and NAME.key, or replaces them; returns both paths.

        `alternative` is openssl's subjectAltName, or empty. With days=0 the certificate
        expires at once.
        """
        key, request, certificate, extensions = (
            os.path.join(self.folder, name + suffix)
            for suffix in (".key", ".csr", ".crt", ".ext")
        )
        with open(extensions, "w", encoding="utf-8") as file:
            # Python 3.13 and newer refuse certificates that leave out what RFC 5280 asks for.
            file.write("authorityKeyIdentifier=keyid\n")
            file.write("subjectAltName=%s\n" % alternative if alternative else "")
        _openssl(
            "req", *_CURVE, "-subj", "/CN=" + common_name,
            "-keyout", key + ".new", "-out", request,
        )
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate,
            "-CAkey", self._key, "-days", str(days), "-out", certificate + ".new",
            "-extfile", extensions,
        )
        os.replace(key + ".new", key)
        os.replace(certificate + ".new", certificate)
        return certificate, key

    def sign_server(self, name="server", **kwargs):
        """Does the same for a server on this machine."""
        return self.sign(name, "DNS:localhost,IP:127.0.0.1", **kwargs)
