"""What the linter says of a flow, in the language of the page: it knows English only, as the flow language does."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from cache_admin.stored_words import translate_sentence

KINDS = (
    _("an inbound flow"),
    _("a customer queue flow"),
    _("a customer hold flow"),
    _("a customer whisper flow"),
    _("an agent hold flow"),
    _("an agent whisper flow"),
    _("an outbound whisper flow"),
    _("a transfer to agent flow"),
    _("a transfer to queue flow"),
    _("a campaign flow"),
    _("a flow module"),
)
# In the middle of a sentence
PARTS = (
    _("a text"),
    _("a boolean"),
    _("a number"),
    _("a list"),
    _("an object"),
    _("an empty object"),
    _("true or false"),
    _("nowhere"),
    _("is empty"),
    _("is reserved"),
    _("without end"),
    _("for up to %(seconds)s s"),
    _("from %(low)s on"),
    _("from %(low)s to %(high)s"),
    _("the designer"),
    _("no error branch"),
    _("chat contacts"),
    _("contacts that are not voice (chat, for one)"),
    _("to %(target)s, which is no action of the flow"),
    _("has %(n)s characters; Connect takes at most %(most)s"),
    _("has %(refused)s, which Connect refuses in identifiers"),
    _("this type of action takes no conditions"),
    _("it can only be one key, 0 to 9, * or #"),
    _("it can only be %(results)s"),
    _("only Equals is possible here"),
    _("input that is stored (StoreInput True) is not compared here"),
    _("the block waits for no such event"),
    _("a Set working queue block (UpdateContactTargetQueue) before this one"),
    _("no action at all: StartAction names the first one"),
    _("an UpdateContactData action with LanguageCode"),
    _("TimeLimitSeconds (the developer guide's TimeoutSeconds is refused)"),
    _("a CloudFormation template (lint the Content of each AWS::Connect::ContactFlow in it)"),
    _("a list of flows' names (describe each flow to get its Content)"),
    _("a flow without 'Actions'"),
    _("an object with the keys %(keys)s"),
)
BRANCHES = (
    _("%(block)s ends the flow: Connect refuses branches on it."),
    _("%(block)s has no NextAction: Connect refuses it."),
    _("Connect it to the action that follows."),
    _("Connect it to the action that follows; the designer repeats a branch here, such as %(target)s."),
    _("%(block)s has no %(error)s branch: Connect refuses it."),
    _("Add the error branch %(error)s and lead it to what the contact should then hear."),
    _("%(block)s has a %(error)s branch, which Connect refuses on it."),
    _("Remove it: it takes %(errors)s."),
    _("A condition of %(block)s nests %(depth)s deep and holds %(nested)s conditions."),
    _("Connect takes at most %(levels)s levels and %(most)s conditions: split it."),
    _("A condition of %(block)s has the operator %(operator)s, which Connect does not know."),
    _("Use one of %(operators)s."),
    _("A condition of %(block)s has %(n)s operands; Connect takes exactly one."),
    _('Write "Operands": ["value"], and one condition for each value.'),
    _("%(block)s compares with %(operand)s instead of a text; all that a flow reads is text."),
    _("%(block)s has a condition on %(operand)s: %(fault)s."),
    _("Remove the condition."),
    _("%(block)s has no condition Equals %(result)s, which Connect asks of it."),
    _("Add the condition Equals %(result)s and say where it leads."),
    _("%(block)s has no condition; Connect asks at least one of it."),
    _("Say what the figure is compared with."),
)
PARAMETERS = (
    _("%(block)s has the parameter %(name)s, which Connect refuses on it."),
    _("%(block)s has the parameter %(name)s; this type of action takes none."),
    _("Use %(other)s."),
    _("%(block)s lacks the parameter %(name)s."),
    _("Fill in %(name)s in the block."),
    _("%(block)s has nothing to say: its %(name)s is empty."),
    _("Write what the contact should hear."),
    _('The flow attribute %(key)s of %(block)s is not of the form {"Value": "text"}.'),
    _("Write %(example)s; Connect refuses anything else."),
    _("The ARN of %(block)s has %(n)s characters; Connect associates Lambdas of at most %(most)s."),
    _("Give the function, or its alias, a shorter name."),
    _("%(name)s of %(block)s is %(kind)s; the flow language has %(expected)s."),
    _("%(name)s of %(block)s is %(value)s; Connect takes only a reference there."),
    _("Write one, such as $.Attributes.name or $.External.name."),
    _("%(name)s of %(block)s is %(value)s, which is none of its values."),
    _("Write %(choices)s; case matters."),
    _("%(name)s of %(block)s is %(value)s, not a whole number."),
    _("Write a number from %(low)s on, as a text."),
    _("%(name)s of %(block)s is %(number)s; %(who)s takes numbers %(bounds)s."),
    _("Write a number %(bounds)s."),
    _("%(block)s has %(names)s; Connect takes only one of them."),
    _("Keep one: %(names)s."),
    _("Write %(expected)s."),
)
DOCUMENT = (
    _("Version is %(version)s; Connect reads only %(known)s."),
    _("An object in the file holds %(key)s twice; only the last one counts."),
    _("Remove the one that is not meant."),
    _("The flow has %(n)s actions; Connect takes at most %(most)s."),
    _("Move a part of it into a flow module (Invoke module) or another flow (Transfer to flow)."),
    _("Move a part of it into a flow module or another flow."),
    _("The content has %(n)s characters without any white space; Connect takes at most 256,000."),
    _("The content has %(n)s characters; Connect takes at most 256,000."),
    _("Write it without white space: it then has %(n)s."),
    _("%(n)s actions share the identifier %(identifier)s; branches cannot tell them apart."),
    _("Give each action an identifier of its own."),
    _("Rename it, in the branches that lead to it too: at most %(most)s letters, digits, - and _."),
    _("The identifier %(identifier)s %(fault)s."),
    _("StartAction names %(start)s, which is no action of the flow."),
    _("StartAction is absent."),
    _("Write the identifier of the action with which the flow begins."),
    _("Nothing leads from the start of the flow to %(block)s."),
    _("Connect it, or delete it."),
    _("It may mean %(other)s: case matters."),
    _("Connect the branch to an action of the flow."),
    _("The %(branch)s branch of %(block)s leads %(where)s."),
    _("Connect has no action type %(type)s (%(block)s)."),
    _("The linter does not know the action type %(type)s: its parameters are not checked."),
    _("If it is a slip, write %(other)s."),
    _("If Connect exported it, nothing has to be done."),
    _("%(block)s is not supported in %(kind)s."),
    _("It belongs into %(kinds)s."),
)
TIMING = (
    _("%(path)s goes round for as long as the Lambda says so: if it never says otherwise, the caller never leaves."),
    _("Put a Loop block into the cycle as a backstop, and lead its Complete branch to a person."),
    _("%(path)s goes round without end and without a pause."),
    _("%(path)s goes round without end and without a pause while something fails."),
    _("Lead one of the branches out, or put a Loop block and a Play prompt block into the cycle."),
    _(
        "%(block)s has the default time limit of 3 s: a cold start or a slow service may use it up, and the contact takes"
        " the Error branch."
    ),
    _("Set the timeout to what the function may need, up to 8 s, or keep the function warm."),
    _(
        "%(path)s is a cycle in which nothing is played: the caller hears silence %(most)s, and Connect allows %(limit)s s"
        " of Lambdas in a row. It is gone through only while something fails."
    ),
    _(
        "%(path)s is a cycle in which nothing is played: the caller hears silence %(most)s, and Connect allows %(limit)s s"
        " of Lambdas in a row."
    ),
    _("Put a Play prompt block into the cycle, and a Loop block that ends it."),
    _(
        "%(path)s: these Lambdas follow each other with no prompt between and may take %(seconds)s s together; Connect"
        " ends such a row after %(limit)s s."
    ),
    _("Put a Play prompt block between them (the caller hears silence meanwhile), or lower their time limits."),
    _(
        "%(block)s reads $.External.%(key)s, which seems to come from %(giver)s; on a way to it %(last)s runs last, and"
        " replaces the whole of $.External."
    ),
    _(
        "Save the value right after %(giver)s (Set contact attributes) and read it from there, or let %(last)s answer with"
        " %(key)s too."
    ),
)
SPEAKING = (
    _("Ask $.Channel before it (Check contact attributes), and give chat contacts a Text of their own."),
    _("%(block)s speaks SSML and is reached by %(who)s, who read its tags."),
    _("%(block)s works for voice only and is reached by %(who)s: they take its error branch."),
    _(
        "The %(name)s of %(block)s has %(spoken)s spoken characters of %(n)s; Connect takes %(most)s of %(most_in_all)s,"
        " and takes the error branch beyond."
    ),
    _("Split it at the end of a sentence into several blocks."),
    _("%(block)s plays a file from S3; %(kind)s plays prompts of the library only."),
    _("Upload the file as a prompt of Amazon Connect and use its PromptId."),
)
WAITING = (
    _("Let voice contacts wait in an inbound flow, with a Continue branch or an event; poll with a prompt elsewhere."),
    _("%(block)s stands in %(kind)s: a voice contact takes its error branch at once."),
    _("%(block)s is reached by voice contacts, and has neither a Continue branch nor an event to wait for."),
    _("The Continue branch of %(block)s comes to %(inner)s: Connect refuses a Wait there."),
    _("Let the Continue branch only play, in a Loop, and end in a transfer or a disconnect."),
    _(
        "The Continue branch of %(block)s ends when it has played: a Lambda that takes longer than the audio loses its"
        " caller."
    ),
    _("Lead the prompt into a Loop block, and its Looping branch back to the prompt, while the Wait lasts."),
    _(
        "%(block)s and then %(other)s start, and %(id)s is by then the latter's: the result of the former can no longer be"
        " loaded."
    ),
    _("Save %(id)s with Set contact attributes (flow) before the next asynchronous Lambda starts."),
    _(
        "%(block)s goes by $.FlowAttributes.%(name)s, which nothing in this flow sets: a Wait then runs to its time limit,"
        " and there is no result to load."
    ),
    _("Save %(id)s as %(name)s with Set contact attributes (flow) after the asynchronous Lambda."),
)
UNREADABLE = (
    _("There is nothing in it."),
    _("It is not JSON: %(fault)s, near %(near)s."),
    _("It nests deeper than %(levels)s levels, which no flow does."),
    _("It holds a number that is none: %(number)s."),
    _("It is no %(encoding)s text: byte %(n)s belongs to no character."),
    _("%(escape)s is no escape that JSON knows, near %(near)s."),
    _(r"JSON escapes only \" \\ \/ \b \f \n \r \t and \u with four digits: write ' without a backslash."),
    _("Save the file as UTF-8. (A zip or a picture is no flow; unpack it first.)"),
    _("Export the flow again from Amazon Connect, or correct the text at this place."),
    _("Export the flow again, or write this part as the flow language has it."),
    _("An action is an object with Identifier, Type, Parameters and Transitions."),
    _("The action has no Identifier (a text)."),
    _("The action has no Type (a text)."),
    _("%(name)s is an object."),
    _("%(name)s is a list."),
    _("The branch has no Condition (an object)."),
    _("The error branch has no ErrorType (a text)."),
    _("A branch is an object with NextAction."),
    _("NextAction is the Identifier of an action (a text)."),
    _(
        "Give an export of the console, the output of 'aws connect describe-contact-flow' (or -module), or the flow's"
        " Content alone."
    ),
    _("It holds no flow: %(what)s."),
    _("'Actions' is no list."),
    _("It is %(what)s, not a flow."),
    _(
        "It is an export of the console before 2022 ('modules' with 'branches'), which today's API and this linter do not"
        " read."
    ),
    _("Import it into Amazon Connect with the console's Import, publish it, and export it again."),
)
# Before a sentence about a place in the file stands the place
PLACED = (_("line %(line)s, column %(column)s: %(sentence)s"), _("byte %(n)s: %(sentence)s"), "%(place)s: %(sentence)s")
SENTENCES = (*BRANCHES, *PARAMETERS, *DOCUMENT, *TIMING, *SPEAKING, *WAITING, *UNREADABLE)


def explain(sentence: str) -> str:
    """The linter's sentence in the language of the page; what it quotes from the flow stays as it is there."""
    said = translate_sentence(sentence, SENTENCES, inner=_explain_part)
    return said if said != sentence else translate_sentence(sentence, PLACED, inner=_explain_placed)


def explain_kind(kind: str) -> str:
    """A type of flow by itself, without an article."""
    return translate_sentence(kind, KINDS).removeprefix("an ").removeprefix("a ")


def _explain_part(part: str) -> str:
    return ", ".join(translate_sentence(piece, (*KINDS, *PARTS)) for piece in part.split(", ")) if part else ""


def _explain_placed(part: str) -> str:
    return translate_sentence(part, SENTENCES, inner=_explain_part)
