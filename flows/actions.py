"""The action types of the flow language, as data: the linter, the runner and the generator read this one table.

Sources: the developer guide's action pages and the admin guide's block pages; what CreateContactFlow refused in
recorded live checks (missing and unknown branches, refused names); and counts over real exports. An entry says only
what these agree on: what is not known is left open, so that no export of a later Connect is called wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flows.action_type import (
    CHAT,
    LIST,
    MAP,
    NO_CONDITION,
    NO_ERROR,
    OBJECT,
    PATH,
    TEXT,
    VOICE,
    ActionType,
    Parameter,
    choice,
    integer,
)
from flows.flow_types import HOLDS, INBOUND, MODULE, OUTBOUND_WHISPER, QUEUE, TRANSFERS, WHISPERS

# A module runs as the type of the flow that calls it, which a file does not say
_MODULES = frozenset({MODULE})
_ROUTING = INBOUND | TRANSFERS | _MODULES
_TALKING = _ROUTING | QUEUE
_VOICE_ONLY = frozenset({VOICE})

MESSAGES: Final = ("Text", "SSML", "PromptId", "Media")
MAX_ACTIONS: Final = 250
MAX_IDENTIFIER: Final = 50
MAX_CONTENT: Final = 256_000
REFUSED_IN_IDENTIFIERS: Final = frozenset("%:(\\/)=$,;[]{}")
RESERVED_IDENTIFIERS: Final = frozenset(
    {
        "__proto__",
        "constructor",
        "__defineGetter__",
        "__defineSetter__",
        "toString",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "valueOf",
    }
)
OPERATORS: Final = frozenset(
    {
        "Equals",
        "TextStartsWith",
        "TextEndsWith",
        "TextContains",
        "NumberGreaterThan",
        "NumberGreaterOrEqualTo",
        "NumberLessThan",
        "NumberLessOrEqualTo",
    }
)
MAX_CONDITION_DEPTH: Final = 5
MAX_SUBCONDITIONS: Final = 50
MAX_LAMBDA_SECONDS: Final = 8
MAX_ASYNC_LAMBDA_SECONDS: Final = 60
# Admin guide: what a sequence of Lambda functions may take, unless a Play prompt stands between
MAX_SILENT_LAMBDA_SECONDS: Final = 20
MAX_BILLED_CHARACTERS: Final = 3000
MAX_TOTAL_CHARACTERS: Final = 6000
MAX_LAMBDA_ARN: Final = 140  # AssociateLambdaFunction and CloudFormation's IntegrationArn


def _words(**more: Parameter) -> dict[str, Parameter]:
    return {"Text": TEXT, "SSML": TEXT, "PromptId": TEXT, "Media": OBJECT, **more}


def _profile(*errors: str) -> ActionType:
    return ActionType("Customer profiles", errors=(*errors, NO_ERROR))


def _open(block: str, *errors: str, asks: bool = False) -> ActionType:
    """A type that is known to exist, and little more."""
    return ActionType(block, next="optional", errors=errors, conditions="any", speaks=asks, asks=asks, waits=asks)


_QUEUE_OR_AGENT = (("QueueId", "AgentId"),)

ACTIONS: Final[Mapping[str, ActionType]] = {
    # --- what the contact hears, sees and answers
    "MessageParticipant": ActionType(
        "Play prompt",
        _words(),
        one_of=MESSAGES,
        optional_errors=(NO_ERROR,),
        flow_types=_TALKING | WHISPERS,
        speaks=True,
    ),
    "MessageParticipantIteratively": ActionType(
        "Loop prompts",
        {"Messages": LIST.needed(), "InterruptFrequencySeconds": integer(1)},
        next="optional",
        optional_errors=(NO_ERROR,),
        conditions="results",
        results=("MessagesInterrupted",),
        flow_types=QUEUE | HOLDS | _MODULES,
        channels=_VOICE_ONLY,
        speaks=True,
        waits=True,
    ),
    "GetParticipantInput": ActionType(
        "Get customer input",
        _words(
            InputTimeLimitSeconds=integer(1, 180, is_soft=True).needed(),
            StoreInput=choice("True", "False").needed(),
            InputValidation=OBJECT,
            InputEncryption=OBJECT,
            DTMFConfiguration=OBJECT,
        ),
        one_at_most=(MESSAGES,),
        errors=(NO_ERROR,),
        optional_errors=("InputTimeLimitExceeded", NO_CONDITION, "InvalidPhoneNumber"),
        conditions="digits",
        flow_types=_TALKING | {OUTBOUND_WHISPER},
        channels=_VOICE_ONLY,
        speaks=True,
        asks=True,
    ),
    "ConnectParticipantWithLexBot": ActionType(
        "Get customer input (Amazon Lex)",
        _words(LexV2Bot=OBJECT, LexBot=OBJECT, LexSessionAttributes=MAP, LexInitializationData=OBJECT),
        refused={
            "BotAliasArn": "LexV2Bot: {AliasArn}",
            "ParticipantRole": "nothing",
            "SessionAttributes": "LexSessionAttributes",
        },
        one_of=("LexV2Bot", "LexBot"),
        one_at_most=(MESSAGES,),
        errors=(NO_CONDITION, NO_ERROR),
        optional_errors=("InputTimeLimitExceeded",),
        conditions="any",
        flow_types=_TALKING | {OUTBOUND_WHISPER},
        speaks=True,
        asks=True,
    ),
    "ShowView": ActionType(
        "Show view",
        {"ViewResource": OBJECT.needed(), "InvocationTimeLimitSeconds": integer(1).needed()},
        errors=(NO_CONDITION, NO_ERROR, "TimeLimitExceeded"),
        conditions="any",
        channels=frozenset({CHAT}),
        speaks=True,
        asks=True,
    ),
    # --- Lambda functions, and waiting for them
    "InvokeLambdaFunction": ActionType(
        "AWS Lambda function",
        {
            "LambdaFunctionARN": TEXT.needed(),
            "InvocationTimeLimitSeconds": integer(1, MAX_ASYNC_LAMBDA_SECONDS, dynamic=False),
            "InvocationType": choice("SYNCHRONOUS", "ASYNCHRONOUS"),
            "LambdaInvocationAttributes": OBJECT,
            "ResponseValidation": OBJECT,
        },
        refused={
            "FunctionArn": "LambdaFunctionARN",
            "TimeLimit": "InvocationTimeLimitSeconds",
            "InvocationParameters": "LambdaInvocationAttributes",
            "RequestAttributes": "LambdaInvocationAttributes",
        },
        errors=(NO_ERROR,),
    ),
    "LoadLambdaFunctionResult": ActionType(
        "AWS Lambda function (load result)",
        {"LambdaInvocationId": PATH.needed()},
        errors=(NO_ERROR, "InProgress"),
    ),
    "Wait": ActionType(
        "Wait",
        {
            "TimeLimitSeconds": integer(1, 604_800).needed(),
            "Events": LIST,
            "ContinueExecution": choice("TRUE", "FALSE", "True", "False"),
            "InterruptibleEvents": OBJECT,
            "MinimumWaitTimeSeconds": integer(0, 604_800),
        },
        refused={"TimeoutSeconds": "TimeLimitSeconds (the developer guide's TimeoutSeconds is refused)"},
        errors=(NO_ERROR,),
        optional_errors=("ParticipantNotFound",),
        conditions="any",
        required_results=("WaitCompleted",),
        speaks=True,
        asks=True,
        waits=True,
    ),
    # --- deciding
    "Compare": ActionType(
        "Check contact attributes",
        {"ComparisonValue": PATH.needed()},
        errors=(NO_CONDITION,),
        is_closed=True,
        conditions="any",
    ),
    "Loop": ActionType(
        "Loop",
        {"LoopCount": integer(0, 100).needed()},
        optional_errors=(NO_ERROR,),
        conditions="results",
        results=("ContinueLooping", "DoneLooping"),
        required_results=("ContinueLooping", "DoneLooping"),
    ),
    "CheckHoursOfOperation": ActionType(
        "Check hours of operation",
        {"HoursOfOperationId": TEXT},
        errors=(NO_ERROR,),
        is_closed=True,
        conditions="results",
        results=("True", "False"),
        required_results=("True", "False"),
        flow_types=_TALKING | {OUTBOUND_WHISPER},
    ),
    "CheckMetricData": ActionType(
        "Check queue status / staffing",
        {
            "MetricType": choice(
                "NumberOfAgentsAvailable",
                "NumberOfAgentsStaffed",
                "NumberOfAgentsOnline",
                "OldestContactInQueueAgeSeconds",
                "NumberOfContactsInQueue",
            ).needed(),
            "QueueId": TEXT,
            "AgentId": TEXT,
        },
        one_at_most=_QUEUE_OR_AGENT,
        errors=(NO_ERROR, NO_CONDITION),
        conditions="numbers",
        flow_types=_TALKING,
    ),
    "DistributeByPercentage": ActionType(
        "Distribute by percentage",
        errors=(NO_CONDITION,),
        is_closed=True,
        conditions="numbers",
        flow_types=_TALKING | {OUTBOUND_WHISPER},
    ),
    # --- queues and other ways to a person
    "UpdateContactTargetQueue": ActionType(
        "Set working queue",
        {"QueueId": TEXT, "AgentId": TEXT},
        refused={"Queue": "QueueId"},
        one_at_most=_QUEUE_OR_AGENT,
        errors=(NO_ERROR,),
        flow_types=_ROUTING,
    ),
    "TransferContactToQueue": ActionType(
        "Transfer to queue",
        takes_parameters=False,
        refused={"QueueId": "a Set working queue block (UpdateContactTargetQueue) before this one"},
        errors=("QueueAtCapacity", NO_ERROR),
        is_closed=True,
        flow_types=_ROUTING,
        waits=True,
    ),
    "DequeueContactAndTransferToQueue": ActionType(
        "Transfer to queue (from a queue)",
        {"QueueId": TEXT, "AgentId": TEXT},
        one_at_most=_QUEUE_OR_AGENT,
        errors=("QueueAtCapacity", NO_ERROR),
        flow_types=QUEUE | _MODULES,
        waits=True,
    ),
    "TransferContactToAgent": ActionType(
        "Transfer to agent", takes_parameters=False, next="none", is_closed=True, flow_types=TRANSFERS | _MODULES
    ),
    "TransferParticipantToThirdParty": ActionType(
        "Transfer to phone number",
        errors=(NO_ERROR,),
        channels=_VOICE_ONLY,
        speaks=True,
        asks=True,
        waits=True,
    ),
    "TransferToFlow": ActionType(
        "Transfer to flow", {"ContactFlowId": TEXT.needed()}, errors=(NO_ERROR,), flow_types=_ROUTING, waits=True
    ),
    "CreateCallbackContact": ActionType(
        "Transfer to queue (callback)",
        {
            "InitialCallDelaySeconds": integer(1, 259_200).needed(),
            "MaximumConnectionAttempts": integer(0).needed(),
            "RetryDelaySeconds": integer(1, 259_200).needed(),
            "QueueId": TEXT,
            "AgentId": TEXT,
        },
        one_at_most=_QUEUE_OR_AGENT,
        errors=(NO_ERROR,),
        flow_types=_TALKING,
    ),
    "UpdateContactCallbackNumber": ActionType(
        "Set callback number",
        {"CallbackNumber": PATH.needed()},
        errors=("InvalidCallbackNumber", "CallbackNumberNotDialable"),
        is_closed=True,
        flow_types=_TALKING,
    ),
    "UpdateContactRoutingBehavior": ActionType(
        "Change routing priority / age",
        {"QueuePriority": integer(1, dynamic=False)},
        one_at_most=(("QueuePriority", "QueueTimeAdjustmentSeconds"),),
        is_closed=True,
        flow_types=_TALKING,
    ),
    "UpdateContactRoutingCriteria": ActionType("Set routing criteria", errors=(NO_ERROR,)),
    "UpdateRoutingCriteria": ActionType("Set routing criteria", errors=(NO_ERROR,)),
    "GetMetricData": ActionType(
        "Get metrics", {"QueueId": TEXT, "AgentId": TEXT}, one_at_most=_QUEUE_OR_AGENT, errors=(NO_ERROR,)
    ),
    # --- setting things
    "UpdateContactAttributes": ActionType(
        "Set contact attributes",
        {"Attributes": MAP.needed(), "TargetContact": choice("Current", "Related")},
        errors=(NO_ERROR,),
    ),
    "UpdateFlowAttributes": ActionType(
        "Set contact attributes (flow)", {"FlowAttributes": OBJECT.needed()}, errors=(NO_ERROR,)
    ),
    "UpdateContactTextToSpeechVoice": ActionType(
        "Set voice",
        {"TextToSpeechVoice": TEXT.needed(), "TextToSpeechEngine": TEXT, "TextToSpeechStyle": TEXT},
        refused={
            "VoiceId": "TextToSpeechVoice",
            "Engine": "TextToSpeechEngine",
            "LanguageCode": "an UpdateContactData action with LanguageCode",
        },
        optional_errors=(NO_ERROR,),
    ),
    "UpdateContactData": ActionType("Set contact attributes (language, name, ...)", errors=(NO_ERROR,)),
    "UpdateContactEventHooks": ActionType("Set event flow", {"EventHooks": MAP}, errors=(NO_ERROR,)),
    "UpdateContactRecordingBehavior": ActionType(
        "Set recording and analytics behavior",
        {"RecordingBehavior": OBJECT.needed()},
        refused={"Agent": "RecordingBehavior", "Customer": "RecordingBehavior"},
        is_closed=True,
    ),
    "UpdateContactRecordingAndAnalyticsBehavior": ActionType(
        "Set recording, analytics and processing behavior",
        errors=(NO_ERROR, "ChannelMismatch"),
        optional_errors=("InFlightRedactionConfigurationFailed",),
    ),
    "UpdateContactMediaStreamingBehavior": ActionType("Start / stop media streaming", errors=(NO_ERROR,)),
    "UpdatePreviousContactParticipantState": ActionType("Hold customer or agent", errors=(NO_ERROR,)),
    "UpdateFlowLoggingBehavior": ActionType(
        "Set logging behavior",
        {"FlowLoggingBehavior": choice("Enabled", "Disabled").needed()},
        refused={"LoggingBehavior": "FlowLoggingBehavior"},
        is_closed=True,
    ),
    "TagContact": ActionType("Contact tags", {"Tags": MAP.needed()}, errors=(NO_ERROR,)),
    "UntagContact": ActionType("Contact tags (remove)", {"TagKeys": LIST.needed()}, errors=(NO_ERROR,)),
    # --- modules and ends
    "InvokeFlowModule": ActionType(
        "Invoke module",
        {"FlowModuleId": TEXT.needed()},
        errors=(NO_ERROR,),
        optional_errors=(NO_CONDITION,),
        conditions="any",
        speaks=True,
        asks=True,
        waits=True,
    ),
    "EndFlowModuleExecution": ActionType("Return", next="none", is_closed=True, flow_types=_MODULES),
    "EndFlowExecution": ActionType("End flow / Resume", takes_parameters=False, next="none", is_closed=True),
    "DisconnectParticipant": ActionType(
        "Disconnect", takes_parameters=False, next="none", is_closed=True, flow_types=_TALKING
    ),
    # --- other services: their branches, where known
    "GetCustomerProfile": _profile("MultipleFoundError", "NoneFoundError"),
    "CreateCustomerProfile": _profile(),
    "UpdateCustomerProfile": _profile(),
    "GetCustomerProfileObject": _profile(),
    "GetCalculatedAttributesForCustomerProfile": _profile(),
    "AssociateContactToCustomerProfile": _profile(),
    "CreateCase": ActionType("Cases", errors=(NO_ERROR,)),
    "GetCase": ActionType("Cases", errors=(NO_ERROR,)),
    "UpdateCase": ActionType("Cases", errors=(NO_ERROR,)),
    "CreateTask": ActionType("Create task", errors=(NO_ERROR,)),
    "CreateWisdomSession": ActionType("Connect assistant", errors=(NO_ERROR,)),
    "StartVoiceIdStream": ActionType("Set Voice ID", errors=(NO_ERROR,), channels=_VOICE_ONLY),
    "CompleteOutboundCall": _open("Complete outbound call", asks=True),
    "StartOutboundChatContact": _open("Send message"),
    "StartOutboundEmailContact": _open("Send message (email)"),
    "CreateContact": _open("Create contact"),
    "CreatePersistentContactAssociation": _open("Create persistent contact association"),
    "ResumeContact": _open("Resume contact"),
    "RenderMessageTemplate": _open("Render message template"),
    "EvaluateDataTableValues": _open("Data table"),
    "LoadContactContent": _open("Get stored content"),
    "AuthenticateParticipant": _open("Authenticate customer", asks=True),
    "ConnectParticipantWithAgenticCX": _open("Agentic CX", asks=True),
    "UpdateContactMediaProcessing": _open("Set processing behavior"),
    "CheckOutboundCallStatus": _open("Check call progress", NO_ERROR, asks=True),
    "CheckVoiceId": _open("Check Voice ID", NO_ERROR),
}

# Names from guides, older exports and guesses that CreateContactFlow refuses ("Invalid Action type")
REFUSED_TYPES: Final[Mapping[str, str]] = {
    "PlayPrompt": "MessageParticipant",
    "GetUserInput": "GetParticipantInput, or ConnectParticipantWithLexBot for Amazon Lex",
    "StoreUserInput": "GetParticipantInput with StoreInput True",
    "StoreCustomerInput": "GetParticipantInput with StoreInput True",
    "SetLoggingBehavior": "UpdateFlowLoggingBehavior",
    "SetContactAttributes": "UpdateContactAttributes",
    "SetAttributes": "UpdateContactAttributes",
    "SetVoice": "UpdateContactTextToSpeechVoice",
    "SetQueue": "UpdateContactTargetQueue",
    "SetWorkingQueue": "UpdateContactTargetQueue",
    "SetRecordingBehavior": "UpdateContactRecordingBehavior",
    "SetContactFlow": "UpdateContactEventHooks",
    "CheckAttribute": "Compare",
    "CheckCondition": "Compare",
    "CheckValue": "Compare",
    "CheckHours": "CheckHoursOfOperation",
    "CheckStaffing": "CheckMetricData",
    "CheckQueueStatus": "CheckMetricData",
    "GetQueueMetrics": "GetMetricData",
    "Distribute": "DistributeByPercentage",
    "InvokeExternalResource": "InvokeLambdaFunction",
    "InvokeAPI": "InvokeLambdaFunction",
    "InvokeLambda": "InvokeLambdaFunction",
    "InvokeModule": "InvokeFlowModule",
    "GetParticipantWithLexV2Bot": "ConnectParticipantWithLexBot",
    "Transfer": "TransferContactToQueue, TransferToFlow or TransferParticipantToThirdParty",
    "TransferToQueue": "UpdateContactTargetQueue, then TransferContactToQueue",
    "TransferToAgent": "UpdateContactTargetQueue with AgentId, then TransferContactToQueue",
    "TransferToPhoneNumber": "TransferParticipantToThirdParty",
    "TransferToThirdParty": "TransferParticipantToThirdParty",
    "TransferContactToFlow": "TransferToFlow",
    "StartMediaStreaming": "UpdateContactMediaStreamingBehavior",
    "StopMediaStreaming": "UpdateContactMediaStreamingBehavior",
    "Disconnect": "DisconnectParticipant",
    "EndFlow": "EndFlowExecution",
    "ReturnFromFlowModule": "EndFlowModuleExecution",
    "UnTagContact": "UntagContact",
    "Start": "no action at all: StartAction names the first one",
    "EntryPoint": "no action at all: StartAction names the first one",
    "Trigger": "no action at all: StartAction names the first one",
}


def find_required_errors(kind: str, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """The error branches that Connect refuses such an action without; some depend on its parameters."""
    known = ACTIONS.get(kind)
    required = known.errors if known else ()
    if kind == "GetParticipantInput" and parameters.get("StoreInput") == "False":
        return ("InputTimeLimitExceeded", NO_CONDITION, *required)
    if kind == "UpdateContactRecordingAndAnalyticsBehavior" and "ChatBehavior" in parameters:
        return (*required, "InFlightRedactionConfigurationFailed")
    return required


def find_required_results(kind: str, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """The operands for each of which Connect asks a condition; a Wait's are the events it waits for as well."""
    known = ACTIONS.get(kind)
    required = known.required_results if known else ()
    if kind != "Wait":
        return required
    events = parameters.get("Events")
    inner = parameters.get("InterruptibleEvents")
    continues = ("Continue",) if str(parameters.get("ContinueExecution")).upper() == "TRUE" else ()
    listed = [event for event in events if isinstance(event, str)] if isinstance(events, list) else []
    return (*required, *listed, *(inner if isinstance(inner, dict) else ()), *continues)


# Their result decides: NextAction only repeats one of the branches, as the designer writes it
_DECIDING: Final = frozenset(
    {
        "Compare",
        "Loop",
        "CheckHoursOfOperation",
        "CheckMetricData",
        "DistributeByPercentage",
        "Wait",
        "ShowView",
        "ConnectParticipantWithLexBot",
        "MessageParticipantIteratively",
    }
)


def is_decided(kind: str, parameters: Mapping[str, object]) -> bool:
    """Whether the action leaves by its conditions and errors, and never by NextAction."""
    return kind in _DECIDING or (kind == "GetParticipantInput" and parameters.get("StoreInput") == "False")


def is_synchronous(kind: str, parameters: Mapping[str, object]) -> bool:
    """Whether the action is a Lambda that the contact waits for in silence."""
    return kind == "InvokeLambdaFunction" and parameters.get("InvocationType") != "ASYNCHRONOUS"


def is_asynchronous(kind: str, parameters: Mapping[str, object]) -> bool:
    """Whether the action is a Lambda that runs while the flow goes on."""
    return kind == "InvokeLambdaFunction" and parameters.get("InvocationType") == "ASYNCHRONOUS"
