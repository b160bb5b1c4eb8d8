"""Audit: are given statistics those of a source, and if not, which mistake made them?"""

from spectronorm.audit.audit import audit as audit
from spectronorm.audit.result import Audited as Audited
from spectronorm.audit.result import Finding as Finding

__all__ = ["Audited", "Finding", "audit"]
