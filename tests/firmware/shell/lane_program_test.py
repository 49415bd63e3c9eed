"""Goal: the real gateway carries a press from a datagram to its report: durable before it is shown, through the lane at once, again
after kill -9 at each step, over a lane that is cut or silent; drills and troubles as the relay asks for and is told.

    lane_program_test.py PROGRAM [HOME]

HOME: tomoshibi-home, whose button is pressed as well.
Runs in a network namespace of its own (unshare), so port 3610 is free; skipped (77) where that is not allowed.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import lane_peer  # noqa: E402
from lane_peer import LanePeer  # noqa: E402
from wire import (ACCEPTED, BOX_STATE, BYE, CLOSED, DRILL, DRILL_REQUEST, FIRST_AID, LANE_HELLO, PING, PONG,  # noqa: E402
                  PRESS, PRESS_REPORT, RECEIVED, fixed64, number)

PROGRAM = os.path.abspath(sys.argv[1])
HOME = next((os.path.abspath(a) for a in sys.argv[2:] if a != "--inside"), None)
APART = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
faults = []


def check(what, true):
    print(("ok      " if true else "FAILED  ") + what, flush=True)
    if not true:
        faults.append(what)


class Button:
    """An ECHONET node of one emergency button or first-aid sensor that only announces."""

    def __init__(self, address="127.0.0.2", object_code="000301"):
        self.object_code, self.tid = object_code, 1
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, 3610))
        self.socket.settimeout(5)

    def announce(self, pressed, service="73"):
        self.tid += 1
        value = "41" if pressed else "42"
        self.socket.sendto(bytes.fromhex(f"1081{self.tid:04x}{self.object_code}05ff01{service}01b101{value}"), ("127.0.0.1", 3610))
        return time.monotonic()

    def answered(self):
        """Whether the last announcement that wants an answer got it (INFC_Res)."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            data = self.socket.recv(1500)
            if data[2:4] == self.tid.to_bytes(2, "big") and data[10] == 0x7A:
                return True
        return False


