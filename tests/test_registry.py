"""Things by name: built in, registered, or from entry points; and all that can be wrong with them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.cli.plugins import REGISTRIES
from spectronorm.experiment.arms.arm import Arm, arm_of_name
from spectronorm.explain import explain
from spectronorm.front_end.compress import COMPRESSIONS, Compression, Grid
from spectronorm.normalize import NORMALIZERS, FittedNormalizer, Normalizer, normalizer_names
from spectronorm.profile import LevelCounter, Profile
from spectronorm.registry import Registry
from spectronorm.settings import settings_of

MODULE = '''
from dataclasses import dataclass
from spectronorm.front_end.compress import Compression, Grid
from spectronorm.normalize import FittedNormalizer, Normalizer

@dataclass(frozen=True)
class Shifted(Normalizer):
    """Takes `by` off."""
    by: float = 1.0
    def fit(self, profile):
        return FittedNormalizer.of(self, profile, self.by, 2.0)

@dataclass(frozen=True)
class Doubled(Compression):
    """Twice the value."""
    unit = "double"
    times: float = 2.0
    def __call__(self, values, power):
        return values * self.times
    def inverse(self, level, power):
        return level / self.times
    def grid(self, power):
        return Grid.up_to(1e6 * self.times)
'''


@dataclass(frozen=True)
class Unregistered(Compression):
    """A compression that nobody registered."""

    def __call__(self, values: Any, power: float) -> Any:
        """The values."""
        return values

    def inverse(self, level: Any, power: float) -> Any:
        """The values."""
        return level

    def grid(self, power: float) -> Grid:
        """Up to a million."""
        return Grid.up_to(1e6)


@dataclass(frozen=True)
class Nameless(Normalizer):
    """A normalizer that nobody registered."""

    def fit(self, profile: Profile) -> FittedNormalizer:
        """The identity."""
        return FittedNormalizer.of(self, profile, 0.0, 1.0)


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a distribution with entry points on the path, as pip does, and takes it off afterwards."""
    known = [(registry, dict(registry._classes), dict(registry._packages)) for registry in REGISTRIES]

    def put(package: str, entries: dict[str, str], module: str = MODULE) -> None:
        folder = tmp_path / "site"
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        groups: dict[str, list[str]] = {}
        for name, target in entries.items():
            group, _, short = name.partition("/")
            groups.setdefault(group, []).append(f"{short} = {target}")
        text = "".join(f"[spectronorm.{group}]\n" + "\n".join(lines) + "\n" for group, lines in groups.items())
        (info / "entry_points.txt").write_text(text)
        (folder / f"{package}_code.py").write_text(module)
        monkeypatch.syspath_prepend(folder)
        for registry in REGISTRIES:
            registry.rescan()

    yield put
    monkeypatch.undo()
    for name in [name for name in sys.modules if name.endswith("_code")]:
        del sys.modules[name]
    for registry, classes, packages in known:
        registry._classes, registry._packages = classes, packages
        registry.rescan()


def profile_of(front_end: sn.FrontEnd) -> Profile:
    """A profile of one second of noise."""
    counter = LevelCounter(front_end)
    counter.add((0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32))
    measurement = counter.measurement()
    assert measurement is not None
    return Profile(front_end, {(): measurement})


BOTH = {"normalizers/shifted": "extra_code:Shifted", "compressions/doubled": "extra_code:Doubled"}


