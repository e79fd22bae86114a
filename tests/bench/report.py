# SPDX-License-Identifier: BSD-2-Clause
"""What was measured, for people: the machine, and a table a benchmark."""

import os
import platform
import re
import statistics

from peers import Failure, output


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    return {
        "processor": model.group(1) if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "load": os.getloadavg()[0],  # of others, before we begin
    }


def versions(binary):
    """Name and version of everything that is compared."""
    commands = {
        "kerbwrap": [binary, "--version"],
        "krb5": ["krb5-config", "--version"],
        "openssl": ["openssl", "version"],
        "stunnel": ["dpkg-query", "-W", "-f", "${Version}", "stunnel4"],
        "haproxy": ["dpkg-query", "-W", "-f", "${Version}", "haproxy"],
    }
    found = {}
    for name, command in commands.items():
        try:
            said = output(*command).splitlines()[0]
            found[name] = re.search(r"\d+[.:]\S*", said).group()
        except (Failure, OSError, IndexError, AttributeError):
            found[name] = "?"
    return found


def spread(values):
    """The median, and how far the rounds lay apart."""
    middle = statistics.median(values)
    if len(values) == 1:
        return f"{number(middle)}"
    return f"{number(middle)} ({number(min(values))}-{number(max(values))})"


def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(heading, columns, rows):
    """The text.  columns: {key: title}; rows: {name: [{key: value} a round]}."""
    lines = [["", *columns.values()]]
    for name, rounds in rows.items():
        lines.append([name, *(
            spread([r[key] for r in rounds]) if key in rounds[0] else "-"
            for key in columns)])
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = [f"\n{heading}"]
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths)]
        cells[0] = line[0].ljust(widths[0])
        text.append("  " + "   ".join(cells).rstrip())
    return "\n".join(text)


def share(rounds, of_rounds, key):
    """How one median relates to another."""
    one, other = (statistics.median([r[key] for r in each])
                  for each in (rounds, of_rounds))
    return one / other
