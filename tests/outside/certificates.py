# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates for tests, made on the spot by openssl(1)."""

import os
import subprocess


def openssl(*words, text=""):
    return subprocess.run(["openssl", *words], input=text, capture_output=True, text=True, timeout=60, check=True)


class Authority:
    """An authority, and what it signs: each pair of files is NAME.pem and NAME.key in its folder."""

    def __init__(self, folder, name="Reeve test authority"):
        self.folder = folder
        self.ca = self.path("ca.pem")
        self.request("ca", "-x509", "-days", "30", "-subj", "/CN=" + name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def request(self, name, *words, kind="ec"):
        how = ["-newkey", "rsa:1024"] if kind == "weak" else ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("req", *how, "-nodes", "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"), *words)

    def sign(self, name, host="IP:127.0.0.1,DNS:localhost", start=None, end=None, kind="ec", usage=None, subject=None):
        """Signs a new pair; start and end: as `openssl ca` has them, YYMMDDHHMMSSZ; usage: clientAuth, serverAuth or whatever it is."""
        more = ["-addext", "extendedKeyUsage=" + usage] if usage else []
        self.request(name, "-subj", subject or f"/CN={name}", "-addext", f"subjectAltName={host}", *more, kind=kind)
        self.configure()
        when = (["-startdate", start] if start else []) + (["-enddate", end] if end else [])
        self.ca_does("-batch", "-notext", "-in", self.path(name + ".pem"), "-out", self.path(name + ".signed"), *when)
        os.replace(self.path(name + ".signed"), self.path(name + ".pem"))
        return self.path(name + ".pem"), self.path(name + ".key")

    def configure(self):
        if os.path.exists(self.path("index")):
            return
        with open(self.path("ca.conf"), "w", encoding="utf-8") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndir={self.folder}\nnew_certs_dir={self.folder}\ndatabase={self.path('index')}\nrand_serial=yes\n"
                       "default_md=sha256\ndefault_days=30\npolicy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=optional\norganizationName=optional\n")
        with open(self.path("index"), "w", encoding="utf-8"):
            pass

    def ca_does(self, *words):
        openssl("ca", "-config", self.path("ca.conf"), "-cert", self.ca, "-keyfile", self.path("ca.key"), *words)

    def list_revoked(self, *names, days=30):
        """The file with the list of what was revoked, these included."""
        self.configure()
        for name in names:
            self.ca_does("-revoke", self.path(name + ".pem"))
        self.ca_does("-gencrl", "-crldays", str(days), "-out", self.path("crl.pem"))
        return self.path("crl.pem")