def test_a_plugin_works_wherever_a_built_in_one_does(install: Install, tmp_path: Path) -> None:
    """By name, saved and loaded, as an arm, explained, and in torch: an entry point is as good as a built-in name."""
    install("extra", BOTH)
    front_end = sn.FrontEnd.from_dict({"compress": {"kind": "doubled", "times": 3.0}})
    pipeline = sn.Pipeline(front_end, sn.normalizer("shifted:by=0.5").fit(profile_of(front_end)))
    pipeline.save(tmp_path / "p.safetensors")
    again = sn.Pipeline.load(tmp_path / "p.safetensors")
    assert again == pipeline
    assert again.normalizer.normalizer.by == 0.5  # type: ignore[attr-defined]
    assert again.front_end.fingerprint == front_end.fingerprint
    assert "package extra (extra_code)" in str(front_end.to_dict())
    arm = arm_of_name("shifted", front_end)
    assert arm.to_dict()["normalize"]["kind"] == "shifted"
    found = explain(front_end, replace(front_end, compress=COMPRESSIONS.find("doubled")()))
    assert [d.setting for d in found.differences] == ["compress.times"]
    options = CliRunner().invoke(app, ["plugins"])
    assert "shifted [package extra (extra_code)]: Takes `by` off." in options.stdout


def test_a_plugin_is_a_torch_module(install: Install) -> None:
    """`Preprocess` of a pipeline with plug-ins gives the pipeline's numbers."""
    torch = pytest.importorskip("torch")
    install("extra", BOTH)
    front_end = sn.FrontEnd.from_dict({"compress": "doubled"})
    pipeline = sn.Pipeline(front_end, sn.normalizer("shifted").fit(profile_of(front_end)))
    wave = 0.1 * np.random.default_rng(1).standard_normal((2, 4000))
    np.testing.assert_allclose(
        sn.nn.Preprocess(pipeline)(torch.from_numpy(wave)).numpy(), pipeline(wave), rtol=1e-9, atol=1e-9
    )


def test_its_options_are_on_the_command_line(install: Install) -> None:
    """A compression's field is an option of a new process, and its name stands in the help."""
    install("extra", BOTH)
    site = next(path for path in sys.path if path.endswith("site"))
    code = f"import sys; sys.path.insert(0, {site!r}); sys.argv = ['spectronorm', 'fit', '--help']\n"
    code += "from spectronorm.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--times" in done.stdout
    assert "doubled" in done.stdout


def test_a_file_names_the_plugin_that_it_needs(install: Install, tmp_path: Path) -> None:
    """Without the plug-in, loading says its name and the package that registered it, and imports nothing."""
    install("extra", BOTH)
    front_end = sn.FrontEnd.from_dict({"compress": "doubled"})
    profile = profile_of(front_end)
    profile.save(tmp_path / "profile.safetensors")
    sn.Pipeline(front_end, sn.normalizer("band").fit(profile)).save(tmp_path / "pipeline.safetensors")
    plain = sn.FrontEnd()
    sn.Pipeline(plain, sn.normalizer("shifted").fit(profile_of(plain))).save(tmp_path / "other.safetensors")
    for name in ("doubled", "shifted"):
        registry: Registry[Any] = COMPRESSIONS if name == "doubled" else NORMALIZERS
        del registry._classes[name]
        registry._offers = {}
    for file, name in (("profile", "doubled"), ("pipeline", "doubled"), ("other", "shifted")):
        with pytest.raises(sn.errors.PluginError, match=f"{file}.safetensors.*{name}.*package extra .extra_code.*ins"):
            sn.load(tmp_path / f"{file}.safetensors")


def test_built_in_names_leave_no_trace_in_files() -> None:
    """The settings of built-in kinds hold no package, so that files and fingerprints are as they were."""
    assert "plugin" not in str(sn.FrontEnd().to_dict())
    assert sn.FrontEnd().fingerprint == "70a7fd07840f21e5"


def test_an_unregistered_object_is_refused() -> None:
    """In a slot, a saved pipeline or an arm it is one error: the object, the rule and the remedy."""
    with pytest.raises(sn.errors.ArgumentError, match=r"compress=Unregistered\(\) is not a reg.*COMPRESSIONS.reg"):
        sn.FrontEnd(compress=Unregistered())
    with pytest.raises(sn.errors.ArgumentError, match=r"bands=Decibel\(.*belongs elsewhere"):
        sn.FrontEnd(bands=sn.Decibel())  # type: ignore[arg-type]
    for value in (None, 3, "mel"):
        with pytest.raises(sn.errors.ArgumentError, match="bands=.* is not a registered band layout"):
            sn.FrontEnd(bands=value)  # type: ignore[arg-type]
    front_end = sn.FrontEnd()
    pipeline = sn.Pipeline(front_end, Nameless().fit(profile_of(front_end)))
    with pytest.raises(sn.errors.ArgumentError, match="Nameless.*not a registered normalizer.*NORMALIZERS.register"):
        pipeline.save("never.safetensors")
    with pytest.raises(sn.errors.ArgumentError, match="not a registered normalizer"):
        Arm("mine", front_end, Nameless()).to_dict()