class Box:
    def __init__(self, folder, peer):
        self.folder, self.panel = folder, folder / "panel"
        self.log = folder / "log"
        self.config = folder / "gateway.toml"
        self.config.write_text(
            f'[gateway]\nstate_folder = "{folder}/state"\n'
            f'[relay]\naddresses = ["127.0.0.1:1"]\ncertificate = "{folder}/box.pem"\nkey = "{folder}/box.key"\nca = "{folder}/ca.pem"\n'
            f'[emergency]\nport = {peer.port}\nundelivered_after_s = 10\npanel_file = "{self.panel}"\n'
            f'[box]\npower_folder = "{folder}/power"\n'
            '[echonet]\ninterface = "lo"\nbind_address = "127.0.0.1"\n'
            '[watch]\npoll_interval_s = 1\ngap_limit_s = 5\n')

    def start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([PROGRAM, "--config", str(self.config)], stderr=log)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def shows(self, word, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.panel.exists() and f"word={word} " in self.panel.read_text(encoding="utf-8"):
                return True
            time.sleep(0.005)
        return False


def way(peer, box):
    """From the button to the report."""
    _, hello, _, _ = peer.wait(LANE_HELLO)
    check("it says who it is", hello[2] == b"box-1" and hello[1] == 1)
    peer.wait(BOX_STATE)
    check("idle at first", box.shows("idle"))
    button = Button()
    pressed = button.announce(True)
    _, press, came, _ = peer.wait(PRESS)
    print(f"        press at the relay's end {1000 * (came - pressed):.1f} ms after its datagram was sent")
    check("the press comes at once", came - pressed < 1)
    check("it is the button's", press[2] == 1 and press[3] == b"ip:127.0.0.2/000301")
    check("calling is shown", box.shows("calling"))
    peer.news(press[1], RECEIVED)
    check("received is shown", box.shows("received"))
    peer.news(press[1] ^ 1, ACCEPTED)
    peer.news(press[1], ACCEPTED)
    check("accepted is shown", box.shows("accepted"))
    _, report, _, _ = peer.wait(PRESS_REPORT)
    times = [report.get(n) for n in (8, 9, 10, 11)]
    print(f"        durable, received, accepted, shown after {times} us")
    check("the report is of this press, by the relay's path", report[1] == press[1] and report[5] == 1)
    check("its times only grow", all(t is not None for t in times) and times == sorted(times))
    button.announce(True)
    button.announce(True)
    button.announce(False)
    time.sleep(0.3)
    check("held is one press", peer.count(PRESS) == 1)
    return press[1]


def killed(peer, box, first):
    """kill -9 after each step: nothing is lost, nothing is two."""
    place = len(peer.got)
    box.kill()
    box.start()
    place = peer.wait(LANE_HELLO, place)[0]
    _, report, _, _ = peer.wait(PRESS_REPORT, place)
    check("killed before it was closed: reported again, interrupted", report[1] == first and report.get(7) == 1 and 8 not in report)
    peer.news(first, CLOSED)
    place = len(peer.got)
    aid = Button("127.0.0.3", "000401")
    aid.announce(True, "74")
    check("an announcement that wants an answer gets it", aid.answered())
    _, press, _, _ = peer.wait(PRESS, place)
    check("a first-aid sensor", press[2] == FIRST_AID)
    for stage in (None, RECEIVED, ACCEPTED):
        place = len(peer.got)
        if stage:
            peer.news(press[1], stage)
            box.shows({RECEIVED: "received", ACCEPTED: "accepted"}[stage])
        box.kill()
        box.start()
        kind = PRESS_REPORT if stage == ACCEPTED else PRESS
        place = peer.wait(LANE_HELLO, place)[0]     # what was said before the end does not count
        _, again, _, _ = peer.wait(kind, place)
        check(f"killed at stage {stage or 1}: the same press goes on", again[1] == press[1])
    peer.news(press[1], CLOSED)
    peer.send(PING, number(1, 5))
    peer.wait(PONG, place)          # what came before it is done
    place = len(peer.got)
    box.kill()
    box.start()
    peer.wait(BOX_STATE, place)
    time.sleep(0.3)
    check("closed: nothing is said of it any more", all(g[0] not in (PRESS, PRESS_REPORT) for g in peer.got[place:]))


def bad_lane(peer, box):
    place = len(peer.got)
    peer.drop()
    peer.wait(BOX_STATE, place)
    button = Button("127.0.0.4", "000302")
    peer.mute = True
    pressed = button.announce(True)
    first = peer.wait(PRESS, place)
    second = peer.wait(PRESS, first[0] + 1)
    print(f"        unanswered: again on another lane after {second[2] - first[2]:.2f} s")
    check("not answered: sent again on another lane", second[3] != first[3] and second[1][1] == first[1][1])
    check("after three seconds", 2.9 < second[2] - first[2] < 5)
    check("not delivered is shown", box.shows("not_delivered", 15) and time.monotonic() - pressed >= 9.9)
    peer.mute = False
    _, report, _, _ = peer.wait(PRESS_REPORT, place, where=lambda body: body.get(6) == 1)
    check("and told", report.get(5, 0) == 0)
    peer.news(first[1][1], ACCEPTED)
    _, report, _, _ = peer.wait(PRESS_REPORT, place, where=lambda body: body.get(5, 0) == 1)
    check("then it is", report[1] == first[1][1] and report.get(6) == 1)
    peer.news(first[1][1], CLOSED)


def drill(peer, box):
    place = len(peer.got)
    peer.send(DRILL_REQUEST, fixed64(1, 4711))
    peer.send(DRILL_REQUEST, fixed64(1, 4711))
    _, press, _, _ = peer.wait(PRESS, place)
    check("a drill is one, and carries its request", press[2] == DRILL and press[6] == 4711)
    peer.news(press[1], ACCEPTED)
    _, report, _, _ = peer.wait(PRESS_REPORT, place)
    check("its report too", report[12] == 4711)
    peer.news(press[1], CLOSED)
    check("one press for the same request", {g[1][1] for g in peer.got[place:] if g[0] == PRESS} == {press[1]})


def twin(peer, box):
    """A whole simulated device: found, asked, pressed in each way."""
    folder = box.folder
    (folder / "map.toml").write_text('interface = "lo"\n[[node]]\nname = "bath"\naddress = "127.0.0.9"\n'
                                     '[[device]]\nnode = "bath"\neoj = "000401"\nchannel = "aid"\n')
    (folder / "record.csv").write_text("time,channel,value\n2030-01-01T00:00:00Z,aid,1\n")
    home = subprocess.Popen([HOME, "--record", folder / "record.csv", "--map", folder / "map.toml", "--control", folder / "hand",
                             "--start", "2029-01-01"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    place = len(peer.got)

    def tell(words):
        return subprocess.run([HOME, "--control", folder / "hand", "--tell", words], capture_output=True, timeout=20).returncode == 0

    def press(words, what):
        nonlocal place
        check(f"{what}: told", tell(f"press bath 000401 {words}"))
        at, message, _, _ = peer.wait(PRESS, place, where=lambda body: body[2] == FIRST_AID)
        peer.news(message[1], ACCEPTED)
        peer.wait(PRESS_REPORT, at, where=lambda body: body[1] == message[1])
        peer.news(message[1], CLOSED)
        place = at + 1
        check(f"{what}: let go of", tell("release bath 000401"))
        time.sleep(1.6)             # contacts bounce: pressed again within 1.5 s would be the same press
        check(f"{what}: one press", sum(1 for g in peer.got[at:] if g[0] == PRESS) == 1)

    try:
        end_at = time.monotonic() + 20
        while "evt=node_known" not in box.log.read_text(encoding="utf-8") and time.monotonic() < end_at:
            time.sleep(0.05)
        time.sleep(2.2)             # asked once: it is known to be released
        press("", "announced")
        press("notice=infc", "announced, an answer wanted")
        press("notice=silent", "only found when asked")
    finally:
        home.terminate()
        home.wait(20)


def end(peer, box):
    place = len(peer.got)
    check("SIGTERM: exit 0", box.stop() == 0)
    peer.wait(BYE, place)
    check("the file is private", oct((box.folder / "state/emergency.db").stat().st_mode & 0o777) == "0o600")


def main():
    if shutil.which("openssl") is None:
        print("SKIPPED: no openssl command")
        return 77
    if "--inside" not in sys.argv:
        try:
            allowed = subprocess.run(APART + ["true"], capture_output=True).returncode == 0
        except FileNotFoundError:
            allowed = False
        if not allowed:
            print("SKIPPED: no right to make a network namespace (unshare)")
            return 77
        return subprocess.run(APART + [sys.executable, __file__, *sys.argv[1:], "--inside"]).returncode
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="tms-test-") as name:
        folder = pathlib.Path(name)
        lane_peer.make_certificates(folder)
        peer = LanePeer(folder)
        box = Box(folder, peer).start()
        try:
            first = way(peer, box)
            killed(peer, box, first)
            bad_lane(peer, box)
            drill(peer, box)
            if HOME:
                twin(peer, box)
            end(peer, box)
        except Exception:
            print(box.log.read_text(encoding="utf-8")[-6000:])
            raise
        finally:
            if box.process.poll() is None:
                box.kill()
            peer.close()
        if faults:
            print(box.log.read_text(encoding="utf-8")[-6000:])
    return 1 if faults else 0


sys.exit(main())
