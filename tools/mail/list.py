"""Lists the mails that tools/mail-server kept: time, recipient, subject; --json for all that a check needs."""

import argparse
import email
import email.policy
import json
import pathlib


def read_mail(path):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return {
        "file": path.name,
        "kept_ms": path.stat().st_mtime_ns // 1_000_000,
        "to": str(message["Envelope-to"] or message["To"]),
        "date": str(message["Date"]),
        "message_id": str(message["Message-ID"]),
        "subject": str(message["Subject"]),
        "body": message.get_body(("plain",)).get_content().replace("\r\n", "\n"),
        "defects": [type(defect).__name__ for defect in message.defects],
        "_when": message["Date"].datetime,
    }


def main():
    parser = argparse.ArgumentParser(prog="mail-server list", description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="the folder given to tools/mail-server start")
    parser.add_argument("--json", action="store_true", help="one JSON array, bodies included")
    options = parser.parse_args()
    if not (options.folder / "mail").is_dir():
        parser.error(f"{options.folder}: not a folder of tools/mail-server")
    mails = [read_mail(path) for sub in ("new", "cur") for path in sorted((options.folder / "mail" / sub).glob("*"))]
    mails.sort(key=lambda mail: (mail["_when"], mail["file"]))
    for mail in mails:
        del mail["_when"]
    if options.json:
        print(json.dumps(mails, ensure_ascii=False, indent=2))
        return
    for mail in mails:
        print(f'{mail["date"]}  {mail["to"]}  {mail["subject"]}')


if __name__ == "__main__":
    main()