def test_an_entry_point_that_fails_breaks_nothing_else(install: Install) -> None:
    """Whatever its module raises: other names work, and asking for it names the package, the error and the remedy."""
    install("broken", {"normalizers/bad": "broken_code:Bad"}, module="raise RuntimeError('no licence')")
    install("leaving", {"normalizers/gone": "leaving_code:Gone"}, module="import sys; sys.exit(3)")
    install("extra", BOTH)
    assert sn.normalizer("shifted").by == 1.0  # type: ignore[attr-defined]
    assert "band" in normalizer_names()
    for name, error in (("bad", "RuntimeError: no licence"), ("gone", "SystemExit: 3")):
        with pytest.raises(sn.errors.PluginError, match=f"normalizer '{name}' of package.*{error}.*uninstall"):
            sn.normalizer(name)
    listed = CliRunner().invoke(app, ["plugins", "normalizers"])
    assert listed.exit_code == 1
    assert "no licence" in listed.stderr
    assert "shifted" in listed.stdout


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("wrong_code:Absent", "AttributeError"),
        ("absent_code:Shifted", "ModuleNotFoundError"),
        ("wrong_code:dataclass", "inherits"),
        ("wrong_code:Doubled", "inherits spectronorm.normalize"),
    ],
)
def test_an_entry_point_to_something_else_is_refused(install: Install, target: str, message: str) -> None:
    """What is not there or no normalizer is one error that says so."""
    install("wrong", {"normalizers/wrong": target})
    with pytest.raises(sn.errors.PluginError, match=f"package wrong.*{message}"):
        sn.normalizer("wrong")


@pytest.mark.parametrize("wrong", [None, 3, "band", sn.Standardize(), Nameless(), sn.FrontEnd()])
def test_what_is_no_fitted_normalizer_and_no_front_end_is_refused(wrong: Any) -> None:
    """A pipeline names the value and the rule, and so does `fit` with something else for a front end."""
    with pytest.raises(sn.errors.ArgumentError, match=r"normalizer=.* is not fitted; pass what"):
        sn.Pipeline(sn.FrontEnd(), wrong)
    if not isinstance(wrong, sn.FrontEnd):
        with pytest.raises(sn.errors.ArgumentError, match="front_end=.* is not a front end; pass"):
            sn.Pipeline(wrong, sn.Standardize().fit(profile_of(sn.FrontEnd())))
    if wrong is not None and not isinstance(wrong, sn.FrontEnd):
        with pytest.raises(sn.errors.ArgumentError, match="front_end=.* is not a front end; pass"):
            sn.fit("absent", wrong)


def test_names_that_collide_are_refused(install: Install) -> None:
    """A built-in name stays what it is; two packages with one name are an error for that name alone."""
    install("first", {"compressions/ln": "first_code:Doubled", "normalizers/same": "first_code:Shifted"})
    install("second", {"normalizers/same": "second_code:Shifted"})
    assert COMPRESSIONS.find("ln") is sn.Ln
    assert "package first (first_code:Doubled) cannot be used" in COMPRESSIONS.problems()[0]
    import first_code  # type: ignore[import-not-found]  # noqa: PLC0415

    with pytest.raises(sn.errors.ArgumentError, match="Doubled.*spectronorm.front_end.compress.ln.Ln has that name"):
        sn.FrontEnd(compress=first_code.Doubled())
    with pytest.raises(sn.errors.PluginError, match="package .* offers that name too; uninstall one"):
        sn.normalizer("same")
    assert sn.normalizer("band") == sn.Standardize()


