"""Front-end options, named as in librosa and torchaudio."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd, preset

_PANEL = "Front end"


def _option(kind: Any, help_text: str, *names: str) -> Any:
    return Annotated[kind | None, typer.Option(*names, help=help_text, rich_help_panel=_PANEL, show_default=False)]


_OPTIONS: Mapping[str, Any] = {
    "preset_name": _option(str, "Start from a preset; spectronorm presets lists them.", "--preset"),
    "front_end_file": _option(Path, "Start from a JSON file.", "--front-end"),
    "sample_rate": _option(int, "Hz."),
    "resampler": _option(str, "soxr_hq, soxr_vhq or overlap_save."),
    "level": _option(
        str, "Waveform level: as_recorded, standardize, sliding, peak, rms, loudness, pre_emphasis or scale."
    ),
    "dbfs": _option(float, "Peak, rms: the level, dBFS."),
    "lufs": _option(float, "Loudness: the level, LUFS."),
    "coefficient": _option(float, "Pre_emphasis: how much of the sample before is taken off."),
    "n_fft": _option(int, "Samples in an FFT."),
    "win_length": _option(int, "Samples in a window."),
    "hop_length": _option(int, "Samples from frame to frame."),
    "window": _option(str, "Any name that scipy.signal.get_window knows, the same with _symmetric, or povey."),
    "center": _option(bool, "Pad, so that frames are centred on their time.", "--center/--no-center"),
    "pad_mode": _option(str, "constant, edge or reflect."),
    "power": _option(float, "1 for magnitudes, 2 for power."),
    "frame_by": _option(str, "Cut frames of n_fft or of win_length samples."),
    "frame_count": _option(str, "fit, floor or ceil."),
    "remove_dc_offset": _option(bool, "Take each frame's mean off.", "--remove-dc-offset/--keep-dc-offset"),
    "preemphasis": _option(float, "Pre-emphasis within each frame, such as 0.97."),
    "bands": _option(str, "linear, mel or gammatone."),
    "drop_nyquist": _option(bool, "Linear: leave the last bin out.", "--drop-nyquist/--keep-nyquist"),
    "n_mels": _option(int, "Mel: how many bands."),
    "n_bands": _option(int, "Gammatone: how many bands."),
    "f_min": _option(float, "Mel, gammatone: lowest frequency, Hz."),
    "f_max": _option(float, "Mel, gammatone: highest frequency, Hz."),
    "mel_scale": _option(str, "Mel: slaney, htk or kaldi."),
    "norm": _option(str, "Mel: slaney or none."),
    "compress": _option(str, "decibel, ln, log1p, root or pcen."),
    "amin": _option(float, "Decibel, ln: the smallest value."),
    "ref": _option(float, "Decibel: the value of 0 dB."),
    "floor_db": _option(float, "Decibel: a fixed floor."),
    "top_db": _option(float, "Decibel: a floor below each clip's own peak."),
    "offset": _option(float, "Ln: added before the logarithm."),
    "exponent": _option(float, "Root, pcen: the power of the compression."),
    "gain": _option(float, "Log1p, pcen: how strongly it compresses."),
    "b": _option(float, "Pcen: the smoother's coefficient."),
    "bias": _option(float, "Pcen: added before the root.", "--bias"),
}
_SLOT_OF: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("n_fft", "win_length", "hop_length", "window", "center", "pad_mode", "power"), ("stft", ("stft",))
    ),
    **dict.fromkeys(("frame_by", "frame_count", "remove_dc_offset", "preemphasis"), ("stft", ("stft",))),
    "dbfs": ("level", ("rms", "peak")),
    "lufs": ("level", ("loudness",)),
    "coefficient": ("level", ("pre_emphasis",)),
    **dict.fromkeys(("n_mels", "mel_scale", "norm"), ("bands", ("mel",))),
    **dict.fromkeys(("f_min", "f_max"), ("bands", ("mel", "gammatone"))),
    "n_bands": ("bands", ("gammatone",)),
    "drop_nyquist": ("bands", ("linear",)),
    "amin": ("compress", ("decibel", "ln")),
    **dict.fromkeys(("ref", "floor_db", "top_db"), ("compress", ("decibel",))),
    "offset": ("compress", ("ln",)),
    "exponent": ("compress", ("root", "pcen")),
    "gain": ("compress", ("log1p", "pcen")),
    **dict.fromkeys(("b", "bias"), ("compress", ("pcen",))),
}
"""The slot of each option, and the kinds that have it; the first one is taken where another kind stood."""


def with_front_end(command: Callable[..., Any], start: FrontEnd | None = None) -> Callable[..., Any]:
    """Replace the command's `front_end` argument by options that change `start`."""
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "front_end"]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OPTIONS.items()
    ]

    def run(**settings: Any) -> Any:
        chosen = {name: settings.pop(name) for name in _OPTIONS}
        return command(front_end=build(chosen, start), **settings)

    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def build(options: Mapping[str, Any], start: FrontEnd | None = None) -> FrontEnd:
    """Build the front end from options, starting from a preset, a file or `start`.

    Raises:
        ArgumentError: if options contradict each other or a value is invalid.
    """
    given = {name: value for name, value in options.items() if value is not None}
    name, file = given.pop("preset_name", None), given.pop("front_end_file", None)
    if name is not None and file is not None:
        raise ArgumentError("--preset and --front-end both say where to start; give one of them")
    if name is not None or start is None:
        start = FrontEnd() if name is None else preset(name)
    if file is not None:
        start = FrontEnd.load(file)
    plain = start.to_dict()
    for slot in ("level", "bands", "compress"):
        if slot in given and given[slot] != plain[slot]["kind"]:
            plain[slot] = {"kind": given[slot]}
    # Window and hop follow n_fft unless they are given too.
    if "n_fft" in given:
        plain["stft"] |= {"win_length": None, "hop_length": None}
    for option, value in given.items():
        if option in _SLOT_OF:
            _set(plain, option, value, chosen=given)
        elif option not in ("level", "bands", "compress"):
            plain[option] = value
    return FrontEnd.from_dict(plain)


def _set(plain: dict[str, Any], option: str, value: Any, chosen: Mapping[str, Any]) -> None:
    slot, kinds = _SLOT_OF[option]
    if plain[slot]["kind"] not in kinds:
        if slot in chosen:
            wanted = " or ".join(kinds)
            raise ArgumentError(f"--{option.replace('_', '-')} belongs to --{slot} {wanted}, not {chosen[slot]}")
        plain[slot] = {"kind": kinds[0]}
    plain[slot][option] = None if option == "norm" and value == "none" else value
