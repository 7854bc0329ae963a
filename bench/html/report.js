"use strict";
// Draws the plots of a result from the JSON in the element "data".
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const plots = document.getElementById("plots");
  const styles = getComputedStyle(document.documentElement);
  const ink = styles.getPropertyValue("--ink").trim();
  const line = styles.getPropertyValue("--line").trim();
  const colors = ["#2f81f7", "#d29922", "#3fb950", "#f85149", "#a371f7", "#db61a2"];

  const time = (us) => us == null ? "" : us >= 1e6 ? +(us / 1e6).toPrecision(4) + " s"
    : us >= 1e3 ? +(us / 1e3).toPrecision(4) + " ms" : us + " µs";
  const size = (b) => b == null ? "" : (b / 1048576).toFixed(1) + " MiB";
  const plain = (v) => v == null ? "" : v >= 1000 ? Math.round(v).toLocaleString("en") : "" + +v.toPrecision(4);
  const share = (nines) => nines === 0 ? "p0" : "p" + +(100 * (1 - Math.pow(10, -nines))).toFixed(6);

  function axis(values, room) {
    return { stroke: ink, grid: { stroke: line }, ticks: { stroke: line }, size: room,
      values: (u, list) => list.map(values) };
  }

  // Of the percentiles only whole nines are written at the axis.
  const nines = (n) => Number.isInteger(n) ? share(n) : "";

  // draw makes one plot. Each of lines has a name, values, and how a value is written; all share
  // the scale y.
  function draw(title, xName, x, xText, lines, yText, log, xAxis) {
    const known = lines.filter((l) => l.values.some((v) => v != null && v > 0));
    if (x.length < 2 || known.length === 0) return;
    const box = document.createElement("div");
    plots.appendChild(box);
    const width = () => Math.max(box.clientWidth, 280);
    const u = new uPlot({
      title, width: width(), height: 280,
      scales: { x: { time: false }, y: log ? { distr: 3 } : { range: (u, min, max) => [0, max * 1.05 || 1] } },
      axes: [axis(xAxis || xText, 40), axis(yText, 76)],
      series: [{ label: xName, value: (u, v) => v == null ? "" : xText(v) }].concat(known.map((l, i) => ({
        label: l.name, stroke: colors[i % colors.length], width: 2, spanGaps: true,
        value: (u, v) => yText(v),
      }))),
    }, [x].concat(known.map((l) => l.values.map((v) => log && !(v > 0) ? null : v))), box);
    addEventListener("resize", () => u.setSize({ width: width(), height: 280 }));
  }

  const grid = Array.from(new Set(data.curves.flatMap((c) => c.nines))).sort((a, b) => a - b);
  draw("Latency by percentile", "percentile", grid, share, data.curves.map((c) => {
    const at = new Map(c.nines.map((n, i) => [n, c.us[i]]));
    return { name: c.name, values: grid.map((n) => at.has(n) ? at.get(n) : null) };
  }), time, true, nines);

  const series = data.series || [];
  const x = series.map((p) => p.at_s);
  const seconds = (s) => +s.toFixed(2) + " s";
  const of = (name, field, always) => ({ name, values: series.map((p) => always || p.count ? p[field] : null) });
  draw("Latency over time", "time", x, seconds,
    [of("p50", "p50_us"), of("p99", "p99_us"), of("max", "max_us")], time, true);
  draw("Throughput", "time", x, seconds, [of("operations/s", "per_second", true)], plain);
  draw("Server's RSS", "time", x, seconds, [of("RSS", "rss", true)], size);
  draw("Server's CPU", "time", x, seconds, [of("% of a core", "core_percent", true)], plain);
  draw("Open connections", "time", x, seconds, [of("open", "open", true)], plain);
})();
