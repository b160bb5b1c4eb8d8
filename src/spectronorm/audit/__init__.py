"""Audit: are given statistics those of a source, and if not, which mistake made them?"""

from spectronorm.audit.audit import Audited as Audited
from spectronorm.audit.audit import Finding as Finding
from spectronorm.audit.audit import audit as audit

__all__ = ["Audited", "Finding", "audit"]
