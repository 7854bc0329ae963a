#!/usr/bin/env python3
"""A chat backend: python3 chat.py SOCKET

    [:chat/send {:text "hi"}]              everybody gets [:chat/message {:from uid :text "hi"}]
    [:chat/send {:text "hi" :room "r1"}]   the members of the room get it
    [:chat/join {:room "r1"}]              makes this client a member

Who comes is greeted with [:chat/welcome {:you uid}].
Each event is answered {:ok true} or {:ok false}.
"""
import json
import socket
import sys
import time


class Backend:
    """One connection to chskd. It speaks lines: one JSON object a line, both ways."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r", encoding="utf-8", newline="\n")
        self.stream = {}  # the stream's hello: whose acks these are
        self.live = False  # who was there before us has been greeted

    def say(self, op, **fields):
        self.socket.sendall(json.dumps({"op": op, **fields}).encode() + b"\n")

    def run(self):
        self.say("subscribe", presence=True, ack=True, ref="subscribe")
        for line in self.lines:
            told = json.loads(line, parse_int=lambda n: int(n) if len(n) < 20 else float(n))
            kind = told["type"]
            if kind == "hello":
                self.stream = {"epoch": told["epoch"], "consumer": told["consumer"]}
            elif kind in ("live", "resync"):  # a resync: who is online is told from the start
                self.live = kind == "live"
            elif kind == "open" and self.live and told["uid"] is not None:
                event = ["chat/welcome", {"you": told["uid"]}]
                self.say("push", uid=told["uid"], event=event)
            elif kind in ("event", "bad-event"):
                ok = self.heard(told, told.get("event"))
                if "reply_to" in told:
                    self.say("reply", reply_to=told["reply_to"], value={"ok": ok})
                # Without this, whoever takes our place would be given the event again.
                self.say("ack", seq=told["seq"], **self.stream)
            elif kind in ("error", "gap"):
                print("chat:", line.strip(), file=sys.stderr, flush=True)
                if told.get("ref") == "subscribe":
                    return

    def heard(self, told, event):
        """Does what an event asks for. What is in it is the client's to choose: any JSON value."""
        if not (isinstance(event, list) and len(event) == 2 and isinstance(event[1], dict)):
            return False
        event_id, data = event
        text, room = data.get("text"), data.get("room")
        if not isinstance(room, (str, type(None))) or len(room or "") > 50:
            return False
        topic = {"topic": "room:" + room} if room else {}
        if event_id == "chat/join" and room:
            self.say("join", uid=told["uid"], client=told["client"], **topic)
        elif event_id == "chat/send" and isinstance(text, str):
            event = ["chat/message", {"from": told["uid"], "text": text}]
            self.say("push", event=event, **(topic or {"all": True}))
        else:
            return False
        return True


while True:  # chskd may be started after us, and again
    try:
        Backend(sys.argv[1]).run()
    except OSError as why:
        print("chat:", why, file=sys.stderr, flush=True)
    time.sleep(0.5)
