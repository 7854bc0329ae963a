#!/usr/bin/env python3
"""Tables and a plot from the results of scaling.sh: medians of the rounds, and how far apart they
were. Standard library only.

    scaling.py FOLDER    prints Markdown, and writes FOLDER/scaling.svg

A result is GROUP.WHO.SCENARIO.CONNS.ROUND.json, where WHO is a program or a number of loops.
"""

import json
import pathlib
import statistics
import sys

# Of each scenario: where its cost is in a result, and what one operation is called.
SCENARIOS = {
    "ping": ("ping", "ping"),
    "echo": ("echo", "echo by a backend"),
    "push": ("push", "push in a batch"),
    "flushed": ("push", "push in a frame of its own"),
    "broadcast": ("broadcast", "broadcast delivery"),
    "user": ("push", "delivery to one user with 1,000 clients"),
    "topic": ("push", "delivery to 100 topics of 100 of 10,000 users"),
}


class Runs(dict):
    """The results by (group, who, scenario, conns), each a list of rounds."""

    def __init__(self, folder):
        for path in sorted(pathlib.Path(folder).glob("*.*.*.*.*.json")):
            group, who, scenario, conns, _ = path.name.split(".", 4)
            text = path.read_text()
            if text:
                run = json.loads(text)[SCENARIOS[scenario][0]]
                cost = run["server_cpu"]
                if scenario == "user" and cost["operations"] < run["seen"]["events"]:
                    # The tool counts a push as one delivery: of one user it knows one client.
                    for name in ("each_us", "user_us"):
                        cost[name] *= cost["operations"] / run["seen"]["events"]
                key = group, who, scenario, int(conns)
                self.setdefault(key, []).append(run)

    def sizes(self):
        return sorted({conns for group, _, _, conns in self if group == "sizes"})

    def whos(self, group):
        return sorted({key[1] for key in self if key[0] == group})

    def cost(self, *key):
        """(median, least, most) of the server's CPU an operation in us, and its part in user space."""
        costs = [run["server_cpu"] for run in self.get(key, [])]
        if not costs:
            return None
        each = [cost["each_us"] for cost in costs]
        user = statistics.median(cost["user_us"] for cost in costs)
        return statistics.median(each), min(each), max(each), user


def cell(cost):
    return f"{cost[0]:.1f} ({cost[1]:.1f} to {cost[2]:.1f})" if cost else "-"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def size_tables(runs):
    columns = [("chskd", "ping"), ("floor", "ping"), ("chskd", "broadcast"), ("floor", "broadcast"),
               ("chskd", "flushed")]
    rows = []
    for n in runs.sizes():
        rounds = [len(runs.get(("sizes", who, s, n), [])) for who, s in columns]
        rows.append([f"{n:,}"] + [cell(runs.cost("sizes", who, s, n)) for who, s in columns] +
                    [str(min(rounds))])
    table(["conns"] + [f"{SCENARIOS[s][1]}, {who}" for who, s in columns] + ["rounds"], rows)
    rows = []
    for n in runs.sizes():
        costs = [runs.cost("sizes", who, s, n) for who, s in columns]
        rows.append([f"{n:,}"] + [f"{c[3]:.1f}" if c else "-" for c in costs])
    table(["of it in user space"] + [f"{SCENARIOS[s][1]}, {who}" for who, s in columns], rows)


def rate(run, scenario):
    """Operations a second, or deliveries where that is what they are."""
    name = {"ping": "per_second", "echo": "per_second", "broadcast": "deliveries_per_second",
            "push": "taken_per_second", "flushed": "taken_per_second"}
    return run[name.get(scenario, "delivered_per_second")]


def loop_tables(runs, group):
    whos = runs.whos(group)
    found = {(s, n) for g, _, s, n in runs if g == group}
    rows = []
    for scenario in SCENARIOS:
        for n in sorted(n for s, n in found if s == scenario):
            for who in whos:
                key = group, who, scenario, n
                got = runs.get(key, [])
                if not got:
                    continue
                cores = statistics.median(run["server_cpu"]["core_percent"] for run in got) / 100
                cost = runs.cost(*key)
                rows.append([f"{SCENARIOS[scenario][1]}, {n:,} conns", who, cell(cost), f"{cost[3]:.1f}",
                             f"{statistics.median(rate(run, scenario) for run in got):,.0f}",
                             f"{cores:.2f}", str(len(got))])
    table(["", "loops", "CPU each, us", "of it user space", "a second", "cores the server had",
           "runs"], rows)


