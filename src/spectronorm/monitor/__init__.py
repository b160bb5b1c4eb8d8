"""Monitoring after deployment: test if the statistics still hold, diagnose a change, and update the statistics."""

from spectronorm.monitor.change.advice import Remedy as Remedy
from spectronorm.monitor.change.diagnosis import Diagnosis as Diagnosis
from spectronorm.monitor.change.diagnosis import diagnose as diagnose
from spectronorm.monitor.change.drift import BandDrift as BandDrift
from spectronorm.monitor.change.drift import Drift as Drift
from spectronorm.monitor.change.drift import drift as drift
from spectronorm.monitor.change.evidence import Evidence as Evidence
from spectronorm.monitor.change.evidence import Reference as Reference
from spectronorm.monitor.change.evidence import evidence as evidence
from spectronorm.monitor.change.kind import Kind as Kind
from spectronorm.monitor.clips.baseline import Baseline as Baseline
from spectronorm.monitor.false_alarms import FalseAlarms as FalseAlarms
from spectronorm.monitor.feed.incoming import Incoming as Incoming
from spectronorm.monitor.feed.incoming import Reading as Reading
from spectronorm.monitor.feed.incoming import existing as existing
from spectronorm.monitor.feed.incoming import growing_folder as growing_folder
from spectronorm.monitor.feed.incoming import listed as listed
from spectronorm.monitor.feed.pcm import Pcm as Pcm
from spectronorm.monitor.feed.pcm import pcm_file as pcm_file
from spectronorm.monitor.feed.pcm import pcm_stream as pcm_stream
from spectronorm.monitor.feed.stream import SampleStream as SampleStream
from spectronorm.monitor.feed.watch import Event as Event
from spectronorm.monitor.feed.watch import watch as watch
from spectronorm.monitor.mending.lineage import lineage as lineage
from spectronorm.monitor.mending.lineage import rollback as rollback
from spectronorm.monitor.mending.lineage import save_update as save_update
from spectronorm.monitor.mending.new_audio import NewAudio as NewAudio
from spectronorm.monitor.mending.new_audio import measure_new as measure_new
from spectronorm.monitor.mending.refit import refit as refit
from spectronorm.monitor.mending.update import Update as Update
from spectronorm.monitor.mending.update import moved_baseline as moved_baseline
from spectronorm.monitor.mending.update import restarted as restarted
from spectronorm.monitor.mending.update import update as update
from spectronorm.monitor.monitor import Monitor as Monitor
from spectronorm.monitor.verdict import Report as Report
from spectronorm.monitor.verdict import Verdict as Verdict
from spectronorm.monitor.window import Window as Window

__all__ = [
    "BandDrift",
    "Baseline",
    "Diagnosis",
    "Drift",
    "Event",
    "Evidence",
    "FalseAlarms",
    "Incoming",
    "Kind",
    "Monitor",
    "NewAudio",
    "Pcm",
    "Reading",
    "Reference",
    "Report",
    "SampleStream",
    "Update",
    "Verdict",
    "Window",
    "diagnose",
    "drift",
    "evidence",
    "existing",
    "growing_folder",
    "lineage",
    "listed",
    "measure_new",
    "moved_baseline",
    "pcm_file",
    "pcm_stream",
    "refit",
    "restarted",
    "rollback",
    "save_update",
    "update",
    "watch",
]
