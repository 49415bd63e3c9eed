#!/usr/bin/env python3
"""A manual page (roff) from what a program says with --help; tomoshibi-ctl's verbs each with their own help.

    man_page.py [EMULATOR] PROGRAM
"""
import os
import re
import subprocess
import sys
import time

command = sys.argv[1:]
NAME = os.path.basename(command[-1])
ABOUT = {"tomoshibi-relay": "takes what the homes' gateways report, judges it, writes to families",
         "tomoshibi-ctl": "registers homes, gateways and families with a relay, and shows what it knows",
         "tomoshibi-gateway": "watches the appliances of a home and tells the relay"}
FILES = {"tomoshibi-relay": ["/etc/tomoshibi/relay.toml", "/var/lib/tomoshibi"],
         "tomoshibi-ctl": ["/etc/tomoshibi/relay.toml", "/var/lib/tomoshibi"],
         "tomoshibi-gateway": ["/etc/tomoshibi/gateway.toml", "/var/lib/tomoshibi-gateway"]}


def said(*arguments):
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.rstrip()


def roff(text):
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)


def verbatim(text):
    return ".nf\n" + roff(text) + "\n.fi"


def verbs(text):
    """The words of a help's list of subcommands."""
    _, found, rest = text.partition("Subcommands:\n")
    listed = re.split(r"\n\S", rest)[0] if found else ""
    return re.findall(r"^  (\S+)", listed, re.MULTILINE)


def main():
    day = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    version = said("--version").split()[-1]
    help_text = said("--help")
    out = [f'.TH {NAME.upper()} 8 "{day}" "Tomoshibi {version}" "Tomoshibi"', ".SH NAME", f"{NAME} \\- {ABOUT[NAME]}",
           ".SH DESCRIPTION", verbatim(help_text)]
    for verb in verbs(help_text):
        below = said(verb, "--help")
        out += [f'.SH "{verb.upper()}"', verbatim(below)]
        for word in verbs(below):
            out += [f'.SS "{verb} {word}"', verbatim(said(verb, word, "--help"))]
    out += [".SH FILES"] + [f".TP\n.I {roff(path)}" for path in FILES[NAME]]
    print("\n".join(out))


main()
