"""Goal: the verbs of tomoshibi-ctl for appliances and for the devices found do what they say and refuse what is wrong.

    appliance_test.py PATH-TO-tomoshibi-ctl
"""
import unittest

from ctl_fixture import Case


class Appliances(Case):
    def test_add_list_change_remove(self):
        self.a_home()
        expected = {"tv": "operation", "rice-cooker": "operation", "microwave": "operation", "refrigerator": "operation",
                    "motion": "sensor", "door": "sensor", "switch": "operation", "0x0130": "operation",
                    "0x013502": "operation"}
        version = self.config_version()
        for name in expected:
            self.ok("appliance", "add", 1, name, "--class", name)
        self.assertEqual(self.config_version(), version + len(expected))
        listed = {a["label"]: a for a in self.json("appliance", "list", 1)}
        self.assertEqual({k: v["on"] for k, v in listed.items()}, expected)
        self.assertEqual(listed["tv"]["days"], 3)
        self.assertEqual(listed["0x0130"]["class"], "0x013000")
        version = self.config_version()
        self.ok("appliance", "change", 1, "tv", "--days", 2)  # the relay's rule: nothing new for the gateway
        self.assertEqual(self.config_version(), version)
        node = "FE" + "0" * 31 + "1"
        self.ok("appliance", "change", 1, "tv", "--label", "テレビ", "--on", "watts:12", "--node", node, "--no-rule")
        self.assertEqual(self.config_version(), version + 1)
        changed = self.json("appliance", "list", 1)[0]
        self.assertEqual((changed["label"], changed["on"], changed["node"], changed["days"]),
                         ("テレビ", "watts:12", node.lower(), None))
        self.ok("appliance", "remove", 1, "0x013502")
        self.ok("appliance", "add", 1, "again", "--class", "tv", "--node", "ip:192.0.2.9")
        self.assertEqual(self.json("appliance", "list", 1)[-1]["appliance"], len(expected) + 1)

    def test_wrong(self):
        self.a_home()
        add = ("appliance", "add", 1)
        self.wrong(*add, "a", says="--class")
        for value in ("television", "0x06", "0x060g", "0x0ef0", "0x0000", "0602"):
            self.wrong(*add, "a", "--class", value, says="rice-cooker")
        self.wrong(*add, "a", "--class", "energy", says="watts:N")
        for value in ("on", "watts", "watts:", "watts:-1", "watts:x"):
            self.wrong(*add, "a", "--class", "tv", "--on", value, says="--on")
        for value in (0, 61, "three"):
            self.wrong(*add, "a", "--class", "tv", "--days", value, says="1 to 60")
        self.wrong(*add, "a", "--class", "tv", "--days", 3, "--no-rule", says="contradict")
        for value in ("xyz", "ip:", "ip:host", "0" * 33):
            self.wrong(*add, "a", "--class", "tv", "--node", value, says="0x83")
        self.wrong(*add, "あ" * 17, "--class", "tv", says="1 to 48 bytes")
        self.assertEqual(self.json("appliance", "list", 1), [])
        for n in range(32):
            self.ok(*add, f"a{n}", "--class", "tv", "--node", f"ip:192.0.2.{n + 1}")
        self.wrong(*add, "one more", "--class", "tv", says="32 appliances")
        self.wrong("appliance", "change", 1, "a1", says="nothing to change")
        self.wrong("appliance", "change", 1, "nobody", "--days", 2, says="no appliance")
        self.wrong("appliance", "change", 1, "a1", "--label", "a2", says="choose another")

    def test_contradictions_are_refused(self):
        self.a_home()
        add = ("appliance", "add", 1)
        self.ok(*add, "hall", "--class", "motion")
        self.wrong(*add, "hall", "--class", "door", says="has this label")
        self.wrong(*add, "kitchen", "--class", "motion", says="would count for both")
        self.wrong(*add, "kitchen", "--class", "0x000702", says="would count for both")
        self.wrong(*add, "front", "--class", "door", "--on", "watts:5", says="measures no watts")
        self.ok(*add, "kitchen", "--class", "motion", "--node", "ip:192.0.2.7")
        self.wrong("appliance", "change", 1, "kitchen", "--node", "any", says="would count for both")
        self.wrong("appliance", "change", 1, "hall", "--on", "watts:5", says="measures no watts")
        self.ok("appliance", "change", 1, "hall", "--days", 2)  # nothing to do with the others
        self.ok("home", "add", "another")
        self.ok("appliance", "add", 2, "hall", "--class", "motion")


class Devices(Case):
    def test_list(self):
        self.a_home()
        self.assertIn("no device", self.ok("device", "list", 1))
        self.ok("appliance", "add", 1, "テレビ", "--class", "tv")
        node = "fe000077" + "0" * 25 + "1"
        self.sql("INSERT INTO device (home, device, appliance, maker, silent, faulty, description, since_ms) VALUES "
                 f"(1, '{node}/060201', 1, 119, 0, 0, 0, 1769847300000), (1, 'ip:192.0.2.9/013001', NULL, 0, 1, 1, 17, 1769847300000)")
        first, second = self.json("device", "list", 1)
        self.assertEqual(first, {"home": 1, "node": node, "class": "tv instance 1", "maker": 119, "silent": False,
                                 "since": "2026-01-31T08:15:00.000Z", "faulty": False, "fault": None, "appliance": 1, "label": "テレビ"})
        self.assertEqual((second["class"], second["silent"], second["fault"], second["appliance"]), ("0x013001", True, 17, None))
        text = self.ok("device", "list", 1)
        self.assertRegex(text, "SILENT since 2026-01-31 17:15 +FAULT 17 +nothing")
        self.assertRegex(text, "answers since 2026-01-31 17:15 +none +1 テレビ")
        self.ok("appliance", "change", 1, "テレビ", "--node", first["node"])  # what is listed can be given back
        self.wrong("device", "list", 2, says="no home")

    def test_forget(self):
        self.a_home()
        self.ok("home", "add", "another")
        rows = [(1, "ip:192.0.2.9/013001"), (1, "ip:192.0.2.9/060201"), (1, "ip:192.0.2.90/013001"),
                (2, "ip:192.0.2.9/013001"), (1, "%/013001")]
        for home, device in rows:
            self.sql("INSERT INTO device (home, device, maker, silent, faulty, description, since_ms) "
                     f"VALUES ({home}, '{device}', 0, 0, 1, 1, 0)")
        for name in ("", "ip:192.0.2", "ip:192.0.2.9/", "ip:192.0.2.9/01300", "013001", "_p:192.0.2.9"):
            self.wrong("device", "forget", 1, name, says="device list 1")
        self.wrong("device", "forget", 3, "ip:192.0.2.9", says="no home")
        self.wrong("device", "forget", 1)
        self.assertIn("1 device forgotten", self.ok("device", "forget", 1, "ip:192.0.2.9/013001"))
        self.assertIn("1 device forgotten", self.ok("device", "forget", 1, "ip:192.0.2.9"))
        self.assertIn("1 device forgotten", self.ok("device", "forget", 1, "%"))
        self.assertEqual([d["node"] for d in self.json("device", "list", 1)], ["ip:192.0.2.90"])
        self.assertEqual([d["node"] for d in self.json("device", "list", 2)], ["ip:192.0.2.9"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
