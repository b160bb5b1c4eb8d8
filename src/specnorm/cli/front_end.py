"""The front end's options, by the names that librosa and torchaudio give them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from specnorm.errors import ArgumentError
from specnorm.front_end import FrontEnd, preset

_PANEL = "Front end"


def _option(kind: Any, help_text: str, *names: str) -> Any:
    return Annotated[kind | None, typer.Option(*names, help=help_text, rich_help_panel=_PANEL, show_default=False)]


_OPTIONS: Mapping[str, Any] = {
    "preset_name": _option(str, "Start from a preset: fastaudio, logmel or specgan.", "--preset"),
    "front_end_file": _option(Path, "Start from a JSON file.", "--front-end"),
    "sample_rate": _option(int, "Hz."),
    "resampler": _option(str, "soxr_hq or soxr_vhq."),
    "level": _option(str, "Waveform level: as_recorded or standardize."),
    "n_fft": _option(int, "Samples in an FFT."),
    "win_length": _option(int, "Samples in a window."),
    "hop_length": _option(int, "Samples from frame to frame."),
    "window": _option(str, "Any name that scipy.signal.get_window knows."),
    "center": _option(bool, "Pad, so that frames are centred on their time.", "--center/--no-center"),
    "pad_mode": _option(str, "constant, edge or reflect."),
    "power": _option(float, "1 for magnitudes, 2 for power."),
    "bands": _option(str, "linear or mel."),
    "drop_nyquist": _option(bool, "Linear: leave the last bin out.", "--drop-nyquist/--keep-nyquist"),
    "n_mels": _option(int, "Mel: how many bands."),
    "f_min": _option(float, "Mel: lowest frequency, Hz."),
    "f_max": _option(float, "Mel: highest frequency, Hz."),
    "mel_scale": _option(str, "Mel: slaney or htk."),
    "norm": _option(str, "Mel: slaney or none."),
    "compress": _option(str, "decibel or ln."),
    "amin": _option(float, "Decibel: the smallest value."),
    "ref": _option(float, "Decibel: the value of 0 dB."),
    "floor_db": _option(float, "Decibel: a fixed floor."),
    "top_db": _option(float, "Decibel: a floor below each clip's own peak."),
    "offset": _option(float, "Ln: added before the logarithm."),
}
_SLOT_OF: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("n_fft", "win_length", "hop_length", "window", "center", "pad_mode", "power"), ("stft", "stft")),
    **dict.fromkeys(("n_mels", "f_min", "f_max", "mel_scale", "norm"), ("bands", "mel")),
    **dict.fromkeys(("amin", "ref", "floor_db", "top_db"), ("compress", "decibel")),
    "drop_nyquist": ("bands", "linear"),
    "offset": ("compress", "ln"),
}


def with_front_end(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with its `front_end` argument spread out into options."""
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "front_end"]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OPTIONS.items()
    ]

    def run(**settings: Any) -> Any:
        chosen = {name: settings.pop(name) for name in _OPTIONS}
        return command(front_end=build(chosen), **settings)

    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def build(options: Mapping[str, Any]) -> FrontEnd:
    """The front end that the options describe, starting from a preset, a file or the defaults.

    Raises:
        ArgumentError: when options contradict each other or break a rule.
    """
    given = {name: value for name, value in options.items() if value is not None}
    name, file = given.pop("preset_name", None), given.pop("front_end_file", None)
    if name is not None and file is not None:
        raise ArgumentError("--preset and --front-end both say where to start; give one of them")
    start = preset(name) if name is not None else FrontEnd.load(file) if file is not None else FrontEnd()
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
    slot, kind = _SLOT_OF[option]
    if plain[slot]["kind"] != kind:
        if slot in chosen:
            raise ArgumentError(f"--{option.replace('_', '-')} belongs to --{slot} {kind}, not {chosen[slot]}")
        plain[slot] = {"kind": kind}
    plain[slot][option] = None if option == "norm" and value == "none" else value
