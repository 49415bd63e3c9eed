"""tomoshibi-load as an object: orders to its input, one JSON answer each."""
import json
import subprocess

import measure
import stage


# Connections on the way at once. Our engine keeps a key in one of 32 places (MBEDTLS_PSA_KEY_SLOT_COUNT) from its first message
# to the server's answer: more at once in one process fail. A gateway has one. A resumed handshake needs no such key.
WINDOW = {"tomoshibi": 28}
WINDOW_OTHERS = 256


class Load:
    def __init__(self, fleet, count, port, log, protocol="tomoshibi", tls="tomoshibi", window=None, records=6, slots_back=None,
                 namespace=None):
        window = window or WINDOW.get(tls, WINDOW_OTHERS)
        command = [stage.binary("tomoshibi-load"), "run", "--fleet", str(fleet.secrets), "--ca", str(fleet.relay / "ca.pem"),
                   "--count", str(count), "--port", str(port), "--protocol", protocol, "--tls", tls, "--window", str(window),
                   "--records", str(records)]
        if slots_back:
            command += ["--slots-back", str(slots_back)]
        if namespace:
            command = namespace.exec(command)
        self.count, self.log = count, log
        with open(log, "ab") as err:
            self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True,
                                          preexec_fn=stage.die_with_parent)
        self.about = None

    def __enter__(self):
        self.about = self._answer()
        return self

    def __exit__(self, *_):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()

    def send(self, text):
        self.popen.stdin.write(text + "\n")
        self.popen.stdin.flush()

    def _answer(self):
        line = self.popen.stdout.readline()
        if not line:
            stage.fail(f"tomoshibi-load ended: {stage.tail(self.log)}")
        return json.loads(line)

    def order(self, text, servers=()):
        """Sends one order; the answer gains `server_cpu_s` (of the given processes) and `load_cpu_s`."""
        servers_span, own = measure.CpuSpan([p.pid for p in servers]), measure.CpuSpan([self.popen.pid])
        self.send(text)
        answer = self._answer()
        answer["server_cpu_s"], answer["load_cpu_s"] = servers_span.seconds(), own.seconds()
        return answer

    def must(self, text, servers=()):
        answer = self.order(text, servers)
        if not answer["in_time"]:
            stage.fail(f"'{text}' did not end in time: {answer}")
        return answer


class Mad:
    """One gateway that misbehaves: the fleet's number `index`."""

    def __init__(self, fleet, index, port, log, how):
        with open(log, "ab") as err:
            self.popen = subprocess.Popen(
                [stage.binary("tomoshibi-load"), "run", "--fleet", str(fleet.secrets), "--ca", str(fleet.relay / "ca.pem"),
                 "--count", str(index), "--port", str(port), "--mad", how],
                stdin=subprocess.DEVNULL, stdout=err, stderr=err, preexec_fn=stage.die_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.wait()
