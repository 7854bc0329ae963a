import json, socket, sys

chskd = socket.socket(socket.AF_UNIX)
chskd.connect(sys.argv[1])
say = lambda **request: chskd.sendall(json.dumps(request).encode() + b"\n")
say(op="subscribe", group="python", ids="chat/send")
for told in map(json.loads, chskd.makefile()):
    if told["type"] == "event":
        louder = {"from": "python", "text": told["event"][1]["text"].upper(), "at": told["at"]}
        say(op="push", all=True, event=["chat/message", louder])
