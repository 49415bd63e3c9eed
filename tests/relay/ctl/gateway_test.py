"""Goal: tomoshibi-ctl enrols, revokes and removes a gateway, and refuses what is wrong.

    gateway_test.py PATH-TO-tomoshibi-ctl
"""
import stat
import subprocess
import unittest

from ctl_fixture import Case


class Gateways(Case):
    def test_enrol_revoke_remove(self):
        self.a_home()
        self.ok("gateway", "add", 1, "box-1")
        box = self.root / "box"
        out = self.ok("gateway", "enrol", "box-1", "--out", box, "--relay", "192.0.2.7:443")
        self.assertNotIn("PRIVATE", out)
        self.assertEqual({p.name for p in box.iterdir()}, {"gateway.toml", "ca.pem", "gateway.pem", "gateway.key"})
        self.assertEqual(stat.S_IMODE((box / "gateway.key").stat().st_mode), 0o600)
        self.assertIn('"192.0.2.7:443"', (box / "gateway.toml").read_text())
        verified = subprocess.run(["openssl", "verify", "-attime", "1769828400", "-CAfile", box / "ca.pem", box / "gateway.pem"],
                                  capture_output=True, text=True)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        subject = subprocess.run(["openssl", "x509", "-in", box / "gateway.pem", "-noout", "-subject", "-fingerprint", "-sha256"],
                                 capture_output=True, text=True).stdout
        self.assertIn("box-1", subject)
        fingerprint = subject.split("=")[-1].strip().replace(":", "").lower()
        self.assertEqual(self.sql("SELECT certificate_sha256 FROM gateway")[0][0], fingerprint)
        self.assertEqual(self.json("gateway", "list")[0]["state"], "enrolled")

        self.wrong("gateway", "enrol", "box-1", "--out", self.root / "box2", says="--again")
        self.wrong("gateway", "enrol", "box-1", "--again", "--out", box, says="exists already")
        self.ok("gateway", "enrol", "box-1", "--again", "--out", self.root / "box2")
        self.assertIn('"relay.example.org:8443"', (self.root / "box2/gateway.toml").read_text())
        self.assertNotEqual(self.sql("SELECT certificate_sha256 FROM gateway")[0][0], fingerprint)

        self.ok("gateway", "revoke", "box-1")
        self.assertIn("already", self.ok("gateway", "revoke", "box-1"))
        self.assertEqual(self.json("gateway", "list")[0]["state"], "revoked")
        self.wrong("gateway", "enrol", "box-1", "--again", "--out", self.root / "box3", says="is revoked")
        self.ok("gateway", "add", 1, "box-2")
        self.ok("gateway", "remove", "box-1")
        self.assertEqual([g["gateway"] for g in self.json("gateway", "list")], ["box-2"])

    def test_wrong(self):
        self.a_home()
        for name in ("Box", "-a", "a b", "x" * 33, "a_b"):
            self.wrong("gateway", "add", "1", "--", name, says="a-z, 0-9")
        self.wrong("gateway", "add", 7, "box-1", says="no home")
        self.ok("gateway", "add", 1, "box-1")
        self.wrong("gateway", "add", 1, "box-2", says="a home has one")
        self.ok("home", "add", "other")
        self.wrong("gateway", "add", 2, "box-1", says="a gateway of this name")
        for relay in ("a b", "host:0", "host:65536", "host\n", ""):
            self.wrong("gateway", "enrol", "box-1", "--relay", relay, says="--relay")
        self.wrong("gateway", "enrol", "box-1", "--days", 0, says="1 to 7300")
        self.wrong("gateway", "revoke", "nobody", says="no gateway")
        self.assertFalse((self.root / "box-1").exists())

    def test_no_ca_key(self):
        self.a_home()
        self.ok("gateway", "add", 1, "box-1")
        (self.dir / "ca-key.pem").unlink()
        self.assertNotEqual(self.run_ctl("gateway", "enrol", "box-1").returncode, 0)
        self.assertFalse((self.root / "box-1").exists())
        self.assertEqual(self.json("gateway", "list")[0]["state"], "not enrolled")


if __name__ == "__main__":
    unittest.main(verbosity=1)
