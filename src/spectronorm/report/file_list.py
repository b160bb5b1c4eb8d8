"""The measured files with their digests, as lines of xxh128sum, or as a table of Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from spectronorm.printable import printable
from spectronorm.profile import ListedFile
from spectronorm.report.methods import escaped_for


def file_list(files: Sequence[ListedFile], form: str = "text") -> str:
    """Return one line per file: digest and name, as `xxh128sum` prints and checks them, or a row of a table."""
    rows = [(one.digest, escaped_for(printable(one.path), form)) for one in files]
    if form == "markdown":
        return "\n".join(["| XXH3-128 | file |", "|---|---|", *(f"| `{digest}` | {name} |" for digest, name in rows)])
    if form == "latex":
        body = [rf"\texttt{{{digest}}} & {name} \\" for digest, name in rows]
        return "\n".join([r"\begin{longtable}{ll}", r"XXH3-128 & file \\", r"\hline", *body, r"\end{longtable}"])
    return "\n".join(f"{digest}  {name}" for digest, name in rows)
