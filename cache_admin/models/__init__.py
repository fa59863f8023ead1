"""What supervisors decide about (topics, wait policies) and what they look at (answers and calls, mirrored)."""

from cache_admin.models.answer import CachedAnswer
from cache_admin.models.audit import AuditEntry, AuditHead, AuditIntent
from cache_admin.models.call import Call
from cache_admin.models.capacity import ModelLimit
from cache_admin.models.document import EarlierDocument, SourceDocument
from cache_admin.models.drift import DriftedRow, Reconciliation
from cache_admin.models.flow import UploadedFlow
from cache_admin.models.incident import Incident, IncidentTopic
from cache_admin.models.parked import ParkedLook, ParkedMessage
from cache_admin.models.people import TopicScope
from cache_admin.models.phone import PhoneCall, PhoneEvent, PhoneSign
from cache_admin.models.preferences import Preferences
from cache_admin.models.review import ApprovedAnswer, ReviewCaller, ReviewItem, ReviewText
from cache_admin.models.topic import Topic, TopicLanguage
from cache_admin.models.version import AnswerVersion
from cache_admin.models.waiting import WaitPolicy, WaitPrompt
from cache_admin.models.waiting_version import WaitPolicyVersion
from cache_admin.models.warming import MissedQuestion, WarmBatch, WarmRow, WarmSchedule

__all__ = [
    "AnswerVersion",
    "ApprovedAnswer",
    "AuditEntry",
    "AuditHead",
    "AuditIntent",
    "CachedAnswer",
    "Call",
    "DriftedRow",
    "EarlierDocument",
    "Incident",
    "IncidentTopic",
    "MissedQuestion",
    "ModelLimit",
    "ParkedLook",
    "ParkedMessage",
    "PhoneCall",
    "PhoneEvent",
    "PhoneSign",
    "Preferences",
    "Reconciliation",
    "ReviewCaller",
    "ReviewItem",
    "ReviewText",
    "SourceDocument",
    "Topic",
    "TopicLanguage",
    "TopicScope",
    "UploadedFlow",
    "WaitPolicy",
    "WaitPolicyVersion",
    "WaitPrompt",
    "WarmBatch",
    "WarmRow",
    "WarmSchedule",
]