def test_what_may_be_registered() -> None:
    """A taken or odd name, a class that is abstract, mutable or of another kind: each is refused by its rule."""
    things: Registry[Compression] = Registry("things", "thing", Compression)
    things.register("there")(Unregistered)
    other = dataclass(frozen=True)(type("Other", (Unregistered,), {"__module__": __name__}))
    methods = {name: vars(Unregistered)[name] for name in ("__call__", "inverse", "grid")}
    mutable = type("Mutable", (Compression,), methods)
    cases: list[tuple[str, Any, str]] = [
        ("there", other, "Unregistered has the name 'there' already"),
        ("Upper", other, "lower-case"),
        ("../up", other, "lower-case"),
        ("", other, "lower-case"),
        ("number", int, "inherits"),
        ("value", 3, "inherits"),
        ("abstract", type("Abstract", (Compression,), {}), "must define __call__, grid, inverse"),
        ("mutable", mutable, "frozen"),
        ("twice", Unregistered, "is registered as 'there' already"),
    ]
    for name, cls, message in cases:
        with pytest.raises(sn.errors.ArgumentError, match=f"the thing .*{message}"):
            things.register(name)(cls)
    things.register("there")(Unregistered)  # once more is no harm
    assert things.names() == ("there",)
    del Unregistered._spectronorm_name  # type: ignore[attr-defined]


@given(name=st.text(max_size=30))
def test_an_unknown_name_is_one_error(name: str) -> None:
    """Any text is a known name or an `ArgumentError` that lists the names."""
    for registry in REGISTRIES:
        if name not in registry:
            with pytest.raises(sn.errors.ArgumentError, match="must be one of"):
                registry.find(name)


@pytest.mark.parametrize(
    "plain", [{}, {"kind": None}, {"kind": ["mel"]}, {"kind": {}}, 3, None, [], {"kind": "mel", "x": 1}]
)
def test_damaged_settings_are_one_error(plain: Any) -> None:
    """Values that describe nothing are refused, whatever type they are of."""
    with pytest.raises(sn.errors.ArgumentError):
        sn.FrontEnd.from_dict({"bands": plain})


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_each_registry_is_listed_with_help(registry: Registry[Any]) -> None:
    """Every built-in thing has a description, and every setting of what the command line offers has its help."""
    for name, cls in registry.classes().items():
        assert cls.__doc__, name
        if registry.kind in ("waveform_levels", "bands", "compressions", "normalizers"):
            assert all(setting.help for setting in settings_of(cls).values()), name


def test_importing_looks_for_no_entry_points() -> None:
    """`import spectronorm` and the use of built-in names read no entry points."""
    code = (
        "import importlib.metadata as m\n"
        "def refuse(**k): raise AssertionError(k)\n"
        "m.entry_points = refuse\n"
        "import spectronorm as sn\n"
        "sn.FrontEnd.from_dict(sn.preset('whisper').to_dict()); sn.normalizer('band')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("minmax:low", "SETTING=VALUE"),
        ("minmax:up=1", "SETTING=VALUE"),
        ("minmax:low=x", "must be float"),
        ("none:a=1", "none"),
    ],
)
def test_bad_settings_after_a_name_are_refused(text: str, message: str) -> None:
    """`NAME:SETTING=VALUE` with an unknown setting or a wrong value says what it should be."""
    with pytest.raises(sn.errors.ArgumentError, match=message):
        sn.normalizer(text)


def test_settings_after_a_name() -> None:
    """Numbers, switches and several values are read by their field's type."""
    assert sn.normalizer("minmax-band:low=-1:high=1") == sn.MinMax(per="band", low=-1.0)
    assert sn.normalizer("robust:quantiles=0.1,0.9") == sn.Robust(per="global", quantiles=(0.1, 0.9))
    assert sn.normalizer("sliding:center=false:length=9:min_length=2").center is False  # type: ignore[attr-defined]
