"""`spectronorm watch`: alarm when the statistics no longer hold."""

from __future__ import annotations

import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from spectronorm.arrays import MAX_SEED
from spectronorm.audio import LAST_WINDOW, Source, Windows
from spectronorm.cli.options import (
    HoldOutOption,
    LastOption,
    OverlapOption,
    parse_hold_out,
    parse_seconds,
    parse_share,
    windows,
)
from spectronorm.cli.run import INTERRUPTED, guarded, note_unread, writing
from spectronorm.cli.terminal import warn
from spectronorm.cli.training_baseline import training_baseline
from spectronorm.cli.watch_output import Page, finish, telling
from spectronorm.errors import ArgumentError
from spectronorm.features import open_for
from spectronorm.monitor import (
    FalseAlarms,
    Incoming,
    Monitor,
    Pcm,
    Reading,
    Window,
    existing,
    growing_folder,
    listed,
    pcm_file,
    pcm_stream,
    watch,
)
from spectronorm.monitor.feed.prometheus import LOOPBACK, Exporter
from spectronorm.profile import Profile
from spectronorm.runs.lock import output_lock
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable

ALARM = 3
"""Exit code of `--once` after an alarm."""
LEAST_CLIPS, MOST_CLIPS = 8, 20_000
_EXAMPLES = """
**Examples**

    spectronorm watch incoming/ --profile esc10.safetensors --training esc10/ --false-alarms 1/week --clips-per-hour 360

    spectronorm watch today/ --profile esc10.safetensors --once --json

    spectronorm watch recordings/ --profile field.safetensors --once --window 3 --overlap 1

    arecord -t raw -f S16_LE -r 16000 | spectronorm watch - --pcm s16le --pcm-rate 16000 --profile esc10.safetensors
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch", epilog=_EXAMPLES)(guarded(writing(_alone(watch_command))))


def _alone(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its state locked from before it is read: a second watch would undo what the first one saves."""

    @functools.wraps(command)
    def run(*, state: Path | None = None, **settings: Any) -> None:
        with nullcontext() if state is None else output_lock(state):
            command(state=state, **settings)

    return run


def watch_command(
    source: Annotated[
        str,
        typer.Argument(help="Folder to watch; `-` for a list of files, or raw PCM, on stdin; with --once any source."),
    ],
    profile: Annotated[Path, typer.Option("--profile", "-p", help="Profile of the training set.")],
    training: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Training clips, for sharper thresholds than the profile alone gives."),
    ] = None,
    serial: Annotated[
        bool,
        typer.Option(
            "--serial",
            help="Calibrate for a stream of related clips in a row (pieces of recordings, class after class), by "
            "taking the --training clips in the order of their names.",
        ),
    ] = False,
    hold_out: HoldOutOption = None,
    max_bad: Annotated[
        str, typer.Option(metavar="SHARE", help="Largest accepted share of bad files among the training clips.")
    ] = "1%",
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the monitor's state, from which the watch resumes.")
    ] = None,
    false_alarms: Annotated[
        str, typer.Option(metavar="RATE", help="Accepted rate of false alarms, such as 1/week, 2/day or 1/10000 clips.")
    ] = "1/10000 clips",
    clips_per_hour: Annotated[
        float | None,
        typer.Option(min=1e-6, max=1e9, help="Number of clips per hour, for a rate of false alarms per time."),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS",
            help="Cut recordings into windows of this length, as fit does: 3s, or 3 with --overlap or --last. A whole "
            "number alone is --window-clips.",
        ),
    ] = None,
    overlap: OverlapOption = 0.0,
    last: LastOption = "pad",
    window_clips: Annotated[
        int, typer.Option(min=LEAST_CLIPS, max=MOST_CLIPS, help="Number of clips in the window that is compared.")
    ] = 32,
    panes: Annotated[
        int, typer.Option(min=1, max=64, help="Number of panes; the window moves by one pane at a time.")
    ] = 8,
    window_seconds: Annotated[
        float | None,
        typer.Option(
            min=1e-3,
            max=1e9,
            help="Length of the compared window in seconds, by the clock; --window-clips is then the expected number "
            "of clips.",
        ),
    ] = None,
    decay: Annotated[
        float,
        typer.Option(
            min=1e-6, max=1.0, help="Weight of each pane relative to the next newer one (drift figures only)."
        ),
    ] = 1.0,
    pcm: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT", help="Format of raw samples from stdin, a FIFO or a file: s16le, s32le, f32le, u8."
        ),
    ] = None,
    pcm_rate: Annotated[
        int, typer.Option(min=100, max=1_000_000, help="Sample rate of the raw samples in Hz.")
    ] = 16_000,
    pcm_channels: Annotated[int, typer.Option(min=1, max=256, help="Number of channels of the raw samples.")] = 1,
    pcm_seconds: Annotated[
        float, typer.Option(min=1e-3, max=3600.0, help="Length of the clips that the raw samples are cut into.")
    ] = 5.0,
    poll: Annotated[float, typer.Option(min=0.05, max=86_400.0, help="Seconds between two scans of the folder.")] = 2.0,
    once: Annotated[
        bool, typer.Option("--once", help=f"Watch only the present clips, and exit with {ALARM} after an alarm.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on each line: each clip, then the report.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write a page about the drift at each alarm and at the end."),
    ] = None,
    prometheus: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, metavar="PORT", help="Port for Prometheus gauges (extra `monitor`)."),
    ] = None,
    prometheus_address: Annotated[str, typer.Option(help="Address of the gauges.")] = LOOPBACK,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Random seed for threshold calibration.")] = 0,
) -> None:
    """Compare incoming clips with the training clips; on an alarm, report the change and advice."""
    raw = None if pcm is None else Pcm(pcm, pcm_rate, pcm_channels, pcm_seconds)
    if raw is not None and source != "-" and Path(source).is_dir():
        raise ArgumentError(f"--pcm reads raw samples from stdin (-), a FIFO or a file, but {source} is a folder")
    if report is not None:
        require_replaceable(report, Content.PAGE)
    rate = FalseAlarms.parse(false_alarms, clips_per_hour)
    cut, clips = _windows(window, overlap, last, window_clips)
    look = Window(clips, panes, window_seconds, decay)
    watched = _profile(profile, hold_out)
    trained = None if training is None else _training_source(training, watched, hold_out, cut)
    if state is not None and state.exists():
        monitor = Monitor.load(state, watched)
        if (monitor.window, monitor.false_alarms) != (look, rate):
            warn(f"{state}: keeps the window and threshold that it was started with; remove the file to change them")
    else:
        share = parse_share(max_bad, "max-bad")
        baseline = None if trained is None else training_baseline(trained, profile, watched, share)
        monitor = Monitor(watched, baseline, window=look, false_alarms=rate, seed=seed, serial=serial)
    page = None if report is None else Page(report, monitor, trained)
    alarms, stopped = monitor.alarms, False
    exporter = None if prometheus is None else Exporter(watched.front_end, prometheus, prometheus_address)
    try:
        with telling(monitor, exporter, page, json=json) as tell, _ended_by_signals() as asked:
            incoming = _incoming(source, monitor, raw, poll, cut, once=once)
            heard = incoming if page is None else page.watched.passing(incoming)
            watch(monitor, _until(asked, heard), tell, state, lock=False)
    except KeyboardInterrupt:  # the usual end of watching a folder: the report is still printed
        if not monitor.clips:
            raise
        stopped = True
    finally:
        if exporter is not None:
            exporter.close()
    finish(monitor, page, json=json)
    if stopped:
        raise typer.Exit(INTERRUPTED)
    if once and (monitor.alarms > alarms or monitor.verdict().alarm):
        raise typer.Exit(ALARM)


