"""`spectronorm inspect`: everything that is odd about the clips of a source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spectronorm.audio import Source, open_source
from spectronorm.cleaning import Inspected, InspectionLimits, Oddity, inspect, write_clean_table
from spectronorm.cleaning.clean_table import require_listable, require_table_name
from spectronorm.cleaning.limits import BOUNDS, chosen_kinds
from spectronorm.cli.options import (
    JsonOption,
    LastOption,
    OverlapOption,
    SourceArgument,
    TolerateShortOption,
    UntrustedOption,
    WindowOption,
    WorkersOption,
    engine,
    parse_share,
    reader,
    windows,
)
from spectronorm.cli.run import FAILED, guarded, note_unread, print_json, progress_bar, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError
from spectronorm.passes.one_pass import inputs_of
from spectronorm.printable import printable
from spectronorm.report.inspection_page import save_inspection_page
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import protecting, require_replaceable

_EXAMPLES = """
**Examples**

    spectronorm inspect sounds/

    spectronorm inspect sounds/ --exclude clean.csv --html odd.html

    spectronorm inspect train.csv --kinds clipped,silent,copy --json
"""
_DEFAULT = InspectionLimits()
MOST_SHOWN = 100_000
MOST_NAME = 60
_MIXED = {
    "sample_rate": ("sample rates", "Hz"),
    "channels": ("numbers of channels", ""),
    "bits": ("used bit depths", "bits"),
}
_KIND = max(map(len, Oddity))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("inspect", epilog=_EXAMPLES)(guarded(writing(inspect_command)))


def _limit(name: str, text: str, metavar: str | None = None) -> Any:
    low, high = BOUNDS[name]
    return typer.Option(min=low, max=high, metavar=metavar, help=text, rich_help_panel="Limits")


def inspect_command(
    *,
    source: SourceArgument,
    kinds: Annotated[
        str | None,
        typer.Option(metavar="KIND,…", help=f"Look only for these kinds: {', '.join(Oddity)}."),
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(metavar="TABLE.csv", help="Write a table of the clips without oddities, for fit."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="PAGE.html", help="Write a page with players and pictures (extra report)."),
    ] = None,
    most: Annotated[
        int, typer.Option(min=1, max=MOST_SHOWN, help="Number of odd clips to list and to put on the page.")
    ] = 40,
    clipped_share: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="Share of samples in flat tops from which on a clip is clipped.",
            rich_help_panel="Limits",
        ),
    ] = "0.01%",
    quiet_dbfs: Annotated[
        float,
        _limit("quiet_dbfs", "Level of the loudest tenth of a second, below which a clip is nearly silent.", "DB"),
    ] = _DEFAULT.quiet_dbfs,
    dc_offset: Annotated[
        float, _limit("dc_offset", "Largest mean of the samples, as a share of full scale.")
    ] = _DEFAULT.dc_offset,
    bit_depth: Annotated[
        int, _limit("bit_depth", "Largest number of used bits that counts as a low bit depth.", "BITS")
    ] = (_DEFAULT.bit_depth),
    bandwidth: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="Share of half the sample rate that a spectrum must reach, if it ends abruptly.",
            rich_help_panel="Limits",
        ),
    ] = "60%",
    length_factor: Annotated[
        float, _limit("length_factor", "Factor by which a length may differ from the median.")
    ] = _DEFAULT.length_factor,
    outlier_distance: Annotated[
        float, _limit("outlier_distance", "Distance in robust standard deviations from which on a clip is an outlier.")
    ] = _DEFAULT.outlier_distance,
    near_correlation: Annotated[
        float, _limit("near_correlation", "Correlation of two waveforms from which on they count as one sound.")
    ] = _DEFAULT.near_correlation,
    window: WindowOption = None,
    overlap: OverlapOption = 0.0,
    last: LastOption = "pad",
    workers: WorkersOption = None,
    untrusted: UntrustedOption = False,
    tolerate_short: TolerateShortOption = "0s",
    json: JsonOption = False,
) -> None:
    """List clips that are clipped, silent, copied, broken, or unlike the others: worst first.

    Exits with 1 if anything is odd; with --exclude, which leaves odd clips out, only if no clip remains.
    """
    limits = InspectionLimits(
        parse_share(clipped_share, "clipped-share"),
        quiet_dbfs,
        dc_offset,
        bit_depth,
        parse_share(bandwidth, "bandwidth"),
        length_factor,
        outlier_distance,
        near_correlation,
    )
    wanted = None if kinds is None else [kind for kind in kinds.split(",") if kind]
    chosen_kinds(wanted)
    opened = note_unread(open_source(source, reader(untrusted=untrusted, tolerate_short=tolerate_short)))
    cut = windows(window, overlap, last)
    opened = opened if cut is None else cut.cut(opened)
    _check_outputs(exclude, html, opened)
    with progress_bar("inspecting") as progress:
        found = inspect(opened, limits=limits, kinds=wanted, engine=engine(workers), progress=progress)
    if html is not None:
        save_inspection_page(found, html, most=most)
    if exclude is not None:
        write_clean_table(found.clean, exclude)
    if json:
        print_json(_plain(found))
    else:
        _report(found, most)
        for path, text in ((exclude, f"{counted(len(found.clean), 'clip')} without the odd ones"), (html, "the page")):
            if path is not None:
                say(f"{path}: {text}")
    if found.found and exclude is None:
        raise typer.Exit(FAILED)


def _check_outputs(exclude: Path | None, html: Path | None, source: Source) -> None:
    """Refuse outputs that cannot be written before the work begins."""
    with protecting(inputs_of(source)):
        if exclude is not None:
            require_table_name(exclude)
            require_listable(source.clips)
            require_replaceable(exclude, Content.TABLE)
        if html is not None:
            if exclude is not None and html.absolute() == exclude.absolute():
                raise ArgumentError(f"{html}: is the name of the table and of the page; choose two names")
            require_replaceable(html, Content.PAGE)


def _plain(found: Inspected) -> dict[str, object]:
    return {
        "clips": len(found.source),
        "odd": list(found.odd),
        "counts": dict(found.counts),
        "formats": {name: {str(key): count for key, count in table.items()} for name, table in found.formats.items()},
        "found": [one.to_dict() for one in found.found],
        "bad": [bad.to_dict() for bad in found.bad],
    }


def _report(found: Inspected, most: int) -> None:
    clips = counted(len(found.source), "clip")
    for name, table in found.formats.items():
        if len(table) > 1:
            what, unit = _MIXED[name]
            counts = (f"{counted(count, 'clip')} with {key} {unit}".rstrip() for key, count in table.items())
            warn(f"{what} are mixed: {', '.join(counts)}")
    if not found.found:
        say(f"{clips}, nothing odd")
        return
    say(f"{clips}, {len(found.odd)} odd: {', '.join(f'{count} {kind}' for kind, count in found.counts.items())}")
    shown = set(found.odd[:most])
    rows = [(printable(one.clip), one.kind.value, one.detail) for one in found.found if one.clip in shown]
    width = min(MOST_NAME, max(len(clip) for clip, *_ in rows))
    before = ""
    for clip, kind, detail in rows:
        say(f"  {'' if clip == before else clip:{width}}  {kind:{_KIND}}  {detail}")
        before = clip
    if len(found.odd) > most:
        say(f"  … and {len(found.odd) - most} more (--most, or --json for all)")
