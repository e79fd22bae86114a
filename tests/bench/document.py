# SPDX-License-Identifier: BSD-2-Clause
"""Puts what was measured into a page: what stands there between the two marks
is replaced, the charts lie in a folder of the page's name beside it."""

import time

import chart

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

# File, benchmark, heading, unit, and what of a round is shown.
CHARTS = (
    ("one", "throughput 1", "One connection, one way", "MB/s",
     lambda r: r["megabytes_per_second"]),
    ("eight", "throughput 8", "Eight connections, one way", "MB/s",
     lambda r: r["megabytes_per_second"]),
    ("processor", "throughput 1", "Processor time of both sidecars",
     "seconds a GB, one connection",
     lambda r: r["client_per_gb"] + r["server_per_gb"]),
    ("rate", "rate", "New connections", "a second, 16 at a time",
     lambda r: r["connections_per_second"]),
    ("latency", "latency", "64 bytes there and back",
     "microseconds, the median", lambda r: r["p50_us"]),
    ("beside", "beside", "An opening beside eight that carry much",
     "milliseconds, the median", lambda r: r["p50_ms"]),
    ("idle", "idle 4000", "An idle connection", "KiB resident, both sidecars",
     lambda r: r["client_kib"] + r["server_kib"]),
    ("seal", "seal aes256-cts-hmac-sha1-96",
     "Sealing records, aes256-cts-hmac-sha1-96", "MB a processor second",
     lambda r: r["seal"]),
)
SEALED = {"gss_wrap, 1 of 16384": "gss_wrap",
          "openssl, 16 of 16384": "openssl",
          "multibuffer, 16 of 16384": "multibuffer"}


def fits(page):
    return page.is_file() and BEGIN in page.read_text()


def write(page, command, about, results, tables):
    """page: a path.  tables: what was printed."""
    folder = page.with_suffix("")
    folder.mkdir(exist_ok=True)
    lines = [
        BEGIN,
        f"`{command}`, {time.strftime('%Y-%m-%d')}. Medians, with the least and "
        "the greatest of the rounds.",
        "",
        "* Machine: " + _listed(about["machine"]),
        "* Versions: " + _listed(about["versions"]),
        "",
    ]
    lines += [f"![{heading}]({folder.name}/{name}.svg)"
              for name, heading in _draw(folder, results)]
    lines += ["", "```text", *"\n".join(tables).strip("\n").split("\n"),
              "```", END]
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + "\n".join(lines) + after)


def _draw(folder, results):
    for name, benchmark, heading, unit, value in CHARTS:
        rows = results.get(benchmark)
        if not rows:
            continue
        if name == "seal":
            rows = {short: rows[long] for long, short in SEALED.items()
                    if long in rows}
        values = {row: [value(r) for r in rounds]
                  for row, rounds in rows.items()
                  if row != "gss_wrap" or name in ("seal", "one")}
        ours = "multibuffer" if name == "seal" else "kerbwrap"
        (folder / f"{name}.svg").write_text(
            chart.bars(heading, unit, values, ours))
        yield name, heading


def _listed(facts):
    return ", ".join(f"{key} {value}" if isinstance(value, str)
                     else f"{key} {value:.3g}" for key, value in facts.items())