def _profile(path: Path, hold_out: list[str] | None) -> Profile:
    profile = Profile.load(path)
    for column, value in parse_hold_out(hold_out):
        if f"{column}={value}" not in profile.left_out:  # what `fit --hold-out` left out is not in it
            profile = profile.without(**{column: value})
    return profile


def _windows(window: str | None, overlap: float, last: str, clips: int) -> tuple[Windows | None, int]:
    """The windows that recordings are cut into, if there are any, and the number of clips that are compared."""
    alone = not overlap and last == LAST_WINDOW[0]
    if window is None or not (alone and window.isascii() and window.isdigit()):
        return windows(None if window is None else parse_seconds(window, "window"), overlap, last), clips
    if not LEAST_CLIPS <= int(window) <= MOST_CLIPS:
        raise ArgumentError(
            f"window={window} alone is a number of clips, {LEAST_CLIPS} … {MOST_CLIPS}; to cut recordings into windows "
            f"say --window {window}s"
        )
    return None, int(window)


def _training_source(training: str, profile: Profile, hold_out: list[str] | None, cut: Windows | None) -> Source:
    source = Reading(profile.front_end, windows=cut).cut(open_for(training, profile.front_end))
    for column, value in parse_hold_out(hold_out):
        source = source.without(**{column: value})
    return source


def _incoming(
    source: str, monitor: Monitor, pcm: Pcm | None, poll: float, cut: Windows | None, *, once: bool
) -> Iterable[Incoming | None]:
    reading = Reading(monitor.profile.front_end, monitor.profile.duration, windows=cut)
    if pcm is not None:
        return (
            pcm_stream(sys.stdin.buffer, pcm, reading)
            if source == "-"
            else pcm_file(Path(source), pcm, reading, once=once)
        )
    if source == "-":
        return listed(sys.stdin, reading)
    if once and not (Path(source).is_dir() and monitor.mark is not None):
        note_unread(open_for(source, monitor.profile.front_end))
        return existing(source, reading, seen=monitor.seen)
    return growing_folder(Path(source), reading, after=monitor.mark, seen=monitor.seen, poll=poll, once=once)


@contextmanager
def _ended_by_signals() -> Iterator[threading.Event]:
    """Make a service manager's SIGTERM end the watch like Ctrl-C; the event is set when either signal arrives."""
    asked = threading.Event()

    def stop(*_: object) -> None:
        asked.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _until(asked: threading.Event, incoming: Iterable[Incoming | None]) -> Iterator[Incoming | None]:
    """Yield clips until the event is set: an exception could be lost while a destructor or a library calls Python."""
    for one in incoming:
        if asked.is_set():
            raise KeyboardInterrupt
        yield one
