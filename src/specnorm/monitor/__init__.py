"""After deployment: whether the statistics still hold, what has changed, and how to mend them."""

from specnorm.monitor.baseline import Baseline as Baseline
from specnorm.monitor.diagnosis import ADVICE as ADVICE
from specnorm.monitor.diagnosis import Diagnosis as Diagnosis
from specnorm.monitor.diagnosis import Kind as Kind
from specnorm.monitor.diagnosis import diagnose as diagnose
from specnorm.monitor.drift import BandDrift as BandDrift
from specnorm.monitor.drift import Drift as Drift
from specnorm.monitor.drift import drift as drift
from specnorm.monitor.evidence import Evidence as Evidence
from specnorm.monitor.evidence import evidence as evidence
from specnorm.monitor.false_alarms import FalseAlarms as FalseAlarms
from specnorm.monitor.lineage import lineage as lineage
from specnorm.monitor.lineage import rollback as rollback
from specnorm.monitor.lineage import save_update as save_update
from specnorm.monitor.monitor import Monitor as Monitor
from specnorm.monitor.monitor import Report as Report
from specnorm.monitor.monitor import Verdict as Verdict
from specnorm.monitor.update import NewAudio as NewAudio
from specnorm.monitor.update import Update as Update
from specnorm.monitor.update import UpdateRefused as UpdateRefused
from specnorm.monitor.update import measure_new as measure_new
from specnorm.monitor.update import moved_baseline as moved_baseline
from specnorm.monitor.update import update as update
from specnorm.monitor.window import Window as Window