WIDTH, HEIGHT, LEFT, TOP, PLOT_W, PLOT_H, GAP = 900, 330, 52, 58, 240, 210, 46
STYLE = """
  text { font: 12px sans-serif; fill: #24292f }
  .back, .few { fill: #ffffff } .grid { stroke: #d0d7de } .title { font-weight: bold }
  .chskd { stroke: #0969da; fill: #0969da } .floor { stroke: #bc4c00; fill: #bc4c00 }
  polyline { fill: none; stroke-width: 2 } line { stroke-width: 1 }
  .floor polyline { stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .back, .few { fill: #0d1117 } .grid { stroke: #30363d }
    .chskd { stroke: #58a6ff; fill: #58a6ff } .floor { stroke: #f0883e; fill: #f0883e }
  }
"""


def panel(runs, place, title, lines):
    """One plot: CPU by connections, with a bar from the least to the most of the rounds."""
    sizes = runs.sizes()
    found = [(who, n, runs.cost("sizes", who, s, n)) for who, s in lines for n in sizes]
    few = {(who, n) for who, s in lines for n in sizes if len(runs.get(("sizes", who, s, n), [])) < 3}
    found = [f for f in found if f[2]]
    if not found:
        return []
    top = 10
    while top < max(cost[2] for _, _, cost in found):
        top += 10
    left = LEFT + place * (PLOT_W + GAP)
    x = lambda n: left + PLOT_W * n / 20000
    y = lambda us: TOP + PLOT_H * (1 - us / top)
    out = [f'<text class="title" x="{left}" y="{TOP - 12}">{title}</text>']
    for i in range(6):
        us = top * i / 5
        out.append(f'<line class="grid" x1="{left}" x2="{left + PLOT_W}" y1="{y(us):.1f}" '
                   f'y2="{y(us):.1f}"/><text x="{left - 6}" y="{y(us) + 4:.1f}" '
                   f'text-anchor="end">{us:g}</text>')
    for n in range(0, 20001, 5000):
        out.append(f'<text x="{x(n):.1f}" y="{TOP + PLOT_H + 18}" text-anchor="middle">'
                   f'{n // 1000}{"k" if n else ""}</text>')
    for who, _ in lines:
        out.append(f'<g class="{who}"><polyline points="' + " ".join(
            f"{x(n):.1f},{y(c[0]):.1f}" for w, n, c in found if w == who) + '"/>')
        for w, n, c in found:
            if w == who:
                out.append(f'<line x1="{x(n):.1f}" x2="{x(n):.1f}" y1="{y(c[1]):.1f}" '
                           f'y2="{y(c[2]):.1f}"/><circle cx="{x(n):.1f}" cy="{y(c[0]):.1f}" r="3.5"'
                           + (' class="few"/>' if (w, n) in few else "/>"))
        out.append("</g>")
    return out


def plot(runs):
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
           "<title>Server CPU an operation, by connections</title>", f"<style>{STYLE}</style>",
           f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>',
           f'<text x="{LEFT}" y="22">Server CPU an operation (us), by open connections: medians; '
           'the bars are all rounds; hollow: fewer than three runs</text>']
    both = lambda s: [("chskd", s), ("floor", s)]
    for place, (title, lines) in enumerate([
            ("chsk ping", both("ping")), ("broadcast delivery", both("broadcast")),
            ("push in a frame of its own", [("chskd", "flushed")])]):
        out += panel(runs, place, title, lines)
    for i, (who, text) in enumerate([("chskd", "chskd, one loop"),
                                     ("floor", "floor: the same system calls, no server")]):
        left, top = LEFT + i * 180, HEIGHT - 16
        out.append(f'<g class="{who}"><polyline points="{left},{top} {left + 28},{top}"/></g>'
                   f'<text x="{left + 36}" y="{top + 4}">{text}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    runs = Runs(sys.argv[1])
    if runs.whos("sizes"):
        print("## By connections: CPU an operation, us\n")
        size_tables(runs)
        (pathlib.Path(sys.argv[1]) / "scaling.svg").write_text(plot(runs))
    for group, title in (("loops", "By loops"), ("fanout", "Fan-out")):
        if runs.whos(group):
            print(f"## {title}\n")
            loop_tables(runs, group)


if __name__ == "__main__":
    main()
